"""Rows that end on the day on which they start because of what they are: a visit of an outpatient."""

from __future__ import annotations

import numpy as np
import pandas as pd

from datareplicator.document import Document
from datareplicator.model.context import shown

EVIDENCE = 4.0
"""Nats against all rows of a value ending on their first day by chance."""


class Brief(Document):
    """Rows with one of `values` in `column` end on the day on which they start."""

    column: str
    values: tuple[str, ...]


def fit_brief(offered: pd.DataFrame, start: np.ndarray, end: np.ndarray) -> Brief | None:
    """The column of `offered` (one row a row) that tells most of the rows that end on their first day, by values whose
    rows all do; None where no column does. `start`, `end`: days, NaN unknown."""
    known = np.isfinite(start) & np.isfinite(end)
    one_day = np.floor(end[known]) == np.floor(start[known])
    if not known.any() or not 0.05 <= one_day.mean() <= 0.98:
        return None
    best: tuple[float, Brief] | None = None
    for name in offered.columns:
        value = shown(offered[name])[known].astype(object)
        counts = pd.DataFrame({"value": value.to_numpy(), "one": one_day}).groupby("value").one.agg(["sum", "size"])
        sure = counts[(counts["sum"] == counts["size"]) & (-counts["size"] * np.log(one_day.mean()) >= EVIDENCE)]
        told = sure["size"].sum() / one_day.sum()
        if told >= 0.5 and (best is None or told > best[0]):
            best = told, Brief(column=str(name), values=tuple(map(str, sure.index)))
    return best[1] if best is not None else None


def ends_at_once(model: Brief | None, frame: pd.DataFrame) -> np.ndarray:
    """bool a row: whether it ends on the day on which it starts."""
    if model is None or model.column not in frame:
        return np.zeros(len(frame), dtype=bool)
    return shown(frame[model.column]).isin(model.values).to_numpy()

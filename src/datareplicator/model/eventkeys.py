"""What tells the events of a subject apart: term and start, one more column, or a label of their own."""

from __future__ import annotations

import numpy as np
import pandas as pd

from datareplicator.model.eventcontext import record_groups
from datareplicator.model.eventrows import EventRows

REPEATED = 0.005
"""Share of rows that may repeat another one of their subject where rows are held to be told apart."""
LEAST_LABELS = 3


def row_records(rows: EventRows) -> np.ndarray:
    """The record of each row, int[m]: subject, term and day of start; rows without a start are records of their own."""
    start = np.where(np.isfinite(rows.start), rows.start, -1e9 - np.arange(len(rows)))
    return record_groups(rows.subject, rows.code, start)


def fit_apart(rows: EventRows, named: tuple[str, ...] = ()) -> dict[str, tuple[str, ...]] | None:
    """The attributes of which rows of one record are never alike, each with its texts from the most usual on; empty
    where no record has two rows, None where rows of a record may be alike in all. `named`: attributes that are no
    columns of the table."""
    record = pd.Series(row_records(rows))
    if record.duplicated().mean() < REPEATED:
        return {}
    columns = [c for c in rows.attributes.columns if c not in named]
    found = [c for c in columns if _repeated(record, rows.attributes[c]) < REPEATED]
    return {c: _usual(rows.attributes[c]) for c in found} or None


def _usual(values: pd.Series) -> tuple[str, ...]:
    if pd.api.types.is_numeric_dtype(values.dtype):
        return ()
    return tuple(str(v) for v in values.value_counts().sort_index().sort_values(ascending=False, kind="stable").index)


def fit_labels(rows: EventRows, named: tuple[str, ...] = ()) -> tuple[str, ...]:
    """The text attributes by which records go: one value in all rows of a record, another one in each other record of
    the subject."""
    record = pd.Series(row_records(rows))
    out = []
    for name in rows.attributes.columns:
        values = rows.attributes[name]
        known = values.notna().to_numpy()
        if name in named or pd.api.types.is_numeric_dtype(values.dtype) or values.nunique() < LEAST_LABELS:
            continue
        pairs = pd.DataFrame({"r": record, "s": rows.subject, "v": values.astype("str")})[known].drop_duplicates()
        alone = len(pairs) == pairs["s"].nunique()
        if not alone and not pairs["r"].duplicated().mean() > REPEATED and not pairs.duplicated(["s", "v"]).any():
            out.append(name)
    return tuple(out)


def _repeated(record: pd.Series, values: pd.Series) -> float:
    return float(pd.DataFrame({"r": record, "v": values.astype(object)}).duplicated().mean())

"""What tells the events of a subject apart: term and start, one more column, or a label of their own."""

from __future__ import annotations

import numpy as np
import pandas as pd
from pydantic import Field

from datareplicator.document import Document
from datareplicator.model.eventcontext import record_groups
from datareplicator.model.eventrows import EventRows

REPEATED = 0.005
"""Share of rows that may repeat another one of their subject where rows are held to be told apart."""
LEAST_LABELS = 3


def row_records(rows: EventRows) -> np.ndarray:
    """The record of each row, int[m]; see `numbered_records`."""
    return numbered_records(rows.subject, rows.code, rows.start)


def numbered_records(subject: np.ndarray, code: pd.Series | None, start: np.ndarray) -> np.ndarray:
    """A number for each combination of subject, term and day of start; rows without a start are their own records."""
    return record_groups(subject, code, np.where(np.isfinite(start), start, -1e9 - np.arange(len(start))))


class Apart(Document):
    """How rows of one record differ. `columns`: attributes in which no two are alike, where there are such, each with
    its texts from the most usual on; else `attributes`, of which no two have all alike. `alone`: a record has one row;
    `alike`: rows of a record may be alike in all."""

    alone: bool = False
    alike: bool = False
    columns: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    attributes: tuple[str, ...] = ()


def fit_apart(rows: EventRows, named: tuple[str, ...] = ()) -> Apart:
    """Learn what tells rows of one record apart. `named`: attributes that are no columns of the table."""
    record = pd.Series(row_records(rows))
    if record.duplicated().mean() < REPEATED:
        return Apart(alone=True)
    columns = [str(c) for c in rows.attributes.columns if c not in named]
    found = [c for c in columns if _repeated(record, rows.attributes[[c]]) < REPEATED]
    if not found and (not columns or _repeated(record, rows.attributes[columns]) >= REPEATED):
        return Apart(alike=True)
    return Apart(columns={c: _usual(rows.attributes[c]) for c in found}, attributes=() if found else tuple(columns))


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


def _repeated(record: pd.Series, values: pd.DataFrame) -> float:
    return float(values.reset_index(drop=True).astype(object).assign(**{"record of": record}).duplicated().mean())

"""Tables whose dates all lie a fixed number of days from those of the table of subjects.

A table made from another extract of a study may carry shifted dates: its copy of the reference start then differs from
the subject's own by the same number of days for everybody. Its dates are moved onto the study's clock before anything
is looked at, and moved back when files are written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from datareplicator import dates
from datareplicator.structure.encode import EncodedColumn, EncodedTable
from datareplicator.structure.spec import Kind
from datareplicator.structure.subjects import SubjectKey

LEAST = 5
"""Subjects with dates under which a common distance proves nothing."""


def find_displaced(tables: Mapping[str, EncodedTable], key: SubjectKey) -> dict[str, int]:
    """Days by which the dates of each displaced table follow those of the table of subjects, by source table.

    Date columns of the root's names differ from the root's by one number of days on every row, the same for all of
    them, and all dates of the table are known to the day.
    """
    if key.root is None or key.column is None:
        return {}
    root = tables[key.root]
    found = {}
    for name, column in key.columns.items():
        table = tables.get(name)
        if table is None or name == key.root or not table.n:
            continue
        rows = np.append(pd.Index(root[key.column].texts).get_indexer(table[column].texts), -1)[table[column].codes]
        at = np.append(_row_of(root[key.column]), -1)[rows]
        gaps = [g for g in (_gap(table[c], root[c], at) for c in _dates(table) if c in root) if g is not None]
        if gaps and all(g == gaps[0] != 0 for g in gaps) and all(_whole(table[c]) for c in _dates(table)):
            found[name] = int(gaps[0])
    return found


def _dates(table: EncodedTable) -> list[str]:
    return [name for name, c in table.columns.items() if c.kind == Kind.DATE]


def _row_of(column: EncodedColumn) -> np.ndarray:
    """The first row of each distinct value."""
    first = np.full(len(column.distinct), -1, dtype=np.int64)
    known = np.flatnonzero(column.present)[::-1]
    first[column.codes[known]] = known
    return first


def _gap(here: EncodedColumn, there: EncodedColumn, at: np.ndarray) -> float | None:
    """The one distance in days between two columns: NaN where it varies, None where too little is known."""
    if there.kind != Kind.DATE:
        return None
    theirs = np.append(there.days, np.nan)[at]
    known = np.isfinite(here.days) & np.isfinite(theirs)
    if len(np.unique(at[known])) < LEAST or len(np.unique(theirs[known])) < LEAST:
        return None
    gap = here.days[known] - theirs[known]
    return float(gap[0]) if (gap == gap[0]).all() else float("nan")


def _whole(column: EncodedColumn) -> bool:
    return column.moments is not None and bool((column.moments.precision >= dates.Precision.DAY).all())


def moved(frame: pd.DataFrame, columns: Iterable[str], days: int) -> pd.DataFrame:
    """A frame with some date columns `days` later: true dates, and ISO 8601 texts that tell the day; others stay.

    >>> frame = pd.DataFrame({"ADT": ["2020-02-28", None, "2020-03-01T08:30"]})
    >>> moved(frame, ["ADT"], 2)["ADT"].tolist()[::2]
    ['2020-03-01', '2020-03-03T08:30']
    """
    return frame.assign(**{c: _later(frame[c], days) for c in columns if c in frame})


def _later(values: pd.Series, days: int) -> pd.Series:
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        return values + pd.Timedelta(days=days)
    codes, distinct = pd.factorize(values)
    text = pd.Series(distinct, dtype="str")
    day = dates.parse(text).day
    whole = np.isfinite(day)
    heads = np.datetime_as_string((np.where(whole, day, 0.0) + days).astype("int64").astype("datetime64[D]"))
    made = [f"{head}{v[10:]}" if known else v for head, v, known in zip(heads, text, whole, strict=True)]
    return pd.Series(np.array([*made, None], dtype=object)[codes], index=values.index, dtype="str")

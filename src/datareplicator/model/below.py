"""Findings recorded at the rows of another table (measurements at encounters): those rows are their occasions."""

from __future__ import annotations

import numpy as np
import pandas as pd

from datareplicator.document import Document
from datareplicator.model.prepare import Prepared
from datareplicator.model.rows import parent_of
from datareplicator.structure.spec import TableSpec

MOSTLY = 0.9
"""Share of rows that name a row of the other table, from which on its rows are the occasions."""


class Above(Document):
    """`column` of the findings table names rows of `parent` by `parent_column`; these are put in order by `date`;
    `share` of them have findings, and `most` is the number of a subject's occasions at most."""

    column: str
    parent: str
    parent_column: str
    date: str | None
    share: float
    most: int


def find_above(prepared: Prepared, spec: TableSpec) -> tuple[Above, np.ndarray, np.ndarray] | None:
    """The table whose rows are a findings table's occasions, with each row's occasion (-1 none) and its day; None
    where there is no such table."""
    subject = prepared.subject[spec.name]
    for name in (c.name for c in spec.columns):
        found = parent_of(prepared, spec, name)
        if found is None or prepared.frames[spec.name][name].notna().mean() < MOSTLY:
            continue
        parent = prepared.structure.tables[found[0]]
        values = pd.Index(prepared.frames[parent.name][found[1]])
        if parent.name not in prepared.subject or not values.is_unique:
            continue
        date = parent.start or parent.date
        day = prepared.days(parent.name, date) if date is not None else np.full(len(values), np.nan)
        place = ranks(prepared.subject[parent.name], day)
        row = values.get_indexer(prepared.frames[spec.name][name])
        row = np.where((row >= 0) & (prepared.subject[parent.name][row] == subject), row, -1)
        if (row < 0).all():
            continue
        own = np.append(place, -1)[row]
        held = len(np.unique(row[row >= 0])) / max(int((prepared.subject[parent.name] >= 0).sum()), 1)
        most = int(own.max()) + 1
        made = Above(column=name, parent=parent.name, parent_column=found[1], date=date, share=held, most=most)
        return made, own, np.append(day, np.nan)[row]
    return None


def ranks(subject: np.ndarray, day: np.ndarray) -> np.ndarray:
    """The place of each row among its subject's rows by day, from 0; undated rows first, in the order of the rows.

    >>> ranks(np.array([0, 1, 0]), np.array([5.0, 1.0, 2.0])).tolist()
    [1, 0, 0]
    """
    order = np.lexsort((np.nan_to_num(day, nan=-np.inf), subject))
    out = np.empty(len(subject), dtype=np.int64)
    out[order] = pd.Series(subject[order]).groupby(subject[order]).cumcount().to_numpy()
    return out

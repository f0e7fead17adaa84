"""Columns that name other rows of their own table: a manager, the one who referred a subject, the visit before."""

from __future__ import annotations

import numpy as np
import pandas as pd

from datareplicator.document import Document
from datareplicator.model.prepare import Prepared
from datareplicator.structure.encode import plain_text
from datareplicator.structure.spec import Layout

WITHIN = 0.99
"""Share of references that stay with the subject, from which all do."""


class OwnReference(Document):
    """`column` of `table` names a row before it by `key`: `missing`, `own`: shares of rows that name none, and
    themselves, of those that have a row before; `named`: share of rows that are named by any; `within`: the row
    belongs to the same subject; `next`: it is the one just before."""

    table: str
    column: str
    key: str
    missing: float
    own: float
    named: float
    within: bool
    next: bool = False


def fit_own_references(prepared: Prepared) -> tuple[OwnReference, ...]:
    """Learn the columns of all tables that are made anew."""
    out = []
    for table, frame in prepared.frames.items():
        spec, subject = prepared.structure.tables[table], prepared.subject[table]
        if spec.layout == Layout.REFERENCE or not (subject >= 0).any():
            continue
        for column, key in prepared.structure.own_references(table).items():
            out.append(_fit(table, frame, column, key, subject))
    return tuple(out)


def _fit(table: str, frame: pd.DataFrame, column: str, key: str, subject: np.ndarray) -> OwnReference:
    keys = pd.Index(_texts(frame[key]))
    held = np.flatnonzero(frame[column].notna().to_numpy())
    at = keys.get_indexer(_texts(frame[column].iloc[held]))
    rows, at = held[at >= 0], at[at >= 0]
    own = rows == at
    others = at[~own]
    several = len(np.unique(subject[subject >= 0])) < (subject >= 0).sum()
    within = several and bool(len(others)) and bool((subject[rows[~own]] == subject[others]).mean() >= WITHIN)
    before = np.full(len(frame), -1)
    order = np.argsort(subject, kind="stable")
    before[order[1:]] = order[:-1]
    could = before >= 0
    could[could] = (subject[before[could]] == subject[could]) | (not within)
    chosen = could if could.any() else np.ones(len(frame), dtype=bool)
    return OwnReference(
        table=table,
        column=column,
        key=key,
        missing=float(frame[column].isna().to_numpy()[chosen].mean()),
        own=float(np.isin(np.flatnonzero(chosen), rows[own]).mean()),
        named=float(len(np.unique(others)) / max(len(frame), 1)),
        within=within,
        next=within and bool((before[rows[~own]] == others).mean() >= WITHIN),
    )


def _texts(values: pd.Series) -> np.ndarray:
    return np.array([plain_text(v) for v in values], dtype=object)

"""Functional dependencies kept as a table: one or two determinants give the value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from datareplicator.structure.derive.outcome import agreement
from datareplicator.structure.derive.scene import ref
from datareplicator.structure.derive.view import View, from_levels, json_levels, key_array, level_index
from datareplicator.structure.spec import Derivation


def lookup(view: View, d: Derivation) -> pd.Series | np.ndarray:
    """The value kept for the determinants. params: ``keys``, one list of values a determinant (null: missing), and
    ``values``, aligned. An unknown combination gives missing."""
    at = key_rows(view, d.table, [s.column for s in d.sources], d.params["keys"])
    return from_levels(np.append(_codes(d.params["values"]), -1)[at], _levels(d.params["values"]))


def key_rows(view: View, table: str, columns: Sequence[str], keys: Sequence[Sequence[Any]]) -> np.ndarray:
    """For each row, the position of its combination of values in `keys` (lists, one a column); -1 where absent."""
    rows, size = view.rows(table), len(keys[0]) if keys else 0
    left, right = np.zeros(rows, dtype=np.int64), np.zeros(size, dtype=np.int64)
    known = np.ones(rows, dtype=bool)
    for column, wanted in zip(columns, keys, strict=True):
        values = view.values(table, column)
        distinct = [k for k in dict.fromkeys(wanted) if k is not None]
        position = {k: i for i, k in enumerate(distinct)}
        missing = len(distinct)
        index = np.append(level_index(values, key_array(distinct)), missing)[values.codes]
        known &= index >= 0
        left = left * (missing + 1) + index
        right = right * (missing + 1) + np.array([position.get(k, missing) for k in wanted], dtype=np.int64)
    at = pd.Index(right).get_indexer(left) if size else np.full(rows, -1)
    return np.where(known, at, -1)


def _levels(values: Sequence[Any]) -> list[Any]:
    return [v for v in dict.fromkeys(values) if v is not None]


def _codes(values: Sequence[Any]) -> np.ndarray:
    position = {v: i for i, v in enumerate(_levels(values))}
    return np.array([position.get(v, -1) for v in values], dtype=np.int64)


TEMPLATES = {"lookup": lookup}


def build(view: View, table: str, determinants: Sequence[str], target: str) -> Derivation:
    """The lookup of `target` by `determinants`: the most frequent value of each combination in the table.

    Combinations whose determinants or target are never present are left out. A date cannot be a determinant.
    """
    columns = [view.values(table, c) for c in determinants]
    values = view.values(table, target)
    ids, size = view.group(table, determinants)
    rows = np.flatnonzero(values.present)
    pairs, counts = np.unique(ids[rows] * len(values.levels) + values.codes[rows], return_counts=True)
    cell, level = pairs // max(1, len(values.levels)), pairs % max(1, len(values.levels))
    order = np.lexsort((-counts, cell))
    cell, first = np.unique(cell[order], return_index=True)
    best = level[order][first]
    where = np.empty(size, dtype=np.int64)
    where[ids[::-1]] = np.arange(len(ids))[::-1]
    keys = [
        [None if c < 0 else names[c] for c in v.codes[where[cell]]]
        for v, names in ((v, json_levels(v.levels)) for v in columns)
    ]
    names = json_levels(values.levels)
    derivation = Derivation(
        table=table,
        target=target,
        template="lookup",
        sources=ref(table, *determinants),
        params={"keys": keys, "values": [names[i] for i in best]},
    )
    share, n = agreement(lookup(view, derivation), values)
    return derivation.model_copy(update={"agreement": share, "rows": n})

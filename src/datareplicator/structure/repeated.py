"""Columns that say nothing new in a child table: copies of a root column, or constant within the subject."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from datareplicator.structure.encode import Context, EncodedColumn
from datareplicator.structure.spec import MEMBER, Derivation, Kind, Ref

FEW = 3  # subjects with several rows, under which "constant within subject" proves nothing by itself
EVIDENCE = 10.0  # nats that a copy under another name needs against chance


def subject_values(ctx: Context, table: str, column: EncodedColumn) -> np.ndarray | None:
    """The code per subject of a column that never varies within a subject (-2 for subjects without rows); None where
    it varies."""
    subjects = ctx.subject_codes[table]
    known = subjects >= 0
    first = np.full(ctx.n_subjects + 1, -2, dtype=np.int64)
    first[subjects[known][::-1]] = column.codes[known][::-1]
    return first[:-1] if (first[subjects[known]] == column.codes[known]).all() else None


def find_constant(ctx: Context) -> list[Derivation]:
    """Fill `ctx.constant` and return the copies of root columns among them."""
    derivations = []
    for name, table in ctx.tables.items():
        if name == ctx.root or name not in ctx.subject_columns or name not in ctx.subject_codes or not table.n:
            continue
        sizes = np.bincount(ctx.subject_codes[name][ctx.subject_codes[name] >= 0], minlength=ctx.n_subjects)
        several = int((sizes > 1).sum())
        for column in table.columns.values():
            if column.kind == Kind.EMPTY or column.name in (MEMBER, ctx.subject_columns.get(name)):
                continue
            if len(column.distinct) == 1 and column.present.all():
                continue
            values = subject_values(ctx, name, column)
            if values is None:
                continue
            source = _root_column(ctx, name, column, values)
            if source is not None:
                ctx.constant.setdefault(name, {})[column.name] = source
                derivations.append(_copy(ctx, name, column, source))
            elif several >= max(FEW, 0.5 * (sizes > 0).sum()):
                ctx.constant.setdefault(name, {})[column.name] = ""
    return derivations


def _copy(ctx: Context, table: str, column: EncodedColumn, source: str) -> Derivation:
    return Derivation(
        table=table,
        target=column.name,
        template="copy_subject",
        sources=(Ref(table=ctx.root, column=source),),
        params={"keys": [[ctx.subject_columns[table], ctx.subject]]},
        rows=int(column.present.sum()),
    )


def _root_column(ctx: Context, table: str, column: EncodedColumn, values: np.ndarray) -> str | None:
    if ctx.root is None:
        return None
    root = ctx.tables[ctx.root]
    subjects = np.flatnonzero((values > -2) & (ctx.root_rows >= 0))
    if not len(subjects):
        return None
    mine = np.append(column.texts, None)[values[subjects]]
    found = []
    for other in root.columns.values():
        named = other.name == column.name
        if other.kind == Kind.EMPTY or other.name == ctx.subject or not (named or _comparable(column, other)):
            continue
        theirs = np.append(other.texts, None)[other.codes[ctx.root_rows[subjects]]]
        if (mine == theirs).all() and (named or evidence_of_equality(mine) >= EVIDENCE):
            found.append(other.name)
    return min(found, key=lambda other: _distance(column.name, other), default=None)


def _comparable(left: EncodedColumn, right: EncodedColumn) -> bool:
    return left.kind == right.kind and left.spec.encoding == right.spec.encoding


def evidence_of_equality(values: np.ndarray) -> float:
    """Nats against two independent columns of this distribution agreeing in every place.

    >>> round(evidence_of_equality(np.array(["a", "b"] * 10, dtype=object)), 1)
    13.9
    """
    codes, distinct = pd.factorize(values, use_na_sentinel=False)
    share = np.bincount(codes, minlength=len(distinct)) / max(len(values), 1)
    return float(-len(values) * np.log((share**2).sum())) if len(values) else 0.0


def _distance(left: str, right: str) -> tuple[bool, bool, int]:
    return left != right, re.sub(r"\d", "", left) != re.sub(r"\d", "", right), abs(len(left) - len(right))

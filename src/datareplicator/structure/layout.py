"""How the rows of a table lie: the first rule that fits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from datareplicator.structure.encode import Context
from datareplicator.structure.keys import NaturalKey
from datareplicator.structure.names import is_named
from datareplicator.structure.roles import Roles
from datareplicator.structure.spec import ForeignKey, Layout

NEARLY_ALL = 0.95  # share of subjects with a row, from which a companion is a table of subjects
CONTIGUOUS = 0.9  # share of periods that begin where the one before ends
MOST_PERIODS = 12  # periods a subject at most
SET_ROWS = 6.0  # mean rows a subject of a table of sets
SET_MOST = 10  # rows of a subject at most
SET_SHARED = 0.6  # share of subjects with several rows whose sequence of codes others have too
SET_SUBJECTS = 4  # subjects with several rows, under which patterns prove nothing


NAMED = {"DS": Layout.SETS, "EX": Layout.SETS, "EC": Layout.SETS, "SE": Layout.INTERVALS, "SV": Layout.VISITS}
"""SDTM tables of a known layout, for samples that show no pattern."""


@dataclass
class Facts:
    """What the rules look at."""

    table: str
    roles: Roles
    key: NaturalKey
    parent: ForeignKey | None  # the key to the rows that these rows lie below
    reached: bool  # whether the subject is reached only through the parent
    is_visit_table: bool


def find_layout(ctx: Context, facts: Facts) -> Layout:
    """The layout of a table that is no pointing table."""
    subjects, n = ctx.subject_codes.get(facts.table), ctx.tables[facts.table].n
    if subjects is None or not (subjects >= 0).any():
        return Layout.REFERENCE
    if facts.table == ctx.root:
        return Layout.SUBJECT
    if facts.reached or (facts.parent is not None and facts.roles.test is None):
        return Layout.CHILDREN
    known = subjects[subjects >= 0]
    held = len(np.unique(known))
    if held == n:
        return _single(ctx, facts, held)
    if facts.roles.test is not None:
        return Layout.FINDINGS
    if facts.is_visit_table:
        return Layout.VISITS
    if n / held < MOST_PERIODS and _contiguous(ctx, facts):
        return Layout.INTERVALS
    if _by_visit(ctx, facts, alone=True):
        return Layout.VISITS
    if _is_set(ctx, facts, subjects):
        return Layout.SETS
    if _by_visit(ctx, facts):
        return Layout.VISITS
    if held < SET_SUBJECTS:
        return NAMED.get(facts.table.upper(), Layout.EVENTS)
    return Layout.EVENTS


def _single(ctx: Context, facts: Facts, held: int) -> Layout:
    if facts.roles.test is not None:
        return Layout.FINDINGS
    if held < NEARLY_ALL * ctx.n_subjects:
        return Layout.ONCE
    # with few subjects an event table can have one row a subject by chance: its row number gives it away
    named = any(is_named("sequence", c) for c in ctx.tables[facts.table].columns)
    return Layout.EVENTS if named and ctx.n_subjects < 5 else Layout.SUBJECT


def _contiguous(ctx: Context, facts: Facts) -> bool:
    if facts.roles.start is None or facts.roles.end is None:
        return False
    table = ctx.tables[facts.table]
    start, end = table[facts.roles.start].days, table[facts.roles.end].days
    frame = pd.DataFrame({"s": ctx.subject_codes[facts.table], "start": start, "end": end})
    frame = frame.dropna().sort_values(["s", "start", "end"], kind="stable")
    same = frame["s"].to_numpy()[1:] == frame["s"].to_numpy()[:-1]
    gap = frame["start"].to_numpy()[1:] - frame["end"].to_numpy()[:-1]
    first = frame["end"].to_numpy()[:-1] >= frame["start"].to_numpy()[:-1]
    ordered = frame["start"].to_numpy()[1:][same] > frame["start"].to_numpy()[:-1][same]
    if same.sum() < 2 or not len(ordered) or ordered.mean() < 0.5:
        return False
    return bool(((gap >= 0) & (gap <= 1) & first)[same].mean() >= CONTIGUOUS)


def _is_set(ctx: Context, facts: Facts, subjects: np.ndarray) -> bool:
    """Few rows a subject, whose codes in row order form patterns that subjects share."""
    column = facts.roles.code or next(iter(facts.key.columns), None)
    if column is None:
        return False
    rows = ctx.order[facts.table]
    rows = rows[subjects[rows] >= 0]
    sizes = np.bincount(subjects[rows])
    sizes = sizes[sizes > 0]
    if sizes.mean() > SET_ROWS or sizes.max() > SET_MOST:
        return False
    codes = ctx.tables[facts.table][column].codes[rows]
    patterns = pd.Series(codes.astype(str)).groupby(subjects[rows]).agg(" ".join)
    several = patterns[patterns.str.contains(" ", regex=False)]
    if len(several) < SET_SUBJECTS:
        return False
    shared = several.map(several.value_counts()) >= 2
    return bool(shared.mean() >= SET_SHARED)


def _by_visit(ctx: Context, facts: Facts, *, alone: bool = False) -> bool:
    """Whether a row is a subject's visit, as other tables have it too; `alone`: as no other table has it."""
    visit = facts.roles.visit
    if visit is None or facts.key.columns != (visit,) or facts.key.tier != 0:
        return False
    holders = sum(visit in t for t in ctx.tables.values())
    return facts.key.fill >= 0.2 and (holders == 1 if alone else holders >= 2)

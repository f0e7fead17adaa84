"""Row numbers within the subject, and the natural key of a table: which columns name a row."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
import pandas as pd

from datareplicator.structure.encode import Context, EncodedColumn
from datareplicator.structure.names import is_named, named
from datareplicator.structure.spec import MEMBER, SUPPLEMENT, Kind
from datareplicator.structure.subjects import numbered

SHARED = 0.08  # row-weighted share of subjects that hold a value, from which a column can be a common axis
POINTS = 20  # values of a scale of planned times at most
COMMON = 0.5  # row-weighted share of subjects that hold such a value at least
WIDEST = 4  # columns of a natural key at most, beside the subject
CANDIDATES = 13
SAMPLE = 40  # subjects on which uniqueness is tried first
FEW = 10  # subjects under which no key of events can be told from chance
TERMS = 12  # values from which a category is a term, which with a date may name an event
DUPLICATES = 0.005  # share of rows that may repeat a key where no exact key exists
_COST = {Kind.CATEGORY: 0.0, Kind.INTEGER: 0.0, Kind.IDENTIFIER: 0.3, Kind.DATE: 0.2, Kind.DECIMAL: 0.3, Kind.FLAG: 1.5}


NEVER = ("result", "reference", "value", "unit", "sequence", "original", "text")
"""Roles of columns that say what was found, not which row it is."""


def groups(ctx: Context, table: str, parent: str | None = None) -> np.ndarray:
    """What rows are numbered within: the subject, else the row of the parent, else one group for all."""
    if parent is not None:
        return ctx.tables[table][parent].codes.astype(np.int64)
    codes = ctx.subject_codes.get(table)
    return np.zeros(ctx.tables[table].n, dtype=np.int64) if codes is None else codes.astype(np.int64)


def unique_within(group: np.ndarray, columns: Iterable[np.ndarray]) -> float:
    """Share of rows that repeat an earlier row's group and codes (missing counts as a value): 0 for a key."""
    cells = group
    for codes in columns:
        cells = pd.factorize(cells * (int(codes.max(initial=-1)) + 2) + codes + 1)[0]
    return 1.0 - len(np.unique(cells)) / len(cells) if len(cells) else 0.0


def find_sequence(ctx: Context, table: str, group: np.ndarray) -> str | None:
    """The row number: by name and unique in its group, else contiguous from 1 without a text beside it."""
    encoded = ctx.tables[table]
    if not encoded.n:
        return None
    whole = [c for c in encoded.columns.values() if _whole(c) and c.present.all()]
    for name in named("sequence", [c.name for c in whole]):
        if unique_within(group, [encoded[name].codes]) == 0:
            return name
    sizes = np.bincount(group[group >= 0])
    if len(sizes) < 3 or (sizes[sizes > 0] > 1).mean() < 0.5:
        return None
    for c in whole:
        if is_named("visit", c.name) or len(c.distinct) == encoded.n or unique_within(group, [c.codes]):
            continue
        if _contiguous(c, group) >= 0.9 and not _partner(ctx, table, c):
            return c.name
    return None


def _whole(c: EncodedColumn) -> bool:
    if c.number is None or not len(c.number) or c.spec.encoding == "text":
        return False
    return c.kind in (Kind.INTEGER, Kind.IDENTIFIER, Kind.FLAG) and bool((c.number == np.floor(c.number)).all())


def _contiguous(c: EncodedColumn, group: np.ndarray) -> float:
    known = group >= 0
    frame = pd.DataFrame({"group": group[known], "number": c.numbers[known]}).groupby("group")["number"]
    size = frame.size()
    return float(((frame.min() == 1) & (frame.max() == size)).mean())


def _partner(ctx: Context, table: str, column: EncodedColumn) -> bool:
    """Whether a text column is 1:1 with this one (a visit number has a visit name, a row number has nothing)."""
    return any(
        c.spec.encoding == "text" and len(c.distinct) == len(column.distinct) > 1 and determines(column, c)
        for c in ctx.tables[table].columns.values()
    )


def determines(x: EncodedColumn, y: EncodedColumn) -> bool:
    """Whether equal values of x always stand beside equal values of y, where both are present."""
    first = np.full(len(x.distinct) + 1, -1, dtype=np.int64)
    both = (x.codes >= 0) & (y.codes >= 0)
    first[x.codes[both]] = y.codes[both]
    return bool((first[x.codes[both]] == y.codes[both]).all())


@dataclass
class NaturalKey:
    """`columns` beside the subject; `fill` is rows / (distinct cells without the subject) / subjects; `tier` is 0 for
    axes that subjects share, 1 with dates, 2 for none found; `declared` by the user."""

    columns: tuple[str, ...] = ()
    fill: float = 0.0
    tier: int = 2
    duplicates: float = 0.0
    alternatives: list[tuple[str, ...]] = field(default_factory=list)
    declared: bool = False


def natural_key(ctx: Context, table: str, group: np.ndarray, derived: set[str], test: str | None) -> NaturalKey:
    """Search for the columns that, with the subject, name a row. `derived` are computed columns, left out."""
    encoded = ctx.tables[table]
    pool = _pool(ctx, table, derived, test)
    if test is None and table in ctx.subject_codes and ctx.n_subjects < FEW:
        pool = [c for c in pool if is_named("visit", c)]
    pool = [c for c in pool if not _is_measure(ctx, table, encoded[c])]
    shared = [c for c in pool if _share(ctx, table, encoded[c]) >= SHARED and encoded[c].kind != Kind.DATE]
    dates = [c for c in pool if encoded[c].kind == Kind.DATE]
    for allowed in (0.0, DUPLICATES):
        found = _search(ctx, table, group, _collapse(ctx, table, shared), test, allowed)
        if found:
            return _best(ctx, table, found, 0, allowed)
        terms = [c for c in pool if c not in dates and len(encoded[c].distinct) > TERMS] if test is None else shared
        found = _search(ctx, table, group, _collapse(ctx, table, [*terms, *dates]), test, allowed)
        dated = [k for k in found if sum(c in dates for c in k) == 1 and (test is not None or len(k) == 2)]
        if dated:
            return _best(ctx, table, dated, 1, allowed)
    return NaturalKey()


def describe_key(ctx: Context, table: str, options: list[tuple[str, ...]], *, declared: bool = False) -> NaturalKey:
    """The best of some keys that are known to name rows."""
    dated = any(ctx.tables[table][c].kind == Kind.DATE for c in options[0])
    key = _best(ctx, table, options, 1 if dated else 0, 0.0)
    key.declared = declared
    return key


def _pool(ctx: Context, table: str, derived: set[str], test: str | None) -> list[str]:
    encoded = ctx.tables[table]
    skip = derived | set(ctx.same.get(table, {})) | set(ctx.constant.get(table, {}))
    skip |= {MEMBER, ctx.sequence.get(table), ctx.subject_columns.get(table)}
    pool = []
    for name, c in encoded.columns.items():
        visit = is_named("visit", name) and len(c.distinct) > 1 and name not in ctx.constant.get(table, {})
        numbers_rows = len(c.distinct) == encoded.n and numbered(c)
        if name == test or visit or (name not in skip and not numbers_rows and _may_name_rows(c)):
            pool.append(name)
    return pool


def _may_name_rows(c: EncodedColumn) -> bool:
    if len(c.distinct) < 2 or c.kind not in _COST or c.name.startswith(SUPPLEMENT):
        return False
    if any(is_named(role, c.name) for role in NEVER):
        return False
    return c.kind != Kind.DECIMAL or len(c.distinct) <= 60


def _is_measure(ctx: Context, table: str, c: EncodedColumn) -> bool:
    """Whether a decimal number is what was found (a price), not where: no visit or time point by name, and no scale of
    a few points that most subjects share."""
    if c.kind != Kind.DECIMAL or is_named("visit", c.name) or is_named("axis", c.name):
        return False
    return len(c.distinct) > POINTS or _share(ctx, table, c) < COMMON


def _share(ctx: Context, table: str, c: EncodedColumn) -> float:
    """Row-weighted share of the table's subjects that hold the row's value."""
    subjects = ctx.subject_codes.get(table)
    if subjects is None:
        return 1.0
    present = (c.codes >= 0) & (subjects >= 0)
    pairs = np.unique(subjects[present].astype(np.int64) * (len(c.distinct) + 1) + c.codes[present])
    holders = np.bincount(pairs % (len(c.distinct) + 1), minlength=len(c.distinct) + 1)
    n = max(len(np.unique(subjects[subjects >= 0])), 1)
    return float(holders[c.codes[present]].mean() / n) if present.any() else 0.0


def _finest(ctx: Context, name: str) -> int:
    return max(len(t[name].distinct) for t in ctx.tables.values() if name in t)


def _collapse(ctx: Context, table: str, pool: list[str]) -> list[str]:
    """One column of each group that is 1:1; the visit number, then the finest over all tables, then no nulls."""
    encoded = ctx.tables[table]

    def order(name: str) -> tuple:
        c = encoded[name]
        missing = not c.present.all()
        visit = not is_named("visit", name)
        length = float(np.mean([len(t) for t in c.texts[:200]])) if len(c.texts) else 0.0
        return (not is_named("test", name), visit, -_finest(ctx, name), missing, length)

    kept: list[str] = []
    for name in sorted(pool, key=order):
        c = encoded[name]
        twins = [k for k in kept if np.array_equal(encoded[k].present, c.present) and determines(encoded[k], c)]
        twins = [k for k in twins if determines(c, encoded[k])]
        if not twins and not any(is_named("visit", k) and determines(encoded[k], c) for k in kept):
            kept.append(name)
    cost = sorted(kept, key=lambda name: _cost(ctx, table, name))[:CANDIDATES]
    return [name for name in kept if name in cost or is_named("visit", name) or is_named("test", name)]


def _cost(ctx: Context, table: str, name: str) -> float:
    c = ctx.tables[table][name]
    missing = 1.0 - c.present.mean() if len(c.codes) else 1.0
    length = float(np.mean([len(t) for t in c.texts[:200]])) if len(c.texts) else 0.0
    position = list(ctx.tables[table].columns).index(name) / max(len(ctx.tables[table].columns), 1)
    return _COST.get(c.kind, 1.0) + (0.5 + 1.5 * missing if missing else 0.0) + length / 100 + position / 2


def _search(
    ctx: Context, table: str, group: np.ndarray, pool: list[str], test: str | None, allowed: float
) -> list[tuple[str, ...]]:
    """All smallest sets of columns that are unique in the group, the test code in every one of them."""
    encoded = ctx.tables[table]
    forced = (test,) if test is not None else ()
    others = [c for c in pool if c not in forced]
    few = np.flatnonzero(np.isin(group, np.unique(group)[:SAMPLE]))
    most = int(np.bincount(group[group >= 0], minlength=1).max()) if (group >= 0).any() else len(group)
    for size in range(0 if forced else 1, WIDEST + 1 - len(forced)):
        found = []
        for extra in combinations(others, size):
            columns = forced + extra
            codes = [encoded[c].codes for c in columns]
            cells = float(np.prod([len(encoded[c].distinct) + 1.0 for c in columns]))
            if cells < most * (1 - allowed) or unique_within(group[few], [c[few] for c in codes]) > 4 * allowed:
                continue
            if unique_within(group, codes) <= allowed:
                found.append(columns)
        if found:
            return found
    return []


def _best(ctx: Context, table: str, found: list[tuple[str, ...]], tier: int, allowed: float) -> NaturalKey:
    encoded = ctx.tables[table]
    subjects = ctx.subject_codes.get(table, np.zeros(encoded.n, dtype=np.int32))
    n = max(len(np.unique(subjects)), 1)

    def fill(columns: tuple[str, ...]) -> float:
        cells = np.zeros(encoded.n, dtype=np.int64)
        for c in columns:
            cells = pd.factorize(cells * (len(encoded[c].distinct) + 2) + encoded[c].codes + 1)[0]
        return encoded.n / max(len(np.unique(cells)), 1) / n

    def rank(columns: tuple[str, ...]) -> float:
        return np.log(fill(columns)) - 0.6 * sum(_cost(ctx, table, c) for c in columns) - 0.4 * len(columns)

    best = max(found, key=rank)
    others = [k for k in found if k != best]
    return NaturalKey(best, fill(best), tier, allowed, others)

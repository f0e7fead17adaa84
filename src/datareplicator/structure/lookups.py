"""Functional dependencies that are kept as lookup tables, and the evidence that they are no accident of a small sample.

"It holds in the sample" proves little: of the dependencies that hold in 20 subjects, a quarter does not hold in 300.
Evidence is counted over subjects, not rows; names stand in where there are few subjects.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from datareplicator.structure.encode import Context, EncodedColumn, EncodedTable
from datareplicator.structure.names import is_named, planned_and_actual, same_stem
from datareplicator.structure.spec import MEMBER, Derivation, Kind

EVIDENCE = 10.0  # nats; flat from 5 to 15 on measured studies
FEW = 10  # subjects under which only names decide
NUMBERS = 60  # distinct values of a number that may determine something
CATEGORIES = 200  # distinct values of each of two determinants
BROKEN = 0.002  # share of rows that may contradict where the target is a number (limits with a slip)
FAITHFUL = 0.995  # share of rows that a lookup must give back, missing ones included

FAMILIES = tuple(
    (re.compile(left), re.compile(right))
    for left, right in (
        (r"(..)TESTCD", r"(..)(?:TEST|CAT|SCAT|STRESU)"),
        (r"PARAMCD", r"PARAM|PARAMN|PARCAT\d?N?"),
        (r"VISITNUM", r"VISIT|VISITDY"),
        (r"AVISITN", r"AVISIT"),
        (r"(..)TPTNUM", r"(..)(?:TPT|ELTM|TPTREF)"),
        (r"ETCD", r"ELEMENT"),
        (r"(..)(?:LLT|LLTCD)", r"(..)(?:LLT|LLTCD|DECOD|PTCD)"),
        (r"(..)(?:DECOD|PTCD)", r"(..)(?:DECOD|PTCD|HLT|HLTCD|HLGT|HLGTCD|BODSYS|BDSYCD|SOC|SOCCD)"),
        (r"SITEID", r"INVID|INVNAM|COUNTRY"),
        (r"ARMCD", r"ARM"),
        (r"ACTARMCD", r"ACTARM"),
    )
)
"""Code and text pairs of the standards (SDTMIG 3.4; ADaMIG 1.3): expected, so that data need only not contradict."""


@dataclass
class LookupJob:
    """What mining needs to know of one table. `first` are sampled columns in order (never targets), `axes` those
    among them that two determinants may start from; `results` are result columns and `derived` computed ones (neither
    side). In a table of tests (`tested`) a unit or limit decides nothing without its test."""

    table: str
    first: list[str]
    results: set[str] = field(default_factory=set)
    axes: set[str] = field(default_factory=set)
    derived: set[str] = field(default_factory=set)
    tested: bool = False


def family(left: str, right: str) -> bool:
    """Whether a standard says that `left` determines `right`.

    >>> family("LBTESTCD", "LBCAT"), family("LBCAT", "LBTESTCD"), family("LBTESTCD", "VSTEST")
    (True, False, False)
    """
    for pattern, target in FAMILIES:
        a, b = pattern.fullmatch(left), target.fullmatch(right)
        if a and b and left != right and a.groups()[:1] == b.groups()[:1]:
            return True
    return False


def evidence(subjects: np.ndarray, x: np.ndarray, y: np.ndarray) -> float:
    """Nats against x determining y by accident, for codes of rows where both are present.

    Over unique (subject, x, y): for each x held by m subjects, the chance that all have one y is the sum of p**m over
    the values y, p their frequency. Closed form, no permutation.
    """
    if not len(x):
        return 0.0
    wide = np.int64(y.max()) + 1
    triples = np.unique(subjects.astype(np.int64) * (np.int64(x.max()) + 1) * wide + x.astype(np.int64) * wide + y)
    share = np.bincount((triples % wide).astype(np.int64)) / len(triples)
    share = share[share > 0]
    held = np.bincount(((triples // wide) % (np.int64(x.max()) + 1)).astype(np.int64))
    m, times = np.unique(held[held >= 2], return_counts=True)
    if not len(m):
        return 0.0
    powers = m[:, None] * np.log(share)[None, :]
    top = powers.max(axis=1)
    log_chance = top + np.log(np.exp(powers - top[:, None]).sum(axis=1))
    return float(-(times * log_chance).sum())


def fixed(x: np.ndarray, y: np.ndarray, broken: float = 0.0) -> bool:
    """Whether equal codes x stand beside equal codes y (no missing among them), but for a share of the rows."""
    if not len(x):
        return False
    first = np.empty(int(x.max()) + 1, dtype=np.int64)
    first[x] = y
    if not broken or (first[x] == y).all():
        return bool((first[x] == y).all())
    wide = np.int64(y.max()) + 1
    pairs, counts = np.unique(x.astype(np.int64) * wide + y, return_counts=True)
    best = np.zeros(int(x.max()) + 1, dtype=np.int64)
    np.maximum.at(best, pairs // wide, counts)
    return bool(1 - best.sum() / len(x) <= broken)


def tolerance(y: EncodedColumn) -> float:
    """Share of rows that may contradict: a code pair none, a number (a limit, a planned day) a few."""
    return BROKEN if y.number is not None and y.kind in (Kind.DECIMAL, Kind.INTEGER) else 0.0


Build = Callable[[str, tuple[str, ...], str], Derivation]


def mine_lookups(ctx: Context, job: LookupJob, build: Build) -> list[Derivation]:
    """All lookups of one table worth keeping, several a target, best first. `build` makes the derivation."""
    encoded = ctx.tables[job.table]
    subjects = ctx.subject_codes.get(job.table)
    if subjects is None or encoded.n < 2:
        return []
    columns = _ordered(ctx, job)
    few = len(np.unique(subjects)) < FEW
    found: list[Derivation] = []
    for place, target in enumerate(columns):
        y = encoded[target]
        if target in job.first or not _may_be_target(ctx, job, y):
            continue
        options = []
        for name in columns[:place]:
            x = encoded[name]
            if not _may_determine(ctx, job, x) or planned_and_actual(name, target):
                continue
            weight = _supported(x, y, subjects, few)
            if weight is not None:
                options.append((_preference(job, x, y), -weight, name))
        kept = [_faithful(ctx, job, (name,), target, build) for *_, name in sorted(options)[:4]]
        kept = [d for d in kept if d is not None]
        if not kept and not options and not few:
            kept = _pair(ctx, job, target, columns[:place], subjects, build)
        found += kept
    return found


def _ordered(ctx: Context, job: LookupJob) -> list[str]:
    """Columns in the order in which they may determine later ones: sampled ones, codes, finer ones, leftmost."""
    encoded = ctx.tables[job.table]
    names = [c for c in encoded.columns if c not in ctx.same.get(job.table, {}) and c not in job.derived]
    position = {c: i for i, c in enumerate(encoded.columns)}

    def order(name: str) -> tuple:
        first = job.first.index(name) if name in job.first else len(job.first)
        c = encoded[name]
        code = not re.search(r"(?:CD|NUM|_?id|_?code)$", name)
        if is_named("result", name):  # collected limits and units stand left of the standard ones
            return (first, name == MEMBER, True, position[name])
        return (first, name == MEMBER, False, -len(c.distinct), code, c.spec.missing, position[name])

    return sorted((c for c in names if encoded[c].kind != Kind.EMPTY), key=order)


def _may_be_target(ctx: Context, job: LookupJob, y: EncodedColumn) -> bool:
    never = (Kind.DATE, Kind.PII, Kind.TIME)
    skip = {ctx.subject_columns.get(job.table), ctx.sequence.get(job.table), *job.results}
    if y.kind in never or y.name in skip or not len(y.distinct) or is_named("sequence", y.name):
        return False
    if len(y.distinct) == 1 and y.present.all():
        return False
    return y.name not in ctx.constant.get(job.table, {})


def _may_determine(ctx: Context, job: LookupJob, x: EncodedColumn, alone: bool = True) -> bool:
    if x.kind in (Kind.DATE, Kind.TEXT, Kind.PII, Kind.TIME) or x.name in job.results or len(x.distinct) < 2:
        return False
    if x.name in ctx.constant.get(job.table, {}) or is_named("sequence", x.name) or x.name == MEMBER:
        return False
    if x.name in (ctx.subject_columns.get(job.table), ctx.sequence.get(job.table)):
        return False
    if alone and job.tested and is_named("result", x.name):
        return False
    return x.spec.encoding == "text" or x.name in job.first or x.kind == Kind.CATEGORY or _recurs(ctx, job.table, x)


def _recurs(ctx: Context, table: str, x: EncodedColumn) -> bool:
    """Whether a number is a code: few values, of which 80 % of the rows are seen in three subjects."""
    if len(x.distinct) > NUMBERS:
        return False
    subjects = ctx.subject_codes[table]
    rows = x.present & (subjects >= 0)
    pairs = np.unique(subjects[rows].astype(np.int64) * len(x.distinct) + x.codes[rows])
    holders = np.bincount((pairs % len(x.distinct)).astype(np.int64), minlength=len(x.distinct))
    return bool((holders[x.codes[rows]] >= 3).mean() >= 0.8) if rows.any() else False


def _supported(x: EncodedColumn, y: EncodedColumn, subjects: np.ndarray, few: bool) -> float | None:
    """The evidence of x -> y where it is worth keeping (infinite by name), else None.

    Missing is no value, except where the target has one value only and says no more than whether it is there.
    """
    shown = np.ones(len(y.codes), dtype=bool) if len(y.distinct) == 1 else y.codes >= 0
    both = (x.codes >= 0) & shown & (subjects >= 0)
    if not both.any():
        return None
    a, b = x.codes[both], y.codes[both] + 1
    if not fixed(a, b, tolerance(y)):
        return None
    paired = same_stem(x.name, y.name) and fixed(b, a)
    if paired or family(x.name.upper(), y.name.upper()):
        return np.inf
    found = 0.0 if few else evidence(subjects[both], a, b)
    return found if found >= EVIDENCE else None


def _preference(job: LookupJob, x: EncodedColumn, y: EncodedColumn) -> tuple:
    sampled = job.first.index(x.name) if x.name in job.first else len(job.first)
    return (not same_stem(x.name, y.name), not family(x.name.upper(), y.name.upper()), sampled, len(x.distinct))


def _faithful(ctx: Context, job: LookupJob, by: tuple[str, ...], target: str, build: Build) -> Derivation | None:
    """The lookup; with one more determinant where that one tells the rows on which the target is missing."""
    encoded = ctx.tables[job.table]
    if not _consistent(encoded, by, target):
        return None
    plain = build(job.table, by, target)
    if plain.agreement == 1.0:
        return plain
    extra = [
        c.name
        for c in encoded.columns.values()
        if c.name not in (*by, target) and 1 <= len(c.distinct) <= 12 and c.name not in job.derived
        and c.name not in job.results and c.kind in (Kind.CATEGORY, Kind.FLAG)
    ]  # fmt: skip
    for name in sorted(extra, key=lambda n: not is_named("status", n)):
        if _tells_presence(encoded[by[0]], encoded[name], encoded[target]):
            found = build(job.table, (*by, name), target)
            if found.agreement >= FAITHFUL and found.agreement > plain.agreement:
                return found
    return plain if plain.agreement >= FAITHFUL else None


def _consistent(encoded: EncodedTable, by: tuple[str, ...], target: str) -> bool:
    """Whether the target, where present, follows from the determinants with their gaps counted as values."""
    y, cells = encoded[target], np.zeros(encoded.n, dtype=np.int64)
    for name in by:
        cells = pd.factorize(cells * (len(encoded[name].distinct) + 2) + encoded[name].codes + 1)[0]
    return fixed(cells[y.present], y.codes[y.present], tolerance(y))


def _tells_presence(x: EncodedColumn, z: EncodedColumn, y: EncodedColumn) -> bool:
    cells = (x.codes.astype(np.int64) + 1) * (len(z.distinct) + 1) + z.codes + 1
    return fixed(cells, (y.codes >= 0).astype(np.int64))


def _pair(
    ctx: Context, job: LookupJob, target: str, columns: Iterable[str], subjects: np.ndarray, build: Build
) -> list[Derivation]:
    """The best lookup by two determinants, one of them a sampled column, where no single one suffices."""
    encoded, y = ctx.tables[job.table], ctx.tables[job.table][target]
    usable = [
        c
        for c in columns
        if len(encoded[c].distinct) <= CATEGORIES and _may_determine(ctx, job, encoded[c], alone=False)
    ]
    best: tuple[float, tuple[str, str]] | None = None
    for i, left in enumerate(usable):
        if left not in job.axes:
            continue
        for right in usable[i + 1 :]:
            if (
                is_named("visit", right)
                or is_named("visit_name", right)
                or is_named("visit_day", right)
                or planned_and_actual(right, target)
                or planned_and_actual(left, target)
            ):
                continue
            a, b = encoded[left], encoded[right]
            both = (a.codes >= 0) & (b.codes >= 0) & (y.codes >= 0) & (subjects >= 0)
            if both.sum() < 20:
                continue
            cells = pd.factorize(a.codes[both].astype(np.int64) * (len(b.distinct) + 1) + b.codes[both])[0]
            if not fixed(cells, y.codes[both], tolerance(y)):
                continue
            found = evidence(subjects[both], cells, y.codes[both])
            if found >= EVIDENCE and (best is None or found > best[0]):
                best = (found, (left, right))
    if best is None:
        return []
    found = _faithful(ctx, job, best[1], target, build)
    return [found] if found is not None else []

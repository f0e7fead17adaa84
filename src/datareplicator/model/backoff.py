"""Conditional distributions of a code given other codes, smoothed by backing off.

P(x | p1..pj) = w n(x, p1..pj) / n(p1..pj) + (1 - w) P(x | p1..pj-1), with w = S / (S + k D), S the number of
*subjects* behind the cell (rows of one subject are no independent evidence) and D its number of distinct outcomes.
This is Witten-Bell smoothing with a learned strength k (Chen & Goodman, 1999, "An empirical study of smoothing
techniques for language modeling").
Parents, their order and each k are those with the best likelihood when each subject in turn is left out, so that a
context that tells nothing is not used, however many values it has.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from pydantic import model_validator

from datareplicator.document import Document, Floats, Ints

STRENGTHS = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
STRICT_DEPENDENCE = 0.4
"""A context that tells this much of an outcome is never backed off from: combinations not seen are not made."""
SELECTION_ROWS = 12_000


class Level(Document):
    """Cells of the first `depth` parents. `keys` ascend; cell c holds outcomes start[c]:start[c+1] with `weight`
    rows each, seen in `subjects[c]` subjects. `strength` is k above; 0 never backs off from a cell that exists."""

    depth: int
    keys: Ints
    subjects: Floats
    start: Ints
    outcome: Ints
    weight: Floats
    strength: float

    @property
    def trust(self) -> np.ndarray:
        """w above, one a cell."""
        return self.subjects / (self.subjects + self.strength * np.diff(self.start))

    @model_validator(mode="after")
    def _shapes(self) -> Level:
        cells, entries = len(self.keys), len(self.outcome)
        if self.start.shape != (cells + 1,) or self.subjects.shape != (cells,) or self.weight.shape != (entries,):
            raise ValueError("a level of a conditional table has arrays of different lengths")
        if (np.diff(self.start) <= 0).any() or self.start[0] != 0 or self.start[-1] != entries:
            raise ValueError("a level of a conditional table has an empty or misplaced cell")
        if (np.diff(self.keys) <= 0).any() or not (self.weight > 0).all():
            raise ValueError("the cells of a conditional table must ascend and their weights be positive")
        return self


class Conditional(Document):
    """P(outcome | parents). `sizes[j]` is the number of codes of parent j; `levels` go from no parent to all."""

    parents: tuple[str, ...]
    sizes: Ints
    outcomes: int
    levels: tuple[Level, ...]

    @model_validator(mode="after")
    def _range(self) -> Conditional:
        if len(self.sizes) != len(self.parents) or not self.levels or self.levels[0].depth != 0:
            raise ValueError("a conditional table needs one size a parent and a level without parents")
        for level in self.levels:
            if level.outcome.min(initial=0) < 0 or level.outcome.max(initial=0) >= self.outcomes:
                raise ValueError("a conditional table names an outcome that does not exist")
            if not 0 <= level.depth <= len(self.parents):
                raise ValueError("a level of a conditional table is deeper than it has parents")
        return self


@dataclass(frozen=True)
class Candidate:
    """A context column as codes (int64[n], -1 never occurs in training) with its number of codes."""

    codes: np.ndarray
    size: int


def fit_conditional(
    outcome: np.ndarray,
    outcomes: int,
    candidates: dict[str, Candidate],
    subject: np.ndarray,
    *,
    hard: tuple[str, ...] = (),
    most: int = 4,
    min_subjects: int = 1,
) -> Conditional:
    """Learn P(outcome | candidates) from n >= 1 rows.

    `hard` candidates always condition and are never backed off from. `most` bounds the other parents. Every outcome
    must be seen in `min_subjects` subjects (the caller filters the rows); rarer entries of deeper cells are dropped.
    """
    rows = selection_rows(subject)
    chosen, strengths = _select(outcome, candidates, subject, rows, hard, most)
    # A combination that was never seen keeps to its first facts: what decides the outcome alone, then hard facts.
    leading = [name for name, strength in zip(chosen, strengths, strict=True) if strength == 0.0]
    leading = [name for name in leading if _decides(candidates[name].codes, outcome)][:1]
    rest = [(name, strength) for name, strength in zip(chosen, strengths, strict=True) if name not in leading]
    order = [(name, 0.0) for name in (*leading, *hard)] + rest
    names = tuple(name for name, _ in order)
    sizes = [candidates[name].size for name in names]
    levels = [_level(outcome, np.zeros(len(outcome), dtype=np.int64), subject, 0, 0.0, min_subjects)]
    for depth, strength in enumerate((strength for _, strength in order), start=1):
        key = cell_keys([candidates[name].codes for name in names[:depth]], sizes[:depth])
        level = _level(outcome, key, subject, depth, strength, min_subjects)
        if len(level.keys):
            levels.append(level)
    return Conditional(parents=names, sizes=np.array(sizes, dtype=np.int64), outcomes=outcomes, levels=tuple(levels))


def _decides(parent: np.ndarray, outcome: np.ndarray) -> bool:
    """True where each value of the parent goes with one outcome."""
    pairs = pd.DataFrame({"parent": parent, "outcome": outcome}).drop_duplicates()
    return len(pairs) == pairs["parent"].nunique()


def cell_keys(codes: list[np.ndarray], sizes: list[int]) -> np.ndarray:
    """One whole number a row for its combination of codes; -1 (never seen) keeps a place of its own."""
    key = np.zeros(len(codes[0]), dtype=np.int64) if codes else np.zeros(0, dtype=np.int64)
    for code, size in zip(codes, sizes, strict=True):
        key = key * (size + 1) + code + 1
    return key


def find_cells(table: Conditional, level: Level, parents: dict[str, np.ndarray], n: int) -> np.ndarray:
    """Index of each row's cell in a level, -1 where the level has none for it."""
    if level.depth == 0:
        return np.zeros(n, dtype=np.int64)
    names = table.parents[: level.depth]
    key = cell_keys([parents[name] for name in names], list(table.sizes[: level.depth]))
    place = np.minimum(np.searchsorted(level.keys, key), len(level.keys) - 1)
    return np.where(level.keys[place] == key, place, -1)


def selection_rows(subject: np.ndarray) -> np.ndarray:
    """Row numbers of a spread of whole subjects with some `SELECTION_ROWS` rows: enough to choose parents."""
    if len(subject) <= SELECTION_ROWS:
        return np.arange(len(subject))
    codes = pd.factorize(subject)[0]
    step = int(np.ceil(len(subject) / SELECTION_ROWS))
    kept = np.flatnonzero(codes % step == 0)
    return kept[:: int(np.ceil(len(kept) / (3 * SELECTION_ROWS)))]


def evidence_unit(subject: np.ndarray) -> np.ndarray:
    """Codes of the unit left out: the subject, or the row where there are too few subjects to leave one out."""
    codes, distinct = pd.factorize(subject)
    return codes if len(distinct) >= 4 else np.arange(len(subject))


def _select(
    outcome: np.ndarray,
    candidates: dict[str, Candidate],
    subject: np.ndarray,
    rows: np.ndarray,
    hard: tuple[str, ...],
    most: int,
) -> tuple[list[str], list[float]]:
    x = pd.factorize(outcome[rows])[0].astype(np.int64)
    unit = evidence_unit(subject[rows])
    codes = {name: candidate.codes[rows] for name, candidate in candidates.items()}
    base = np.zeros(len(rows), dtype=np.int64)
    probability = left_out(base, x, unit).root()
    for name in hard:
        base = _join(base, codes[name])
    if hard:
        probability = left_out(base, x, unit).mixed(probability, 0.1)
    chosen: list[str] = []
    strengths: list[float] = []
    pool = [name for name in candidates if name not in hard and len(np.unique(codes[name])) > 1]
    room = 2.0**62 / np.prod([candidates[name].size + 1.0 for name in hard])
    while pool and len(chosen) < most and x.max(initial=0) > 0:
        scored = []
        for name in pool:
            if candidates[name].size + 1 > room:
                continue
            found = _best(left_out(_join(base, codes[name]), x, unit), probability, unit)
            if found is not None:
                scored.append((found[0], name, found))
        if not scored:
            break
        scored.sort(key=lambda item: (-item[0], item[1]))
        _, name, (_, strength, probability) = scored[0]
        chosen.append(name)
        strengths.append(strength)
        base = _join(base, codes[name])
        room /= candidates[name].size + 1
        pool = [other for _, other, _ in scored[1:9]]  # what did not help alone hardly helps later
    return chosen, strengths


def _join(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return pd.factorize(a * (b.max(initial=0) + 2) + b + 1)[0].astype(np.int64)


def _best(cells: LeftOut, below: np.ndarray, unit: np.ndarray) -> tuple[float, float, np.ndarray] | None:
    """(gain in log likelihood, strength, probabilities) of the best strength; None where the gain may be chance."""
    if cells.dependence() >= STRICT_DEPENDENCE:
        trials = [(0.0, cells.mixed(below, 0.05))]
    else:
        trials = [(k, cells.mixed(below, k)) for k in STRENGTHS]
    logs = [np.log(p).sum() for _, p in trials]
    best = int(np.argmax(logs))
    gain = np.bincount(unit, np.log(trials[best][1] / below))
    spread = gain.std() * np.sqrt(len(gain))
    if gain.sum() < 2.5 or gain.sum() < 2.0 * spread:
        return None
    return float(gain.sum()), trials[best][0], trials[best][1]


@dataclass(frozen=True)
class LeftOut:
    """Counts of (cell, outcome) for each row with the row's own subject left out.

    `hits` of `others` rows of other subjects in the row's cell have the row's outcome; `subjects` are those others,
    `distinct` the outcomes they have.
    """

    hits: np.ndarray
    others: np.ndarray
    subjects: np.ndarray
    distinct: np.ndarray
    outcome_hits: np.ndarray
    outcome_others: np.ndarray

    def root(self) -> np.ndarray:
        """P without any context, never 0."""
        return (self.outcome_hits + 0.1) / (self.outcome_others + 1.0)

    def mixed(self, below: np.ndarray, strength: float) -> np.ndarray:
        """P of this level mixed with the level `below`."""
        weight = self.subjects / np.maximum(self.subjects + strength * self.distinct, 1e-9)
        share = self.hits / np.maximum(self.others, 1)
        return np.maximum(weight * share + (1 - weight) * below, 1e-9)

    def agreement(self) -> float:
        """P(same outcome | same cell, other subject), 0 where hardly any cell has two subjects."""
        return float(self.hits.sum() / self.others.sum()) if (self.others > 0).sum() >= 4 else 0.0

    def dependence(self) -> float:
        """Goodman and Kruskal's tau over pairs of rows of different subjects: 0 independent, 1 decided."""
        base = self.baseline()
        return (self.agreement() - base) / (1 - base) if base < 1 else 0.0

    def baseline(self) -> float:
        """P(same outcome | other subject)."""
        return float(self.outcome_hits.sum() / max(self.outcome_others.sum(), 1))


def left_out(cell: np.ndarray, x: np.ndarray, unit: np.ndarray) -> LeftOut:
    """Leave-one-subject-out counts; `cell`, `x`, `unit` are codes from 0, int64[n]."""

    def size(key: np.ndarray) -> np.ndarray:
        code = pd.factorize(key)[0]
        return np.bincount(code)[code].astype(float)

    width, units = x.max(initial=0) + 1, unit.max(initial=0) + 1
    both = pd.factorize(cell * width + x)[0].astype(np.int64)
    mine_code, distinct = pd.factorize(cell * units + unit)
    in_cell = np.bincount(distinct // units, minlength=cell.max(initial=0) + 1)
    hits = np.bincount(both)[both] - size(both * units + unit)
    outcomes = np.bincount(pd.unique(cell * width + x) // width)[cell]
    return LeftOut(
        hits=hits,
        others=np.bincount(cell)[cell] - np.bincount(mine_code)[mine_code].astype(float),
        subjects=in_cell[cell] - 1.0,
        distinct=outcomes - (hits == 0.0),
        outcome_hits=np.bincount(x)[x] - size(x * units + unit),
        outcome_others=len(x) - np.bincount(unit)[unit].astype(float),
    )


def _level(
    outcome: np.ndarray, key: np.ndarray, subject: np.ndarray, depth: int, strength: float, min_subjects: int
) -> Level:
    """Count the cells; entries seen in fewer than `min_subjects` subjects are left out."""
    cell, keys = pd.factorize(key, sort=True)
    width = int(outcome.max(initial=0)) + 1
    entry, entries = pd.factorize(cell.astype(np.int64) * width + outcome, sort=True)
    weight = np.bincount(entry, minlength=len(entries)).astype(float)
    unit, units = pd.factorize(subject)[0].astype(np.int64), np.int64(len(pd.unique(subject)) + 1)
    if min_subjects > 1:
        seen = np.bincount(pd.unique(entry * units + unit) // units, minlength=len(entries)) >= min_subjects
        entries, weight = entries[seen], weight[seen]
    owner = entries // width
    kept, first = np.unique(owner, return_index=True)
    subjects = np.bincount(pd.unique(cell * units + unit) // units, minlength=len(keys))
    return Level(
        depth=depth,
        keys=np.asarray(keys)[kept],
        subjects=subjects[kept].astype(float),
        start=np.append(first, len(owner)).astype(np.int64),
        outcome=entries % width,
        weight=weight,
        strength=strength,
    )

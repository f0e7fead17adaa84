"""Which categorical columns are drawn together, and the combinations of them that exist."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
from pydantic import model_validator

from datareplicator.document import Document, Ints
from datareplicator.model.backoff import Candidate, evidence_unit, left_out, selection_rows
from datareplicator.model.coding import Coding

DEPENDENT = 0.05
DECIDED = 0.6
SHARED_ROWS = 0.9
MOST_PATTERNS = 20_000
FEW_VALUES = 8
ROWS_EACH = 2


class Patterns(Document):
    """`codes[p, c]` is the code of column c in pattern p; `codings[c]` says what it means."""

    codings: tuple[Coding, ...]
    codes: Ints

    @model_validator(mode="after")
    def _range(self) -> Patterns:
        if self.codes.ndim != 2 or self.codes.shape[1] != len(self.codings) or not len(self.codes):
            raise ValueError("patterns need one code a column")
        for coding, code in zip(self.codings, self.codes.T, strict=True):
            if code.min() < 0 or code.max() >= coding.size:
                raise ValueError(f"a pattern names a value of {coding.name} that does not exist")
        return self

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns in pattern order."""
        return tuple(coding.name for coding in self.codings)

    @property
    def size(self) -> int:
        """Number of patterns."""
        return len(self.codes)


def fit_patterns(
    codings: list[Coding], codes: list[np.ndarray], subject: np.ndarray, min_subjects: int
) -> tuple[Patterns, np.ndarray, np.ndarray]:
    """Patterns, the pattern of each row, and the numbers of the rows whose pattern is common enough to be learned.

    Where none is, the only pattern is "all missing", and all rows have it.
    """
    table = np.stack(codes, axis=1)
    learned = (table >= 0).all(axis=1)  # a value that too few subjects have is coded as never seen
    joint = join_codes([code + 1 for code in codes], [coding.size + 1 for coding in codings])
    outcome = pd.factorize(joint, sort=True)[0]
    common = _subjects_of(outcome, subject) >= min_subjects
    kept = np.flatnonzero(learned & common[outcome])
    if not len(kept):
        nothing = Patterns(codings=tuple(_bare(c) for c in codings), codes=np.zeros((1, len(codings)), dtype=np.int64))
        return nothing, np.zeros(len(outcome), dtype=np.int64), np.arange(len(outcome))
    _, first, inner = np.unique(outcome[kept], return_index=True, return_inverse=True)
    result = np.zeros(len(outcome), dtype=np.int64)
    result[kept] = inner
    return Patterns(codings=tuple(codings), codes=table[kept[first]]), result, kept


def _bare(coding: Coding) -> Coding:
    """The coding without its values: what is not learned must not stand in the model."""
    return Coding(name=coding.name, kind="text")


def join_codes(codes: list[np.ndarray], sizes: list[int]) -> np.ndarray:
    """One whole number a row for its combination of codes (each 0 .. size-1); safe for any number of columns."""
    joint = np.zeros(len(codes[0]), dtype=np.int64)
    for code, size in zip(codes, sizes, strict=True):
        joint = pd.factorize(joint * size + code, sort=True)[0].astype(np.int64)
    return joint


def _subjects_of(code: np.ndarray, subject: np.ndarray) -> np.ndarray:
    units = np.int64(subject.max(initial=0) + 1)
    return np.bincount(pd.unique(code.astype(np.int64) * units + subject) // units, minlength=code.max() + 1)


def group_columns(
    codes: dict[str, np.ndarray], candidates: dict[str, Candidate], subject: np.ndarray, apart: tuple[str, ...] = ()
) -> list[tuple[str, ...]]:
    """Columns to be drawn together, and the groups in the order in which they are drawn.

    A column that a single context column decides, or nearly, stays alone (its table never leaves the combinations
    seen), and so do those `apart`. Others
    join when they depend on each other and the joint patterns are shared by subjects nearly as much as their parts
    are: joining what is not shared would copy single rows. Columns that decide each other always join.
    """
    if not codes:
        return []
    rows = selection_rows(subject)
    unit = evidence_unit(subject[rows])
    part = {name: pd.factorize(code[rows])[0].astype(np.int64) for name, code in codes.items()}
    known = [pd.factorize(c.codes[rows])[0].astype(np.int64) for c in candidates.values()]
    alone = {name for name in apart if name in part}
    alone |= {name for name, code in part.items() if code.max() == 0 or any(_decides(k, code, unit) for k in known)}
    rest = [name for name in part if name not in alone]
    groups = [(name,) for name in sorted(alone)] + _merge(rest, part, unit)
    groups = _join_bound([name for name in part if name not in apart], part, groups)
    return sorted(groups, key=lambda g: (g[0] not in alone, _width(g, part), g))


def _decides(known: np.ndarray, code: np.ndarray, unit: np.ndarray) -> bool:
    return left_out(known, code, unit).dependence() >= DECIDED


def _width(group: tuple[str, ...], part: dict[str, np.ndarray]) -> int:
    return max(int(part[name].max()) for name in group)


def _merge(names: list[str], part: dict[str, np.ndarray], unit: np.ndarray) -> list[tuple[str, ...]]:
    pairs = []
    for a, b in itertools.combinations(names, 2):
        strength = max(left_out(part[x], part[y], unit).dependence() for x, y in ((a, b), (b, a)))
        if strength > DEPENDENT:
            pairs.append((-strength, a, b))
    member = {name: (name,) for name in names}
    code = {(name,): part[name] for name in names}
    shared = {group: _shared(joint, unit) for group, joint in code.items()}
    for strength, a, b in sorted(pairs):
        one, two = member[a], member[b]
        if one == two:
            continue
        joint = pd.factorize(code[one] * (code[two].max() + 1) + code[two])[0].astype(np.int64)
        common = _shared(joint, unit)
        fine = common >= SHARED_ROWS * min(shared[one], shared[two]) or -strength >= DECIDED
        if fine and joint.max() < MOST_PATTERNS:
            both = (*one, *two)
            code[both], shared[both] = joint, common
            member |= dict.fromkeys(both, both)
    return sorted(set(member.values()))


def _join_bound(names: list[str], part: dict[str, np.ndarray], groups: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Join groups over columns of few values that hardly combine freely (a criterion and seriousness, an outcome and
    an end date): where their values meet in no more combinations than one of them alone allows, the others are taken
    for impossible, however few rows there are to prove it."""
    member = {name: group for group in groups for name in group}
    code = {group: join_codes([part[n] for n in group], [int(part[n].max()) + 1 for n in group]) for group in groups}
    rows = len(next(iter(part.values())))
    few = sorted((n for n in names if 1 <= part[n].max() < FEW_VALUES), key=lambda n: (int(part[n].max()), n))
    for a, b in itertools.combinations(few, 2):
        one, two = member[a], member[b]
        if one == two:
            continue
        pairs = int(join_codes([part[a], part[b]], [int(part[a].max()) + 1, int(part[b].max()) + 1]).max()) + 1
        if pairs > part[a].max() + part[b].max() + 1 or pairs == (part[a].max() + 1) * (part[b].max() + 1):
            continue
        joint = join_codes([code[one], code[two]], [int(code[one].max()) + 1, int(code[two].max()) + 1])
        if joint.max() < max(rows // ROWS_EACH, 1 + code[one].max() + code[two].max()):
            both = (*one, *two)
            code[both] = joint
            member.update(dict.fromkeys(both, both))
    return sorted(set(member.values()))


def _shared(code: np.ndarray, unit: np.ndarray) -> float:
    """Share of rows whose code another subject has too."""
    return float((_subjects_of(code, unit)[code] > 1).mean())

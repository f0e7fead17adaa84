"""What can stand together in a subject's row: which values are there at all, and which never meet.

Subjects are drawn by a copula, which knows how columns go together but no impossibilities. Three kinds are learned
apart: a column that is there exactly where another one has certain values (a question to women), columns whose gaps
come in patterns (visits after the last), and values of two columns that never meet though they often might.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd
from pydantic import model_validator
from scipy.special import gammaln, ndtri
from scipy.stats import kruskal, rankdata

from datareplicator.document import Document, Floats, Ints
from datareplicator.model.context import shown
from datareplicator.model.marginals import Marginal
from datareplicator.model.subject_model import Feature, fit_marginal

GAPS = "@gaps "
"""Prefix of the features that draw a pattern of gaps."""

EVIDENCE = 8.0
"""Nats against chance that a gap needs to be told by a value, or one gap by another."""

MOST_PATTERNS = 40
MOST_VALUES = 12
"""Patterns of gaps drawn together, and values of a column that decides what is there, at most."""

ARM_P = 1e-5
LEAST_ARM = 5
"""Doubt that a number differs between arms by chance, and subjects of an arm from which it counts."""

EXPECTED = 4.6
"""Subjects expected to have two values that never meet, from which on they cannot (1 in 100 by chance)."""


class Gate(Document):
    """`column` is there exactly where `by` has one of `values`."""

    column: str
    by: str
    values: tuple[str, ...]


class GapPattern(Document):
    """Columns that are there or missing together: `present` bool (patterns, columns) as 0 and 1."""

    name: str
    columns: tuple[str, ...]
    present: Ints

    @model_validator(mode="after")
    def _shape(self) -> GapPattern:
        if self.present.ndim != 2 or self.present.shape[1] != len(self.columns) or not len(self.present):
            raise ValueError("a pattern of gaps needs one entry a column")
        return self


class Apart(Document):
    """Values of `second` beside those of `first`: `share` float (values of first, values of second), zero where they
    never meet."""

    first: str
    second: str
    first_values: tuple[str, ...]
    second_values: tuple[str, ...]
    share: Floats

    @model_validator(mode="after")
    def _shape(self) -> Apart:
        if self.share.shape != (len(self.first_values), len(self.second_values)):
            raise ValueError("values that never meet need one share a pair")
        return self


class ByArm(Document):
    """A number that goes with the arm (a dose): drawn as a normal score, and read as the quantile of its subject's arm;
    `marginals`: one an arm, the last for subjects without one."""

    column: str
    marginals: list[Marginal]


class Possible(Document):
    """What can stand together, in the order in which it is seen to: numbers by arm, pairs, patterns of gaps, gates."""

    by_arm: tuple[ByArm, ...] = ()
    apart: tuple[Apart, ...] = ()
    patterns: tuple[GapPattern, ...] = ()
    gates: tuple[Gate, ...] = ()

    @property
    def explained(self) -> frozenset[str]:
        """Columns whose gaps are told here."""
        return frozenset([g.column for g in self.gates] + [c for p in self.patterns for c in p.columns])


def fit_possible(
    covariates: pd.DataFrame, beside: pd.DataFrame, min_subjects: int = 1
) -> tuple[Possible, list[Feature]]:
    """Learn from the covariates (one row a subject, categories and numbers) and what is drawn `beside` them (the arm,
    the site); the features draw the patterns of gaps, of which those of fewer than `min_subjects` are left out."""
    present = covariates.notna()
    some = [c for c in covariates if 0 < present[c].sum() < len(present)]
    gates = [g for g in (_gate(covariates, beside, c) for c in some) if g is not None]
    left = [c for c in some if c not in {g.column for g in gates}]
    patterns, features = [], []
    for columns in _together(present[left]):
        rows, codes = np.unique(present[columns].to_numpy(), axis=0, return_inverse=True)
        common = np.flatnonzero(np.bincount(codes.ravel()) >= min_subjects)
        if len(rows) > MOST_PATTERNS or not len(common):
            continue
        name, order = GAPS + columns[0], common[np.argsort(rows[common].sum(axis=1), kind="stable")]
        place = np.full(len(rows), -1, dtype=np.int64)
        place[order] = np.arange(len(order))
        patterns.append(GapPattern(name=name, columns=tuple(columns), present=rows[order].astype(np.int64)))
        categories = tuple(str(k) for k in range(len(order)))
        features.append(Feature(name, "category", place[codes.ravel()].astype(float), categories, always=True))
    return Possible(apart=tuple(_apart(covariates)), patterns=tuple(patterns), gates=tuple(gates)), features


def fit_by_arm(covariates: pd.DataFrame, group: np.ndarray) -> tuple[tuple[ByArm, ...], dict[str, np.ndarray]]:
    """The numbers among the covariates (one row a subject) whose distribution differs between arms (`group`, int a
    subject, -1 none), and their normal scores within the arm. Columns of subjects before they are allotted, such as the
    age, do not differ by more than chance."""
    models, scores = [], {}
    for name in covariates:
        values = covariates[name]
        if not pd.api.types.is_float_dtype(values.dtype) or not _differs(values.to_numpy(), group):
            continue
        x, score = values.to_numpy(dtype=float), np.full(len(values), np.nan)
        marginals = []
        for arm in [*range(int(group.max()) + 1), -1]:
            here = (group == arm) & np.isfinite(x)
            base = x[here] if here.any() else x[np.isfinite(x)]
            marginals.append(fit_marginal(Feature(name, "number", base), base, np.ones(len(base))))
            score[here] = ndtri((rankdata(x[here]) - 0.5) / max(here.sum(), 1))
        models.append(ByArm(column=name, marginals=marginals))
        scores[name] = score
    return tuple(models), scores


def _differs(x: np.ndarray, group: np.ndarray) -> bool:
    """Whether a number differs between arms beyond doubt, in arms with enough known values."""
    parts = [x[(group == arm) & np.isfinite(x)] for arm in range(int(group.max(initial=-1)) + 1)]
    parts = [p for p in parts if len(p) >= LEAST_ARM]
    if len(parts) < 2 or np.ptp(np.concatenate(parts)) == 0:
        return False
    return bool(kruskal(*parts).pvalue < ARM_P)


def beside(named: Mapping[str | None, tuple[str, ...]], index: Mapping[str | None, np.ndarray]) -> pd.DataFrame:
    """Allotted columns (the arm, the site) as text, one row a subject, from the index of each subject's value (-1
    missing)."""
    columns = {
        name: np.append(np.array(values, dtype=object), None)[np.where(index[name] < len(values), index[name], -1)]
        for name, values in named.items()
        if name is not None and values
    }
    return pd.DataFrame(columns, dtype="str") if columns else pd.DataFrame()


def drawn_apart(features: list[Feature], possible: Possible, scores: dict[str, np.ndarray]) -> list[Feature]:
    """The features as they are drawn: for every subject where their gaps are told elsewhere, as `scores` where they
    are read by arm."""
    told = possible.explained
    return [
        replace(f, values=scores.get(f.name, f.values), always=f.always or f.name in told) if f.kind != "score" else f
        for f in features
    ]


def _gate(covariates: pd.DataFrame, beside: pd.DataFrame, column: str) -> Gate | None:
    held = covariates[column].notna().to_numpy()
    evidence = float(gammaln(len(held) + 1) - gammaln(held.sum() + 1) - gammaln((~held).sum() + 1))
    for frame in (covariates, beside):
        for name in frame.columns:
            by = shown(frame[name]) if name != column else pd.Series(dtype="str")
            levels = by.dropna().unique()
            if not len(by) or by.isna().any() or not 2 <= len(levels) <= MOST_VALUES:
                continue
            share = pd.Series(held).groupby(by.to_numpy()).mean()
            if share.isin([0.0, 1.0]).all() and evidence >= EVIDENCE + np.log(len(frame.columns) * 2.0 ** len(levels)):
                return Gate(column=column, by=name, values=tuple(sorted(share.index[share == 1.0])))
    return None


def _together(present: pd.DataFrame) -> list[list[str]]:
    """Groups of columns one of which is never there without the other: each tied to another one of its group."""
    group = {c: k for k, c in enumerate(present.columns)}
    for a, b in combinations(present.columns, 2):
        x, y = present[a].to_numpy(), present[b].to_numpy()
        if (not (x & ~y).any() or not (y & ~x).any()) and _implied(x, y) >= EVIDENCE:
            old, new = group[b], group[a]
            group = {c: new if k == old else k for c, k in group.items()}
    members: dict[int, list[str]] = {}
    for column, k in group.items():
        members.setdefault(k, []).append(column)
    return [columns for columns in members.values() if len(columns) > 1]


def _implied(x: np.ndarray, y: np.ndarray) -> float:
    """Nats against the smaller of two sets lying within the other by chance (hypergeometric)."""
    small, large = sorted((int(x.sum()), int(y.sum())))
    n = len(x)

    def ways(k: int, of: int) -> float:
        return float(gammaln(of + 1) - gammaln(k + 1) - gammaln(of - k + 1))

    return ways(small, n) - ways(small, large)


def _apart(covariates: pd.DataFrame) -> list[Apart]:
    """Pairs of categories with values that never meet. The column with fewer values leads."""
    found = []
    names = [c for c in covariates if isinstance(covariates[c].dtype, pd.CategoricalDtype)]
    names = [c for c in names if 2 <= covariates[c].nunique() <= MOST_VALUES]
    for a, b in combinations(sorted(names, key=lambda c: covariates[c].nunique()), 2):
        counts = pd.crosstab(covariates[a].astype("str"), covariates[b].astype("str"))
        table = counts.to_numpy(dtype=float)
        expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / max(table.sum(), 1)
        never = (table == 0) & (expected >= EXPECTED)
        if not never.any():
            continue
        smooth = np.where(never, 0.0, table + 0.5 * expected / np.maximum(expected.sum(axis=1, keepdims=True), 1e-9))
        share = smooth / smooth.sum(axis=1, keepdims=True)
        columns = tuple(map(str, counts.index)), tuple(map(str, counts.columns))
        found.append(Apart(first=a, second=b, first_values=columns[0], second_values=columns[1], share=share))
    return found

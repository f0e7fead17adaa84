"""Learning the subjects: baseline features, the levels of all findings, and how they depend on each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pydantic import model_validator
from scipy.special import ndtri
from scipy.stats import chisquare

from datareplicator.document import Document, Floats
from datareplicator.model.correlation import common_factors, is_incoherent, nearest, pairwise, shrink
from datareplicator.model.findings.model import Effects, pack
from datareplicator.model.findings.scale import fit_scale
from datareplicator.model.marginals import Marginal, fit_continuous, fit_discrete
from datareplicator.model.subjects import Subjects

# Pseudo-subjects: of equal allocation of arms, and of the pooled distribution where a stratum is small.
ALLOCATION_PRIOR, STRATUM_PRIOR = 30.0, 10.0
_RATIOS = ((1, 1), (2, 1), (1, 2), (3, 1), (1, 3), (3, 2), (2, 3))


@dataclass
class Feature:
    """One thing known of every subject.

    `kind`: "number" (`values` float, NaN missing), "category" (`values` int codes into `categories`, -1 missing), or
    "score" (`values` normal scores made by another part of the model, NaN missing). `always`: every new subject has a
    value, since gaps are told elsewhere.
    """

    name: str
    kind: str
    values: np.ndarray
    categories: tuple = ()
    decimals: int = 0
    always: bool = False


class FeatureModel(Document):
    """`marginals`: one a stratum (category: over codes); `missing`: (strata,) rate of missing values."""

    name: str
    kind: str
    categories: tuple[str | int | float | bool, ...]
    marginals: list[Marginal]
    missing: Floats


class SubjectModel(Document):
    """Strata, arms and sites by share; features and K levels by one normal copula.

    `strata`: (S,) shares. `arms`: (S, G + 1) shares of every group within a stratum, the last: none. `sites`: (S,
    sites + 1) likewise. `correlation`: upper triangle of the correlation of features, then levels.
    """

    strata: Floats
    arms: Floats
    sites: Floats
    features: list[FeatureModel]
    levels: int
    correlation: Floats

    @model_validator(mode="after")
    def _shapes(self) -> SubjectModel:
        size = len(self.features) + self.levels
        if len(self.correlation) != size * (size - 1) // 2:
            raise ValueError(f"correlation: {len(self.correlation)} entries for {size} variables")
        if len(self.arms) != len(self.strata) or len(self.sites) != len(self.strata):
            raise ValueError("arms, sites: one row a stratum is needed")
        return self


def fit_subjects(features: Sequence[Feature], effects: Effects | None, subjects: Subjects) -> SubjectModel:
    """Learn from `subjects` (group, stratum, site) with features and the levels that `fit_findings` returns.

    Arms are allotted, so that nothing but outcomes depends on them: features and levels are independent of the group.
    """
    stratum = np.maximum(subjects.stratum, 0)
    strata = int(stratum.max(initial=0)) + 1
    count = np.bincount(stratum, minlength=strata).astype(float)
    arms = np.array(
        [allocation(subjects.group[stratum == s], int(subjects.group.max(initial=-1)) + 1) for s in range(strata)]
    )
    sites = np.array(
        [_shares(subjects.site[stratum == s], int(subjects.site.max(initial=-1)) + 1) for s in range(strata)]
    )
    pooled = _shares(subjects.site, int(subjects.site.max(initial=-1)) + 1)
    sites = (sites * count[:, None] + STRATUM_PRIOR * pooled) / (count[:, None] + STRATUM_PRIOR)
    k = 0 if effects is None else effects.scores.shape[1]
    return SubjectModel(
        strata=count / max(count.sum(), 1),
        arms=arms,
        sites=sites,
        features=[_feature(feature, stratum, strata) for feature in features],
        levels=k,
        correlation=pack(_correlation(features, effects, subjects.n)),
    )


def allocation(group: np.ndarray, groups: int) -> np.ndarray:
    """(groups + 1,) shares of the arms, the last for subjects without one.

    Equal, or two-valued small ratios, where the counts do not speak against it (5 %); else the counts shrunk to equal.

    >>> allocation(np.array([0, 0, 0, 1, 1, 1, 1, 2, 2, 2]), 3).round(3)
    array([0.333, 0.333, 0.333, 0.   ])
    """
    count = np.bincount(group[group >= 0], minlength=groups).astype(float)
    total, none = count.sum(), float((group < 0).sum())
    shares = np.zeros(groups + 1)
    shares[-1] = none / max(total + none, 1)
    if total == 0:
        shares[-1] = 1.0
        return shares
    used = count > 0
    shares[:-1][used] = (1 - shares[-1]) * _ratio(count[used])
    return shares


def _ratio(count: np.ndarray) -> np.ndarray:
    total = count.sum()
    if len(count) == 1:
        return np.ones(1)
    order = np.argsort(-count)
    for big, small in _RATIOS:
        for cut in range(1, len(count)) if big != small else (len(count),):
            parts = np.full(len(count), float(small))
            parts[order[:cut]] = big
            parts /= parts.sum()
            if big >= small and chisquare(count, parts * total).pvalue > 0.05:
                return parts
    return (count + ALLOCATION_PRIOR / len(count)) / (total + ALLOCATION_PRIOR)


def _shares(index: np.ndarray, size: int) -> np.ndarray:
    """(size + 1,) shares, the last for unknown (-1)."""
    count = np.bincount(np.where(index >= 0, index, size), minlength=size + 1).astype(float)
    return count / max(count.sum(), 1)


def _feature(feature: Feature, stratum: np.ndarray, strata: int) -> FeatureModel:
    values = np.asarray(feature.values, dtype=float)
    known = values >= 0 if feature.kind == "category" else np.isfinite(values)
    pooled_missing = float((~known).mean()) if len(known) else 0.0
    marginals, missing = [], np.zeros(strata)
    for s in range(strata):
        here = stratum == s
        missing[s] = 0.0 if feature.always else ((~known & here).sum() + 2 * pooled_missing) / (here.sum() + 2)
        # Few subjects in a stratum: everybody counts, those of other strata as much as all of them weigh ten.
        others = (known & ~here).sum()
        weight = np.where(here, 1.0, STRATUM_PRIOR / max(others, STRATUM_PRIOR))
        marginals.append(fit_marginal(feature, values[known], weight[known]))
    return FeatureModel(
        name=feature.name,
        kind=feature.kind,
        categories=tuple(feature.categories),
        marginals=marginals,
        missing=missing,
    )


def fit_marginal(feature: Feature, values: np.ndarray, weight: np.ndarray) -> Marginal:
    """The distribution of a feature's known values (float[n], each with a weight)."""
    if feature.kind == "score" or len(values) == 0:
        return Marginal(values=np.zeros(1), scores=np.zeros(0), lattice=True, decimals=0)
    effective = float(weight.sum())
    kind = "category" if feature.kind == "category" else "number"
    scale = fit_scale(values, weight, effective, kind)
    if scale.attenuation is not None or values.min() == values.max():
        return fit_discrete(values, weight)
    holders = np.unique(values, return_counts=True)[1]
    margin = float(np.clip(1.0 / effective, 0.005, 0.05))
    return fit_continuous(values, weight, effective, scale.transform, holders, margin)


def _correlation(features: Sequence[Feature], effects: Effects | None, n: int) -> np.ndarray:
    columns, reliability = [], []
    for feature in features:
        score, share = _feature_scores(feature)
        columns.append(score)
        reliability.append(share)
    own = np.column_stack(columns) if columns else np.empty((n, 0))
    f = own.shape[1]
    scores = own if effects is None else np.hstack([own, effects.scores])
    k = scores.shape[1]
    share = np.r_[np.array(reliability), np.empty(0) if effects is None else effects.reliability]
    noise, centre = np.zeros((k, k)), np.zeros((k, k))
    if effects is not None:
        noise[f:, f:], centre[f:, f:] = effects.noise, effects.centre
    centred = scores - np.nan_to_num(np.nanmean(np.where(np.isfinite(scores).any(0), scores, 0.0), axis=0))
    raw, pairs = pairwise(centred)
    scale = np.sqrt(np.outer(share, share))
    estimate = np.clip((raw - noise) / scale, -0.99, 0.99)
    variance = 1 / np.maximum(pairs - 3, 0.3) / scale**2
    result = _shrunk(estimate, variance, centre, pairs > 3, f)
    if effects is not None and is_incoherent(result):
        # The levels' common factors, found with the expected correlation as a weak observation beside the raw one.
        own, weak = variance[f:, f:], 0.3**2
        part = weak / (weak + own)
        mixed = part * estimate[f:, f:] + (1 - part) * centre[f:, f:]
        centre[f:, f:] = (1 - part) * centre[f:, f:] + part * common_factors(mixed, part * own)
        result = _shrunk(estimate, variance, centre, pairs > 3, f)
    return nearest(result)


def _shrunk(estimate: np.ndarray, variance: np.ndarray, centre: np.ndarray, seen: np.ndarray, f: int) -> np.ndarray:
    """Shrink every pair; the f features, features with levels, and levels learn a prior each."""
    upper = np.triu_indices(len(estimate), 1)
    result = np.zeros_like(estimate)
    block = (upper[0] >= f).astype(int) + (upper[1] >= f)
    for part in range(3):
        mine = tuple(axis[block == part] for axis in upper)
        fitted = shrink(estimate[mine], variance[mine], centre[mine])
        result[mine] = np.where(seen[mine], fitted, centre[mine])
    return result + result.T + np.eye(len(estimate))


def _feature_scores(feature: Feature) -> tuple[np.ndarray, float]:
    """Normal scores of a feature (NaN missing) and the share of their variance that the latent variable explains."""
    values = np.asarray(feature.values, dtype=float)
    known = values >= 0 if feature.kind == "category" else np.isfinite(values)
    if not known.any() or values[known].min() == values[known].max():
        return np.full(len(values), np.nan), 1.0
    values = np.where(known, values, np.nan)
    if feature.kind == "category":
        scale = fit_scale(values, np.ones(len(values)), float(known.sum()), "category")
        return scale.scores, 1 / scale.variance
    _, inverse, count = np.unique(values[known], return_inverse=True, return_counts=True)
    rank = (np.cumsum(count) - (count - 1) / 2)[inverse]
    scores = np.full(len(values), np.nan)
    scores[known] = ndtri((rank - 0.5) / known.sum())
    return scores, 1.0

"""Sampling subjects: stratum, arm, site, features, and one latent level for every cell of the findings."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy.special import ndtri
from scipy.stats import qmc

from datareplicator.generate.control.quota import BlockQuota, pick
from datareplicator.model.findings.model import correlation_root
from datareplicator.model.subject_model import FeatureModel, SubjectModel
from datareplicator.model.subjects import Subjects
from datareplicator.seeds import Streams

# Directions of the levels that are drawn evenly; the others carry little variance each.
EVEN_LEVELS = 32
BLOCKS_PER_SEQUENCE = 64


def _nobody() -> np.ndarray:
    return np.empty(0, dtype=np.int64)


@dataclass
class SubjectDraw:
    """`values`: feature name -> float array, or int codes (-1 missing) for categories. `levels`: (n, K) scores.
    `group_shown`, `site_shown`: arm and site as they are named (a clone is drawn like another one); `assigned`,
    `assigned_shown`: index of what goes with the arm, likewise (-1: to be drawn); `cell`: of the plan of counts, -1
    without one. Ints a subject."""

    subjects: Subjects
    values: dict[str, np.ndarray]
    levels: np.ndarray
    group_shown: np.ndarray = field(default_factory=_nobody)
    site_shown: np.ndarray = field(default_factory=_nobody)
    assigned: np.ndarray = field(default_factory=_nobody)
    assigned_shown: np.ndarray = field(default_factory=_nobody)
    cell: np.ndarray = field(default_factory=_nobody)


def sample_subjects(
    model: SubjectModel,
    n: int,
    block: int,
    streams: Streams,
    *,
    stratified: bool = True,
    variation: float = 1.0,
    quota: BlockQuota | None = None,
) -> SubjectDraw:
    """`n` subjects of one block.

    `stratified`: a scrambled Sobol sequence over all blocks spreads shares and main directions evenly, so that a
    cohort resembles the model closely; cohorts then vary less from seed to seed than real cohorts do. Without it draws
    are independent: the choice for simulating trials. `variation` scales numbers about their centre.
    With a `quota` each subject is drawn given the cell that it belongs to.
    """
    f = len(model.features)
    even = min(model.levels, EVEN_LEVELS)
    uniform = _uniforms(3 + f + even, n, block, streams, stratified)
    allotted = _allot(model, uniform) if quota is None else _allot_quota(quota, uniform)
    stratum, group, site = allotted.stratum, allotted.group, allotted.site
    normal = ndtri(np.clip(uniform[:, 3:], 1e-9, 1 - 1e-9))
    plain = streams.get("levels").standard_normal((n, model.levels - even))
    own, levels = _latent(model, normal[:, :f], np.hstack([normal[:, f:], plain]))
    missed = (
        streams.get("missing").random((n, f))
        < np.array([m.missing for m in model.features]).reshape(f, len(model.strata)).T[stratum]
    )
    fixed: set[int] = set()
    if quota is not None:
        own, levels = quota.condition(model, own, levels, stratum, streams)
        missed, fixed = quota.missing(missed), {part.feature for part in quota.quota.fixed}
    values, score, columns = {}, {}, {}
    for j, feature in enumerate(model.features):
        # Scores are spread where they are used: counts and stays keep their mean.
        drawn = variation * own[:, j] if feature.kind == "number" and j not in fixed else own[:, j]
        if feature.kind == "score":
            score[feature.name] = drawn
            continue
        values[feature.name], columns[feature.name] = _feature(feature, drawn, stratum, missed[:, j])
    frame = pd.DataFrame(columns, index=pd.RangeIndex(n))
    subjects = Subjects(n=n, group=group, stratum=stratum, site=site, covariates=frame, score=score)
    cell = quota.cell if quota is not None else np.full(n, -1)
    return SubjectDraw(subjects, values, levels, *allotted.shown, *allotted.assigned, cell)


@dataclass
class _Allotted:
    """What a subject is allotted to, int a subject."""

    stratum: np.ndarray
    group: np.ndarray
    site: np.ndarray
    shown: tuple[np.ndarray, np.ndarray]
    assigned: tuple[np.ndarray, np.ndarray]


def _allot(model: SubjectModel, uniform: np.ndarray) -> _Allotted:
    n = len(uniform)
    stratum = pick(np.tile(np.cumsum(model.strata), (n, 1)), uniform[:, 0])
    group = pick(np.cumsum(model.arms, 1)[stratum], uniform[:, 1])
    group = np.where(group == model.arms.shape[1] - 1, -1, group)
    site = pick(np.cumsum(model.sites, 1)[stratum], uniform[:, 2])
    site = np.where(site == model.sites.shape[1] - 1, -1, site)
    drawn = np.full(n, -1)
    return _Allotted(stratum, group, site, (group, site), (drawn, drawn))


def _allot_quota(block: BlockQuota, uniform: np.ndarray) -> _Allotted:
    plan, arm = block.quota, block.arms(uniform[:, 0])
    stratum = plan.stratum[arm]
    site = block.sites(stratum, uniform[:, 2])
    assigned = plan.assigned[arm], plan.assigned_shown[arm]
    return _Allotted(stratum, plan.group[arm], plan.site_like[site], (plan.shown[arm], site), assigned)


def _uniforms(dimensions: int, n: int, block: int, streams: Streams, stratified: bool) -> np.ndarray:
    if not stratified:
        return streams.get("subjects").random((n, dimensions))
    # Blocks continue one sequence; it starts anew, scrambled otherwise, before skipping ahead costs anything.
    run, place = divmod(block, BLOCKS_PER_SEQUENCE)
    scramble = Streams(streams.seed, 0, streams.prefix).get("sobol", str(run))
    sobol = qmc.Sobol(dimensions, scramble=True, rng=int(scramble.integers(2**62)))
    if place:
        sobol.fast_forward(place * n)
    return sobol.random(n)


def _latent(model: SubjectModel, own: np.ndarray, rest: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Correlated normal scores of features and levels; levels by their main directions given the features."""
    f = own.shape[1]
    root = correlation_root(model.correlation, f + model.levels)
    features = own @ root[:f, :f]
    if model.levels == 0:
        return features, np.zeros((len(own), 0))
    value, vector = np.linalg.eigh(root[f:, f:].T @ root[f:, f:])
    order = np.argsort(-value)
    main = vector[:, order] * np.sqrt(np.maximum(value[order], 0.0))
    return features, own @ root[:f, f:] + rest @ main.T


def _feature(feature: FeatureModel, score: np.ndarray, stratum: np.ndarray, missing: np.ndarray):
    """Values of a feature, as an array and as a column."""
    value = np.empty(len(score))
    for s, marginal in enumerate(feature.marginals):
        here = stratum == s
        value[here] = marginal.sample(score[here])
    if feature.kind != "category":
        value[missing] = np.nan
        return value, value
    code = np.where(missing, -1, value).astype(np.int64)
    return code, pd.Categorical.from_codes(code, categories=list(feature.categories))

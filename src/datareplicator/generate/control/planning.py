"""From counts to a plan: which cells there are, what the model expects of them, and how many subjects each gets."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri
from scipy.stats import qmc

from datareplicator.errors import RequestError
from datareplicator.generate.control.asked import COMBINATIONS, MISSING, RATIO
from datareplicator.generate.control.margins import Claim, whole_cells
from datareplicator.generate.control.quota import Fixed, Quota, correlation
from datareplicator.generate.control.variables import (
    ARM,
    CONSTANT,
    SITE,
    Arms,
    Likes,
    Option,
    Pieces,
    arm_frame,
    arms_of,
    column_of,
    decided_by,
    evaluate,
    feature_pieces,
    options,
    site_frame,
)
from datareplicator.model.study_model import StudyModel

MOST_CELLS = 20_000
SAMPLE = 2**13
SMOOTH = 1e-3
"""Share of independence in what is expected of covariates together."""


@dataclass
class _Axis:
    """One thing that decides some of the variables: their columns, its options, and for covariates their pieces."""

    source: str
    columns: list[str]
    options: list[Option]
    pieces: list[Pieces]


def make_quota(
    model: StudyModel,
    counts: Mapping[str, Any],
    subjects: int,
    *,
    likes: Likes,
) -> Quota:
    """The plan of a request. `likes`: what new arms and sites are drawn like.

    Raises RequestError for unknown variables and categories, sums that do not fit, and counts that cannot hold
    together.
    """
    columns = {name: column_of(model, name) for name in counted(counts)}
    decided = {column: decided_by(model, column) for column in dict.fromkeys(columns.values())}
    with_arm = [c for c, source in decided.items() if source == ARM]
    assigned = set(with_arm) & _assigned(model)
    arms = arms_of(model, likes, assigned=bool(assigned or likes.assigned))
    axes = _axes(model, decided, arms)
    grid = list(product(*(range(len(axis.options)) for axis in axes)))
    if len(grid) > MOST_CELLS:
        raise RequestError(f"the counts make {len(grid):,} combinations; at most {MOST_CELLS:,} can be planned.")
    place = np.array(grid, dtype=np.int64).reshape(len(grid), len(axes))
    site_share = _site_share(model, axes, likes.sites)
    share = _arm_share(model, axes, place, arms, site_share)
    claims = _claims(counts, columns, subjects, _labels(model, axes, place, decided))
    numbers = whole_cells(share.sum(axis=1), claims, subjects)
    kept = numbers > 0
    at = {axis.source: place[kept, k] for k, axis in enumerate(axes)}
    return Quota(
        subjects=subjects,
        numbers=numbers[kept],
        arm_share=share[kept],
        stratum=arms.stratum,
        group=arms.group,
        shown=arms.shown,
        assigned=arms.assigned,
        assigned_shown=arms.assigned_shown,
        site_option=at.get(SITE, np.zeros(int(kept.sum()), dtype=np.int64)),
        site_share=site_share,
        site_like=_site_like(model, likes.sites),
        fixed=tuple(_fixed(model, axis, at[axis.source]) for axis in axes if axis.pieces),
    )


def counted(counts: Mapping[str, Any]) -> list[str]:
    """The variables that counts name, in order."""
    names = [name for name in counts if name != COMBINATIONS]
    names += [name for item in counts.get(COMBINATIONS, ()) for name in item["where"]]
    return list(dict.fromkeys(names))


def _assigned(model: StudyModel) -> set[str]:
    """Columns that go with the arm and what follows from them."""
    own = set(model.root.assigned.columns) if model.root.assigned is not None else set()
    for d in model.structure.derivations:
        if d.table == model.root.table and any(s.table == d.table and s.column in own for s in d.sources):
            own.add(d.target)
    return own


def _axes(model: StudyModel, decided: Mapping[str, str], arms: Arms) -> list[_Axis]:
    axes = []
    for source in dict.fromkeys(decided.values()):
        columns = [column for column, by in decided.items() if by == source]
        if source == CONSTANT:
            continue
        if source == ARM:
            axes.append(_Axis(source, columns, options(evaluate(model, arm_frame(model, arms), columns)), []))
        elif source == SITE:
            axes.append(_Axis(source, columns, options(evaluate(model, site_frame(model), columns)), []))
        else:
            axes.append(_Axis(source, columns, *feature_pieces(model, source, columns)))
    return axes


def _site_like(model: StudyModel, sites_like: Mapping[int, int]) -> np.ndarray:
    known = model.subjects.sites.shape[1] - 1
    return np.array([sites_like.get(k, k) for k in range(known + len(sites_like))] + [-1], dtype=np.int64)


def _site_share(model: StudyModel, axes: Sequence[_Axis], sites_like: Mapping[int, int]) -> np.ndarray:
    """float[site options, strata, sites + 1]: the share of each site of a stratum's subjects, within each option."""
    like = _site_like(model, sites_like)
    share = model.subjects.sites[:, like]
    share = share / share.sum(axis=1, keepdims=True)
    axis = next((a for a in axes if a.source == SITE), None)
    if axis is None:
        return share[None]
    within = np.zeros((len(axis.options), share.shape[1]))
    for k, option in enumerate(axis.options):
        within[k, option.members] = 1.0
    return within[:, None, :] * share[None]


def _arm_share(
    model: StudyModel, axes: Sequence[_Axis], place: np.ndarray, arms: Arms, site_share: np.ndarray
) -> np.ndarray:
    """float[cells, arms]: what the model expects of each cell with each arm."""
    share = np.tile(arms.share, (len(place), 1))
    covariates = [k for k, axis in enumerate(axes) if axis.pieces]
    for k, axis in enumerate(axes):
        if axis.source == ARM:
            member = np.zeros((len(axis.options), len(arms.share)))
            for o, option in enumerate(axis.options):
                member[o, option.members] = 1.0
            share *= member[place[:, k]]
        elif axis.source == SITE:
            share *= site_share.sum(axis=2)[place[:, k]][:, arms.stratum]
    if covariates:
        expected = _expected(model, [axes[k] for k in covariates])
        share *= expected[:, *place[:, covariates].T].T[:, arms.stratum]
    return share


def _expected(model: StudyModel, axes: Sequence[_Axis]) -> np.ndarray:
    """float[strata, options of the first covariate, of the second, ...]: how often the model draws them together, by
    a fixed even sample, mixed with a little independence."""
    names = [feature.name for feature in model.subjects.features]
    at = [names.index(axis.source) for axis in axes]
    root = np.linalg.cholesky(correlation(model.subjects)[np.ix_(at, at)])
    uniform = qmc.Sobol(len(at), scramble=True, rng=1).random(SAMPLE)
    score = ndtri(np.clip(uniform, 1e-9, 1 - 1e-9)) @ root.T
    sizes = [len(axis.options) for axis in axes]
    out = np.zeros((len(model.subjects.strata), *sizes))
    for s in range(len(out)):
        alone, together, known = [], np.zeros(SAMPLE, dtype=np.int64), np.ones(SAMPLE, dtype=bool)
        for k, axis in enumerate(axes):
            piece = axis.pieces[s]
            alone.append(_alone(piece, sizes[k]))
            code = piece.option[np.searchsorted(piece.edges, score[:, k], side="right")]
            known &= code >= 0
            together = together * sizes[k] + code
        count = np.bincount(together[known], minlength=int(np.prod(sizes))).reshape(sizes) / max(known.sum(), 1)
        mixed = (1 - SMOOTH) * count + SMOOTH * _outer(alone)
        # A missing value is drawn apart from the score.
        for k, axis in enumerate(axes):
            missing = float(model.subjects.features[at[k]].missing[s])
            mixed = np.moveaxis(mixed, k, 0)
            whole = mixed.sum(axis=0)
            if not axis.options[-1].members:
                mixed = np.concatenate([(1 - missing) * mixed[:-1], missing * whole[None]])
            mixed = np.moveaxis(mixed, 0, k)
        out[s] = mixed
    return out


def _alone(piece: Pieces, size: int) -> np.ndarray:
    """Share of each option by itself."""
    mass = np.diff(np.r_[0.0, ndtr(piece.edges), 1.0])
    return np.bincount(piece.option[piece.option >= 0], mass[piece.option >= 0], size)


def _outer(parts: Sequence[np.ndarray]) -> np.ndarray:
    out = np.ones(())
    for part in parts:
        out = np.multiply.outer(out, part)
    return out


def _fixed(model: StudyModel, axis: _Axis, option: np.ndarray) -> Fixed:
    names = [feature.name for feature in model.subjects.features]
    most = max(int(np.bincount(p.option[p.option >= 0], minlength=1).max()) for p in axis.pieces)
    shape = (len(axis.pieces), len(axis.options), most)
    low, high = np.full(shape, np.inf), np.full(shape, np.inf)
    for s, piece in enumerate(axis.pieces):
        ends = np.r_[-np.inf, piece.edges, np.inf]
        used = np.zeros(len(axis.options), dtype=np.int64)
        for k, own in enumerate(piece.option):
            if own >= 0:
                low[s, own, used[own]], high[s, own, used[own]] = ends[k], ends[k + 1]
                used[own] += 1
    missing = len(axis.options) - 1 if not axis.options[-1].members else -2
    return Fixed(names.index(axis.source), np.where(option == missing, -1, option), low, high)


def _labels(
    model: StudyModel, axes: Sequence[_Axis], place: np.ndarray, decided: Mapping[str, str]
) -> dict[str, np.ndarray]:
    """The category of each variable in each cell."""
    out = {}
    for k, axis in enumerate(axes):
        for c, column in enumerate(axis.columns):
            own = np.array([option.labels[c] for option in axis.options], dtype=object)
            out[column] = own[place[:, k]]
    for column, by in decided.items():
        if by == CONSTANT:
            value = evaluate(model, pd.DataFrame(index=pd.RangeIndex(1)), [column])[0][0]
            out[column] = np.full(len(place), value, dtype=object)
    return out


def _claims(
    counts: Mapping[str, Any], columns: Mapping[str, str], subjects: int, labels: Mapping[str, np.ndarray]
) -> list[Claim]:
    claims = []
    for name, asked in counts.items():
        if name == COMBINATIONS:
            continue
        own = labels[columns[name]]
        numbers = shared_out(asked[RATIO], subjects, name) if set(asked) == {RATIO} else asked
        for category in numbers:
            check_category(name, category, own)
        check_sum(name, numbers, subjects)
        for category in dict.fromkeys([*numbers, *own]):
            said = f"{name} = {category or 'missing'}"
            claims.append(Claim(said, own == category, numbers.get(category, 0)))
    for item in counts.get(COMBINATIONS, ()):
        cells = np.ones(len(next(iter(labels.values()))), dtype=bool)
        for name, category in item["where"].items():
            check_category(name, category, labels[columns[name]])
            cells &= labels[columns[name]] == category
        said = " and ".join(f"{name} = {category or 'missing'}" for name, category in item["where"].items())
        claims.append(Claim(said, cells, item["subjects"]))
    return claims


def check_sum(name: str, numbers: Mapping[str, int], subjects: int) -> None:
    """Raise RequestError where the numbers of a variable are not those of the subjects."""
    if sum(numbers.values()) != subjects:
        raise RequestError(
            f"the counts of {name} sum to {sum(numbers.values()):,}, but {subjects:,} subjects are asked for."
        )


def check_category(name: str, category: str, own: np.ndarray) -> None:
    """Raise RequestError, with near names, for a category that is not among a variable's `own`."""
    known = sorted(set(own.tolist()))
    if category not in known:
        plain = {k.casefold(): k for k in known}
        near = difflib.get_close_matches(category.casefold(), plain, n=1)
        shown = ", ".join(repr(k) for k in known if k != MISSING)[:500]
        hint = f"Did you mean {plain[near[0]]!r}?" if near else f"It shows {shown}."
        raise RequestError(f"no subject of the study has {name} = {category!r}.", hint=hint)


def shared_out(parts: Mapping[str, float], subjects: int, name: str) -> dict[str, int]:
    """Whole numbers in a ratio, by the largest remainders (Hamilton)."""
    whole = sum(parts.values())
    if whole <= 0:
        raise RequestError(f"the ratio of {name} has no part above 0.")
    exact = {k: subjects * v / whole for k, v in parts.items()}
    out = {k: int(v) for k, v in exact.items()}
    for k in sorted(exact, key=lambda k: out[k] - exact[k])[: subjects - sum(out.values())]:
        out[k] += 1
    return out

"""What is learned of the findings, as one document."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from pydantic import model_validator

from datareplicator.document import Document, Floats, Ints
from datareplicator.model.correlation import nearest
from datareplicator.model.findings.identity_model import Identity, Order
from datareplicator.model.findings.presence_model import Presence
from datareplicator.model.marginals import Marginal

SCORE_KNOTS = np.linspace(-3.2, 3.2, 33)


@dataclass(frozen=True)
class Cell:
    """A column of the findings: one test of one table on one combination of its axes (time point, position).

    `kind`: "number", "ordinal" or "category" (codes ordered by frequency). `group_of_test`: cells with the same
    number are one test on several axes; they share their level strongly. -1: alone.
    """

    table: str
    test: str
    axes: tuple[str, ...] = ()
    kind: str = "number"
    group_of_test: int = -1


@dataclass
class Effects:
    """The subjects' levels as the subject model needs them.

    `scores`: (subjects, cells) normal scores, NaN where a subject has no value. `reliability`: (cells,) share of their
    variance that is true level. `noise`: (cells, cells) correlation that measurement error alone gives them.
    `centre`: (cells, cells) correlations to shrink to.
    """

    scores: np.ndarray
    reliability: np.ndarray
    noise: np.ndarray
    centre: np.ndarray


class FindingsModel(Document):
    """Latent score of a value = mean by visit + arm + site + level + residual; a cell's marginal maps it to a value.

    V visits, K cells, A arms, S sites. Variances `between` (K,) and `within` (3, K: nugget, fast and slow drift that
    fade with the two `times`, days) add up, with the variance of the means, to 1. `noise_sd`: sd of a subject's log
    residual variance, drawn once a test (`noise_group`); `noise_slope`: its change by one sd of the subject's level;
    `site_noise`: by site. `levels`: (K, 11) quantiles of the level at the scores -2 .. 2. `scores`: (K, 33) latent
    values at the normal scores -3.2 .. 3.2. `residual`: upper triangle (without diagonal, row by row) of the residual
    correlation at a visit. `digests`: of the training sequences of each cell. `identities`: what follows from two
    others, in the order of computation; `orders`: what always lies above another.
    """

    visit_day: Floats
    mean: Floats
    arm: Floats
    site_level: Floats
    site_noise: Floats
    between: Floats
    within: Floats
    times: Floats
    noise_sd: Floats
    noise_slope: Floats
    noise_group: Ints
    levels: Floats
    scores: Floats
    residual: Floats
    marginals: list[Marginal]
    presence: Presence
    digests: list[Ints]
    identities: tuple[Identity, ...] = ()
    orders: tuple[Order, ...] = ()

    @model_validator(mode="after")
    def _shapes(self) -> FindingsModel:
        k = len(self.between)
        for name in ("noise_sd", "noise_slope", "noise_group", "levels", "scores"):
            if len(getattr(self, name)) != k:
                raise ValueError(f"{name}: {len(getattr(self, name))} entries for {k} cells")
        for name in ("mean", "arm", "site_level", "site_noise", "within"):
            if getattr(self, name).shape[-1] != k:
                raise ValueError(f"{name}: last axis has {getattr(self, name).shape[-1]} entries for {k} cells")
        if len(self.residual) != k * (k - 1) // 2:
            raise ValueError(f"residual: {len(self.residual)} correlations for {k} cells")
        named = [c for law in self.identities for c in (law.target, law.first, law.second)]
        named += [c for order in self.orders for c in (order.above, order.below)]
        if named and not 0 <= min(named) <= max(named) < k:
            raise ValueError("an identity or order names a cell that does not exist")
        if len(self.marginals) != k or len(self.digests) != k:
            raise ValueError(f"marginals, digests: one is needed for each of {k} cells")
        return self

    @property
    def cells(self) -> int:
        return len(self.between)

    def residual_root(self) -> np.ndarray:
        """(K, K) upper factor: standard normal rows times it have the residual correlation."""
        return correlation_root(self.residual, self.cells)


def pack(matrix: np.ndarray) -> np.ndarray:
    """Upper triangle without diagonal, to four digits."""
    return np.round(matrix[np.triu_indices(len(matrix), 1)], 4)


def correlation_root(triangle: np.ndarray, size: int) -> np.ndarray:
    """Inverse of `pack`, factored: rows of standard normals times the result have this correlation."""
    matrix = np.eye(size)
    matrix[np.triu_indices(size, 1)] = triangle
    matrix = np.triu(matrix) + np.triu(matrix, 1).T
    return np.linalg.cholesky(nearest(matrix)).T

"""How values change that were asked to be other than learned."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from datareplicator.model.marginals import Marginal, decimals_of

MONTH = 30.0
"""Days for which a drift is stated."""


@dataclass(frozen=True)
class Shape:
    """`value -> middle + scale (value - middle) + shift + drift * months`, at `decimals` and not under `least`."""

    shift: float
    scale: float
    drift: float
    middle: float
    decimals: int
    least: float

    def __call__(self, value: np.ndarray, day: np.ndarray | float = 0.0) -> np.ndarray:
        """Changed values (float[n]); `day` relative to the anchor, days before it count as 0."""
        months = np.maximum(np.nan_to_num(day), 0.0) / MONTH
        out = self.middle + self.scale * (value - self.middle) + self.shift + self.drift * months
        return np.maximum(np.round(out, self.decimals), self.least)


def shape_of(marginal: Marginal, shift: float, scale: float, drift: float) -> Shape:
    """How values of a marginal change; what is never negative, or never zero, stays so."""
    decimals = decimals_of(marginal.values) if marginal.lattice else marginal.decimals
    smallest = float(marginal.values[0])
    least = -np.inf if smallest < 0 else 10.0**-decimals if smallest > 0 else 0.0
    return Shape(shift, scale, drift, float(marginal.sample(np.zeros(1))[0]), decimals, least)


@dataclass(frozen=True)
class Altered:
    """What changes mean for the columns of a study. `results` by findings table and its cell (counted within it);
    `covariates` by feature, a shape a stratum; `numbers` by table and column: shift, scale and decimals; `missing` by
    table and column: the share as learned and how many times as often."""

    results: dict[tuple[str, int], Shape]
    covariates: dict[str, tuple[Shape, ...]]
    numbers: dict[tuple[str, str], tuple[float, float, int]]
    missing: dict[tuple[str, str], tuple[float, float]]

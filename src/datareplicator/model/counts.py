"""How many rows a subject has: a negative binomial on exposure, by stratum and group, zero-inflated if evident.

The distribution of the probability integral transform over the source's subjects corrects what the two-parameter
family misses (Czado, Gneiting & Held, 2009, "Predictive model assessment for count data").
"""

from __future__ import annotations

import numpy as np
from pydantic import model_validator
from scipy.special import ndtr, ndtri
from scipy.stats import nbinom

from datareplicator.document import Document, Floats, Ints

PIT_KNOTS = 41
PIT_PRIOR = 30.0
_EVEN_SCORES = ndtri((np.arange(200) + 0.5) / 200)
EVEN = 0.5
"""Ratio of variance to mean below which counts are no events that happen at random."""
POWERS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
POWER_SD = 0.4
GROUP_SD = 0.3
"""Prior standard deviation of a group's log rate around its stratum's."""
ZERO_INFLATION_EVIDENCE = 3.0


class CountModel(Document):
    """`rate[stratum, group]`: rows per unit of exposure to the `power` (under 1 where those who leave early have more
    rows for their time, as when events make them leave). `dispersion` a: variance = mean + a mean^2. `zero`: share
    of subjects that never have any. `pit`: cumulative shares of the PIT at equally spaced knots from 0 to 1.
    `most`: the largest count to be drawn. `even`: the counts of equally many subjects each, ascending, where they vary
    less than any of this family (as many rows for everyone); else empty."""

    rate: Floats
    power: float
    dispersion: float
    zero: float
    pit: Floats
    most: int
    even: Ints = np.empty(0, dtype=np.int64)

    @model_validator(mode="after")
    def _shapes(self) -> CountModel:
        if self.rate.ndim != 2 or not (self.rate >= 0).all():
            raise ValueError("rates of events must be a table of strata and groups, none negative")
        if self.pit.shape != (PIT_KNOTS,) or (np.diff(self.pit) <= 0).any():
            raise ValueError("the PIT of a count model must ascend")
        if not (0 <= self.zero < 1 and self.dispersion > 0 and self.most >= 0):
            raise ValueError("a count model has a parameter out of its range")
        return self

    def mean(self, exposure: np.ndarray, stratum: np.ndarray, group: np.ndarray) -> np.ndarray:
        """Expected rows of the subjects that can have any (float[n]); an unknown arm counts as the last one."""
        rate = self.rate[np.clip(stratum, 0, len(self.rate) - 1), np.clip(group, -1, self.rate.shape[1] - 1)]
        return np.maximum(np.nan_to_num(exposure), 0) ** self.power * rate

    def cdf(self, count: np.ndarray, mean: np.ndarray) -> np.ndarray:
        """P(N <= count)."""
        size = 1 / self.dispersion
        inner = nbinom.cdf(count, size, size / (size + mean))
        return np.where(count < 0, 0.0, self.zero + (1 - self.zero) * inner)

    def draw(
        self, score: np.ndarray, mean: np.ndarray, variation: float = 1.0, rest: np.ndarray | None = None
    ) -> np.ndarray:
        """Counts (int[n]) of subjects whose propensity is the standard normal `score`. `variation` widens their spread
        about the mean, which stays; `rest`: uniform numbers that then round to whole counts."""
        if variation == 1.0 or rest is None:
            return self._draw(score, mean)
        if variation > 1.0 and not len(self.even):
            return self._wider(variation, mean)._draw(score, self._kept_mean(mean, variation))
        middle = self._mean_drawn(mean)
        spread = np.maximum(middle + variation * (self._draw(score, mean) - middle), 0.0)
        return np.where(mean > 0, np.floor(spread + rest), 0).astype(np.int64)

    def _wider(self, variation: float, mean: np.ndarray) -> CountModel:
        """Counts of `variation` times the standard deviation: variance `mean + a mean^2`, solved for the dispersion."""
        possible = mean[mean > 0]
        typical = float(possible.mean()) if len(possible) else 1.0
        dispersion = (variation**2 * (1 + self.dispersion * typical) - 1) / typical
        return self.model_copy(update={"dispersion": dispersion, "most": int(np.ceil(self.most * variation))})

    def _mean_drawn(self, mean: np.ndarray) -> np.ndarray:
        """What counts drawn are on average: the family's mean but for its correction."""
        own, place = np.unique(np.round(mean, 3), return_inverse=True)
        scores = np.tile(_EVEN_SCORES, len(own))
        drawn = self._draw(scores, np.repeat(own, len(_EVEN_SCORES)))
        return drawn.reshape(len(own), -1).mean(axis=1)[place]

    def _kept_mean(self, mean: np.ndarray, variation: float) -> np.ndarray:
        """The parameter by which wider counts have the mean of those as learned, by three steps of proportion."""
        wanted, wider, out = self._mean_drawn(mean), self._wider(variation, mean), mean.copy()
        for _ in range(3):
            drawn = wider._mean_drawn(out)
            out = np.where(drawn > 0, out * wanted / np.where(drawn > 0, drawn, 1.0), out)
        return out

    def _draw(self, score: np.ndarray, mean: np.ndarray) -> np.ndarray:
        if len(self.even):
            place = np.minimum((ndtr(score) * len(self.even)).astype(np.int64), len(self.even) - 1)
            return np.where(mean > 0, self.even[place], 0)
        knots = np.linspace(0, 1, PIT_KNOTS)
        uniform = np.interp(ndtr(score), self.pit, knots)
        inner = np.clip((uniform - self.zero) / (1 - self.zero), 0, 1 - 1e-9)
        size = 1 / self.dispersion
        count = nbinom.ppf(inner, size, size / (size + np.maximum(mean, 1e-12)))
        return np.where(mean > 0, np.clip(np.nan_to_num(count), 0, self.most), 0).astype(np.int64)

    def scores(self, count: np.ndarray, mean: np.ndarray) -> np.ndarray:
        """Standard normal scores of counts: mid-PIT, corrected by the learned PIT; NaN where no row is possible."""
        if len(self.even):
            low, high = (np.searchsorted(self.even, count, side=side) for side in ("left", "right"))
            middle = np.clip((low + high) / 2 / len(self.even), 1e-4, 1 - 1e-4)
            return np.where(mean > 0, ndtri(middle), np.nan)
        middle = (self.cdf(count - 1, mean) + self.cdf(count, mean)) / 2
        uniform = np.interp(middle, np.linspace(0, 1, PIT_KNOTS), self.pit)
        return np.where(mean > 0, ndtri(np.clip(uniform, 1e-4, 1 - 1e-4)), np.nan)


def fit_counts(
    count: np.ndarray, exposure: np.ndarray, stratum: np.ndarray, group: np.ndarray, strata: int, groups: int
) -> CountModel:
    """Learn from `count` (int[n]) rows in `exposure` (float[n], any unit). A stratum without any row has rate 0."""
    exposure = np.maximum(np.nan_to_num(exposure), 0)
    fits = []
    for power in POWERS if np.ptp(exposure) > 0 else (1.0,):
        base = _base_rates(count, exposure**power * (exposure > 0), stratum, strata)
        mean = base[stratum] * exposure**power * (exposure > 0)
        log, dispersion, zero = _fit_shape(count, mean)
        fits.append((log - 0.5 * ((1 - power) / POWER_SD) ** 2, power, base, mean, dispersion, zero))
    _, power, base, mean, dispersion, zero = max(fits, key=lambda fit: fit[:2])
    rate = np.repeat(base[:, None], groups, axis=1)
    for s in range(strata):
        for g in range(groups):
            here = (stratum == s) & (group == g)
            expected, subjects = mean[here].sum(), int((mean[here] > 0).sum())
            if expected > 0:
                variance = 1 / (count[here].sum() + 0.5) + dispersion / subjects
                shrink = GROUP_SD**2 / (GROUP_SD**2 + variance)
                rate[s, g] *= np.exp(shrink * np.log((count[here].sum() + 0.5) / (expected + 0.5)))
    model = CountModel(
        rate=rate / (1 - zero),
        power=power,
        dispersion=dispersion,
        zero=zero,
        pit=np.linspace(0, 1, PIT_KNOTS),
        most=int(np.ceil(1.3 * count.max(initial=0))) + (1 if count.any() else 0),
    )
    mean = model.mean(exposure, stratum, group)
    possible = count[mean > 0]
    if len(possible) and possible.var() < EVEN * possible.mean():
        even = np.quantile(possible, (np.arange(100) + 0.5) / 100, method="inverted_cdf")
        return model.model_copy(update={"even": even.astype(np.int64)})
    _, dispersion, zero = _fit_shape(count, mean * (1 - model.zero))
    model = model.model_copy(update={"dispersion": dispersion, "zero": zero})
    return model.model_copy(update={"pit": _pit(model, count, model.mean(exposure, stratum, group))})


def _base_rates(count: np.ndarray, exposure: np.ndarray, stratum: np.ndarray, strata: int) -> np.ndarray:
    total, time = np.bincount(stratum, count, strata), np.bincount(stratum, exposure, strata)
    return np.where((total > 0) & (time > 0), total / np.where(time > 0, time, 1), 0.0)


def _fit_shape(count: np.ndarray, mean: np.ndarray) -> tuple[float, float, float]:
    """The best log likelihood with its dispersion and zero inflation, on a grid; no inflation unless it is evident."""
    use = mean > 0
    if not use.any():
        return 0.0, 1.0, 0.0
    count, mean = count[use], mean[use]
    dispersions = np.geomspace(1e-3, 8, 20)
    prior = -0.5 * (np.log(dispersions / 0.7) / 1.5) ** 2  # events of a trial: variance 2 to 5 times the mean
    best: dict[float, tuple[float, float]] = {}
    for zero in (0.0, 0.05, 0.1, 0.2, 0.3, 0.45, 0.6, 0.75):
        size = (1 / dispersions)[:, None]
        p = size / (size + mean / (1 - zero))
        log = np.log1p(-zero) + nbinom.logpmf(count, size, p)
        log = np.where(count == 0, np.logaddexp(np.log(zero) if zero else -np.inf, log), log).sum(axis=1) + prior
        best[zero] = (float(log.max()), float(dispersions[int(log.argmax())]))
    zero = max(best, key=lambda z: best[z][0])
    if best[zero][0] - best[0.0][0] < ZERO_INFLATION_EVIDENCE:
        zero = 0.0
    return best[zero][0], best[zero][1], zero


def _pit(model: CountModel, count: np.ndarray, mean: np.ndarray) -> np.ndarray:
    knots = np.linspace(0, 1, PIT_KNOTS)
    use = mean > 0
    low, high = model.cdf(count[use] - 1, mean[use])[:, None], model.cdf(count[use], mean[use])[:, None]
    share = np.clip((knots - low) / np.maximum(high - low, 1e-12), 0, 1).sum(axis=0)
    return (share + PIT_PRIOR * knots) / (use.sum() + PIT_PRIOR)

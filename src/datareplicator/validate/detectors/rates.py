"""Rates of events by site: how they grow with time, how much they vary, how unlikely a low one is."""

from __future__ import annotations

import numpy as np
from scipy.stats import nbinom
from scipy.stats import t as student

PRIOR_WEIGHT, PRIOR_SPREAD = 4.0, 0.3
"""What is held of the spread of sound sites before any is seen: a standard deviation of the logarithm of their rates,
and its weight in sites. Few sites tell little of how far they lie apart."""
GRID = np.linspace(-12.0, 12.0, 481)


def exponent(count: np.ndarray, time: np.ndarray, site: np.ndarray) -> float:
    """The power of time with which events come, from 0 to 1: told within sites, whatever their rates.

    A conditional Poisson model (Andersen 1970), by Newton steps, with one half as the weak belief before.

    >>> time = np.array([10.0, 20.0, 40.0, 80.0] * 50)
    >>> round(exponent(time, time, np.repeat([0, 1], 100)), 1)
    1.0
    """
    x, power, belief = np.log(time), 0.5, 4.0
    for _ in range(20):
        e = np.exp(power * x)
        due, first, second, seen = (np.bincount(site, weights=w) for w in (e, e * x, e * x * x, count))
        due = np.where(due > 0, due, 1.0)
        score = (count * x).sum() - (seen * first / due).sum() - belief * (power - 0.5)
        step = score / ((seen * (second / due - (first / due) ** 2)).sum() + belief)
        power = float(np.clip(power + step, 0.0, 1.0))
        if abs(step) < 1e-6:
            break
    return power


def dispersion(count: np.ndarray, due: np.ndarray, site: np.ndarray) -> float:
    """How much more subjects of a site differ than by chance: a in the variance m + a m^2 of a negative binomial."""
    people, seen, expected = (np.bincount(site, weights=w) for w in (np.ones(len(site)), count, due))
    mean = (seen / np.where(expected > 0, expected, 1.0))[site] * due
    several = people[site] > 1
    freedom = (people / np.maximum(people - 1, 1))[site]
    extra = (freedom * (count - mean) ** 2 - mean)[several].sum()
    return max(float(extra / max((mean[several] ** 2).sum(), 1e-12)), 1e-3)


def between(y: np.ndarray, variance: np.ndarray) -> tuple[float, float]:
    """Middle of the sites' logarithms of rates, and the variance between sites beyond that of each (Paule and Mandel
    1982), drawn to what is held before."""

    def weighed(extra: float) -> tuple[float, float]:
        weight = 1 / (variance + extra)
        middle = float((weight * y).sum() / weight.sum())
        return middle, float((weight * (y - middle) ** 2).sum())

    freedom, low, high = len(y) - 1, 0.0, 20.0
    if freedom and weighed(0.0)[1] > freedom:
        for _ in range(40):
            half = (low + high) / 2
            low, high = (half, high) if weighed(half)[1] > freedom else (low, half)
    drawn = (PRIOR_WEIGHT * PRIOR_SPREAD**2 + freedom * low) / (PRIOR_WEIGHT + freedom)
    return weighed(low)[0], drawn


def few(seen: np.ndarray, due: np.ndarray, shape: np.ndarray, spread: float, freedom: float) -> np.ndarray:
    """p of no more events than seen at each site: negative binomial around a rate that is itself drawn from those of
    sound sites, whose logarithms follow a t distribution.

    >>> few(np.array([2, 20]), np.array([20.0, 20.0]), np.array([50.0, 50.0]), 0.3, 10.0).round(3).tolist()
    [0.001, 0.536]
    """
    weight = student.pdf(GRID, freedom) * (GRID[1] - GRID[0])
    mean = due[:, None] * np.exp(spread * GRID)
    return nbinom.cdf(seen[:, None], shape[:, None], shape[:, None] / (shape[:, None] + mean)) @ weight

"""Values carried forward: the same results again and again, one test over many visits or all tests of a visit."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy.stats import binom

from datareplicator.validate.detectors.view import ALARM, DETECTORS, DetectorView
from datareplicator.validate.rule import Hits, Severity

OFTEN = 0.25
"""Share of repeats above which a test is too coarse for a repeat to mean anything."""


@DETECTORS.rule(
    "DR2002",
    "The value repeats that of earlier visits far oftener than chance (1 false alarm in 100 studies).",
    severity=Severity.WARNING,
)
def carried_forward(view: DetectorView) -> Iterator[Hits]:
    for course in view.courses:
        n = len(course)
        follows = np.zeros(n, dtype=bool)
        follows[1:] = (course.series[1:] == course.series[:-1]) & (course.visit[1:] != course.visit[:-1])
        same = np.zeros(n, dtype=bool)
        same[1:] = follows[1:] & (course.value[1:] == course.value[:-1])
        chance = pd.Series(np.where(follows, same, np.nan)).groupby(course.test).transform("mean").to_numpy()
        chance = np.clip(np.nan_to_num(chance, nan=1.0), 1e-3, 1.0)
        usable = follows & course.measured[course.test] & (chance <= OFTEN)
        if not usable.any():
            continue
        same &= usable
        bad = _runs(same, chance, int(usable.sum())) | _visits(course.subject, course.visit, usable, same, chance)
        yield course.hits(bad, int(usable.sum()))


def _runs(same: np.ndarray, chance: np.ndarray, tries: int) -> np.ndarray:
    """Rows in runs of repeats that a study of this size has less than once in a hundred."""
    run = np.cumsum(~same)
    length = np.bincount(run, weights=same)[run]
    # Some subjects are steadier than others: a run's later steps are likelier than its first.
    steady = np.minimum(2 * chance, 0.5)
    return same & (chance * steady ** np.maximum(length - 1, 0) * tries < ALARM) & (length >= 2)


def _visits(
    subject: np.ndarray, visit: np.ndarray, usable: np.ndarray, same: np.ndarray, chance: np.ndarray
) -> np.ndarray:
    """Repeats at visits where nearly all tests repeat."""
    key = pd.factorize(subject * (visit.max(initial=0) + 1) + visit)[0]
    size = int(key.max(initial=-1)) + 1
    tests, repeats = (np.bincount(key, weights=held, minlength=size) for held in (usable, same))
    mean = np.bincount(key, weights=np.where(usable, chance, 0.0), minlength=size) / np.maximum(tests, 1)
    # The binomial tail bounds that of unequal chances (Hoeffding 1956); twice the chance for steadier subjects.
    p = binom.sf(repeats - 1, tests, np.minimum(2 * mean, 1.0))
    found = (tests >= 3) & (repeats >= 0.6 * tests) & (p < ALARM / max(int((tests >= 3).sum()), 1))
    return same & found[key]

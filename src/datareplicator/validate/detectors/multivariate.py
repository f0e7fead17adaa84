"""Visits whose results do not go together, although each alone is ordinary."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy.stats import chi2, norm

from datareplicator.validate.detectors.view import DETECTORS, Courses, DetectorView
from datareplicator.validate.rule import Hits, Severity

MOST_TESTS, LEAST_TESTS, LEAST_VISITS = 40, 3, 100
TAIL, REACH = 0.99, 2.5
"""A visit's squared distance must be this many times that of the 99 % quantile, and beyond one in a million of the
chi-square distribution."""


@DETECTORS.rule(
    "DR2007",
    "The results of the visit do not go together (at most 1 false alarm in 1,000 visits).",
    severity=Severity.WARNING,
)
def odd_together(view: DetectorView) -> Iterator[Hits]:
    for course in view.courses:
        panel = _panel(course)
        if panel is None:
            continue
        key, scores = panel
        distance = _distance(scores)
        k = scores.shape[1]
        limit = max(float(chi2.isf(1e-6, k)), REACH * float(np.quantile(distance, TAIL)))
        odd = distance > limit
        yield course.hits(np.append(odd, False)[key], len(distance))


def _panel(course: Courses) -> tuple[np.ndarray, np.ndarray] | None:
    """Row of the panel for each result (-1: in none), and normal scores, one row a visit with all its tests."""
    rows = course.measured[course.test]
    visit = pd.factorize(course.subject * (course.visit.max(initial=0) + 1) + course.visit)[0]
    wide = pd.DataFrame({"visit": visit[rows], "test": course.test[rows], "y": course.scaled[rows]})
    wide = wide.groupby(["visit", "test"])["y"].mean().unstack("test")
    if wide.shape[0] < LEAST_VISITS or wide.shape[1] < LEAST_TESTS:
        return None
    complete = wide.notna().mean().sort_values(ascending=False, kind="stable")
    tests = complete.index[complete >= 0.5 * complete.iloc[0]][:MOST_TESTS]
    whole = wide[tests].dropna()
    if len(whole) < max(LEAST_VISITS, 5 * len(tests)) or len(tests) < LEAST_TESTS:
        return None
    scores = norm.ppf((whole.rank(method="average").to_numpy() - 0.5) / len(whole))
    place = pd.Series(np.arange(len(whole)), index=whole.index)
    key = place.reindex(visit).fillna(-1).to_numpy(dtype=np.int64)
    return np.where(rows & np.isin(course.test, tests.to_numpy()), key, -1), scores


def _distance(scores: np.ndarray) -> np.ndarray:
    """Squared Mahalanobis distance; directions in which all visits nearly agree are not blown up."""
    value, vector = np.linalg.eigh(np.corrcoef(scores, rowvar=False))
    return ((scores @ vector) ** 2 / np.maximum(value, 0.05)).sum(axis=1)

"""Values far from all others of their test."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from datareplicator.validate.detectors.view import DETECTORS, DetectorView
from datareplicator.validate.rule import Hits, Severity

TAIL = 0.98
REACH = 5.0
"""How many times as far from the median as the 98 % quantile. A normal test reaches it at 10 standard deviations, one
with tails of a t distribution with 3 degrees of freedom in 2 of 10,000 values."""

LEAST = 50


@DETECTORS.rule(
    "DR2015",
    "The value lies far from all others of its test (at most 4 false alarms in 10,000 values).",
    severity=Severity.WARNING,
)
def far_out(view: DetectorView) -> Iterator[Hits]:
    for course in view.courses:
        by_test = pd.Series(course.scaled).groupby(course.test)
        middle, count = by_test.transform("median").to_numpy(), by_test.transform("count").to_numpy()
        asked = course.measured[course.test] & (count >= LEAST)
        bad = np.zeros(len(course), dtype=bool)
        for side in (1, -1):
            reach = side * (course.scaled - middle)
            limit = pd.Series(reach).groupby(course.test).transform(lambda held: held.quantile(TAIL)).to_numpy()
            # A tail shorter than the other is no reason to cut nearer than the other's half.
            limit = np.maximum(limit, 0.5 * pd.Series(np.abs(reach)).groupby(course.test).transform(
                lambda held: held.quantile(TAIL)
            ).to_numpy())  # fmt: skip
            bad |= asked & (reach > REACH * np.maximum(limit, course.step))
        yield course.hits(bad, int(asked.sum()))

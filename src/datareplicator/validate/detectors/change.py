"""Changes between visits that are out of all proportion to how the test moves."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from datareplicator.validate.detectors.view import DETECTORS, Courses, DetectorView
from datareplicator.validate.rule import Hits, Severity

REACH = 4.0
"""How many times as far from the subject's own median as 98 % of the test's values are. Nine standard deviations where
the noise is normal; 4 of 10,000 values where it has the tails of a t distribution with 3 degrees of freedom."""


def limits(course: Courses) -> np.ndarray:
    """The largest plausible distance from a subject's own median, on each row; NaN for tests of few values."""
    return np.where(course.measured[course.test], REACH * np.maximum(course.tail, course.step), np.nan)


@DETECTORS.rule(
    "DR2008",
    "The value differs implausibly from the subject's other ones (at most 5 false alarms in 10,000 values).",
    severity=Severity.WARNING,
)
def implausible_change(view: DetectorView) -> Iterator[Hits]:
    for course in view.courses:
        limit = limits(course)
        asked = np.isfinite(course.apart) & np.isfinite(limit)
        yield course.hits(asked & (np.abs(course.apart) > limit), int(asked.sum()))

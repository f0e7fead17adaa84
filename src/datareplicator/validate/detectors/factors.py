"""Values that are off from the subject's own course by a known factor: other units, shifted decimals."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from datareplicator.validate.detectors.view import DETECTORS, Courses, DetectorView
from datareplicator.validate.rule import Hits, Severity

DECIMAL = (10.0, 100.0, 1000.0, 0.1, 0.01, 0.001)
UNITS = (
    *(2.2046226, 1 / 2.2046226, 2.54, 1 / 2.54, 7.500617, 1 / 7.500617),  # kg and lb, in and cm, kPa and mmHg
    *(18.0156, 1 / 18.0156, 88.42, 1 / 88.42, 38.67, 1 / 38.67, 88.57, 1 / 88.57),  # glucose, creatinine, lipids
    *(17.104, 1 / 17.104, 59.48, 1 / 59.48, 4.0078, 1 / 4.0078),  # bilirubin, urate, calcium
)
"""Factors between the units in use; those below 2 are within what tests do by themselves."""

CLEAR = 6.0
"""Robust standard deviations from the subject's own median from which a value needs an explanation."""

TAILS = 2.0
"""How many times as far as 98 % of the test's values lie: tests that jump by themselves need more."""

NEAR = 2.5
"""Robust standard deviations within which the explained value must lie."""


def unlikely(course: Courses) -> np.ndarray:
    """The distance from a subject's own median, on each row, from which a value needs an explanation."""
    return np.maximum(CLEAR * course.spread(course.apart), TAILS * course.tail)


def explained(course: Courses, moved: np.ndarray) -> np.ndarray:
    """bool a result: far from its own course, and near once the value is `moved` there (on the scale of `scaled`)."""
    spread = course.spread(course.apart)
    asked = course.measured[course.test] & np.isfinite(course.apart) & np.isfinite(moved)
    own = course.scaled - course.apart
    return asked & (np.abs(course.apart) > unlikely(course)) & (np.abs(moved - own) <= NEAR * spread)


def _by_factors(course: Courses, factors: tuple[float, ...]) -> np.ndarray:
    bad = np.zeros(len(course), dtype=bool)
    for factor in factors:
        with np.errstate(divide="ignore", invalid="ignore"):
            value = course.value / factor
            moved = np.where(course.log[course.test], np.log(np.where(value > 0, value, np.nan)), value)
        bad |= explained(course, moved)
    return bad


def _asked(course: Courses) -> int:
    return int((course.measured[course.test] & np.isfinite(course.apart)).sum())


@DETECTORS.rule(
    "DR2009",
    "The value is off from the subject's own course by the factor between two units "
    "(at most 5 false alarms in 10,000 values).",
    severity=Severity.WARNING,
)
def unit_swapped(view: DetectorView) -> Iterator[Hits]:
    for course in view.courses:
        celsius = np.char.find(course.names.astype(str), "TEMP") >= 0
        bad = _by_factors(course, UNITS) & ~_by_factors(course, DECIMAL) & course.has_unit[course.test]
        for moved in ((course.value - 32) / 1.8, course.value * 1.8 + 32):
            with np.errstate(invalid="ignore", divide="ignore"):
                scaled = np.where(course.log[course.test], np.log(np.where(moved > 0, moved, np.nan)), moved)
            bad |= explained(course, scaled) & celsius[course.test]
        yield course.hits(bad, _asked(course))


@DETECTORS.rule(
    "DR2010",
    "The value is off from the subject's own course by a power of ten (at most 2 false alarms in 10,000 values).",
    severity=Severity.WARNING,
)
def decimal_shifted(view: DetectorView) -> Iterator[Hits]:
    for course in view.courses:
        yield course.hits(_by_factors(course, DECIMAL), _asked(course))

"""Comparisons in three values: 1 surely, -1 surely not, 0 not known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from datareplicator.dates import Precision
from datareplicator.expressions.vectors import DAY, Dates, Numbers, Texts, Truths, Vector, ranked

TOLERANCE = 1e-9
"""Relative difference below which two numbers are equal: sums of decimals are not exact in binary."""
MIRRORED = {"=": "=", "!=": "!=", "<": ">", ">": "<", "<=": ">=", ">=": "<="}


def compare(operator: str, left: Vector, right: Vector) -> Truths:
    """Compare two columns of one type."""
    if isinstance(left, Dates) and isinstance(right, Dates):
        return _dates(operator, left, right)
    if isinstance(left, Texts) and isinstance(right, Texts):
        first, second = ranked([left.distinct, right.distinct])
        a, b = (np.append(r, 0)[v.codes] for r, v in ((first, left), (second, right)))
        return _known(_signs(operator, np.sign(a - b)), left.missing | right.missing)
    a, b = left.order, right.order
    same = np.abs(a - b) <= TOLERANCE * np.maximum(np.abs(a), np.abs(b))
    return _known(_signs(operator, np.where(same, 0, np.sign(a - b))), left.missing | right.missing)


def _signs(operator: str, sign: np.ndarray) -> np.ndarray:
    """Whether the comparison holds, given the sign of left minus right."""
    tests: dict[str, Callable[[np.ndarray], np.ndarray]] = {
        "=": lambda s: s == 0,
        "!=": lambda s: s != 0,
        "<": lambda s: s < 0,
        "<=": lambda s: s <= 0,
        ">": lambda s: s > 0,
        ">=": lambda s: s >= 0,
    }
    return np.where(tests[operator](sign), 1, -1)


def _known(values: np.ndarray, missing: np.ndarray) -> Truths:
    return Truths(np.where(missing, 0, values).astype(np.int8))


def _dates(operator: str, left: Dates, right: Dates) -> Truths:
    """Two dates of the data, each somewhere between its bounds."""
    if operator in (">", ">="):
        return _dates(MIRRORED[operator], right, left)
    a, b = _last(left, right), _last(right, left)
    if operator == "<":
        surely, never = a < right.low, left.low >= b
    elif operator == "<=":
        surely, never = a <= right.low, left.low > b
    else:
        surely = (left.low == a) & (right.low == b) & (left.low == right.low)
        never = (a < right.low) | (b < left.low)
    values = np.where(surely, 1, np.where(never, -1, 0))
    return _known(-values if operator == "!=" else values, left.missing | right.missing)


def _last(dates: Dates, other: Dates) -> np.ndarray:
    """The latest moment that a date may be, at the granularity at which it meets the other one: whole days among
    dates without times, the moment itself among equally exact ones, else any time before its upper bound."""
    days = (dates.precision <= Precision.DAY) & (other.precision <= Precision.DAY)
    equal = (dates.precision == other.precision) & (dates.precision > Precision.DAY)
    return np.where(days, dates.high - DAY, np.where(equal, dates.low, dates.high - 0.5))


def compare_period(operator: str, dates: Dates, period: Dates) -> Truths:
    """A date of the data against a written one, which is a period: ``= '2014-03'`` is within March 2014,
    ``<= '2014-03'`` before April."""
    low, high, begin, end = dates.low, dates.high, period.low, period.high
    if operator in ("<", ">="):
        surely, never = high <= begin, low >= begin
    elif operator in ("<=", ">"):
        surely, never = high <= end, low >= end
    else:
        surely, never = (low >= begin) & (high <= end), (high <= begin) | (low >= end)
    values = np.where(surely, 1, np.where(never, -1, 0))
    return _known(-values if operator in (">", ">=", "!=") else values, dates.missing | period.missing)


def known_equal(left: Numbers, right: Numbers) -> np.ndarray:
    """Where both are present and equal."""
    return compare("=", left, right).values == 1

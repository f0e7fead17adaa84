"""The last bits of numbers: how a decimal number stands in the source's floating point.

Transport files (SAS XPORT version 5) hold IBM hexadecimal floats of 56 bits; readers cut them to the 53 bits of IEEE
754. A decimal such as 8.55 then differs from its nearest double in the last bit. New numbers follow the same rule.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pandas as pd

from datareplicator.structure.derive.view import number_text


def decimal(x: np.ndarray) -> np.ndarray:
    """The nearest doubles of the numbers at 12 significant digits: 0.1 + 0.2 becomes 0.3."""
    return _by_level(x, float)


def transport(x: np.ndarray) -> np.ndarray:
    """The doubles that a reader makes of IBM hexadecimal floats of the numbers at 12 significant digits.

    >>> transport(np.array([8.55, 0.5, np.nan])).tolist()
    [8.549999999999999, 0.5, nan]
    """
    return _by_level(x, lambda text: _transported(Fraction(text)))


BITS: dict[str, Callable[[np.ndarray], np.ndarray]] = {"decimal": decimal, "transport": transport}
"""Rules by name, as they stand in params ``bits``."""


def _by_level(x: np.ndarray, rule: Callable[[str], float]) -> np.ndarray:
    codes, distinct = pd.factorize(x)
    made = np.array([rule(number_text(v)) if math.isfinite(v) else v for v in distinct.tolist()], dtype=float)
    return np.append(made, np.nan)[codes]


def _transported(value: Fraction) -> float:
    if value == 0:
        return 0.0
    size = abs(value)
    power = size.numerator.bit_length() - size.denominator.bit_length()
    power -= Fraction(2) ** power > size
    leading = -(power + 1) % 4  # zero bits of the first hexadecimal digit
    mantissa = round(size / Fraction(2) ** (power - 55 + leading))
    kept = mantissa >> max(0, mantissa.bit_length() - 53)
    scaled = Fraction(kept) * Fraction(2) ** (power - 55 + leading + max(0, mantissa.bit_length() - 53))
    return math.copysign(float(scaled), value)

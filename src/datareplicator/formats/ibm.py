"""IBM System/360 hexadecimal floating point, the numbers of SAS XPORT files, to and from IEEE 754 as whole arrays.

Sign 1 bit, exponent 7 bits (base 16, bias 64), fraction 56 bits: value = (-1)^s * 0.fraction * 16^(e - 64).
Source: SAS Institute, "The Record Layout of a Data Set in SAS Transport (XPORT) Format" (TS-140).

SAS has 28 missing values: ``.``, ``._``, ``.A`` to ``.Z``. They come back as NaN; the special ones carry their letter
in the NaN's payload, so that they survive copying and sorting and are written as they came (`special_letters`).
"""

from __future__ import annotations

import numpy as np

_TAG = np.uint64(0x7FF8_0053_4153_0000)  # a quiet NaN with "SAS" in its payload; the lowest byte is the letter
_LETTERS = np.frombuffer(b"_ABCDEFGHIJKLMNOPQRSTUVWXYZ", dtype=np.uint8)
_PLAIN = 0x2E
LARGEST = float(np.ldexp(1.0 - 2.0**-53, 252))
SMALLEST = float(np.ldexp(1.0, -260))


def from_ibm(raw: np.ndarray) -> np.ndarray:
    """Numbers of IBM bytes.

    `raw`: uint8, shape (n, w) with w from 2 to 8 (SAS cuts numbers at the end). Returns float64, shape (n,).

    >>> from_ibm(np.frombuffer(bytes.fromhex("4110000000000000c276a00000000000"), np.uint8).reshape(2, 8)).tolist()
    [1.0, -118.625]
    """
    rows, width = raw.shape
    full = np.zeros((rows, 8), dtype=np.uint8)
    full[:, :width] = raw
    bits = full.view(">u8").ravel().astype(np.uint64)
    fraction = bits & np.uint64(0x00FF_FFFF_FFFF_FFFF)
    exponent = ((bits >> np.uint64(56)) & np.uint64(0x7F)).astype(np.int32)
    value = np.ldexp(fraction.astype(np.float64), 4 * (exponent - 64) - 56)
    value = np.where(bits >> np.uint64(63), -value, value)
    first = full[:, 0]
    missing = (fraction == 0) & (first != 0) & (first != 0x80)
    if missing.any():
        value[missing] = np.nan
        special = missing & np.isin(first, _LETTERS)
        value.view(np.uint64)[special] = _TAG | first[special].astype(np.uint64)
    return value


def to_ibm(values: np.ndarray) -> np.ndarray:
    """IBM bytes of numbers: float64 (n,) to uint8 (n, 8). NaN becomes a SAS missing value.

    The caller has checked the magnitude (`out_of_range`); numbers below `SMALLEST` become 0.

    >>> to_ibm(np.array([1.0, -118.625, np.nan])).tobytes().hex()
    '4110000000000000c276a000000000002e00000000000000'
    """
    values = np.ascontiguousarray(values, dtype=np.float64)
    missing = np.isnan(values)
    known = np.where(missing, 0.0, values)
    mantissa, power = np.frexp(np.abs(known))
    hexadecimal = -(-power // 4)
    shifted = np.ldexp(mantissa, power - 4 * hexadecimal + 56).astype(np.uint64)
    zero = (known == 0) | (hexadecimal < -64)
    exponent = np.where(zero, 0, hexadecimal + 64).astype(np.uint64)
    sign = (np.signbit(known) & ~zero).astype(np.uint64)
    bits = np.where(zero, np.uint64(0), (sign << np.uint64(63)) | (exponent << np.uint64(56)) | shifted)
    if missing.any():
        letter = np.where(_is_special(values), values.view(np.uint64) & np.uint64(0xFF), np.uint64(_PLAIN))
        bits = np.where(missing, letter << np.uint64(56), bits)
    return bits.astype(">u8").view(np.uint8).reshape(-1, 8)


def out_of_range(values: np.ndarray) -> np.ndarray:
    """Where a number is infinite or larger than IBM floating point can hold (about 7.2e75)."""
    return np.abs(np.nan_to_num(values, nan=0.0, posinf=np.inf, neginf=-np.inf)) > LARGEST


def _is_special(values: np.ndarray) -> np.ndarray:
    return (np.ascontiguousarray(values).view(np.uint64) & ~np.uint64(0xFF)) == _TAG


def special_letters(values: np.ndarray) -> dict[str, int]:
    """How often each special missing value occurs in a column that `from_ibm` read.

    >>> special_letters(from_ibm(np.array([[0x41] + [0] * 7, [0x2E] + [0] * 7], dtype=np.uint8)))
    {'A': 1}
    """
    found = np.ascontiguousarray(values).view(np.uint64)[_is_special(values)] & np.uint64(0xFF)
    letters, counts = np.unique(found, return_counts=True)
    return {chr(int(letter)): int(count) for letter, count in zip(letters, counts, strict=True)}

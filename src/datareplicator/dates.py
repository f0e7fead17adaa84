"""Dates as arrays: ISO 8601 text with its precision (``2014``, ``2014-03``, ``2014-03-05T11:45``), and true dates.

A date column of a study may be text or ``datetime64``; both become a `Moments`: whole days since 1970-01-01, the
seconds within the day, and the precision. Only distinct values are parsed, so the cost follows the distinct values.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import pandas as pd

ISO_PATTERN = (
    r"^(?P<y>\d{4})(?:-(?P<m>\d{2})(?:-(?P<d>\d{2})(?:[T ](?P<H>\d{2})(?::(?P<M>\d{2})(?::(?P<S>\d{2})(?:\.\d+)?)?)?"
    r"(?:Z|[+-]\d{2}:?\d{2})?)?)?)?$"
)


class Precision(IntEnum):
    """How much of a date is known. The value is the length of the ISO 8601 text."""

    MISSING = 0
    YEAR = 4
    MONTH = 7
    DAY = 10
    HOUR = 13
    MINUTE = 16
    SECOND = 19


@dataclass
class Moments:
    """Parsed dates, one entry a row.

    `day`: float64, days since 1970-01-01, NaN unless the day is known; `second`: float64 within the day, 0 where no
    time is given; `precision`: int8 of `Precision`; `year`, `month`: float64, NaN where unknown; `valid`: False where
    a text is present that is no ISO 8601 date (an impossible date too).
    """

    day: np.ndarray
    second: np.ndarray
    precision: np.ndarray
    year: np.ndarray
    month: np.ndarray
    valid: np.ndarray

    def __len__(self) -> int:
        return len(self.day)


def parse(values: pd.Series) -> Moments:
    """Read a column of dates.

    >>> m = parse(pd.Series(["2014-03-05T11:45", "2014-03", None, "2014-02-30"]))
    >>> m.day.tolist()[0], m.precision.tolist(), m.valid.tolist()
    (16134.0, [16, 7, 0, 10], [True, True, True, False])
    """
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        return _from_datetime(values)
    codes, distinct = pd.factorize(values)
    parsed = _parse_distinct(pd.Series(np.asarray(distinct, dtype=object)).map(str))
    fill = {"day": np.nan, "second": 0.0, "precision": 0, "year": np.nan, "month": np.nan, "valid": True}
    return Moments(**{name: np.append(getattr(parsed, name), fill[name])[codes] for name in fill})


def _parse_distinct(text: pd.Series) -> Moments:
    parts = text.str.strip().str.extract(ISO_PATTERN)
    number = {key: pd.to_numeric(parts[key], errors="coerce").to_numpy(dtype=float) for key in "ymdHMS"}
    matched = np.isfinite(number["y"])
    y, m, d = number["y"], number["m"], number["d"]
    precision = np.zeros(len(text), dtype=np.int8)
    for key, level in zip("ymdHMS", (4, 7, 10, 13, 16, 19), strict=True):
        precision[np.isfinite(number[key])] = level
    day = _civil_day(y, m, d)
    possible = matched & (np.isnan(m) | ((m >= 1) & (m <= 12))) & (np.isnan(d) | np.isfinite(day))
    clock = [(number["H"], 24), (number["M"], 60), (number["S"], 61)]
    for part, limit in clock:
        possible &= np.isnan(part) | (part < limit)
    second = sum(np.nan_to_num(part) * scale for (part, _), scale in zip(clock, (3600, 60, 1), strict=True))
    day = np.where(possible, day, np.nan)
    return Moments(day, np.where(possible, second, 0.0), precision, y, m, possible)


def _civil_day(y: np.ndarray, m: np.ndarray, d: np.ndarray) -> np.ndarray:
    """Days since 1970-01-01 in the proleptic Gregorian calendar; NaN where no such day exists."""
    known = np.isfinite(y) & np.isfinite(m) & np.isfinite(d) & (m >= 1) & (m <= 12)
    yy, mm, dd = (np.where(known, part, 1).astype(int) for part in (y, m, d))
    month = (yy - 1970).astype("timedelta64[Y]") + np.datetime64("1970", "Y")
    first = (month.astype("datetime64[M]") + (mm - 1).astype("timedelta64[M]")).astype("datetime64[D]")
    after = (month.astype("datetime64[M]") + mm.astype("timedelta64[M]")).astype("datetime64[D]")
    length = (after - first).astype(int)
    known &= (dd >= 1) & (dd <= length)
    return np.where(known, first.astype(float) + dd - 1, np.nan)


def _from_datetime(values: pd.Series) -> Moments:
    if getattr(values.dtype, "tz", None) is not None:
        values = values.dt.tz_localize(None)
    missing = values.isna().to_numpy()
    micro = values.astype("datetime64[us]").to_numpy().astype("int64")
    day = np.where(missing, np.nan, micro // 86_400_000_000)
    second = np.where(missing, 0.0, (micro % 86_400_000_000) / 1e6)
    stamp = values.dt
    precision = np.where(missing, 0, np.where(second > 0, Precision.SECOND, Precision.DAY)).astype(np.int8)
    year, month = (np.asarray(part, dtype=float) for part in (stamp.year, stamp.month))
    return Moments(day, second, precision, year, month, np.ones(len(values), dtype=bool))


def to_text(day: np.ndarray, precision: np.ndarray, second: np.ndarray | None = None) -> pd.Categorical:
    """ISO 8601 text of days since 1970-01-01 at the given precision; missing where the day or precision is missing.

    Returned as a categorical, since a study has few distinct dates and many rows.

    >>> list(to_text(np.array([16134.0, 16134.0, np.nan]), np.array([10, 7, 10])))
    ['2014-03-05', '2014-03', nan]
    """
    precision = np.where(np.isfinite(day), precision, 0).astype(np.int64)
    whole = np.where(np.isfinite(day), day, 0).astype(np.int64)
    clock = np.zeros(len(day), dtype=np.int64) if second is None else np.nan_to_num(second).astype(np.int64)
    stamp = np.where(precision > Precision.DAY, whole * 86400 + clock, whole * 86400)
    codes, distinct = pd.factorize(stamp * 32 + precision, sort=True)
    level = distinct % 32
    text = np.datetime_as_string((distinct // 32).astype("datetime64[s]"), unit="s")
    cut = np.array([t[:n] for t, n in zip(text, level, strict=True)], dtype=object)
    labels, categories = pd.factorize(cut, sort=True)
    labels = np.where(level == 0, -1, labels)[codes]
    if len(categories) and categories[0] == "":
        labels, categories = labels - 1, categories[1:]
    return pd.Categorical.from_codes(np.maximum(labels, -1), categories=pd.Index(categories, dtype="str"))


def study_day(day: np.ndarray, anchor: np.ndarray) -> np.ndarray:
    """CDISC study day: days from the anchor, counted without a day 0 (SDTMIG 4.4.4). NaN where either is missing.

    >>> study_day(np.array([9.0, 10.0, 11.0]), np.array([10.0, 10.0, 10.0])).tolist()
    [-1.0, 1.0, 2.0]
    """
    difference = day - anchor
    return difference + (difference >= 0)

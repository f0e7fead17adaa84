"""SAS formats: the text ``DATE9.`` and its parts, and which of them make a number a date, a datetime or a time.

SAS counts dates in days and datetimes in seconds from 1960-01-01, times in seconds from midnight.
Source: SAS Institute, "SAS Formats and Informats: Reference".
"""

from __future__ import annotations

import re
from typing import Literal

import numpy as np
import pandas as pd

_ORDERS = [order + mark for order in ("DDMMYY", "MMDDYY", "YYMMDD") for mark in ("", *"BCDNPS")]
_ISO_DATE, _ISO_DATETIME, _ISO_TIME = (
    [lead + end for lead in ("E8601", "B8601", "IS8601", "ND8601")] for end in ("DA", "DT", "TM")
)
DATE = frozenset(
    [*_ORDERS, *_ISO_DATE, "DATE", "WEEKDATE", "WEEKDATX", "WORDDATE", "WORDDATX", "MONYY", "JULIAN", "NLDATE"]
)
DATETIME = frozenset([*_ISO_DATETIME, "DATETIME", "DATEAMPM", "DTDATE", "MDYAMPM", "NLDATM"])
TIME = frozenset([*_ISO_TIME, "TIME", "TIMEAMPM", "HHMM", "TOD", "MMSS", "NLTIME"])
EPOCH_DAYS = -3653  # 1960-01-01, counted from 1970-01-01
DAY_US = 86_400_000_000
_PATTERN = re.compile(r"^(?P<name>\$?(?:[A-Z_](?:[A-Z0-9_]*[A-Z_])?)?)(?P<width>\d*)\.?(?P<decimals>\d*)$")
_WIDEST = 32767
_LIMIT_DAYS = 2_936_547  # 9999-12-31 in SAS days: beyond it nothing is a date


def join_format(name: str, width: int, decimals: int) -> str:
    """The format as SAS writes it.

    >>> join_format("DATE", 9, 0), join_format("", 8, 2), join_format("", 0, 0), join_format("$", 20, 0)
    ('DATE9.', '8.2', '', '$20.')
    """
    if not name and not width and not decimals:
        return ""
    return f"{name}{width or ''}.{decimals or ''}"


def split_format(text: str) -> tuple[str, int, int]:
    """Name, width and decimals of a format; the name alone where it is not of SAS's form.

    >>> split_format("E8601DA10."), split_format("8.2"), split_format("")
    (('E8601DA', 10, 0), ('', 8, 2), ('', 0, 0))
    """
    match = _PATTERN.match(text.strip().upper())
    if not match or int(match["width"] or 0) > _WIDEST or int(match["decimals"] or 0) > _WIDEST:
        return text.strip().upper().rstrip("."), 0, 0
    return match["name"], int(match["width"] or 0), int(match["decimals"] or 0)


def moment_kind(text: str) -> Literal["date", "datetime", "time"] | None:
    """What numbers of this format are, or None where they are plain numbers."""
    name = split_format(text)[0]
    return "date" if name in DATE else "datetime" if name in DATETIME else "time" if name in TIME else None


def from_sas(values: np.ndarray, kind: Literal["date", "datetime", "time"]) -> pd.Series | None:
    """SAS numbers (float64) as a date, datetime or time column, or None where they do not fit exactly."""
    missing = ~np.isfinite(values)
    number = np.where(missing, 0.0, values)
    days = number if kind == "date" else number / 86_400
    if (np.abs(days) > _LIMIT_DAYS).any():
        return None
    unit = DAY_US if kind == "date" else 1_000_000
    shift = 0 if kind == "time" else EPOCH_DAYS * DAY_US
    micro = np.rint(number * unit).astype(np.int64)
    if (micro / unit != number).any() or (kind == "date" and (micro % DAY_US != 0).any()):
        return None
    micro = np.where(missing, np.iinfo(np.int64).min, micro + shift)
    return pd.Series(micro.view("timedelta64[us]" if kind == "time" else "datetime64[us]"))


def to_sas(values: pd.Series, kind: Literal["date", "datetime", "time"]) -> np.ndarray:
    """The inverse of `from_sas`: float64, NaN where missing. A time zone is dropped, the wall clock kept."""
    if getattr(values.dtype, "tz", None) is not None:
        values = values.dt.tz_localize(None)
    missing = values.isna().to_numpy()
    micro = values.astype("timedelta64[us]" if kind == "time" else "datetime64[us]").to_numpy().view(np.int64)
    shift = 0 if kind == "time" else EPOCH_DAYS * DAY_US
    micro = np.where(missing, 0, micro - np.where(missing, 0, shift))
    return np.where(missing, np.nan, micro / (DAY_US if kind == "date" else 1_000_000))

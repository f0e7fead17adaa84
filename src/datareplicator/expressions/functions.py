"""The functions of values in one row, over whole columns."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

import numpy as np

from datareplicator.dates import Precision
from datareplicator.expressions.vectors import DAY, Dates, Numbers, Texts, Truths, Vector, finite, texts_to_dates

_NUMBER = re.compile(r"\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*")
_CLOCK = re.compile(r"\s*T?(\d{2}):(\d{2})(?::(\d{2}(?:\.\d+)?))?\s*")


def call(name: str, arguments: list[Vector]) -> Vector:
    """Apply a function to columns of equal length."""
    with np.errstate(all="ignore"):
        return _TABLE[name](*arguments)


def round_half_away(values: np.ndarray, digits: np.ndarray) -> np.ndarray:
    """Rounded as people do it: 0.5 to 1, -0.5 to -1; 2.675 to 2.68 although its binary value lies below.

    >>> round_half_away(np.array([0.5, -0.5, 2.675]), np.array([0.0, 0.0, 2.0])).tolist()
    [1.0, -1.0, 2.68]
    """
    scale = 10.0 ** np.trunc(digits)
    scaled = np.abs(values) * scale
    return np.sign(values) * np.floor(scaled * (1 + 1e-12) + 0.5) / scale


def _plain(function: Callable[..., np.ndarray]) -> Callable[..., Numbers]:
    return lambda *vectors: Numbers(finite(function(*(v.values for v in vectors))))


def _round(values: Numbers, digits: Numbers | None = None) -> Numbers:
    places = np.zeros(len(values)) if digits is None else digits.values
    return Numbers(finite(round_half_away(values.values, places)))


def _coalesce(*vectors: Vector) -> Vector:
    """The first that is present, row by row: all stacked, and taken by row number."""
    n = len(vectors[0])
    rows = np.full(n, -1)
    for index, vector in reversed(list(enumerate(vectors))):
        rows = np.where(vector.missing, rows, index * n + np.arange(n))
    return stacked(list(vectors)).take(rows)


def _if(condition: Truths, yes: Vector, no: Vector) -> Vector:
    n = len(condition)
    own, other = np.arange(n), np.arange(n, 2 * n)
    return stacked([yes, no]).take(np.select([condition.values == 1, condition.values == -1], [own, other], -1))


def stacked(vectors: list[Vector]) -> Vector:
    """Columns of one type below each other. A column without any value fits every type."""
    kinds = [v for v in vectors if not v.missing.all()] or vectors[:1]
    same = [v if type(v) is type(kinds[0]) else kinds[0].take(np.full(len(v), -1)) for v in vectors]
    first = same[0]
    if isinstance(first, Texts):
        offsets = np.cumsum([0, *(len(v.distinct) for v in same)])
        codes = [np.where(v.codes < 0, -1, v.codes + o) for v, o in zip(same, offsets, strict=False)]
        return Texts(np.concatenate(codes), np.concatenate([v.distinct for v in same]))
    if isinstance(first, Dates):
        parts = ("low", "high", "precision")
        return Dates(*(np.concatenate([getattr(v, part) for v in same]) for part in parts))
    return type(first)(np.concatenate([v.values for v in same]))


def _numbers_of(function: Callable[[str], float]) -> Callable[[Texts], Numbers]:
    """A function of a text that gives a number, worked out once a distinct text."""

    def column(texts: Texts) -> Numbers:
        values = np.array([function(t) for t in texts.distinct], dtype=float)
        return Numbers(finite(values)).take(texts.codes)

    return column


def _texts_of(function: Callable[[str], str]) -> Callable[[Texts], Texts]:
    return lambda texts: _filled(texts.codes, [function(t) for t in texts.distinct])


def _filled(codes: np.ndarray, distinct: list[str]) -> Texts:
    """Texts of which the empty ones are missing, as everywhere."""
    empty = np.array([not t for t in distinct] + [False], dtype=bool)
    return Texts(np.where(empty[codes], -1, codes), _objects(distinct))


def _substring(texts: Texts, start: Numbers, length: Numbers | None = None) -> Texts:
    size = np.full(len(texts), np.inf) if length is None else length.values
    known = ~(texts.missing | start.missing | np.isnan(size))
    cells = np.stack([texts.codes, np.nan_to_num(start.values), np.nan_to_num(size, posinf=1e9)], axis=1)
    distinct, codes = np.unique(cells[known], axis=0, return_inverse=True)
    cut = [_cut(texts.distinct[int(c)], int(s), int(n)) for c, s, n in distinct]
    every = np.full(len(texts), -1, dtype=np.int64)
    every[known] = codes.reshape(-1)
    return _filled(every, cut)


def _concat(*texts: Texts) -> Texts:
    codes = np.stack([t.codes for t in texts], axis=1)
    known = (codes >= 0).all(axis=1)
    distinct, inverse = np.unique(codes[known], axis=0, return_inverse=True)
    every = np.full(len(codes), -1, dtype=np.int64)
    every[known] = inverse.reshape(-1)
    return Texts(every, _objects("".join(t.distinct[c] for t, c in zip(texts, row, strict=True)) for row in distinct))


def _text(numbers: Numbers) -> Texts:
    """Numbers as SAS's BEST12. writes them, at 12 significant digits."""
    distinct, codes = np.unique(numbers.values, return_inverse=True)
    written = _objects(f"{v:.0f}" if v == np.floor(v) and abs(v) < 1e15 else f"{v:.12g}" for v in distinct.tolist())
    return Texts(np.where(numbers.missing, -1, codes.reshape(-1)), written)


def _objects(texts: Iterable[str]) -> np.ndarray:
    found = list(texts)
    made = np.empty(len(found), dtype=object)
    made[:] = found
    return made


def _cut(text: str, start: int, length: int) -> str:
    begin = max(start, 1)
    return text[begin - 1 : max(begin - 1, start - 1 + length)]


def _to_number(text: str) -> float:
    return float(text) if _NUMBER.fullmatch(text) else np.nan


def _to_clock(text: str) -> float:
    match = _CLOCK.fullmatch(text)
    if match is None:
        return np.nan
    hour, minute, second = int(match[1]), int(match[2]), float(match[3] or 0)
    return hour * 3600 + minute * 60 + second if hour < 24 and minute < 60 and second < 61 else np.nan


def days_of(dates: Dates) -> np.ndarray:
    """Whole days since 1970-01-01, NaN unless known to the day."""
    return np.floor(dates.order / DAY)


def shift(dates: Dates, days: np.ndarray) -> Dates:
    """Dates so many days later; missing unless known to the day."""
    known = (dates.precision >= Precision.DAY) & ~np.isnan(days)
    by = np.where(known, days * DAY, np.nan)
    return Dates(dates.low + by, dates.high + by, np.where(known, dates.precision, 0).astype(np.int8))


def _day_of(dates: Dates) -> Dates:
    timed = dates.precision > Precision.DAY
    low = np.where(timed, days_of(dates) * DAY, dates.low)
    precision = np.where(timed, np.int8(Precision.DAY), dates.precision)
    return Dates(low, np.where(timed, low + DAY, dates.high), precision)


def _calendar(unit: str) -> Callable[[Dates], Numbers]:
    least = {"year": Precision.YEAR, "month": Precision.MONTH}.get(unit, Precision.DAY)

    def column(dates: Dates) -> Numbers:
        known = dates.precision >= least
        day = np.floor(np.where(known, np.nan_to_num(dates.low), 0) / DAY).astype("int64").astype("datetime64[D]")
        month = day.astype("datetime64[M]")
        value = {
            "year": day.astype("datetime64[Y]").astype(int) + 1970,
            "month": month.astype(int) % 12 + 1,
            "day": (day - month.astype("datetime64[D]")).astype(int) + 1,
            "weekday": (day.astype(int) + 3) % 7 + 1,  # 1970-01-01 was a Thursday
        }[unit]
        return Numbers(np.where(known, value, np.nan))

    return column


_TABLE: dict[str, Callable[..., Vector]] = {
    "abs": _plain(np.abs),
    "round": _round,
    "floor": _plain(np.floor),
    "ceil": _plain(np.ceil),
    "sqrt": _plain(np.sqrt),
    "log": _plain(np.log),
    "exp": _plain(np.exp),
    "mod": _plain(np.mod),
    "min": _plain(lambda *v: np.minimum.reduce(v)),
    "max": _plain(lambda *v: np.maximum.reduce(v)),
    "coalesce": _coalesce,
    "if": _if,
    "concat": _concat,
    "text": _text,
    "length": _numbers_of(len),
    "upper": _texts_of(str.upper),
    "lower": _texts_of(str.lower),
    "trim": _texts_of(str.strip),
    "substring": _substring,
    "number": _numbers_of(_to_number),
    "date": texts_to_dates,
    "time": _numbers_of(_to_clock),
    "year": _calendar("year"),
    "month": _calendar("month"),
    "day": _calendar("day"),
    "weekday": _calendar("weekday"),
    "day_of": _day_of,
    "days_between": lambda a, b: Numbers(days_of(b) - days_of(a)),
}

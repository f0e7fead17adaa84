"""What the values of a column are, judged on its distinct values."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

from datareplicator.dates import Moments, Precision, parse
from datareplicator.structure.pii import personal
from datareplicator.structure.spec import Kind

IDENTIFIER_NAME = re.compile(r"(?:.*_)?(?:u?u?id|guid|key|identifier)|.*(?:REFID|LNKID|GRPID|SPID|SUBJID|Id|_ID)$")
CODE_NAME = re.compile(r".*(?:_concept_id|_code|_type|CD|_status)$", re.IGNORECASE)
DATE_NAME = re.compile(r".*(?:DTC|DTM?|_date|_datetime|date|year)$", re.IGNORECASE)
FLAGS = tuple(frozenset(pair) for pair in (("Y", "N"), ("YES", "NO"), ("TRUE", "FALSE"), ("T", "F")))
NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
TIME = re.compile(r"T?\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?")
DURATION = re.compile(r"-?P(?=\d|T\d)(?:\d+(?:\.\d+)?[YMWD])*(?:T(?:\d+(?:\.\d+)?[HMS])+)?")
YEAR = re.compile(r"\d{4}(?:-|$)")
LOCAL = re.compile(
    r"(?:0?[1-9]|[12]\d|3[01])([./-])(?:0?[1-9]|[12]\d|3[01])\1(?:(?:1[89]|2[01])?\d{2})(?:[ T:].*)?"
    r"|\d{1,2}[- ]?(?:JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC)[- ]?\d{2,4}(?:[ T:].*)?"
    r"|[+-]?\d{1,3}(?:[.,']\d{3})*(?:[.,]\d+)?%?|[+-]?\d+,\d+%?",
    re.IGNORECASE,
)
"""Days of the calendar and numbers in local forms: were they taken for identifiers, they would be counted up."""
CODED = 60  # integers written as text are codes up to this many distinct ones
PROSE = 40  # mean length from which a text that hardly recurs is free text even in a tiny sample


@dataclass(frozen=True)
class Findings:
    """What is known of a column after a look at its distinct values. `number` and `moments` are per distinct value."""

    kind: Kind
    pii: str | None = None
    decimals: int = 0
    numeric_text: bool = False
    number: np.ndarray | None = None
    moments: Moments | None = None


def classify(name: str, distinct: pd.Series, rows: int, *, private: bool = True) -> Findings:
    """Judge a column by its `distinct` values (no missing among them), which stand in `rows` rows. Without `private`
    it is no personal data, whatever it looks like."""
    if not len(distinct):
        return Findings(Kind.EMPTY)
    dtype = distinct.dtype
    if pd.api.types.is_bool_dtype(dtype):
        return Findings(Kind.FLAG, number=distinct.astype(float).to_numpy())
    if pd.api.types.is_datetime64_any_dtype(dtype):
        return Findings(Kind.DATE, moments=parse(distinct))
    if pd.api.types.is_timedelta64_dtype(dtype):
        return Findings(Kind.TIME, number=distinct.dt.total_seconds().to_numpy())
    if pd.api.types.is_numeric_dtype(dtype):
        return _number(name, distinct, rows)
    return _text(name, [str(v).strip() for v in distinct], rows, private)


def _number(name: str, distinct: pd.Series, rows: int) -> Findings:
    number = distinct.to_numpy(dtype=float)
    finite = number[np.isfinite(number)]
    if np.array_equal(np.unique(finite), [0.0, 1.0]):
        return Findings(Kind.FLAG, number=number)
    if (finite == np.floor(finite)).all():
        return Findings(_whole(name, len(distinct), rows), number=number)
    return Findings(Kind.DECIMAL, decimals=decimals_of(finite), number=number)


def _whole(name: str, distinct: int, rows: int) -> Kind:
    if CODE_NAME.fullmatch(name) and distinct <= max(200, 0.5 * rows):
        return Kind.CATEGORY
    return Kind.IDENTIFIER if IDENTIFIER_NAME.fullmatch(name) else Kind.INTEGER


def decimals_of(number: np.ndarray) -> int:
    """The most digits after the point, read at 12 significant digits so that binary noise does not count.

    >>> decimals_of(np.array([166.54399999999998, 1.5]))
    3
    """
    most = 0
    for x in number.tolist():
        text = f"{x:.12g}"
        if "e" in text:
            text = f"{x:.12f}".rstrip("0")
        most = max(most, len(text.partition(".")[2]))
    return most


def _text(name: str, text: list[str], rows: int, private: bool) -> Findings:
    moments = _dates(name, text)
    if moments is not None:
        return Findings(Kind.DATE, moments=moments)
    if all(map(TIME.fullmatch, text)):
        clock = [t.lstrip("T") if t.count(":") == 2 else t.lstrip("T") + ":00" for t in text]
        return Findings(Kind.TIME, number=pd.to_timedelta(pd.Series(clock)).dt.total_seconds().to_numpy())
    if all(map(DURATION.fullmatch, text)):
        return Findings(Kind.DURATION)
    pii = personal(name, text) if private else None
    if pii is not None:
        return Findings(Kind.PII, pii=pii)
    upper = {t.upper() for t in text[:3]} if len(text) <= 2 else set()
    if upper and upper != {"T"} and any(upper <= flag for flag in FLAGS):
        return Findings(Kind.FLAG)
    numeric = [NUMBER.fullmatch(t) is not None for t in text]
    number = np.array([float(t) if is_one else np.nan for t, is_one in zip(text, numeric, strict=True)])
    number = np.where(np.isinf(number), np.nan, number)
    share = float(np.mean(numeric))
    decimals = max((_digits(t) for t, is_one in zip(text, numeric, strict=True) if is_one), default=0)
    kind = _numeric_text(name, text, rows, decimals) if share == 1 else _words(name, text, rows)
    return Findings(kind, decimals=decimals, numeric_text=share >= 0.5, number=number if share else None)


def _digits(text: str) -> int:
    """Digits after the point of a number in plain notation; of one with an exponent, those of its value."""
    if "e" in text.lower():
        return decimals_of(np.array([float(text)]))
    return len(text.partition(".")[2])


def _dates(name: str, text: list[str]) -> Moments | None:
    """Parsed dates, or None where this is no date column. Years alone are dates only under a date's name."""
    first = text[:50]
    if sum(YEAR.match(t) is not None for t in first) < 0.5 * len(first):
        return None
    moments = parse(pd.Series(text, dtype="str"))
    dated = moments.valid & (moments.precision > 0)
    fine = (moments.precision[dated] > Precision.YEAR).any() or DATE_NAME.fullmatch(name) is not None
    return moments if fine and dated.mean() >= 0.95 else None


def _numeric_text(name: str, text: list[str], rows: int, decimals: int) -> Kind:
    if decimals:
        return Kind.DECIMAL
    if IDENTIFIER_NAME.fullmatch(name):
        return Kind.IDENTIFIER if len(text) >= 0.5 * rows else Kind.CATEGORY
    padded = any(len(t) > 1 and t[0] == "0" for t in text)
    if not padded and len(text) > CODED:
        return Kind.INTEGER
    return Kind.IDENTIFIER if len(text) > max(CODED, 0.5 * rows) or (len(text) == rows > 20) else Kind.CATEGORY


def _words(name: str, text: list[str], rows: int) -> Kind:
    share, lengths = len(text) / rows, [len(t) for t in text]
    mean, most = sum(lengths) / len(text), max(lengths)
    spaced = sum(" " in t for t in text) / len(text)
    if share > 0.5 and spaced > 0.5 and ((len(text) >= 20 and mean > 15) or mean > PROSE):
        return Kind.TEXT
    digits = sum(any(c.isdigit() for c in t) for t in text) / len(text)
    if spaced == 0 and digits >= 0.9 and most <= 64:
        recurring = share < 0.5 or len(text) < 10
        named = IDENTIFIER_NAME.fullmatch(name) is not None
        local = sum(LOCAL.fullmatch(t) is not None for t in text) >= 0.95 * len(text)
        if named or not (recurring or local):
            return Kind.IDENTIFIER
    return Kind.TEXT if most > 1000 and share > 0.1 else Kind.CATEGORY

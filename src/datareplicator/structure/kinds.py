"""What the values of a column are, judged on its distinct values."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

from datareplicator.dates import Moments, Precision, parse
from datareplicator.structure.pii import personal
from datareplicator.structure.spec import Kind

IDENTIFIER_NAME = re.compile(r"(?:.*_)?(?:u?u?id|guid|key|identifier)|.*(?:REFID|LNKID|GRPID|SPID|SUBJID|SITEID|Id|_ID)$")
CODE_NAME = re.compile(r".*(?:_concept_id|_code|_type|CD|_status)$", re.IGNORECASE)
DATE_NAME = re.compile(r".*(?:DTC|DTM?|_date|_datetime|date|year)$", re.IGNORECASE)
FLAGS = tuple(frozenset(pair) for pair in (("Y", "N"), ("YES", "NO"), ("TRUE", "FALSE"), ("T", "F")))
NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
TIME = r"T?\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?"
DURATION = r"-?P(?=\d|T\d)(?:\d+(?:\.\d+)?[YMWD])*(?:T(?:\d+(?:\.\d+)?[HMS])+)?"
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


def classify(name: str, distinct: pd.Series, rows: int) -> Findings:
    """Judge a column by its `distinct` values (no missing among them), which stand in `rows` rows."""
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
    return _text(name, distinct.astype(str), rows)


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


def _text(name: str, distinct: pd.Series, rows: int) -> Findings:
    text = distinct.str.strip()
    moments = _dates(name, text)
    if moments is not None:
        return Findings(Kind.DATE, moments=moments)
    if text.str.fullmatch(TIME).all():
        return Findings(Kind.TIME, number=pd.to_timedelta(text.str.lstrip("T").str.replace(r"^(\d+:\d+)$", r"\1:00", regex=True)).dt.total_seconds().to_numpy())
    if text.str.fullmatch(DURATION).all():
        return Findings(Kind.DURATION)
    pii = personal(name, text)
    if pii is not None:
        return Findings(Kind.PII, pii=pii)
    if any(set(text.str.upper()) <= flag for flag in FLAGS) and not set(text.str.upper()) <= {"T"}:
        return Findings(Kind.FLAG)
    numeric = text.str.fullmatch(NUMBER).to_numpy(dtype=bool)
    number = pd.to_numeric(text.where(numeric), errors="coerce").to_numpy(dtype=float) if numeric.any() else None
    mostly = bool(numeric.mean() >= 0.5)
    decimals = int(text[numeric].str.extract(r"\.(\d*)")[0].fillna("").str.len().max()) if numeric.any() else 0
    kind = _numeric_text(name, text, rows, decimals) if numeric.all() else _words(name, text, rows)
    return Findings(kind, decimals=decimals, numeric_text=mostly, number=number)


def _dates(name: str, text: pd.Series) -> Moments | None:
    """Parsed dates, or None where this is no date column. Years alone are dates only under a date's name."""
    if not text.iloc[:50].str.match(r"\d{4}(?:-|$)").mean() >= 0.5:
        return None
    moments = parse(text)
    dated = moments.valid & (moments.precision > 0)
    fine = (moments.precision[dated] > Precision.YEAR).any() or DATE_NAME.fullmatch(name) is not None
    return moments if fine and dated.mean() >= 0.95 else None


def _numeric_text(name: str, text: pd.Series, rows: int, decimals: int) -> Kind:
    if decimals:
        return Kind.DECIMAL
    coded = text.str.match(r"0\d").any() or IDENTIFIER_NAME.fullmatch(name) or len(text) <= CODED
    if not coded:
        return Kind.INTEGER
    return Kind.IDENTIFIER if len(text) > max(CODED, 0.5 * rows) or (len(text) == rows > 20) else Kind.CATEGORY


def _words(name: str, text: pd.Series, rows: int) -> Kind:
    share, length = len(text) / rows, text.str.len()
    spaced = text.str.contains(" ", regex=False).mean()
    if share > 0.5 and spaced > 0.5 and ((len(text) >= 20 and length.mean() > 15) or length.mean() > PROSE):
        return Kind.TEXT
    digits = text.str.contains(r"\d", regex=True).mean()
    coded = spaced == 0 and digits >= 0.9 and length.max() <= 64
    if coded and ((share >= 0.5 and len(text) >= 10) or IDENTIFIER_NAME.fullmatch(name)):
        return Kind.IDENTIFIER
    return Kind.TEXT if length.max() > 1000 and share > 0.1 else Kind.CATEGORY

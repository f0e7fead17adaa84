"""What a column is: one of numerical, categorical, pii and datetime, and the numbers behind it.

Text is judged on a sample of its distinct values, and then all of them must bear it out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pandas.tseries.api import guess_datetime_format

from datareplicator.errors import Place, SourceError
from datareplicator.model.single.source import SourceColumn
from datareplicator.structure.kinds import IDENTIFIER_NAME, Findings, classify
from datareplicator.structure.pii import NAMED_MORE, recognise
from datareplicator.structure.spec import Kind

SAMPLE = 150
ID_NAME = re.compile(r"(?:.*[_\s])?(?:id|uid|uuid|guid|key|no|nr|ref|reference|sku|code|number|identifier)", re.I)
BIRTH = re.compile(f"(?:.*_)?(?:{dict(NAMED_MORE)['date_of_birth']})", re.I)
PII_TYPES = {"national_id": "ssn", "card": "credit_card"}
"""Names of kinds of personal data in the document, where they differ from those of `structure.pii`."""
_DAY = 86_400_000_000


@dataclass
class Detected:
    """`type` as in the document. `number`: float64 a row (microseconds for moments), NaN missing. `codes` and
    `distinct`: categories a row (-1 missing). `extra`: further entries of params."""

    type: str
    present: np.ndarray
    number: np.ndarray | None = None
    codes: np.ndarray | None = None
    distinct: pa.Array | None = None
    extra: dict[str, Any] = field(default_factory=dict)


def detect(column: SourceColumn, *, key: bool = False, table: str | None = None) -> Detected:
    """Judge a column. `key`: other tables refer to it, so that it is an identifier whatever it is called.

    Raises SourceError for infinite numbers.
    """
    data, kind = column.data, column.data.type
    present = np.asarray(data.is_valid())
    if column.categories is not None:
        return _categories(data, present)
    if not present.any():
        empty = pa.array([], kind if not pa.types.is_null(kind) else pa.large_string())
        return Detected("categorical", present, codes=np.full(len(data), -1), distinct=empty)
    if pa.types.is_boolean(kind):
        return _categories(data, present)
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return _moments(column.name, data, present)
    if pa.types.is_large_string(kind) or pa.types.is_dictionary(kind):
        return _text(column.name, data, present, key)
    return _numbers(column.name, data, present, key, Place(table=table, column=column.name))


def _categories(data: pa.Array, present: np.ndarray) -> Detected:
    encoded = data if pa.types.is_dictionary(data.type) else data.dictionary_encode()
    codes = np.asarray(encoded.indices.cast(pa.int64()).fill_null(-1))
    distinct = encoded.dictionary
    seen = np.bincount(codes[codes >= 0], minlength=len(distinct)) > 0
    if not seen.all():
        codes = np.append(np.cumsum(seen) - 1, -1)[codes]
        distinct = distinct.filter(pa.array(seen))
    return Detected("categorical", present, codes=codes, distinct=distinct)


def wall_clock(data: pa.Array) -> pa.Array:
    """Microseconds since 1970-01-01 as the clock on the wall shows them: where a column has a time zone, what starts at
    midnight does so in summer and in winter."""
    if getattr(data.type, "tz", None) is not None:
        data = pc.local_timestamp(data)
    return data.cast(pa.timestamp("us"), safe=False).cast(pa.int64())


def _moments(name: str, data: pa.Array, present: np.ndarray) -> Detected:
    number = _floats(wall_clock(data), present)
    born = BIRTH.fullmatch(name) is not None
    return Detected("pii" if born else "datetime", present, number=number, extra=_born(0.9) if born else {})


def _born(confidence: float) -> dict[str, Any]:
    return {"pii_type": "date_of_birth", "confidence": confidence}


def _floats(values: pa.Array, present: np.ndarray) -> np.ndarray:
    if present.all():
        return np.asarray(values).astype(np.float64)
    return np.where(present, np.asarray(pc.fill_null(values, 0)), np.nan)


def _numbers(name: str, data: pa.Array, present: np.ndarray, key: bool, place: Place) -> Detected:
    kind = data.type
    if pa.types.is_decimal(kind):
        data = data.cast(pa.float64())
    elif not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
        data = data.cast(pa.int32() if pa.types.is_time32(kind) else pa.int64())
    number = _floats(data.cast(pa.float64(), safe=False) if pa.types.is_floating(data.type) else data, present)
    if np.isinf(number).any():
        raise SourceError("the column holds infinite numbers.", place=place, hint="Replace them by missing values.")
    present = present & np.isfinite(number)
    if pa.types.is_integer(kind):
        found = recognise(name, [str(v) for v in _sample(data.unique().drop_null())])
        if found is not None and found[0] in ("phone", "card", "national_id") and np.nanmin(number) >= 1e6:
            return _personal(found, present, data, unique=None)
        if _is_identifier(name, data, key):
            return Detected("numerical", present, number=number, extra={"identifier": True})
    return Detected("numerical", present, number=number)


def _is_identifier(name: str, data: pa.Array, key: bool) -> bool:
    """Whether numbers are unique and named as identifiers are (or referred to)."""
    if not key and (IDENTIFIER_NAME.fullmatch(name) is None and ID_NAME.fullmatch(name) is None):
        return False
    return not data.null_count and pc.count_distinct(data).as_py() == len(data)


def _sample(distinct: pa.Array) -> list[Any]:
    places = np.unique(np.linspace(0, len(distinct) - 1, min(SAMPLE, len(distinct))).astype(np.int64))
    return distinct.take(pa.array(places)).to_pylist()


def _text(name: str, data: pa.Array, present: np.ndarray, key: bool) -> Detected:
    plain = _categories(data, present)
    distinct, rows = plain.distinct, int(present.sum())
    assert distinct is not None and plain.codes is not None
    sample = [str(v).strip() for v in _sample(distinct)]
    unique = len(distinct) == rows
    if key and unique:
        return _identifier(plain)
    found = recognise(name, sample)
    if found is not None and found[0] == "date_of_birth":
        moments = _text_moments(plain, sample)
        if moments is not None:
            moments.type, moments.extra = "pii", {**moments.extra, **_born(found[1])}
            return moments
    elif found is not None:
        return _personal(found, present, distinct, unique=unique and rows > 1)
    judged = classify(name, pd.Series(sample, dtype="str"), max(round(rows * len(sample) / len(distinct)), len(sample)))
    if judged.kind == Kind.DATE or any(mark in sample[0] for mark in "/-.:"):
        moments = _text_moments(plain, sample)
        if moments is not None:
            return moments
    if judged.kind in (Kind.INTEGER, Kind.DECIMAL) and judged.numeric_text:
        numbers = _text_numbers(plain, judged)
        if numbers is not None:
            return numbers
    named = IDENTIFIER_NAME.fullmatch(name) is not None or ID_NAME.fullmatch(name) is not None
    if unique and rows > 1 and named and not any(" " in v for v in sample):
        return _identifier(plain)
    return plain


def _identifier(plain: Detected) -> Detected:
    extra = {"pii_type": "identifier", "identifier": True, "unique": True}
    return Detected("pii", plain.present, codes=plain.codes, distinct=plain.distinct, extra=extra)


def _personal(found: tuple[str, float], present: np.ndarray, distinct: pa.Array, unique: bool | None) -> Detected:
    kind, confidence = found
    extra: dict[str, Any] = {"pii_type": PII_TYPES.get(kind, kind), "confidence": confidence}
    if unique:
        extra["unique"] = True
    return Detected("pii", present, distinct=distinct, extra=extra)


def _text_moments(plain: Detected, sample: list[str]) -> Detected | None:
    """Dates written as text, all in one layout; None where some are not."""
    text, codes = plain.distinct, plain.codes
    assert text is not None and codes is not None
    layout = guess_datetime_format(sample[0], dayfirst=_day_first(sample))
    if layout is not None and all(v.endswith("Z") for v in sample):
        layout = layout.replace("%z", "Z")
    if layout is None or "%z" in layout or not all(len(v) == len(sample[0]) for v in sample if layout in ISO):
        return None
    parsed = pd.to_datetime(pd.Series(text.to_pandas()), format=layout, errors="coerce")
    if parsed.isna().any():
        return None
    micro = np.append(parsed.astype("datetime64[us]").to_numpy().astype(np.int64).astype(np.float64), np.nan)
    return Detected("datetime", plain.present, number=micro[codes], extra={"format": layout})


ISO = ("%Y-%m-%d", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S")


def _day_first(sample: list[str]) -> bool:
    """Whether a first number above 12 says that days stand before months."""
    first = [re.match(r"(\d{1,2})[/.-]", v) for v in sample]
    return any(m is not None and int(m[1]) > 12 for m in first) or all(re.match(r"\d{1,2}\.", v) for v in sample)


def _text_numbers(plain: Detected, judged: Findings) -> Detected | None:
    text, codes = plain.distinct, plain.codes
    assert text is not None and codes is not None
    try:
        number = np.asarray(pc.utf8_trim_whitespace(text).cast(pa.float64()))
    except pa.ArrowInvalid:
        return None
    if not np.isfinite(number).all():
        return None
    layout = {"format": f".{judged.decimals}f"}
    return Detected("numerical", plain.present, number=np.append(number, np.nan)[codes], extra=layout)

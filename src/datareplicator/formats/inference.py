"""Which text columns are really numbers or flags: only those that come back letter by letter from the parsed value.

``007``, ``+1``, ``1.50`` beside ``2``, 20-digit codes and ``NA`` therefore stay text. How numbers were written (a
trailing ``.0``, two fixed decimals) is kept as a style, so that the same letters can be written again.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

_WHOLE = r"^-?(0|[1-9][0-9]*)$"
_DECIMAL = r"^-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?$"
_YEAR = r"^(18|19|20|21)[0-9]{2}$"
_DATE_NAME = re.compile(r"(DTC$|DTM?$|date$|date_|datetime$)", re.IGNORECASE)
WORDS = {"lower": ("false", "true"), "title": ("False", "True"), "upper": ("FALSE", "TRUE")}


def plain_number(value: float) -> str:
    """The shortest text of a number that reads back the same, without a trailing ``.0``.

    >>> plain_number(5.0), plain_number(0.1), plain_number(1e-7)
    ('5', '0.1', '1e-07')
    """
    text = repr(float(value))
    return text[:-2] if text.endswith(".0") else text


def number_style(style: str) -> Callable[[float], str]:
    """The function that writes a number in a style: ``plain``, ``repr``, or ``fixed:2``."""
    if style == "repr":
        return lambda value: repr(float(value))
    if style.startswith("fixed:"):
        decimals = int(style[6:])
        return lambda value: f"{value:.{decimals}f}"
    return plain_number


def infer(name: str, values: pa.ChunkedArray) -> tuple[pa.ChunkedArray, str | None]:
    """Text as it stands in a file (null = missing) to integer, float, boolean or text, with the style of writing.

    Only distinct values are looked at.

    >>> infer("AGE", pa.chunked_array([["41", None]]))[0].type, infer("SITEID", pa.chunked_array([["007"]]))[0].type
    (DataType(int64), DataType(string))
    >>> infer("DOSE", pa.chunked_array([["0.50", "1.25"]]))[1]
    'fixed:2'
    """
    distinct = pc.drop_null(pc.unique(values))
    if not len(distinct) or (_DATE_NAME.search(name) and _all(distinct, _YEAR)):
        return values, None
    truth = _truth(distinct)
    if truth:
        return pc.equal(values, WORDS[truth][1]), truth
    if _all(distinct, _WHOLE) and not pc.any(pc.equal(distinct, "-0")).as_py():
        try:
            return values.cast(pa.int64()), None
        except pa.ArrowInvalid:
            return values, None  # more digits than 64 bits hold: a code, not a number
    if _all(distinct, _DECIMAL):
        style = _style(distinct.to_pylist())
        if style:
            return values.cast(pa.float64()), style
    return values, None


def _truth(distinct: pa.Array) -> str | None:
    """The style of truth values, all in one case."""
    if len(distinct) > 2:
        return None
    found = set(distinct.to_pylist())
    return next((style for style, words in WORDS.items() if found <= set(words)), None)


def _all(distinct: pa.Array, pattern: str) -> bool:
    return bool(pc.all(pc.match_substring_regex(distinct, pattern)).as_py())


def _style(texts: list[str]) -> str | None:
    """The one style in which all numbers come back letter by letter."""
    numbers = [float(text) for text in texts]
    if not np.isfinite(numbers).all():
        return None
    styles = ["plain", "repr"]
    decimals = {len(text.partition(".")[2]) for text in texts}
    if len(decimals) == 1 and not any("e" in text.lower() for text in texts):
        styles.append(f"fixed:{decimals.pop()}")
    for style in styles:
        write = number_style(style)
        if all(write(number) == text for number, text in zip(numbers, texts, strict=True)):
            return style
    return None

"""Identifiers of new subjects: the source's pattern, numbers that the source never used.

An identifier is cut into tokens (runs of digits, runs of other characters). A run of tokens that equals another
column of the row (the site in ``01-701-1015``) is a reference to it, a token that never varies is a literal, and the
last varying run of digits becomes a counter that begins above the largest number of the source, so that no source
identifier can come out and the model need not hold any.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from datareplicator.document import Document

TOKEN = re.compile(r"\d+|[^\d]+")
COUNTER_DIGITS = 6
MARK = 0xE000
"""The first of the letters that stand for columns: private ones, which no identifier has."""


class Token(Document):
    """literal: `text`. column: the row's value of column `text`. counter: zero-padded to `width`."""

    kind: Literal["literal", "column", "counter"]
    text: str = ""
    width: int = 0


class IdentifierModel(Document):
    """One identifier column: its tokens and where the counter begins. `number` says that the column holds numbers.

    `stride`: how far apart the counters of two subjects lie (1 for subjects; for rows, room for a subject's rows).
    """

    column: str
    tokens: tuple[Token, ...]
    start: int
    stride: int = 1
    number: bool = False


def fit_identifier(
    values: pd.Series, columns: pd.DataFrame, *, stride: int = 1, unique: Sequence[str] = ()
) -> IdentifierModel:
    """Learn the pattern of an identifier column.

    Parameters: `values`, one a row; `columns`, other columns of the same rows that may be part of the identifier;
    `stride`, the room that each subject's rows need; `unique`, those of the columns that are identifiers themselves:
    with one of them in it, nothing else in the identifier needs to count.
    """
    name = str(values.name)
    present = values.notna().to_numpy()
    if pd.api.types.is_numeric_dtype(values.dtype):
        top = int(values[present].max()) if present.any() else 0
        return IdentifierModel(
            column=name, tokens=(Token(kind="counter"),), start=_above(top), stride=stride, number=True
        )
    text = values[present].astype(str)
    template = _replace_columns(text, columns[present], unique)
    shapes = [TOKEN.findall(t) for t in template.unique()]
    if not shapes:
        return _counter_only(name, stride)
    usual = max({tuple(_shape(s)) for s in shapes}, key=lambda shape: sum(tuple(_shape(s)) == shape for s in shapes))
    alike = [s for s in shapes if tuple(_shape(s)) == usual]
    counting = {chr(MARK + k) for k, c in enumerate(columns.columns) if c in unique}
    if len(shapes) == 1 and counting & set(template.iloc[0]):
        tokens = [token for part in shapes[0] for token in _literals(part, list(columns.columns))]
        return IdentifierModel(column=name, tokens=tuple(tokens), start=1, stride=stride)
    return _from_shapes(name, alike, _largest(shapes), stride, list(columns.columns))


def _shape(tokens: list[str]) -> list[str]:
    return ["#" if token.isdigit() else "a" for token in tokens]


def _largest(shapes: list[list[str]]) -> int:
    numbers = [int(t) for s in shapes for t in s if t.isdigit() and len(t) <= 17]
    return max(numbers, default=0)


def _above(top: int) -> int:
    """A start that is clearly beyond the source: the next round number."""
    if top <= 0:
        return 1
    unit = 10 ** max(len(str(top)) - 2, 0)
    return (top // unit + 1) * unit + 1


def _counter_only(name: str, stride: int) -> IdentifierModel:
    return IdentifierModel(column=name, tokens=(Token(kind="counter", width=COUNTER_DIGITS),), start=1, stride=stride)


def _replace_columns(text: pd.Series, columns: pd.DataFrame, unique: Sequence[str]) -> pd.Series:
    """Mark the places where another column stands inside the identifier: the first, of an identifier the last."""
    out = text.copy()
    for position, column in enumerate(columns.columns):
        other = columns[column]
        if other.isna().any() or (other.nunique() < 2 and column not in unique):
            continue
        part = _texts(other)
        if part.str.len().min() < 2:
            continue
        contains = np.fromiter((p in t for p, t in zip(part, out, strict=True)), dtype=bool, count=len(out))
        if contains.all():
            mark = chr(MARK + position)
            pairs = zip(part, out, strict=True)
            if column in unique:
                marked = [mark.join(t.rsplit(p, 1)) for p, t in pairs]
            else:
                marked = [t.replace(p, mark, 1) for p, t in pairs]
            out = pd.Series(marked, index=out.index)
    return out


def _from_shapes(name: str, shapes: list[list[str]], top: int, stride: int, columns: list[str]) -> IdentifierModel:
    width = len(shapes[0])
    varying = [k for k in range(width) if len({s[k] for s in shapes}) > 1]
    digits = [k for k in range(width) if shapes[0][k].isdigit()]
    counter = next((k for k in reversed(varying) if k in digits), digits[-1] if digits else None)
    tokens: list[Token] = []
    for k in range(width):
        if k == counter:
            tokens.append(Token(kind="counter", width=min(len(s[k]) for s in shapes)))
        elif k in varying and k not in digits:
            tokens.extend(_literals(_common_prefix([s[k] for s in shapes]), columns))
        elif k in varying:
            tokens.append(Token(kind="literal", text=max(s[k] for s in shapes)))
        else:
            tokens.extend(_literals(shapes[0][k], columns))
    if counter is None:
        tokens.append(Token(kind="counter", width=COUNTER_DIGITS))
        return IdentifierModel(column=name, tokens=tuple(tokens), start=1, stride=stride)
    top = max(int(s[counter]) for s in shapes) if varying else top
    return IdentifierModel(column=name, tokens=tuple(tokens), start=_above(top), stride=stride)


def _common_prefix(texts: list[str]) -> str:
    shortest = min(texts, key=len)
    for k, letter in enumerate(shortest):
        if any(t[k] != letter for t in texts):
            return shortest[:k]
    return shortest


def _literals(text: str, columns: list[str]) -> list[Token]:
    tokens: list[Token] = []
    for part in re.findall(r"[\uE000-\uF8FF]|[^\uE000-\uF8FF]+", text):
        place = ord(part[0]) - MARK
        if 0 <= place < len(columns):
            tokens.append(Token(kind="column", text=columns[place]))
        else:
            tokens.append(Token(kind="literal", text=part))
    return tokens


def _texts(values: pd.Series) -> pd.Series:
    """Values as they stand in an identifier: whole numbers without a point."""
    if pd.api.types.is_float_dtype(values.dtype) and (values.dropna() % 1 == 0).all():
        values = values.astype("Int64")
    return values.astype(object).map(str)


def sample_identifier(model: IdentifierModel, number: np.ndarray, columns: pd.DataFrame) -> pd.Series:
    """Identifiers for rows whose counters are `start + number`; `number` is int64 per row, unique in the study."""
    counter = model.start + number.astype(np.int64)
    if model.number:
        return pd.Series(counter, name=model.column)
    nothing = pa.scalar("", pa.large_string())
    parts: list[pa.Array | pa.Scalar] = [pa.repeat(nothing, len(counter))]
    for token in model.tokens:
        if token.kind == "literal":
            parts.append(pa.scalar(token.text, pa.large_string()))
        elif token.kind == "column":
            parts.append(pa.array(_texts(columns[token.text]).to_numpy(), pa.large_string()))
        else:
            digits = pa.array(counter).cast(pa.large_string())
            parts.append(pc.utf8_lpad(digits, max(token.width, 1), "0"))
    return pd.Series(pc.binary_join_element_wise(*parts, nothing).to_pandas(), name=model.column, dtype="str")

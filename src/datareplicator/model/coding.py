"""Columns as whole-number codes: what the conditional tables of `backoff.py` are indexed by.

Code 0 is "missing", 1 .. K are the learned values (or the bins of a number), -1 is a value that was never seen.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
from pydantic import model_validator

from datareplicator.document import Document, Exact, Floats

CONTEXT_BINS = 6
LATTICE_SHARE = 0.8
"""A number is a category when this share of its rows holds a value that more than one subject has."""


def scalar(value: object) -> str | float | None:
    """A cell as a document holds it: text, a number, or None where it is missing."""
    if value is None or pd.isna(value):
        return None
    return str(value) if isinstance(value, str) else float(value)  # type: ignore[arg-type]


class Coding(Document):
    """How one column becomes codes.

    kind: text | boolean (named `values`), lattice (numbers that are categories, `numbers`, sorted), number (bins by
    `edges`, ascending; a value belongs to the bin right of the last edge at or below it).
    """

    name: str
    kind: Literal["text", "boolean", "lattice", "number"]
    values: tuple[str, ...] = ()
    numbers: Exact = np.empty(0)
    edges: Floats = np.empty(0)

    @model_validator(mode="after")
    def _sorted(self) -> Coding:
        for part in (self.numbers, self.edges):
            if part.ndim != 1 or np.isnan(part).any() or (np.diff(part) <= 0).any():
                raise ValueError(f"the numbers of column {self.name} must ascend")
        return self

    @property
    def size(self) -> int:
        """Number of codes, the missing one included."""
        if self.kind in ("text", "boolean"):
            return len(self.values) + 1
        return len(self.numbers) + 1 if self.kind == "lattice" else len(self.edges) + 2


def is_number(values: pd.Series) -> bool:
    """True for integer and float columns; categoricals count as text even where their categories are numbers."""
    return pd.api.types.is_numeric_dtype(values.dtype) and not pd.api.types.is_bool_dtype(values.dtype)


def to_float(values: pd.Series) -> np.ndarray:
    """A numeric column as float64 with NaN for missing."""
    return pd.to_numeric(values, errors="coerce").to_numpy(dtype=float, na_value=np.nan)


def fit_coding(
    values: pd.Series,
    name: str,
    *,
    subject: np.ndarray | None = None,
    min_subjects: int = 1,
    bins: int = CONTEXT_BINS,
    categories: bool = False,
) -> Coding:
    """Coding of a context column: numbers with more than `bins` values are cut at their quantiles, unless they are
    `categories` (codes written as numbers). Values of fewer than `min_subjects` subjects are left out."""
    if not is_number(values):
        return _named(values, name, subject, min_subjects)
    x = to_float(values)
    x = x[np.isfinite(x)]
    distinct = np.unique(x)
    if len(distinct) <= bins or categories:
        coding = Coding(name=name, kind="lattice", numbers=distinct)
        return _common(coding, values, subject, min_subjects)
    edges = np.unique(np.quantile(x, np.arange(1, bins) / bins, method="inverted_cdf"))
    return Coding(name=name, kind="number", edges=edges[edges > distinct[0]])


def _common(coding: Coding, values: pd.Series, subject: np.ndarray | None, min_subjects: int) -> Coding:
    """The coding without the values of fewer than `min_subjects` subjects."""
    if min_subjects <= 1 or subject is None:
        return coding
    code, units = encode(coding, values), np.int64(np.max(subject, initial=0) + 1)
    seen = np.bincount(pd.unique(code * units + subject) // units, minlength=coding.size)[1:] >= min_subjects
    if coding.kind == "lattice":
        return coding.model_copy(update={"numbers": coding.numbers[seen]})
    kept = tuple(value for value, enough in zip(coding.values, seen, strict=True) if enough)
    return coding.model_copy(update={"values": kept})


def fit_categories(values: pd.Series, name: str, subject: np.ndarray, min_subjects: int = 1) -> Coding | None:
    """Coding of a target column, or None where it is a number that must be drawn as a number."""
    if not is_number(values):
        return _named(values, name, subject, min_subjects)
    x = to_float(values)
    known = np.isfinite(x)
    codes, distinct = pd.factorize(x[known], sort=True)
    pairs = pd.unique(codes * np.int64(subject.max(initial=0) + 1) + subject[known])
    shared = np.bincount(pairs // (subject.max(initial=0) + 1), minlength=len(distinct)) > 1
    repeated = shared[codes].mean() if len(codes) else 1.0
    small = len(distinct) <= 3 or len(distinct) <= min(300, len(codes) / 5)
    if not (small and (repeated >= LATTICE_SHARE or len(distinct) == 1)):
        return None
    coding = Coding(name=name, kind="lattice", numbers=np.asarray(distinct, dtype=float))
    return _common(coding, values, subject, min_subjects)


def fit_values(values: pd.Series, name: str, subject: np.ndarray, min_subjects: int = 1) -> Coding:
    """Coding of a column each of whose values stands for itself, numbers too."""
    if not is_number(values):
        return _named(values, name, subject, min_subjects)
    x = to_float(values)
    coding = Coding(name=name, kind="lattice", numbers=np.unique(x[np.isfinite(x)]))
    return _common(coding, values, subject, min_subjects)


def _named(values: pd.Series, name: str, subject: np.ndarray | None, min_subjects: int) -> Coding:
    if pd.api.types.is_bool_dtype(values.dtype):
        return Coding(name=name, kind="boolean", values=("False", "True"))
    if pd.api.types.is_datetime64_any_dtype(values.dtype) or pd.api.types.is_timedelta64_dtype(values.dtype):
        raise TypeError(f"column {name}: dates and times are modelled as days from the anchor, not as attributes")
    if isinstance(values.dtype, pd.CategoricalDtype):
        used = np.unique(values.cat.codes)
        labels = [str(values.cat.categories[code]) for code in used if code >= 0]
    else:
        labels = [str(label) for label in pd.unique(values.dropna())]
    coding = Coding(name=name, kind="text", values=tuple(sorted(set(labels))))
    return _common(coding, values, subject, min_subjects)


def encode(coding: Coding, values: pd.Series) -> np.ndarray:
    """Codes of a column, int64[n]: 0 missing, -1 never seen."""
    if coding.kind in ("lattice", "number"):
        return _encode_number(coding, to_float(values))
    if isinstance(values.dtype, pd.CategoricalDtype):
        codes, labels = values.cat.codes.to_numpy().astype(np.int64), values.cat.categories
    else:
        codes, labels = pd.factorize(values)
    index = pd.Index(np.array(coding.values, dtype=object))
    known = index.get_indexer(np.array([str(label) for label in labels], dtype=object))
    table = np.append(np.where(known < 0, -1, known + 1), 0)  # code -1 (missing) reads the last entry
    return table[codes].astype(np.int64)


def _encode_number(coding: Coding, x: np.ndarray) -> np.ndarray:
    missing = np.isnan(x)
    if coding.kind == "number":
        return np.where(missing, 0, np.searchsorted(coding.edges, x, side="right") + 1)
    if not len(coding.numbers):
        return np.where(missing, 0, -1)
    place = np.minimum(np.searchsorted(coding.numbers, x), len(coding.numbers) - 1)
    return np.where(missing, 0, np.where(coding.numbers[place] == x, place + 1, -1))


def decode(coding: Coding, codes: np.ndarray) -> pd.Series:
    """Values of target codes (0 .. size-1): a Categorical, a nullable boolean, or float64."""
    if coding.kind == "text":
        labels = pd.Index(coding.values, dtype="str")
        return pd.Series(pd.Categorical.from_codes(codes - 1, categories=labels), name=coding.name)
    if coding.kind == "boolean":
        return pd.Series(pd.arrays.BooleanArray(codes == 2, codes == 0), name=coding.name)
    return pd.Series(np.append(coding.numbers, np.nan)[codes - 1], name=coding.name)

"""What the values of one column are like."""

from __future__ import annotations

import numpy as np
import pandas as pd

from datareplicator import dates
from datareplicator.profile.description import Category, ColumnProfile
from datareplicator.structure.encode import plain_text
from datareplicator.structure.spec import ColumnSpec, Kind

MOST_CATEGORIES = 50
AT = (0.05, 0.25, 0.5, 0.75, 0.95)
NUMBERS = (Kind.INTEGER, Kind.DECIMAL)


def numbers(values: pd.Series) -> np.ndarray:
    """float64 a row, NaN where the value is missing or no number.

    >>> numbers(pd.Series(["1.5", "<2", None])).tolist()
    [1.5, nan, nan]
    """
    if pd.api.types.is_numeric_dtype(values.dtype):
        return values.to_numpy(dtype=float, na_value=np.nan)
    if pd.api.types.is_timedelta64_dtype(values.dtype):
        return values.dt.total_seconds().to_numpy(dtype=float)
    codes, distinct = pd.factorize(values)
    parsed = pd.to_numeric(pd.Series(distinct, dtype=object), errors="coerce").to_numpy(dtype=float)
    return np.append(parsed, np.nan)[codes]


def describe_column(
    values: pd.Series, spec: ColumnSpec, subject: np.ndarray, label: str, computed: str | None
) -> ColumnProfile:
    """Describe a column. `subject`: int a row, -1 where there is none."""
    base = ColumnProfile(
        name=spec.name, label=label, kind=spec.kind.value, type=spec.encoding, missing=spec.missing,
        distinct=spec.distinct, computed=computed, pii=spec.pii,
    )  # fmt: skip
    if spec.kind in NUMBERS:
        return base.model_copy(update={"quantiles": _quantiles(numbers(values), spec.decimals)})
    if spec.kind == Kind.DATE:
        return base.model_copy(update={"quantiles": _dates(values)})
    if spec.kind in (Kind.CATEGORY, Kind.FLAG):
        return base.model_copy(update={"categories": _categories(values, subject)})
    if spec.kind == Kind.TEXT:
        length = values.dropna().astype(str).str.len()
        lengths = (float(length.min()), round(float(length.mean()), 1), float(length.max())) if len(length) else None
        return base.model_copy(update={"lengths": lengths})
    return base


def _quantiles(values: np.ndarray, decimals: int) -> tuple[float, ...] | None:
    known = values[np.isfinite(values)]
    if not len(known):
        return None
    return tuple(round(q, decimals + 1) for q in np.quantile(known, AT).tolist())


def _dates(values: pd.Series) -> tuple[str, ...] | None:
    day = dates.parse(values).day
    day = day[np.isfinite(day)]
    if not len(day):
        return None
    at = np.quantile(day, AT, method="nearest").astype("int64").astype("datetime64[D]")
    return tuple(str(d) for d in at)


def _categories(values: pd.Series, subject: np.ndarray) -> tuple[Category, ...]:
    codes, distinct = pd.factorize(values)
    rows = np.bincount(codes[codes >= 0], minlength=len(distinct))
    known = (codes >= 0) & (subject >= 0)
    pairs = np.unique(codes[known].astype(np.int64) * (int(subject.max(initial=0)) + 1) + subject[known])
    subjects = np.bincount(pairs // (int(subject.max(initial=0)) + 1), minlength=len(distinct))
    top = np.argsort(-rows, kind="stable")[:MOST_CATEGORIES]
    return tuple(Category(value=plain_text(distinct[i]), rows=int(rows[i]), subjects=int(subjects[i])) for i in top)

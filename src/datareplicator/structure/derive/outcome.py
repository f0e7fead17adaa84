"""What templates hand back, and how it is compared with the source: numbers, texts of numbers, dates, agreement."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from datareplicator import dates
from datareplicator.structure.derive.view import Values, level_index, number_text, texts

FUZZ = 1e-9
"""Added before rounding halves, so that 0.285 (binary 0.28499999999999998) rounds up as in SAS."""


def rounded(x: np.ndarray, decimals: int | None) -> np.ndarray:
    """Round half away from zero at `decimals`; None leaves `x` as it is.

    >>> rounded(np.array([0.285, -2.5, 1.05]), 2).tolist(), rounded(np.array([-2.5]), 0).tolist()
    ([0.29, -2.5, 1.05], [-3.0])
    """
    if decimals is None:
        return x
    scale = 10.0**decimals
    with np.errstate(invalid="ignore"):
        return np.sign(x) * np.floor(np.abs(x) * scale + 0.5 + FUZZ) / scale + 0.0


def text_of_numbers(x: np.ndarray, decimals: int | None, cut: int | None = None) -> pd.Series:
    """Numbers as a categorical of texts: `decimals` digits after the point, or the shortest form for None; with `cut`
    the digits beyond so many are cut off, not rounded, and zeros at the end dropped."""
    codes, distinct = pd.factorize(x)
    if cut is not None:
        written = [_cut(v, cut) for v in distinct.tolist()]
    elif decimals is None:
        written = [number_text(v) for v in distinct.tolist()]
    else:
        written = [f"{v:.{decimals}f}" for v in rounded(distinct, decimals).tolist()]
    labels, categories = pd.factorize(np.array(written, dtype=object))
    labels = np.append(labels, -1)[codes]
    return pd.Series(pd.Categorical.from_codes(labels, categories=pd.Index(categories, dtype="str")))


def _cut(value: float, digits: int) -> str:
    whole, _, rest = f"{value:.{digits + 3}f}".partition(".")
    rest = rest[:digits].rstrip("0")
    return f"{whole}.{rest}" if rest else whole


def date_column(day: np.ndarray, stored: str, precision: np.ndarray | int = 10) -> pd.Series:
    """Days since 1970-01-01 as the source stores dates: ``text`` (ISO 8601) or ``datetime``."""
    if stored == "datetime":
        whole = np.where(np.isfinite(day), day, 0).astype("int64")
        stamps = pd.Series(whole.astype("datetime64[D]").astype("datetime64[us]"))
        return stamps.where(np.isfinite(day))
    return pd.Series(dates.to_text(day, np.broadcast_to(np.asarray(precision), day.shape)))


def as_series(result: pd.Series | np.ndarray) -> pd.Series:
    """A Series with a plain index, whatever a template returned."""
    if isinstance(result, pd.Series):
        return result.reset_index(drop=True)
    return pd.Series(result)


def equal(result: Values, target: Values) -> np.ndarray:
    """bool a row: the same value in both, or missing in both. Texts and numbers are compared as the target stores
    them; floats to 12 significant digits: `exact` is for the bits."""
    if result.stored_number and target.stored_number and not (_whole(result) or _whole(target)):
        a, b = result.number, target.number
        return close(a, b) | (np.isnan(a) & np.isnan(b))
    if result.stored_number != target.stored_number:
        return np.zeros(len(target), dtype=bool) | (~result.present & ~target.present)
    index = np.append(level_index(result, target.levels), -1)[result.codes]
    index[result.present & (index < 0)] = -2
    same = index == target.codes
    if result.stored_number or result.stored_time or not np.isfinite(target.level_numbers).any():
        return same
    return same | close(result.number, target.number)


def close(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Equal numbers but for the digits from the twelfth on."""
    with np.errstate(invalid="ignore"):
        return np.abs(a - b) <= 5.1e-12 * np.abs(b) + 1e-15


def _whole(values: Values) -> bool:
    return pd.api.types.is_integer_dtype(values.series.dtype) and values.levels.dtype.kind == "i"


def agreement(result: pd.Series | np.ndarray, target: Values) -> tuple[float, int]:
    """Share of the rows, among those where either is present, that agree; and how many these rows are.

    Rows missing on both sides are left out: a flag of 1 % would agree with nothing at all for 99 %.
    """
    found = Values(as_series(result))
    either = found.present | target.present
    rows = int(either.sum())
    if not rows:
        return 0.0, 0
    return float(equal(found, target)[either].mean()), rows


def exact(result: pd.Series | np.ndarray, target: Values) -> float:
    """Share of the present numbers that are equal to the last bit."""
    x, y = as_series(result).to_numpy(dtype=float, na_value=np.nan), target.number
    known = np.isfinite(y)
    return float((x[known] == y[known]).mean()) if known.any() else 1.0


def decimals_of(x: np.ndarray) -> int:
    """The most digits after the point among the numbers, at 12 significant digits."""
    known = np.unique(x[np.isfinite(x)])
    return max(
        (len(number_text(v).partition(".")[2]) for v in known[:: max(1, len(known) // 2000)].tolist()), default=0
    )


def text_decimals(levels: np.ndarray, numbers: np.ndarray) -> int | None:
    """How numbers stand in texts: None where all are in the shortest form, else the one count of decimals.

    -1 where neither holds.
    """
    known = np.isfinite(numbers)
    written, values = texts(levels[known]), numbers[known]
    if not len(written):
        return -1
    if np.mean([number_text(v) == w for w, v in zip(written, values.tolist(), strict=True)]) >= 0.98:
        return None
    counts = pd.Series([len(w.partition(".")[2]) for w in written])
    top = int(counts.mode().iloc[0])
    return top if (counts == top).mean() >= 0.98 else -1


def written_as(target: Values) -> dict[str, Any]:
    """The params that make numbers look like the target: nothing for numbers, else the text format."""
    if target.stored_number:
        return {}
    decimals = text_decimals(target.levels, target.level_numbers)
    if decimals != -1:
        return {"text": {"decimals": decimals}}
    digits = max((len(t.partition(".")[2]) for t in target.text_levels), default=0)
    return {"text": {"decimals": None, "cut": digits}} if digits > 12 else {"text": {"decimals": None}}

"""When subjects enter: months of enrolment with each site's own pace, and the days of the week used.

The model holds monthly shares, never a subject's date.
"""

from __future__ import annotations

import numpy as np
from pydantic import model_validator

from datareplicator.document import Document, Floats

POOLED = 8.0
"""Subjects' worth of weight that the whole study's pace has in a site's own."""


class EnrolmentModel(Document):
    """`first_month`: months since 1970-01. `month`: float[sites + 1, months], shares of entry by month, the last row
    for an unknown site. `weekday`: float[7], shares from Monday on. `latest`: the last day on which a subject came, as
    days since 1970-01-01 rounded down to a week; None where no stay is known."""

    first_month: int
    month: Floats
    weekday: Floats
    latest: float | None = None

    @model_validator(mode="after")
    def _shapes(self) -> EnrolmentModel:
        if self.month.ndim != 2 or self.weekday.shape != (7,):
            raise ValueError("month must have two dimensions and weekday seven entries")
        if np.nanmin(self.month) < 0 or not np.isfinite(self.month).all() or (self.month.sum(1) <= 0).any():
            raise ValueError("monthly shares must be positive numbers")
        return self


def fit_enrolment(anchor: np.ndarray, site: np.ndarray, last_day: np.ndarray) -> EnrolmentModel | None:
    """Learn from anchors (days since 1970-01-01, NaN unknown), site indices and the days that subjects stayed (float,
    empty or NaN where unknown); None without any date."""
    known = np.isfinite(anchor)
    if not known.any():
        return None
    day = anchor[known].astype("int64").astype("datetime64[D]")
    months = day.astype("datetime64[M]").astype(int)
    first, count = int(months.min()), int(np.ptp(months)) + 1
    sites = int(site.max(initial=-1)) + 1
    table = np.zeros((sites + 1, count))
    np.add.at(table, (np.where(site[known] >= 0, site[known], sites), months - first), 1.0)
    pooled = _smooth(table.sum(0))
    pooled /= pooled.sum()
    month = np.apply_along_axis(_smooth, 1, table) + POOLED * pooled
    weekday = np.bincount((day.astype(int) + 3) % 7, minlength=7) + 0.02 * known.sum() / 7
    ends = anchor + last_day if len(last_day) else np.empty(0)
    ends = ends[np.isfinite(ends)]
    return EnrolmentModel(
        first_month=first,
        month=month / month.sum(1, keepdims=True),
        weekday=weekday / weekday.sum(),
        latest=float(np.floor(ends.max() / 7) * 7) if len(ends) else None,
    )


def _smooth(counts: np.ndarray) -> np.ndarray:
    """A triangle over three months, the ends reflected."""
    padded = np.pad(counts, 1, mode="edge")
    return 0.25 * padded[:-2] + 0.5 * padded[1:-1] + 0.25 * padded[2:]


def sample_enrolment(
    model: EnrolmentModel,
    site: np.ndarray,
    last_day: np.ndarray,
    rng: np.random.Generator,
    window: tuple[int, int] | None = None,
) -> np.ndarray:
    """Anchors as days since 1970-01-01, one a subject; who would come after the study's latest day entered whole weeks
    earlier. `last_day`: float a subject, relative to the anchor (empty: unknown). `window`: first and last day of
    enrolment, to which the course of the source is stretched; nothing is then cut at the source's latest day."""
    n, (rows, months) = len(site), model.month.shape
    u = rng.random((n, 2))
    row = np.where((site >= 0) & (site < rows - 1), site, rows - 1)
    cumulative = np.cumsum(model.month, axis=1)
    drawn = (u[:, :1] * cumulative[row, -1:] > cumulative[row]).sum(1)
    start = (np.datetime64("1970-01", "M") + model.first_month + np.minimum(drawn, months - 1)).astype("datetime64[D]")
    start = start.astype(float)
    day = np.floor(start + u[:, 1] * 30.4)
    if window is not None:
        return _in_window(model, day, rng.random(n), window)
    day = day + _to_weekday(day, model.weekday, rng.random(n))
    if model.latest is None or not len(last_day):
        return day
    late = np.nan_to_num(day + last_day - model.latest)
    return day - np.ceil(np.maximum(late, 0.0) / 7) * 7


def _in_window(model: EnrolmentModel, day: np.ndarray, u: np.ndarray, window: tuple[int, int]) -> np.ndarray:
    first, last = window
    begin, end = (
        (np.datetime64("1970-01", "M") + model.first_month + months).astype("datetime64[D]").astype(float)
        for months in (0, model.month.shape[1])
    )
    out = first + np.floor((day - begin) / (end - begin) * (last - first + 1))
    out = np.clip(out, first, last)
    out = out + _to_weekday(out, model.weekday, u)
    out = np.where(out < first, out + 7, np.where(out > last, out - 7, out))
    return np.clip(out, first, last)


def _to_weekday(day: np.ndarray, shares: np.ndarray, u: np.ndarray) -> np.ndarray:
    """Shift by at most three days so that the days of the week come at their shares."""
    cumulative = np.cumsum(shares) / shares.sum()
    wanted = np.minimum(np.searchsorted(cumulative, u), 6)
    shift = (wanted - (day.astype(int) + 3) % 7) % 7
    return np.where(shift > 3, shift - 7, shift)

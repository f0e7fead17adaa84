"""How long events last. Ends are seen only up to the subject's last day, so that durations are truncated on the right.

The distribution F behind the truncation is estimated by the product-limit method for right-truncated data (Lynden-
Bell, 1971; Klein & Moeschberger, 2003, section 5.3): F(x) is the product over longer durations y of 1 - d(y) / C(y),
C(y) counting the rows with duration <= y <= room. What depends on term, outcome and the like is the position
F(duration) / F(room), a number between 0 and 1; a duration made from it never passes the room.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from pydantic import model_validator

from datareplicator.document import Document, Floats
from datareplicator.model.attributes import AttributeModel, fit_attributes
from datareplicator.seeds import Streams

POSITION = "position"
KNOTS = 200


class DurationModel(Document):
    """`day`, `share`: knots of F, both ascending, the first share 0. `position`: the model of the positions.
    `over`: share of rows that are followed up beyond the subject's last day, `over_gap` quantiles of by how much."""

    day: Floats
    share: Floats
    position: AttributeModel
    over: float
    over_gap: Floats

    @model_validator(mode="after")
    def _ascending(self) -> DurationModel:
        if self.day.shape != self.share.shape or len(self.day) < 2:
            raise ValueError("a distribution of durations needs as many days as shares, two at least")
        if (np.diff(self.day) <= 0).any() or (np.diff(self.share) <= 0).any() or not 0 <= self.over <= 1:
            raise ValueError("a distribution of durations must ascend")
        return self

    def days(self, position: np.ndarray, room: np.ndarray) -> np.ndarray:
        """Whole days at `position` (0..1, float[m]) of the distribution up to `room` days (float[m], NaN: no limit)."""
        top = np.interp(np.where(np.isnan(room), np.inf, np.floor(room)), self.day, self.share)
        days = np.ceil(np.interp(np.clip(position, 0, 1) * top, self.share, self.day) - 1e-9)
        return np.fmin(np.maximum(days, 0), np.maximum(np.floor(room), 0))


def fit_durations(
    days: np.ndarray,
    room: np.ndarray,
    record: np.ndarray,
    context: pd.DataFrame,
    subject: np.ndarray,
    *,
    hard: tuple[str, ...] = (),
    min_subjects: int = 1,
) -> DurationModel:
    """Learn from `days` >= 0 (float[m], whole) and `room` (float[m], days from start to last day, NaN unknown).

    `record` (int[m]): rows that are one event listed several times; they keep one duration. Ends after the last day
    only count for `over`.
    """
    gap = days - room
    after = np.isfinite(gap) & (gap > 0)
    if after.sum() < len(days):  # events followed up beyond the last day say nothing of the position in the room
        days, room, record, context, subject = (part[~after] for part in (days, room, record, context, subject))
        record = pd.factorize(record)[0].astype(np.int64)
    reach = np.where(np.isnan(room), np.inf, np.maximum(room, days))
    first = np.unique(record, return_index=True)[1]
    knots, share = _product_limit(days[first], reach[first])
    low, high = np.interp(days - 1, knots, share), np.interp(days, knots, share)
    jitter = Streams(0).get("durations").random(int(record.max(initial=-1)) + 1)[record]
    position = (low + jitter * (high - low)) / np.interp(reach, knots, share)
    return DurationModel(
        day=knots,
        share=share,
        position=fit_attributes(
            pd.DataFrame({POSITION: position}, index=context.index),
            context,
            subject,
            scope=record,
            numbers=(POSITION,),
            hard=hard,
            min_subjects=min_subjects,
        ),
        over=float(after[np.isfinite(gap)].mean()) if after.sum() >= 2 else 0.0,
        over_gap=np.quantile(gap[after], np.linspace(0, 0.95, 11)) if after.sum() >= 2 else np.zeros(0),
    )


def _product_limit(days: np.ndarray, reach: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if not len(days):
        return np.array([-1.0, 0.0]), np.array([0.0, 1.0])
    value, count = np.unique(days, return_counts=True)
    short = np.searchsorted(np.sort(days), value, side="right")
    closed = np.searchsorted(np.sort(reach), value, side="left")
    at_risk = np.maximum(short - closed, count)
    factor = 1 - count / (at_risk + 1.0)  # the one keeps a lone early row from taking all
    share = np.append(np.cumprod(factor[::-1])[::-1][1:], 1.0)
    if len(value) > KNOTS:
        kept = np.unique(np.searchsorted(share, np.linspace(share[0], 1, KNOTS)).clip(0, len(value) - 1))
        value, share = value[np.union1d(kept, [0])], share[np.union1d(kept, [0])]
    return np.append(value[0] - 1.0, value), np.append(0.0, share)

"""When rows begin during the study: a cumulative hazard over study days, subject clusters, rows on one day.

Lambda(t) is the Nelson-Aalen sum over starts up to t of 1 / subjects at risk, so that a subject who leaves early has
fewer and earlier rows by construction. A start is Lambda^-1(U Lambda(T)).
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from pydantic import model_validator
from scipy.special import ndtri

from datareplicator.document import Document, Floats

KNOTS = 81
SHAPE_KNOTS, SHAPE_PRIOR = 21, 40.0
FEWEST_AT_RISK = 3


class OnsetModel(Document):
    """`day` and `hazard`: knots of Lambda, both ascending, Lambda(-1) = 0. `usual_stay`: the exposure of subjects
    whose last day is unknown. `late`: share of rows after the subject's last day, `late_gap` the quantiles of by how
    much. `likeness`: within-subject correlation of normal scores of U. `shape`:
    cumulative shares of Lambda(start) / Lambda(T) at equally spaced knots from 0 to 1, which a hazard common to all
    need not make uniform."""

    day: Floats
    hazard: Floats
    usual_stay: float
    late: float
    late_gap: Floats
    likeness: float
    shape: Floats

    @model_validator(mode="after")
    def _ascending(self) -> OnsetModel:
        if self.day.shape != self.hazard.shape or len(self.day) < 2:
            raise ValueError("the hazard needs as many days as values, two at least")
        if (np.diff(self.day) <= 0).any() or (np.diff(self.hazard) < 0).any() or self.hazard[-1] <= self.hazard[0]:
            raise ValueError("the hazard must ascend")
        if self.shape.shape != (SHAPE_KNOTS,) or (np.diff(self.shape) <= 0).any():
            raise ValueError("the shape of onsets must ascend")
        return self

    def stay(self, last_day: np.ndarray) -> np.ndarray:
        """The last day, or the usual one where it is unknown."""
        return np.where(np.isfinite(last_day), last_day, self.usual_stay)

    def total(self, last_day: np.ndarray) -> np.ndarray:
        """Lambda over each subject's stay (float[n]); beyond the longest stay seen it goes on at the mean rate."""
        stay = self.stay(last_day)
        rate = (self.hazard[-1] - self.hazard[0]) / (self.day[-1] - self.day[0])
        beyond = np.maximum(stay - self.day[-1], 0) * rate
        return np.interp(stay, self.day, self.hazard, left=0.0) + beyond

    def onset(self, uniform: np.ndarray, total: np.ndarray) -> np.ndarray:
        """The whole day of a start at `uniform` (0..1, float[m]) of a stay with Lambda `total` (float[m])."""
        return self.invert(np.interp(uniform, self.shape, np.linspace(0, 1, SHAPE_KNOTS)) * total)

    def invert(self, value: np.ndarray) -> np.ndarray:
        """The whole day on which Lambda reaches `value`."""
        rate = (self.hazard[-1] - self.hazard[0]) / (self.day[-1] - self.day[0])
        beyond = np.maximum(value - self.hazard[-1], 0) / rate
        rising = np.append(True, np.diff(self.hazard) > 0)
        return np.ceil(np.interp(value, self.hazard[rising], self.day[rising]) + beyond - 1e-9)


def fit_onset(subject: np.ndarray, start: np.ndarray, last_day: np.ndarray, at_risk: np.ndarray) -> OnsetModel:
    """Learn from rows (`subject`, `start` >= 0) and the stays of the subjects `at_risk` (bool[n])."""
    known = last_day[at_risk & np.isfinite(last_day)]
    usual = float(np.median(known)) if len(known) else float(np.max(start, initial=0.0))
    stay = np.where(np.isfinite(last_day), last_day, usual)
    late = start > stay[subject]
    gap = (start - stay[subject])[late]
    day, hazard = _nelson_aalen(np.floor(start[~late]), np.sort(stay[at_risk & (stay >= 0)]))
    model = OnsetModel(
        day=day,
        hazard=hazard,
        usual_stay=usual,
        late=float(late.mean()) if late.sum() >= 2 else 0.0,
        late_gap=np.quantile(gap, np.linspace(0, 1, 11)) if late.sum() >= 2 else np.zeros(0),
        likeness=0.0,
        shape=np.linspace(0, 1, SHAPE_KNOTS),
    )
    model = model.model_copy(update={"shape": _shape(model, subject[~late], start[~late], stay)})
    return model.model_copy(update={"likeness": _likeness(model, subject[~late], start[~late], stay)})


def _nelson_aalen(start: np.ndarray, stay: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    longest = max(stay.max(initial=1.0), start.max(initial=0.0), 1.0)
    if not len(start):
        return np.array([-1.0, longest]), np.array([0.0, 1.0])
    day, count = np.unique(start, return_counts=True)
    at_risk = np.maximum(len(stay) - np.searchsorted(stay, day, side="left"), FEWEST_AT_RISK)
    total = np.cumsum(count / at_risk)
    days, hazard = np.concatenate([[-1.0], day, [longest]]), np.concatenate([[0.0], total, [total[-1]]])
    days, first = np.unique(days, return_index=True)
    hazard = hazard[first]
    if len(days) > KNOTS:
        aim = np.linspace(0, hazard[-1], KNOTS // 2)
        at = np.unique(np.concatenate([np.searchsorted(hazard, aim), np.linspace(0, len(days) - 1, KNOTS // 2)]))
        at = np.unique(np.clip(at.astype(int), 0, len(days) - 1))
        days, hazard = days[at], hazard[at]
    return days, hazard


def same_day_share(subject: np.ndarray, day: np.ndarray) -> float:
    """Share of rows, beyond the first of a subject (or any group), that begin on the day of an earlier one: 1 -
    (distinct days - 1) / (rows - 1), pooled, shrunk by 3 rows."""
    if not len(subject):
        return 0.0
    table = pd.DataFrame({"subject": subject, "day": day}).groupby("subject")["day"].agg(["size", "nunique"])
    rows, new = (table["size"] - 1).sum(), (table["nunique"] - 1).sum()
    return float((rows - new) / (rows + 3))


def _shape(model: OnsetModel, subject: np.ndarray, start: np.ndarray, stay: np.ndarray) -> np.ndarray:
    knots = np.linspace(0, 1, SHAPE_KNOTS)
    low, high = _position(model, subject, np.floor(start), stay)
    covered = np.clip((knots - low[:, None]) / np.maximum(high - low, 1e-9)[:, None], 0, 1).sum(axis=0)
    return (covered + SHAPE_PRIOR * knots) / (len(start) + SHAPE_PRIOR)


def _position(
    model: OnsetModel, subject: np.ndarray, day: np.ndarray, stay: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Lambda at the end of the day before and at the end of the day, as shares of Lambda(T)."""
    total = np.maximum(model.total(stay)[subject], 1e-9)
    at = [np.interp(d, model.day, model.hazard, left=0.0) / total for d in (day - 1, day)]
    return np.minimum(at[0], 1.0), np.minimum(at[1], 1.0)


def _likeness(model: OnsetModel, subject: np.ndarray, start: np.ndarray, stay: np.ndarray) -> float:
    """Mean product of normal scores over pairs of distinct days of a subject, shrunk by 10 subjects."""
    pairs = pd.DataFrame({"subject": subject, "day": np.floor(start)}).drop_duplicates()
    who, day = pairs["subject"].to_numpy(), pairs["day"].to_numpy()
    low, high = _position(model, who, day, stay)
    uniform = np.interp((low + high) / 2, np.linspace(0, 1, SHAPE_KNOTS), model.shape)
    score = ndtri(np.clip(uniform, 0.005, 0.995))
    unit = pd.factorize(who)[0]
    size = np.bincount(unit)
    products = np.bincount(unit, score) ** 2 - np.bincount(unit, score**2)
    pairs_of = size * (size - 1.0)
    many = size > 1
    if not many.any() or score.var() == 0:
        return 0.0
    weight = 1 / np.maximum(size - 1.0, 1)  # a subject with many rows must not decide
    mean = (weight * products)[many].sum() / (weight * pairs_of)[many].sum() / np.mean(score**2)
    return float(np.clip(mean, 0, 0.9) * many.sum() / (many.sum() + 10))

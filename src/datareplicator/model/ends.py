"""Days that end a subject's study (the last visit, the end of participation, a final disposition), and how far the
dates of a table go beyond them.

Each end is a float per subject, NaN where it has none. What never lies after an end in the source never does in a new
study, and what always lies a while after at most keeps that distance.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from datareplicator.model.context import VisitDays
from datareplicator.model.subjects import Subjects

LAST_DAY = "last day"
LAST_REGULAR = "last regular visit"
FEWEST, ALWAYS = 5, 0.99
"""Subjects at least, and share of them, for a date to be taken as one by which all visits are over."""


def visit_ends(visits: VisitDays | None, subjects: Subjects) -> dict[str, np.ndarray]:
    """The ends that follow from the visits: the last day, and the day of the last regular visit."""
    if not len(subjects.last_day):
        return {}
    out = {LAST_DAY: subjects.last_day}
    if visits is not None and len(subjects.last_visit):
        out[LAST_REGULAR] = visits.at(np.arange(subjects.n), subjects.last_visit)
    return out


def covers(day: np.ndarray, last_day: np.ndarray) -> bool:
    """Whether a day (float per subject, NaN unknown) never comes before the subject's last visit."""
    if len(day) != len(last_day):
        return False
    judged = np.isfinite(day) & np.isfinite(last_day)
    return bool(judged.sum() >= FEWEST and (day >= last_day)[judged].mean() >= ALWAYS)


def days_over(day: np.ndarray, subject: np.ndarray, ends: Mapping[str, np.ndarray]) -> dict[str, float]:
    """The most days by which dates (float per row) lie after each end, at least none."""
    out = {}
    for name, end in ends.items():
        over = day - np.append(end, np.nan)[subject]
        over = over[np.isfinite(over)]
        if len(over):
            out[name] = float(np.maximum(over.max(), 0.0))
    return out


def latest_days(over: Mapping[str, float], ends: Mapping[str, np.ndarray], subject: np.ndarray) -> np.ndarray:
    """The last day that each row may have, inf where no end bounds it."""
    high = np.full(len(subject), np.inf)
    for name, days in over.items():
        if name in ends:
            high = np.fmin(high, ends[name][subject] + days)
    return high

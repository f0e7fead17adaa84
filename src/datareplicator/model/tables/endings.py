"""The dates of tables that end a subject's study, or keep to its end."""

from __future__ import annotations

import numpy as np

from datareplicator.model.ends import FEWEST, covers, days_over
from datareplicator.model.rows import by_subject, rough_days
from datareplicator.model.training import Training
from datareplicator.structure.spec import Layout, TableSpec

FEWEST_AT_BOUND = 3


def over_days(training: Training, spec: TableSpec, column: str | None) -> dict[str, float]:
    """The most days by which a date of a table follows each end of the subject's study, and each landmark that rows of
    several subjects reach that far after: one row far out shows no bound."""
    if column is None:
        return {}
    prepared = training.prepared
    usual = {name: day for name, day in training.landmarks.items() if np.isfinite(day).sum() >= FEWEST}
    days, subject = rough_days(prepared, spec.name, column), prepared.subject[spec.name]
    kept = {n: most for n, most in days_over(days, subject, usual).items() if _kept(days, subject, usual[n], most)}
    return kept | days_over(days, subject, training.ends)


def _kept(days: np.ndarray, subject: np.ndarray, landmark: np.ndarray, most: float) -> bool:
    """Whether no row lies after a landmark, or rows of several subjects as many days as any does, or a day less."""
    over = days - np.append(landmark, np.nan)[subject]
    return most <= 0 or len(np.unique(subject[over >= most - 1])) >= FEWEST_AT_BOUND


def final_date(training: Training, spec: TableSpec) -> str | None:
    """The free date of a table whose last row may end a subject's study: nine of ten subjects have one."""
    prepared = training.prepared
    free = prepared.structure.free(spec.name)
    column = next((c for c in (spec.start, spec.date) if c is not None and c in free), None)
    if column is None or spec.layout == Layout.INTERVALS:
        return None
    return column if np.isfinite(by_subject(prepared, spec.name, column)).mean() >= 0.9 else None


def ending_date(training: Training, spec: TableSpec) -> str | None:
    """The date by whose last row every subject's visits are over, if the table has one (a final disposition)."""
    column = final_date(training, spec)
    if column is None:
        return None
    latest = by_subject(training.prepared, spec.name, column)
    return column if covers(latest, training.subjects.last_day) else None

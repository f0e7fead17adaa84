"""The dates of tables that end a subject's study, or keep to its end."""

from __future__ import annotations

import numpy as np

from datareplicator.model.ends import FEWEST, covers, days_over
from datareplicator.model.rows import by_subject, rough_days
from datareplicator.model.training import Training
from datareplicator.structure.spec import Layout, TableSpec


def over_days(training: Training, spec: TableSpec, column: str | None) -> dict[str, float]:
    """The most days by which a date of a table follows each end of the subject's study, and each landmark that enough
    subjects have."""
    if column is None:
        return {}
    prepared = training.prepared
    usual = {name: day for name, day in training.landmarks.items() if np.isfinite(day).sum() >= FEWEST}
    ends = usual | training.ends
    return days_over(rough_days(prepared, spec.name, column), prepared.subject[spec.name], ends)


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

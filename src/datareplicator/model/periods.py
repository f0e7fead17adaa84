"""Periods of a subject, one after another: study elements, doses by phase, epochs.

A period starts where the one before ended (or a day later) and ends at a visit, at the end of the stay, or after a
time of its own; which of these, is learned for each code, and for the last period of a subject apart.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from datareplicator.document import Document
from datareplicator.model.offsets import OffsetModel, fit_offsets

PREVIOUS_END = "previous end"
PREVIOUS_START = "previous start"
START = "start"
_VISIT = "visit {}"
_COMMON = 0.05  # days of visits that fewer rows have are no candidates


class PeriodModel(Document):
    """How starts and ends follow from other days. `visits`: catalogue indices that serve as anchors; `codes`: how many
    row codes there are. `ordered`: no
    period starts before the one before it; `apart`: the least days from an end to
    the next start, None where periods overlap; `forward`: no period ends
    before its start."""

    start: OffsetModel
    end: OffsetModel
    visits: tuple[int, ...]
    codes: int
    ordered: bool
    apart: float | None
    forward: bool


def fit_periods(
    start: np.ndarray,
    end: np.ndarray,
    code: np.ndarray,
    subject: np.ndarray,
    days: Mapping[str, np.ndarray],
    visit_days: np.ndarray,
) -> PeriodModel:
    """Learn the dates of periods.

    `start`, `end` float[n]: days relative to the reference start, NaN missing; `code` int[n] >= 0; `subject` int[n];
    rows in order within a subject. `days`: candidates per subject, float[N] each ("anchor" = 0, "last day", ...).
    `visit_days` float[N, V]: day of each visit, NaN where not attended.
    """
    order = np.argsort(subject, kind="stable")
    start, end, code, subject = start[order], end[order], code[order], subject[order]
    position, last = places(subject)
    common = np.isfinite(visit_days[subject]).mean(axis=0) >= _COMMON if len(subject) else np.zeros(0, dtype=bool)
    visits = tuple(np.flatnonzero(common).tolist())
    shared = subject_anchors(days, visit_days, visits, subject)
    previous_end = np.where(position > 0, np.append(np.nan, end[:-1])[: len(end)], np.nan)
    previous_start = np.where(position > 0, np.append(np.nan, start[:-1])[: len(start)], np.nan)
    codes = int(code.max(initial=-1)) + 1
    group, coarse = row_groups(code, position, last, codes), coarse_groups(position, last, codes)
    start_model = fit_offsets(
        start, {PREVIOUS_END: previous_end, **shared, PREVIOUS_START: previous_start}, group, subject, coarse
    )
    end_model = fit_offsets(end, {**shared, START: start}, group, subject, coarse)
    return PeriodModel(
        start=start_model,
        end=end_model,
        visits=visits,
        codes=codes,
        ordered=not bool((start < previous_start).any()),
        apart=_least_gap(start - previous_end),
        forward=not bool((end < start).any()),
    )


def _least_gap(gap: np.ndarray) -> float | None:
    """The least days from an end to the next start, where periods never overlap."""
    gap = gap[np.isfinite(gap)]
    return float(gap.min()) if len(gap) and gap.min() >= 0 else None


def places(subject: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Position within the subject (int[n], from 0) and whether a row is the subject's last; rows sorted by subject."""
    n = len(subject)
    first = np.append(True, subject[1:] != subject[:-1])[:n]
    begin = np.maximum.accumulate(np.where(first, np.arange(n), 0)) if n else np.zeros(0, dtype=np.int64)
    last = np.append(first[1:], True)[:n]
    return np.arange(n) - begin, last


def row_groups(code: np.ndarray, position: np.ndarray, last: np.ndarray, codes: int) -> np.ndarray:
    """Rows that share their distances: by code and that of the subject's next row, first and last rows apart (int[n]).

    An element that another dose follows ends elsewhere than one that the follow-up comes after.
    """
    following = np.where(last, codes, np.append(code[1:], codes)[: len(code)])
    return (code * 2 + (position == 0)) * (codes + 1) + following


def coarse_groups(position: np.ndarray, last: np.ndarray, codes: int) -> np.ndarray:
    """Wider groups, for a code that the source never shows first, last or before such another (int[n])."""
    return 2 * codes * (codes + 1) + (position == 0) * 2 + last


def subject_anchors(
    days: Mapping[str, np.ndarray], visit_days: np.ndarray, visits: tuple[int, ...], subject: np.ndarray
) -> dict[str, np.ndarray]:
    """Candidate anchors of rows (float[n] each) from days of subjects."""
    anchors = {name: values[subject] for name, values in days.items()}
    return anchors | {_VISIT.format(v): visit_days[subject, v] for v in visits}

"""Learning tables of dated rows in varying number."""

from __future__ import annotations

import numpy as np
import pandas as pd

from datareplicator.dates import Precision
from datareplicator.model.context import MARK
from datareplicator.model.eventrows import EventRows, approximate_days
from datareplicator.model.events import fit_events
from datareplicator.model.rows import fit_rows, parent_of
from datareplicator.model.study_model import Events
from datareplicator.model.subject_model import Feature
from datareplicator.model.tables.endings import over_days
from datareplicator.model.tables.visits import VISIT, visit_codes
from datareplicator.model.training import Training, day_anchors
from datareplicator.structure.spec import Kind, TableSpec

REPEATED = 0.005


OWN_START, OWN_END = "start", "end"


def fit_event_table(training: Training, spec: TableSpec) -> Events:
    """Learn a table of dated rows in varying number."""
    prepared = training.prepared
    frame, subject = prepared.frames[spec.name], prepared.subject[spec.name]
    visit, visit_column = visit_codes(training, spec)
    free = prepared.structure.free(spec.name)
    start = spec.start or spec.date
    inner = {c for c in (start, spec.end) if c in free}
    term = _finest(frame, spec, free)
    attributes = [
        c
        for c in free
        if c not in inner
        and c not in (term, spec.visit)
        and spec.column(c).kind not in (Kind.DATE, Kind.IDENTIFIER, Kind.PII)
        and not _is_reference(training, spec, c)
    ]
    drawn = frame[attributes].copy()
    if visit is not None:
        drawn[MARK + VISIT] = pd.Series(visit).astype(str).where(visit >= 0)
    rest = [c for c in free if c not in inner and c not in attributes and c not in (term, spec.visit)]
    marks = {name: rows for name, (table, rows) in training.marks.items() if table == spec.name}
    rows = EventRows(
        subject=subject,
        start=_approximate(training, spec, start),
        end=_approximate(training, spec, spec.end),
        code=frame[term].astype("str") if term else None,
        group=None,
        attributes=drawn,
        start_precision=_precision(training, spec, start),
        end_precision=_precision(training, spec, spec.end),
        marks=marks,
    )
    model, score = fit_events(score_name(spec.name), rows, training.subjects, min_subjects=training.min_subjects)
    training.features.append(Feature(name=score_name(spec.name), kind="score", values=score))
    own = {OWN_START: full_days(rows, "start"), OWN_END: full_days(rows, "end")}
    index = training.visit.get(spec.name) if visit_column is not None else None
    anchors = day_anchors(subject, index, training.visits, training.subjects, own)
    leftover = fit_rows(
        prepared,
        spec,
        rest,
        training.row_context(spec, {}),
        anchors,
        np.full(len(frame), -1),
        ends=training.ends,
        min_subjects=training.min_subjects,
    )
    return Events(
        table=spec.name,
        model=model,
        term=term,
        start=start if start in inner else None,
        end=spec.end if spec.end in inner else None,
        text=bool(start and spec.column(start).encoding == "text"),
        marks=tuple(marks),
        visit=visit_column,
        over=over_days(training, spec, start),
        visit_follows=_visit_follows(training, spec, rows.start),
        unique=_unique(frame, subject, [c for c in (term, start) if c in free], spec.visit, _plain(spec, free)),
        rows=leftover,
    )


def full_days(rows: EventRows, which: str) -> np.ndarray:
    """Whole days of "start" or "end" where the day is known: other dates do not follow a mere month."""
    return np.where(rows.precision(which) >= Precision.DAY, np.floor(getattr(rows, which)), np.nan)


def _finest(frame: pd.DataFrame, spec: TableSpec, free: list[str]) -> str | None:
    """The term that events are drawn by: the coded one, or the free column with more values that decides it."""
    if spec.code is None or spec.code not in free:
        return None
    best, most = spec.code, spec.column(spec.code).distinct
    for name in free:
        column = spec.column(name)
        if (
            column.kind not in (Kind.CATEGORY, Kind.TEXT)
            or column.distinct <= most
            or column.distinct > 0.5 * len(frame)
        ):
            continue
        pairs = frame[[name, spec.code]].dropna().drop_duplicates()
        if len(pairs) == pairs[name].nunique() and frame[name].notna().mean() > 0.99:
            best, most = name, column.distinct
    return best


def _plain(spec: TableSpec, free: list[str]) -> list[str]:
    return [c for c in free if spec.column(c).kind != Kind.IDENTIFIER]


def _unique(
    frame: pd.DataFrame, subject: np.ndarray, key: list[str], visit: str | None, whole: list[str]
) -> tuple[str, ...]:
    """Columns in which hardly any row repeats another one of its subject: term and start, with the visit, else all of
    them, else none."""
    keys = [key, [*key, visit]] if visit is not None else [key]
    for columns in (*(k for k in keys if len(k) > 1), whole):
        if frame[columns].assign(**{MARK: subject}).duplicated().mean() < REPEATED:
            return tuple(columns)
    return ()


def _visit_follows(training: Training, spec: TableSpec, start: np.ndarray) -> bool:
    """Whether rows stand at visits on or after their start: a medication is recorded once it is taken."""
    if spec.name not in training.visit or training.visits is None:
        return False
    subject = training.prepared.subject[spec.name]
    day = training.visits.at(np.maximum(subject, 0), training.visit[spec.name])
    known = np.isfinite(day) & np.isfinite(start) & (subject >= 0)
    return bool(known.sum() >= 10 and (np.floor(start) <= day)[known].mean() >= 0.99)


def score_name(table: str) -> str:
    """The name of a table's event propensity among the subject's scores."""
    return f"events of {table}"


def _is_reference(training: Training, spec: TableSpec, column: str) -> bool:
    return parent_of(training.prepared, spec, column) is not None


def _approximate(training: Training, spec: TableSpec, column: str | None) -> np.ndarray:
    prepared = training.prepared
    if column is None:
        return np.full(len(prepared.frames[spec.name]), np.nan)
    return approximate_days(prepared.moment(spec.name, column), prepared.per_row(spec.name, prepared.anchor))


def _precision(training: Training, spec: TableSpec, column: str | None) -> np.ndarray:
    prepared = training.prepared
    if column is None:
        return np.zeros(len(prepared.frames[spec.name]), dtype=np.int64)
    return prepared.moment(spec.name, column).precision.astype(np.int64)

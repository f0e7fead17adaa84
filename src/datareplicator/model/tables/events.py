"""Learning tables of dated rows in varying number."""

from __future__ import annotations

import numpy as np
import pandas as pd

from datareplicator.dates import Precision
from datareplicator.model.brief import fit_brief
from datareplicator.model.carried import Carried, fit_carried
from datareplicator.model.context import MARK, MOST_LEVELS, shown
from datareplicator.model.eventcontext import record_groups
from datareplicator.model.eventkeys import REPEATED
from datareplicator.model.eventrows import EventRows, approximate_days
from datareplicator.model.events import event_scores, fit_events
from datareplicator.model.prepare import Prepared
from datareplicator.model.rows import fit_rows, role_of
from datareplicator.model.study_model import Events
from datareplicator.model.subject_model import Feature
from datareplicator.model.tables.endings import over_days
from datareplicator.model.tables.visits import VISIT, visit_codes
from datareplicator.model.training import Training, day_anchors
from datareplicator.standards.qualifiers import goes_with
from datareplicator.structure.order import following
from datareplicator.structure.spec import ColumnSpec, Kind, TableSpec

CODED_TWICE = 1.05
"""Coded terms a verbatim one up to which it decides them."""
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
    taken = {*inner, term, spec.visit}
    attributes = [c for c in free if c not in taken and role_of(prepared, spec, spec.column(c)) == "attribute"]
    rest = [c for c in free if c not in taken and c not in attributes]
    rows = EventRows(
        subject=subject,
        start=_approximate(training, spec, start),
        end=_approximate(training, spec, spec.end),
        code=frame[term].astype("str") if term else None,
        group=None,
        attributes=frame[attributes].copy(),
        start_precision=_precision(training, spec, start),
        end_precision=_precision(training, spec, spec.end),
        marks={name: rows for name, (table, rows) in training.marks.items() if table == spec.name},
    )
    index = training.visit.get(spec.name) if visit_column is not None else None
    carried, drawn = _carried(training, spec, rows, index, [*attributes, *inner & {spec.end}], rest)
    if visit is not None:
        code = pd.Series(visit if carried is None else training.visit[spec.name])
        named = code.astype(str).where(code >= 0)
        drawn.attributes[MARK + VISIT] = named.iloc[drawn.attributes.index].array
    drawn.attributes = drawn.attributes.reset_index(drop=True)
    bound = tuple(c for c in attributes if term is not None and goes_with(term, c))
    alias = _alias(training, spec, term)
    part = f"events in {spec.name}"
    if prepared.parts.same(part, drawn, training.subjects, training.min_subjects, bound, alias):
        model, score = prepared.parts.held(part), event_scores(drawn, training.subjects)
    else:
        model, score = fit_events(
            score_name(spec.name),
            drawn,
            training.subjects,
            min_subjects=training.min_subjects,
            named=(MARK + VISIT,),
            bound=bound,
            alias=alias,
        )
    training.features.append(Feature(name=score_name(spec.name), kind="score", values=score))
    own = {OWN_START: full_days(rows, "start"), OWN_END: full_days(rows, "end")}
    told = tuple(c for c in (term, *attributes) if c is not None and tells(spec.column(c)))
    leftover = fit_rows(
        prepared,
        spec,
        rest,
        training.row_context(spec, {c: shown(frame[c]) for c in told}),
        day_anchors(subject, index, training.visits, training.subjects, own),
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
        marks=tuple(rows.marks),
        visit=visit_column,
        over=over_days(training, spec, start),
        visit_follows=_visit_follows(training, spec, rows.start),
        carried=carried,
        unique=_unique(prepared, spec, term, start),
        told=told,
        brief=fit_brief(frame[list(told)], rows.start, rows.end) if start in inner and spec.end in inner else None,
        rows=leftover,
    )


def tells(column: ColumnSpec) -> bool:
    """Whether the rest of a row may hang on a drawn column: a status decides which dates there are."""
    return column.kind in (Kind.CATEGORY, Kind.FLAG) and 1 < column.distinct <= MOST_LEVELS


def _carried(
    training: Training,
    spec: TableSpec,
    rows: EventRows,
    visit: np.ndarray | None,
    needed: list[str],
    rest: list[str],
) -> tuple[Carried | None, EventRows]:
    """How records are carried over visits, and the rows that events are learned from: one a record, else all. The
    attributes of those rows keep their number in the table as index."""
    if visit is None or training.visits is None:
        return None, rows
    frame = training.prepared.frames[spec.name]
    group = record_groups(rows.subject, rows.code, np.nan_to_num(rows.start, nan=-1e9))
    offered = frame[[*needed, *rest]]
    found = fit_carried(offered, group, rows.subject, visit, rows.end, training.visits, needed)
    if found is None:
        return None, rows
    model, first, record = found
    whole = EventRows(**vars(rows))
    whole.marks = {name: np.isin(record, record[mark]) for name, mark in rows.marks.items()}
    drawn = whole.take(first)
    drawn.attributes.index = pd.Index(first)
    return model, drawn


def full_days(rows: EventRows, which: str) -> np.ndarray:
    """Whole days of "start" or "end" where the day is known: other dates do not follow a mere month."""
    return np.where(rows.precision(which) >= Precision.DAY, np.floor(getattr(rows, which)), np.nan)


def _finest(frame: pd.DataFrame, spec: TableSpec, free: list[str]) -> str | None:
    """The term that events are drawn by: the coded one, or the free column with more values that decides it but for a
    few that were coded in two ways."""
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
        if len(pairs) <= CODED_TWICE * pairs[name].nunique() and frame[name].notna().mean() > 0.99:
            best, most = name, column.distinct
    return best


def _alias(training: Training, spec: TableSpec, term: str | None) -> dict[str, str]:
    """The next coarser term of each term that has one: the column that follows from it and has most values."""
    frame = training.prepared.frames[spec.name]
    if term is None:
        return {}
    columns = [c for c in following(training.prepared.structure, spec.name, term) if c in frame]
    most = spec.column(term).distinct
    coarser = [
        c for c in columns if spec.column(c).kind == Kind.CATEGORY and 0.2 * most < spec.column(c).distinct < most
    ]
    if not coarser:
        return {}
    pairs = frame[[term, max(coarser, key=lambda c: spec.column(c).distinct)]].dropna().astype("str").drop_duplicates()
    return {fine: coarse for fine, coarse in pairs.itertuples(index=False) if fine != coarse}


def _unique(prepared: Prepared, spec: TableSpec, term: str | None, start: str | None) -> tuple[tuple[str, ...], ...]:
    """Sets of columns in which hardly any row repeats another one of its subject: a term and the start, for the drawn
    term and those that follow from it; else those and one other column; else all columns but identifiers."""
    frame, subject = prepared.frames[spec.name], prepared.subject[spec.name]
    free = prepared.structure.free(spec.name)

    def holds(columns: tuple[str, ...]) -> bool:
        return bool(frame[list(columns)].assign(**{MARK: subject}).duplicated().mean() < REPEATED)

    whole = tuple(c for c in free if spec.column(c).kind != Kind.IDENTIFIER)
    if term is not None and start in free:
        others = [c for c in whole if c not in (term, start)]
        tails = [(start,)] if holds((term, start)) else [(start, c) for c in others if holds((term, start, c))]
        named = (term, *following(prepared.structure, spec.name, term))
        if tails:
            return tuple((name, *tail) for name in named for tail in tails if holds((name, *tail)))
    return (whole,) if whole and holds(whole) else ()


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

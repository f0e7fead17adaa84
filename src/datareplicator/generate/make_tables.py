"""The tables of a block that are neither the root nor findings: visits, sets of rows, events, rows below rows."""

from __future__ import annotations

import numpy as np
import pandas as pd

from datareplicator.dates import Precision
from datareplicator.generate.children import sample_children
from datareplicator.generate.events import Pin, sample_events
from datareplicator.generate.make_findings import visit_values, without
from datareplicator.generate.make_root import flagged
from datareplicator.generate.periods import sample_periods
from datareplicator.generate.relations import draw_drivers
from datareplicator.generate.repeats import settle_repeats
from datareplicator.generate.rows import fill_rows
from datareplicator.generate.sets import SetRows, sample_sets
from datareplicator.generate.state import State
from datareplicator.model.context import MARK, row_context
from datareplicator.model.ends import latest_days
from datareplicator.model.fit_root import FLAG
from datareplicator.model.fit_tables import OWN_END, OWN_START, VISIT, full_days, parent_context
from datareplicator.model.study_model import Children, Events, Sets, StudyModel, VisitColumn, Visits
from datareplicator.model.timeline import VisitRows
from datareplicator.model.training import day_anchors, subject_days
from datareplicator.structure.spec import TableSpec


def make_visits(model: StudyModel, table: Visits, state: State, rows: VisitRows) -> None:
    """One row for each attended visit of the study's own schedule, or for a share of them."""
    spec = model.structure.tables[table.table]
    share = np.zeros(model.visits)
    share[table.seen] = table.share
    u = state.streams.get(table.table, "rows").random(len(rows.visit))
    own = np.flatnonzero((u < share[rows.visit]) & ~without(model, table.table, state)[rows.subject])
    subject, visit = rows.subject[own], rows.visit[own]
    frame = pd.DataFrame(index=pd.RangeIndex(len(own)))
    state.frames[table.table], state.subject[table.table] = frame, subject
    frame[spec.visit] = visit_values(model, spec, visit)
    context = row_context(state.context, subject, {"visit": pd.Series(visit).astype(str).astype("category")})
    fill_rows(table.rows, state, context, day_anchors(subject, visit, state.visits, state.subjects, {}), visit)


def _alive(state: State, subject: np.ndarray, day: np.ndarray) -> np.ndarray:
    return ~(day > state.last[subject]) if len(state.last) else np.ones(len(subject), dtype=bool)


def make_sets(model: StudyModel, table: Sets, state: State) -> None:
    """Rows whose codes form a pattern, then their other columns."""
    drawn = _attended(table, state, sample_sets(table.model, state.context, state.streams.under(table.table, "set")))
    drawn = _distinct(table, model.structure.tables[table.table], drawn)
    drawn, days = _draw_periods(table, state, drawn)
    subject = drawn.subject
    frame = pd.DataFrame(index=pd.RangeIndex(len(subject)))
    state.frames[table.table], state.subject[table.table] = frame, subject
    visit = None
    for k, name in enumerate(table.columns):
        values = [code[k] for code in table.codes]
        if name == VISIT and table.visit is not None:
            index = np.array([-1 if v is None else int(v) for v in values], dtype=np.int64)[drawn.code]
            visit = _write_visit(model, table.table, table.visit, state, index)
        elif name != "row":
            frame[name] = _coded(values, drawn.code)
    known = {"code": pd.Series(drawn.code).astype(str).astype("category")}
    own = _write_periods(table, state, days)
    anchors = day_anchors(subject, visit, state.visits, state.subjects, own)
    fill_rows(table.rows, state, row_context(state.context, subject, known), anchors, drawn.code)
    _cover_visits(model, table, state)
    _end_study(table, state)
    _draw_related(model, table.table, state)


def _cover_visits(model: StudyModel, table: Sets, state: State) -> None:
    """Move the last row of a subject to the last visit where it would lie before: a disposition ends the study."""
    if table.covers is None or (table.table, table.covers) not in state.days:
        return
    day, subject = state.days[table.table, table.covers], state.subject[table.table]
    order = np.lexsort((np.nan_to_num(day, nan=-np.inf), subject))
    rows = order[np.append(subject[order][1:] != subject[order][:-1], True)] if len(order) else order
    rows = rows[day[rows] < state.subjects.last_day[subject[rows]]]
    if len(rows):
        moved = day.copy()
        moved[rows] = state.subjects.last_day[subject[rows]]
        column = state.frames[table.table][table.covers].astype(object)
        text = model.structure.tables[table.table].column(table.covers).encoding == "text"
        state.write_date(table.table, table.covers, moved, np.full(len(day), int(Precision.DAY)), None, text)
        fresh = state.frames[table.table][table.covers].astype(object)
        state.frames[table.table][table.covers] = fresh.where(np.isin(np.arange(len(day)), rows), column)


def _end_study(table: Sets, state: State) -> None:
    """Keep the day of each subject's last row as one that later tables keep to."""
    if table.final is None or (table.table, table.final) not in state.days:
        return
    final = np.full(state.subjects.n, np.nan)
    np.fmax.at(final, state.subject[table.table], state.days[table.table, table.final])
    state.ends[table.table] = final


def _draw_periods(table: Sets, state: State, drawn: SetRows) -> tuple[SetRows, list[np.ndarray]]:
    """Start and end of periods, and the rows that are left: none begins later after the last visit than the source's
    do, but for a subject's first."""
    if table.periods is None:
        return drawn, []
    visit_days = state.visits.day if state.visits is not None else np.empty((state.subjects.n, 0))
    streams = state.streams.under(table.table, "periods")
    known = subject_days(state.visits, state.subjects)
    start, end = sample_periods(table.periods, drawn.code, drawn.subject, known, visit_days, streams)
    latest = [np.fmin(latest_days(over, state.ends, drawn.subject), state.last[drawn.subject]) for over in table.over]
    keep = ~(start > latest[0]) | (drawn.position == 0)
    start, end = np.minimum(start, latest[0]), np.minimum(end, latest[1])
    if table.periods.ordered:
        # Two periods that begin on one day are one: the end of the study has cut the second.
        keep[1:] &= (drawn.subject[1:] != drawn.subject[:-1]) | ~(start[1:] == start[:-1])
    end = np.maximum(end, start)
    drawn = SetRows(drawn.subject[keep], drawn.position[keep], drawn.code[keep])
    start, end = start[keep], end[keep]
    return drawn, [start, end]


def _write_periods(table: Sets, state: State, days: list[np.ndarray]) -> dict[str, np.ndarray]:
    """Write the dates of periods; returned as days that other dates of the row may follow."""
    if table.start is None or table.end is None or not days:
        return {}
    for column, day in zip((table.start, table.end), days, strict=True):
        precision = np.where(np.isfinite(day), int(Precision.DAY), 0)
        state.write_date(table.table, column, day, precision, None, table.text)
    return {table.end: days[1], table.start: days[0]}


def _attended(table: Sets, state: State, drawn: SetRows) -> SetRows:
    """The rows without those that would repeat a code because their own visit was not attended: a subject who left
    early has no row of a later visit."""
    if table.visit is None or table.periods is None or state.visits is None:
        return drawn
    place = table.columns.index(VISIT)
    asked = np.array([-1 if c[place] is None else int(c[place]) for c in table.codes], dtype=np.int64)[drawn.code]  # type: ignore[arg-type]
    fixed = (asked >= 0) & (asked < table.visit.last)
    there = np.ones(len(asked), dtype=bool)
    there[fixed] = state.visits.attended[drawn.subject[fixed], asked[fixed]]
    first = pd.Series(drawn.subject).groupby(drawn.subject).cumcount().to_numpy() == 0
    keep = there | first
    return SetRows(drawn.subject[keep], drawn.position[keep], drawn.code[keep])


def _distinct(table: Sets, spec: TableSpec, drawn: SetRows) -> SetRows:
    """The rows without those that repeat the table's key within their subject."""
    names = [VISIT if c == spec.visit else c for c in spec.key if c != spec.subject]
    if not names or not set(names) <= set(table.columns):
        return drawn
    places = [table.columns.index(c) for c in names]
    named = pd.factorize(pd.Series([str([code[p] for p in places]) for code in table.codes], dtype="str"))[0]
    keep = ~pd.DataFrame({"s": drawn.subject, "k": named[drawn.code]}).duplicated().to_numpy()
    return SetRows(drawn.subject[keep], drawn.position[keep], drawn.code[keep])


def _coded(values: list, code: np.ndarray) -> pd.Series:
    if all(v is None or isinstance(v, float) for v in values) and any(v is not None for v in values):
        return pd.Series(np.array([np.nan if v is None else v for v in values], dtype=float)[code])
    labels, categories = pd.factorize(pd.Series(values, dtype=object))
    return pd.Series(pd.Categorical.from_codes(labels[code], categories=pd.Index(categories, dtype="str")))


def _write_visit(
    model: StudyModel,
    table: str,
    column: VisitColumn,
    state: State,
    index: np.ndarray,
    start: np.ndarray | None = None,
    group: np.ndarray | None = None,
) -> np.ndarray:
    """Write the visit column: the subject's last visit for the code after the catalogue; only attended visits, none
    before `start` where the subject has a later one, and a visit of its own for each row of a `group`."""
    subject = state.subject[table]
    index = np.where(index == column.last, state.subjects.last_visit[subject], index)
    if state.visits is not None:
        index = state.visits.nearest_attended(subject, index, column.seen)
        if start is not None:
            index = state.visits.first_from(subject, index, start, column.seen)
        if group is not None:
            index = state.visits.one_after_another(subject, index, group, column.seen)
    state.frames[table][column.column] = visit_values(model, model.structure.tables[table], index)
    return index


def _draw_related(model: StudyModel, table: str, state: State) -> None:
    """Choose the rows of this table that drive a relation; they ask their subjects for a partner."""
    for relation in model.relations:
        for k, kind in enumerate(relation.types):
            if kind.driver == table:
                name = f"relation:{relation.table}:{k}"
                state.marks[name] = draw_drivers(kind, state.frames[table], state.streams.under(relation.table, str(k)))


def make_events(model: StudyModel, table: Events, state: State) -> None:
    """Events with terms, dates and attributes, then what is left."""
    flags = {mark: _asked(model, state, mark) for mark in table.marks}
    drawn = sample_events(
        table.model,
        state.subjects,
        state.streams.under(table.table, "events"),
        state.request.variation,
        flags=flags,
        pins=_pins(model, table, state),
    )
    keep = _alive(state, drawn.subject, drawn.start)
    for mark in drawn.marks.values():
        keep |= mark
    drawn = drawn.take(keep)
    subject = drawn.subject
    frame = pd.DataFrame(index=pd.RangeIndex(len(subject)))
    state.frames[table.table], state.subject[table.table] = frame, subject
    if table.term is not None and drawn.code is not None:
        frame[table.term] = drawn.code.array
    for column, day, precision in (
        (table.start, drawn.start, drawn.precision("start")),
        (table.end, drawn.end, drawn.precision("end")),
    ):
        if column is not None:
            _write_event_date(state, table, column, day, precision)
    visit = None
    for name in drawn.attributes.columns:
        if name == MARK + VISIT:
            if table.visit is not None:
                index = (
                    pd.to_numeric(drawn.attributes[name].astype(object), errors="coerce")
                    .fillna(-1)
                    .to_numpy(dtype=np.int64)
                )
                group = None
                if table.visit.column in table.unique:
                    keys = [frame[c] for c in table.unique if c in frame]
                    group = (
                        pd.DataFrame(dict(enumerate([pd.Series(subject), *keys])))
                        .groupby(list(range(len(keys) + 1)), dropna=False, observed=True)
                        .ngroup()
                        .to_numpy()
                    )
                start = drawn.start if table.visit_follows else None
                visit = _write_visit(model, table.table, table.visit, state, index, start, group)
        else:
            frame[name] = drawn.attributes[name].array
    for name, mark in drawn.marks.items():
        state.marks[f"{table.table}/{name}"] = mark
    own = {OWN_START: full_days(drawn, "start"), OWN_END: full_days(drawn, "end")}
    anchors = day_anchors(subject, visit, state.visits, state.subjects, own)
    fill_rows(table.rows, state, row_context(state.context, subject, {}), anchors, np.full(len(subject), -1))
    if table.unique:
        settle_repeats(model, table, state, visit)
    _draw_related(model, table.table, state)


def _write_event_date(state: State, table: Events, column: str, day: np.ndarray, precision: np.ndarray) -> None:
    whole = np.floor(day)
    if column == table.start:
        whole = np.minimum(whole, latest_days(table.over, state.ends, state.subject[table.table]))
    if len(state.last):
        whole = np.minimum(whole, state.last[state.subject[table.table]])
    second = np.round((day - np.floor(day)) * 86_400)
    state.write_date(table.table, column, whole, np.where(np.isfinite(day), precision, 0), second, table.text)


def _asked(model: StudyModel, state: State, mark: str) -> np.ndarray:
    """The subjects that must have a row with a mark: by their flag, or by a related row that is already there."""
    if mark.startswith(FLAG):
        return flagged(state, next((f.name for f in model.root.flags if mark.startswith(f.name + ":")), mark))
    out = np.zeros(state.subjects.n, dtype=bool)
    for relation in model.relations:
        for k, kind in enumerate(relation.types):
            if mark == f"relation:{relation.table}:{k}" and mark in state.marks:
                out[state.subject[kind.driver][state.marks[mark]]] = True
    return out


def _pins(model: StudyModel, table: Events, state: State) -> dict[str, Pin]:
    """Days on which marked rows start or end because the root says so."""
    out: dict[str, Pin] = {}
    for fact in model.root.facts:
        day = state.days.get((model.root.table, fact.root))
        if fact.table != table.table or day is None or fact.flag is None:
            continue
        name = f"{fact.flag}:{fact.table}:{fact.column}:{fact.code}"
        if name in table.marks and fact.date in (table.start, table.end):
            out[name] = Pin(start=day) if fact.date == table.start else Pin(end=day)
    ending = {f.flag for f in model.root.facts if f.terminal and f.flag is not None}
    for mark in table.marks:
        if mark not in out and any(mark.startswith(f"{flag}:") for flag in ending):
            out[mark] = Pin(end=np.where(np.isfinite(state.last), state.last, np.nan))
    return out


def make_children(model: StudyModel, table: Children, state: State) -> None:
    """Rows below the rows of another table."""
    spec = model.structure.tables[table.table]
    key = spec.parent_key
    assert key is not None
    above, parent_spec = state.frames[key.parent], model.structure.tables[key.parent]
    context = parent_context(above, parent_spec)
    parent, attributes = sample_children(
        table.model,
        context,
        state.subject[key.parent],
        state.streams.under(table.table, "children"),
        state.request.variation,
    )
    subject = state.subject[key.parent][parent]
    frame = pd.DataFrame(index=pd.RangeIndex(len(parent)))
    state.frames[table.table], state.subject[table.table] = frame, subject
    for own, other in zip(key.columns, key.parent_columns, strict=True):
        if other in above:
            frame[own] = above[other].iloc[parent].array
    for name in attributes.columns:
        frame[name] = attributes[name].array
    start = parent_spec.start or parent_spec.date
    others = {"parent": state.days[key.parent, start][parent]} if (key.parent, start) in state.days else {}
    anchors = day_anchors(subject, None, None, state.subjects, others)
    fill_rows(table.rows, state, row_context(state.context, subject, {}), anchors, np.full(len(parent), -1))

"""Dated rows in varying number."""

from __future__ import annotations

import numpy as np
import pandas as pd

from datareplicator.generate.carried import carry
from datareplicator.generate.columns import column_so_far
from datareplicator.generate.events import Pin, sample_events
from datareplicator.generate.make_findings import visit_values
from datareplicator.generate.make_root import flagged
from datareplicator.generate.orders import order_dates
from datareplicator.generate.repeats import drop_repeats
from datareplicator.generate.rows import fill_rows
from datareplicator.generate.state import State
from datareplicator.generate.tables.related import draw_related
from datareplicator.generate.tables.visits import settle_visit
from datareplicator.model.brief import ends_at_once
from datareplicator.model.context import MARK, row_context, shown
from datareplicator.model.ends import latest_days
from datareplicator.model.eventrows import EventRows
from datareplicator.model.fit_root import FLAG, call_name
from datareplicator.model.study_model import Events, StudyModel
from datareplicator.model.tables.events import OWN_END, OWN_START, full_days
from datareplicator.model.tables.visits import VISIT
from datareplicator.model.training import day_anchors

RECORD = "record"


def _alive(state: State, subject: np.ndarray, day: np.ndarray) -> np.ndarray:
    return ~(day > state.last[subject]) if len(state.last) else np.ones(len(subject), dtype=bool)


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
    drawn, visit = _place(model, table, state, drawn.take(keep))
    subject = drawn.subject
    frame = pd.DataFrame(index=pd.RangeIndex(len(subject)))
    state.frames[table.table], state.subject[table.table] = frame, subject
    if table.term is not None and drawn.code is not None:
        frame[table.term] = drawn.code.array
    for name in drawn.attributes.columns:
        if name not in (MARK + VISIT, RECORD):
            frame[name] = drawn.attributes[name].array
    at_once = ends_at_once(table.brief, frame) & np.isfinite(drawn.end)
    drawn.end = np.where(at_once, np.floor(drawn.start), drawn.end)
    for column, day, precision in (
        (table.start, drawn.start, drawn.precision("start")),
        (table.end, drawn.end, drawn.precision("end")),
    ):
        if column is not None:
            _write_event_date(state, table, column, day, precision)
    if visit is not None and table.visit is not None:
        frame[table.visit.column] = visit_values(model, model.structure.tables[table.table], visit)
    for name, mark in drawn.marks.items():
        state.marks[f"{table.table}/{name}"] = mark
    own = {OWN_START: full_days(drawn, "start"), OWN_END: full_days(drawn, "end")}
    anchors = day_anchors(subject, visit, state.visits, state.subjects, own)
    known = {c: shown(pd.Series(frame[c])) for c in table.told if c in frame}
    fill_rows(table.rows, state, row_context(state.context, subject, known), anchors, np.full(len(subject), -1))
    if table.carried is not None and RECORD in drawn.attributes:
        _keep_one_value(table.table, table.carried.columns, drawn.attributes[RECORD].to_numpy(), state)
    order_dates(model.structure, table.table, state)
    drop_repeats(model.structure, table, state)
    draw_related(model, table.table, state)


def _place(model: StudyModel, table: Events, state: State, drawn: EventRows) -> tuple[EventRows, np.ndarray | None]:
    """The visits of rows, int[m]; a record that is carried over visits becomes a row at each of them. Only its first
    row keeps the marks, and RECORD among the attributes tells the rows of one record."""
    if table.visit is None or MARK + VISIT not in drawn.attributes:
        return drawn, None
    named = pd.to_numeric(drawn.attributes[MARK + VISIT].astype(object), errors="coerce")
    first = named.fillna(-1).to_numpy(dtype=np.int64)
    since = drawn.start if table.visit_follows else None
    first = settle_visit(table.visit, state, drawn.subject, first, since, model.stretch)
    if table.visit_follows and state.visits is not None:
        day = state.visits.at(drawn.subject, first)
        drawn.start = np.where(drawn.start > day, day, drawn.start)
    if table.carried is None or state.visits is None:
        return drawn, first
    rng = state.streams.get(table.table, "carried")
    end = np.where(drawn.precision("end") > 0, drawn.end, np.nan)
    record, visit = carry(table.carried, drawn.subject, first, end, state.visits, table.visit.seen, rng)
    out = drawn.take(record)
    lead = ~pd.Series(record).duplicated().to_numpy()
    out.marks = {name: mark & lead for name, mark in out.marks.items()}
    out.attributes[RECORD] = record
    return out, visit


def _keep_one_value(name: str, columns: tuple[str, ...], record: np.ndarray, state: State) -> None:
    """Give all rows of a record what its first row has."""
    lead = np.unique(record, return_index=True)[1][np.unique(record, return_inverse=True)[1]]
    for column in columns:
        if column in state.frames[name]:
            state.frames[name][column] = state.frames[name][column].array.take(lead)
        for store in (state.days, state.seconds):
            if (name, column) in store:
                store[name, column] = store[name, column][lead]


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
    for link in model.structure.links:
        if link.kind == "call" and call_name(link) == mark and link.by in state.frames:
            values = column_so_far(model.structure, link.by, link.root, state)
            out[state.subject[link.by][(values.astype(object) == link.value).to_numpy(dtype=bool)]] = True
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

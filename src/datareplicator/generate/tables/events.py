"""Dated rows in varying number."""

from __future__ import annotations

import numpy as np
import pandas as pd

from datareplicator.generate.events import Pin, sample_events
from datareplicator.generate.make_root import flagged
from datareplicator.generate.repeats import settle_repeats
from datareplicator.generate.rows import fill_rows
from datareplicator.generate.state import State
from datareplicator.generate.tables.related import draw_related
from datareplicator.generate.tables.visits import write_visit
from datareplicator.model.context import MARK, row_context
from datareplicator.model.ends import latest_days
from datareplicator.model.fit_root import FLAG
from datareplicator.model.study_model import Events, StudyModel
from datareplicator.model.tables.events import OWN_END, OWN_START, full_days
from datareplicator.model.tables.visits import VISIT
from datareplicator.model.training import day_anchors


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
                visit = write_visit(model, table.table, table.visit, state, index, start, group)
        else:
            frame[name] = drawn.attributes[name].array
    for name, mark in drawn.marks.items():
        state.marks[f"{table.table}/{name}"] = mark
    own = {OWN_START: full_days(drawn, "start"), OWN_END: full_days(drawn, "end")}
    anchors = day_anchors(subject, visit, state.visits, state.subjects, own)
    fill_rows(table.rows, state, row_context(state.context, subject, {}), anchors, np.full(len(subject), -1))
    if table.unique:
        settle_repeats(model, table, state, visit)
    draw_related(model, table.table, state)


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

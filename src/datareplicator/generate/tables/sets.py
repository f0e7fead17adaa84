"""Rows whose codes form a pattern."""

from __future__ import annotations

import numpy as np
import pandas as pd

from datareplicator.dates import Precision
from datareplicator.generate.make_findings import visit_values
from datareplicator.generate.periods import sample_periods
from datareplicator.generate.rows import fill_rows
from datareplicator.generate.sets import SetRows, sample_sets
from datareplicator.generate.state import State
from datareplicator.generate.tables.endings import cover_visits, end_study
from datareplicator.generate.tables.related import draw_related
from datareplicator.generate.tables.visits import settle_visit
from datareplicator.model.context import row_context
from datareplicator.model.ends import latest_days
from datareplicator.model.stretch import days_by_role, visit_now
from datareplicator.model.study_model import Sets, StudyModel
from datareplicator.model.tables.sets import code_name
from datareplicator.model.tables.visits import VISIT
from datareplicator.model.training import day_anchors, subject_days
from datareplicator.structure.spec import TableSpec


def make_sets(model: StudyModel, table: Sets, state: State) -> None:
    """Rows whose codes form a pattern, then their other columns."""
    drawn = sample_sets(table.model, state.context, state.streams.under(table.table, "set"))
    drawn = _attended(model, table, state, drawn)
    drawn = _distinct(table, model.structure.tables[table.table], drawn)
    drawn, days = _draw_periods(model, table, state, drawn)
    subject = drawn.subject
    _tell_rows(model, table, state, drawn)
    frame = pd.DataFrame(index=pd.RangeIndex(len(subject)))
    state.frames[table.table], state.subject[table.table] = frame, subject
    visit = None
    for k, name in enumerate(table.columns):
        values = [code[k] for code in table.codes]
        if name == VISIT and table.visit is not None:
            index = np.array([-1 if v is None else int(v) for v in values], dtype=np.int64)[drawn.code]
            visit = settle_visit(table.visit, state, subject, index, stretch=model.stretch)
            frame[table.visit.column] = visit_values(model, model.structure.tables[table.table], visit)
        elif name != "row":
            frame[name] = _coded(values, drawn.code)
    known = {"code": pd.Series(drawn.code).astype(str).astype("category")}
    own = _write_periods(table, state, days)
    anchors = day_anchors(subject, visit, state.visits, state.subjects, own)
    anchors |= {name: day[subject] for name, day in state.landmarks.items()}
    fill_rows(table.rows, state, row_context(state.context, subject, known), anchors, drawn.code)
    cover_visits(model, table, state)
    end_study(table, state)
    for mark in table.landmarks:
        day = state.days[table.table, mark.date]
        values = frame[mark.column] if mark.pick == "where" else None
        state.landmarks[mark.name] = mark.days(day, subject, values, state.subjects.n)
    draw_related(model, table.table, state)


def _tell_rows(model: StudyModel, table: Sets, state: State, drawn: SetRows) -> None:
    """Into the context of subjects: whether they have rows of the codes that later sets go with."""
    trees = [other.model.tree for other in model.tables if isinstance(other, Sets)]
    asked = {column.name for tree in trees for column in (*tree.hard, *tree.soft)}
    for code in range(len(table.codes)):
        name = code_name(table.table, code)
        if name in asked:
            has = np.isin(np.arange(state.subjects.n), drawn.subject[drawn.code == code])
            state.context[name] = pd.Categorical(has.astype(int).astype(str), ["0", "1"])


def _draw_periods(model: StudyModel, table: Sets, state: State, drawn: SetRows) -> tuple[SetRows, list[np.ndarray]]:
    """Start and end of periods, and the rows that are left: none begins later after the last visit than the source's
    do, but for a subject's first."""
    if table.periods is None:
        return drawn, []
    visit_days = np.empty((state.subjects.n, 0))
    if state.visits is not None:
        visit_days = days_by_role(model.stretch, state.visits.day)
    streams = state.streams.under(table.table, "periods")
    known = subject_days(state.visits, state.subjects) | state.landmarks
    start, end = sample_periods(table.periods, drawn.code, drawn.subject, known, visit_days, streams)
    latest = [
        np.fmin(latest_days(over, state.landmarks | state.ends, drawn.subject), state.last[drawn.subject])
        for over in table.over
    ]
    keep = ~(start > latest[0]) | (drawn.position == 0)
    start, end = np.minimum(start, latest[0]), np.minimum(end, latest[1])
    if table.periods.ordered:
        # Two periods that begin on one day are one: the one without a day of its own goes, but for a subject's first.
        twice = (drawn.subject[1:] == drawn.subject[:-1]) & (start[1:] == start[:-1])
        short = ~(end > start)
        keep[1:] &= ~(twice & short[1:])
        keep[:-1] &= ~(twice & short[:-1] & ~short[1:]) | (drawn.position[:-1] == 0)
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


def _attended(model: StudyModel, table: Sets, state: State, drawn: SetRows) -> SetRows:
    """The rows without those that would repeat a code because their own visit was not attended: a subject who left
    early has no row of a later visit."""
    if table.visit is None or table.periods is None or state.visits is None:
        return drawn
    place = table.columns.index(VISIT)
    asked = np.array([-1 if c[place] is None else int(c[place]) for c in table.codes], dtype=np.int64)[drawn.code]  # type: ignore[arg-type]
    fixed = (asked >= 0) & (asked < table.visit.last)
    there = np.ones(len(asked), dtype=bool)
    there[fixed] = state.visits.attended[drawn.subject[fixed], visit_now(model.stretch, asked[fixed])]
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

"""Fill the columns that `model/rows.py` learned, for the rows of one table in a block."""

from __future__ import annotations

import numpy as np
import pandas as pd

from datareplicator.dates import Precision
from datareplicator.generate.attributes import sample_attributes
from datareplicator.generate.offsets import sample_clock, sample_offsets
from datareplicator.generate.persons import write_persons
from datareplicator.generate.state import State
from datareplicator.model.anchors import AT_END, AT_NEXT, AT_VISIT
from datareplicator.model.ends import latest_days
from datareplicator.model.identity import sample_identifier
from datareplicator.model.personal import sample_personal
from datareplicator.model.rows import (
    BEFORE,
    OWN,
    PRECISION,
    DateColumn,
    ReferenceColumn,
    RowIdentifier,
    RowsModel,
    clock_key,
)
from datareplicator.seeds import Streams


def fill_rows(
    model: RowsModel,
    state: State,
    context: pd.DataFrame,
    anchors: dict[str, np.ndarray],
    code: np.ndarray,
    visit: np.ndarray | None = None,
) -> pd.DataFrame:
    """Draw all columns of the model into the table's frame; returns the attributes drawn (extras too).

    `context`, `anchors`, `code` and `visit` are what they were in training, one entry a row of the table's frame.
    """
    table = model.table
    frame, subject = state.frames[table], state.subject[table]
    streams = state.streams.under(table)
    drawn = sample_attributes(model.attributes, context, subject, streams.under("attributes"), state.request.variation)
    for name in drawn.columns:
        if not name.startswith(PRECISION):
            frame[name] = drawn[name].to_numpy() if drawn[name].dtype != "category" else drawn[name].array
    _fill_dates(model, state, drawn, anchors, code, visit, streams)
    for name in model.personal:
        frame[name] = pd.Series(_personal(model, state, name)[subject], dtype="str")
    for identifier in model.identifiers:
        frame[identifier.model.column] = row_identifier(identifier, state, table)
    for reference in model.references:
        if reference.parent in state.frames:
            frame[reference.column] = _reference(reference, state, table)
        else:
            state.pending.append((table, reference))
    return drawn


def fill_references(state: State) -> None:
    """The columns that name rows of tables that were not there yet."""
    for table, reference in state.pending:
        state.frames[table][reference.column] = _reference(reference, state, table)
    state.pending.clear()


def _fill_dates(
    model: RowsModel,
    state: State,
    drawn: pd.DataFrame,
    anchors: dict[str, np.ndarray],
    code: np.ndarray,
    visit: np.ndarray | None,
    streams: Streams,
) -> None:
    """Draw the dates, each after those of its row that it may follow; chains one position after another."""
    subject = state.subject[model.table]
    position = row_numbers(subject) if model.chain else np.zeros(len(subject), dtype=np.int64)
    days = {date.column: np.full(len(subject), np.nan) for date in model.dates}
    before = {date.column: np.full(state.subjects.n, np.nan) for date in model.dates[:2]}
    for p in range(int(position.max(initial=-1)) + 1):
        rows = np.flatnonzero(position == p)
        known = {name: values[rows] for name, values in anchors.items()}
        if model.chain:
            known |= {BEFORE + name: values[subject[rows]] for name, values in before.items()}
        for date in model.dates:
            branch = streams.under("date", date.column, str(p))
            first, of = _sharing(date, subject[rows], None if visit is None else visit[rows])
            once = {name: values[first] for name, values in known.items()}
            day = _draw_days(date, state, subject[rows][first], once, code[rows][first], branch)
            if visit is not None and len(date.low):
                day = _within(date, day, visit[rows][first], _own_days(date, once))
            if len(date.apart) and BEFORE + date.column in once:
                next_day = once[BEFORE + date.column] + 1
                day = np.where(np.isin(code[rows][first], date.apart) & (day < next_day), next_day, day)
            if date.by_next and AT_NEXT in once:
                day = np.where(day > once[AT_NEXT], once[AT_NEXT], day)
            if date.ascending and date.together and visit is not None:
                day = pd.Series(day).groupby(subject[rows][first]).cummax().to_numpy()
            day = day[of]
            days[date.column][rows] = known[OWN + date.column] = day
        for name, values in before.items():
            values[subject[rows]] = days[name][rows]
    for date in model.dates:
        _write_date(
            date,
            state,
            model.table,
            days[date.column],
            drawn[PRECISION + date.column],
            streams.under("clock", date.column),
        )


def _sharing(date: DateColumn, subject: np.ndarray, visit: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """The rows for which a day is drawn, and which of them each row takes its day from."""
    if not date.together or visit is None or not len(subject):
        every = np.arange(len(subject))
        return every, every
    key = subject.astype(np.int64) * (int(visit.max()) + 2) + visit + 1
    _, first, of = np.unique(key, return_index=True, return_inverse=True)
    return first, of


def _own_days(date: DateColumn, anchors: dict[str, np.ndarray]) -> list[np.ndarray]:
    """The days of the rows' own visits, which a date at visits may always have."""
    return [anchors[at] for at in (AT_VISIT, AT_END) if date.dated and at in anchors]


def _within(date: DateColumn, day: np.ndarray, visit: np.ndarray, own: list[np.ndarray]) -> np.ndarray:
    """Days within the range of their visit, or on the days `own` of the visit itself; what has no range stays."""
    place = np.where((visit >= 0) & (visit < len(date.low)), visit, -1)
    low, high = np.append(date.low, np.nan)[place], np.append(date.high, np.nan)[place]
    for at in own:
        low = np.where(at < low, at, low)
        high = np.where(at > high, at, high)
    return np.where(day < low, low, np.where(day > high, high, day))


def _draw_days(
    model: DateColumn,
    state: State,
    subject: np.ndarray,
    anchors: dict[str, np.ndarray],
    code: np.ndarray,
    streams: Streams,
) -> np.ndarray:
    low = state.subjects.last_day[subject] if model.covers and len(state.subjects.last_day) else None
    high = latest_days(model.over, state.ends, subject)
    for day in _own_days(model, anchors):
        high = np.where(day > high, day, high)
    day = sample_offsets(model.offsets, anchors, code, streams, low=low, high=np.where(np.isfinite(high), high, np.nan))
    return np.minimum(day, state.last[subject]) if len(state.last) else day


def _write_date(
    model: DateColumn, state: State, table: str, day: np.ndarray, precision: pd.Series, streams: Streams
) -> None:
    subject = state.subject[table]
    level = pd.to_numeric(precision.astype(object), errors="coerce").fillna(0).to_numpy(dtype=np.int64)
    level = np.where(np.isfinite(day), level, 0)
    second = None
    if model.clock is not None:
        second, _ = sample_clock(model.clock, clock_key(subject, day), np.full(len(day), -1), streams)
        second = np.where(level > Precision.DAY, second, 0.0)
    state.write_date(table, model.column, day, level, second, model.text)


def _personal(model: RowsModel, state: State, name: str) -> np.ndarray:
    """One value a subject, the same in all of the subject's rows (object array of text)."""
    streams, n = state.streams.under(model.table, "personal", name), state.subjects.n
    persons = state.persons(model.table, name)
    if persons is None:
        values = sample_personal(model.personal[name], n, streams.get(), model.layouts.get(name, ()))
    else:
        values = np.array(write_persons(persons[0], persons[1].kind, persons[1].forms, streams.get()).to_pylist())
    none = streams.get("missing").random(n) < model.absent.get(name, 0.0)
    return np.where(none, None, values.astype(object))


def row_numbers(subject: np.ndarray) -> np.ndarray:
    """Position of each row among its subject's rows, from 0."""
    return pd.Series(subject).groupby(subject).cumcount().to_numpy(dtype=np.int64)


def row_identifier(identifier: RowIdentifier, state: State, table: str) -> pd.Series:
    """An identifier of the rows of a table, numbered within the subject or through the study."""
    subject = state.subject[table]
    number = row_numbers(subject)
    if identifier.scope == "study":
        number = number + state.numbers[subject] * identifier.model.stride
    return sample_identifier(identifier.model, number, state.frames[table])


def _reference(reference: ReferenceColumn, state: State, table: str) -> pd.Series:
    """For each row a row of the parent table of the same subject: the nearest in time, or any."""
    rng = state.streams.under(table).get("reference", reference.column)
    subject, parent_subject = state.subject[table], state.subject[reference.parent]
    own = state.days.get((table, reference.own_date or ""), np.full(len(subject), np.nan))
    other = state.days.get((reference.parent, reference.parent_date or ""), np.full(len(parent_subject), np.nan))
    rows = pd.DataFrame({"row": np.arange(len(subject)), "subject": subject, "own": own})
    offers = pd.DataFrame({"parent": np.arange(len(parent_subject)), "subject": parent_subject, "other": other})
    pairs = rows.merge(offers, on="subject")
    pairs["cost"] = (pairs["own"] - pairs["other"]).abs().fillna(1e6) + rng.random(len(pairs))
    chosen = pairs.sort_values(["row", "cost"]).drop_duplicates("row")
    values = state.frames[reference.parent][reference.parent_column].reset_index(drop=True)
    position = np.full(len(subject), -1)
    position[chosen["row"].to_numpy()] = chosen["parent"].to_numpy()
    position[rng.random(len(subject)) < reference.missing] = -1
    taken = (
        values.iloc[np.maximum(position, 0)].reset_index(drop=True)
        if len(values)
        else pd.Series(np.nan, index=rows.index)
    )
    return taken.where(position >= 0)

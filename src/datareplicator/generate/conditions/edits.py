"""The steps of a scenario, done to subjects of a block before anything is computed."""

from __future__ import annotations

import numpy as np
import pandas as pd

from datareplicator import dates
from datareplicator.expressions.vectors import DAY as SECONDS
from datareplicator.expressions.vectors import Dates, Vector
from datareplicator.generate.conditions.condition import Condition
from datareplicator.generate.conditions.judge import Seen, look
from datareplicator.generate.conditions.names import closure
from datareplicator.generate.conditions.states import drop_rows, loose, number_again, row_marks, take_rows
from datareplicator.generate.conditions.units import DAY, Step
from datareplicator.generate.finish import settle
from datareplicator.generate.state import State
from datareplicator.model.study_model import StudyModel
from datareplicator.structure.order import rests_on
from datareplicator.structure.spec import Layout, Ref


def edited(
    model: StudyModel, state: State, steps: tuple[Step, ...], subjects: np.ndarray, rng: np.random.Generator
) -> State:
    """The block after all steps were done to some subjects (int)."""
    out = loose(state)
    chosen = np.zeros(state.subjects.n, dtype=bool)
    chosen[subjects] = True
    columns = {Ref(table=s.table, column=c) for s in steps for c in s.values}
    for step in steps:
        held = [c for c in (step.where, step.unless, *step.values.values()) if c is not None]
        seen = look(model, out, held)
        open_to = chosen.copy()
        if step.unless is not None:
            open_to &= seen.count(step.table, seen.truth(step.unless) == 1) == 0
        if step.edit.add is not None:
            _add(model, out, step, seen, open_to, columns, rng)
            continue
        rows = _rows(out, step, seen, open_to)
        if step.edit.set is not None:
            _set(model, out, step, seen, rows, columns)
        elif step.edit.drop is not None:
            drop_rows(model, out, step.table, rows)
        else:
            _cut(model, out, step, seen, rows)
    number_again(model, out)
    return out


def _rows(state: State, step: Step, seen: Seen, subjects: np.ndarray) -> np.ndarray:
    """bool a row: what the step is done to."""
    owner = state.subject[step.table]
    rows = subjects[owner] if len(owner) else np.zeros(0, dtype=bool)
    if step.where is not None:
        rows = rows & (seen.truth(step.where) == 1)
    if step.edit.pick == "all" or not rows.any():
        return rows
    day = _start(state, step.table)
    at = np.flatnonzero(rows)
    order = at[np.lexsort((at, np.nan_to_num(day[at], nan=-1e6), owner[at]))]
    first = ~pd.Series(owner[order]).duplicated(keep="first" if step.edit.pick == "first" else "last").to_numpy()
    out = np.zeros(len(rows), dtype=bool)
    out[order[first]] = True
    return out


def _start(state: State, table: str) -> np.ndarray:
    """The earliest date of each row that is drawn, as a day from the anchor."""
    n = len(state.subject[table])
    days = [v for (t, _), v in state.days.items() if t == table and len(v) == n]
    if not days:
        return np.arange(n, dtype=float)
    with np.errstate(all="ignore"):
        return np.fmin.reduce(days)


def _vector(seen: Seen, value: Condition) -> Vector:
    return value.expression.vector(seen.frames[value.table], others=seen.frames, table=value.table, schema=value.schema)


def _set(model: StudyModel, state: State, step: Step, seen: Seen, rows: np.ndarray, columns: set[Ref]) -> None:
    """Values in rows. What is computed from other values that the scenario sets follows from these where it can."""
    if not rows.any():
        return
    computed = {d.target: d for d in model.structure.derivations if d.table == step.table}
    for column, value in step.values.items():
        target = Ref(table=step.table, column=column)
        vector = _vector(seen, value)
        derivation = computed.get(column)
        if derivation is not None and not derivation.params.get("partial"):
            follows = rests_on(model.structure.derivations, target) & columns
            store = state.stopgap if follows else state.fixed
            held = store.get((step.table, column), pd.Series([None] * len(rows), dtype=object))
            store[step.table, column] = held.where(~rows, _plain(vector))
        elif isinstance(vector, Dates):
            day = np.floor(vector.low / SECONDS) - state.anchor[state.subject[step.table]]
            write_days(state, step.table, column, rows, day)
        else:
            _put(state, step.table, column, rows, _plain(vector))


def _plain(vector: Vector) -> pd.Series:
    """Values one a row as objects, dates as text."""
    if isinstance(vector, Dates):
        return pd.Series(vector.iso()).astype(object)
    return vector.series().astype(object)


def _put(state: State, table: str, column: str, rows: np.ndarray, values: pd.Series) -> None:
    frame = state.frames[table]
    held = frame[column] if column in frame else pd.Series([None] * len(frame), dtype=object)
    if pd.api.types.is_numeric_dtype(held.dtype):
        frame[column] = held.where(~rows, pd.to_numeric(values, errors="coerce"))
        return
    mixed = held.astype(object).where(~rows, values)
    frame[column] = mixed.where(mixed.notna(), None).astype("category")


def write_days(state: State, table: str, column: str, rows: np.ndarray, day: np.ndarray) -> None:
    """Whole days from the anchor as the dates of some rows."""
    frame = state.frames[table]
    owner = state.subject[table]
    days = state.days.get((table, column), np.full(len(owner), np.nan))
    state.days[table, column] = np.where(rows, day, days)
    if (table, column) in state.seconds:
        state.seconds[table, column] = np.where(rows, 0.0, state.seconds[table, column])
    absolute = day + state.anchor[owner]
    if column in frame and pd.api.types.is_datetime64_any_dtype(frame[column].dtype):
        stamp = pd.Series(np.nan_to_num(absolute).astype("int64").astype("datetime64[D]").astype("datetime64[us]"))
        frame[column] = frame[column].where(~rows, stamp.where(np.isfinite(absolute)))
        return
    precision = np.where(np.isfinite(absolute), int(dates.Precision.DAY), 0)
    _put(state, table, column, rows, pd.Series(dates.to_text(absolute, precision)).astype(object))


def _add(
    model: StudyModel,
    state: State,
    step: Step,
    seen: Seen,
    subjects: np.ndarray,
    columns: set[Ref],
    rng: np.random.Generator,
) -> None:
    """A row for each subject: drawn like some other row of the table, on the same day of the study."""
    table, owner = step.table, state.subject[step.table]
    like = np.flatnonzero(seen.truth(step.where) == 1) if step.where is not None else np.empty(0, dtype=np.int64)
    like = like if len(like) else np.arange(len(owner))
    whose = np.flatnonzero(subjects)
    if not len(like) or not len(whose):
        return
    own = [like[owner[like] == s] for s in whose]
    if model.structure.tables[table].layout != Layout.EVENTS:  # treatments go with the arm: only own rows are like them
        whose, own = whose[[len(rows) > 0 for rows in own]], [rows for rows in own if len(rows)]
        if not len(whose):
            return
    pick = np.array([rng.choice(rows if len(rows) else like) for rows in own])
    rows, subject = np.concatenate([np.arange(len(owner)), pick]), np.concatenate([owner, whose])
    take_rows(model, state, table, rows, subject)
    fresh = np.arange(len(rows)) >= len(owner)
    for mark in [m for m in state.marks if m.startswith(f"{table}/") or m in row_marks(model, table)]:
        state.marks[mark] = state.marks[mark] & ~fresh
    for store in (state.fixed, state.stopgap):
        for key in [key for key in store if key[0] == table]:
            store[key] = store[key].where(~fresh, None)
    last = state.subjects.last_day[subject] if len(state.subjects.last_day) else np.full(len(rows), np.inf)
    for key in [key for key in state.days if key[0] == table]:
        write_days(state, table, key[1], fresh, np.minimum(np.floor(state.days[key]), np.nan_to_num(last, nan=np.inf)))
    _set(model, state, step, look(model, state, step.values.values()), fresh, columns)
    _at_visits(model, state, table, fresh)
    order = np.lexsort((np.arange(len(rows)), np.nan_to_num(_start(state, table), nan=-1e6), subject))
    take_rows(model, state, table, order)


def _cut(model: StudyModel, state: State, step: Step, seen: Seen, rows: np.ndarray) -> None:
    """Nothing of the subjects begins after a day, and what goes on is over by it."""
    vector = _vector(seen, step.values[DAY])
    assert isinstance(vector, Dates)
    last = np.full(state.subjects.n, np.inf)
    owner = state.subject[step.table]
    known = rows & ~np.isnan(vector.low)
    np.minimum.at(last, owner[known], np.floor(vector.low[known] / SECONDS) - state.anchor[owner[known]])
    begins = _beginnings(model, state)
    root = model.root.table
    births = {birth.column for birth in model.root.births}
    for table in list(state.frames):
        subject = state.subject[table]
        for key in [key for key in state.days if key[0] == table and len(state.days[key]) == len(subject)]:
            spec = model.structure.tables[table]
            late = state.days[key] > last[subject]
            if late.any() and key[1] not in births and (table == root or key[1] not in (spec.start, spec.date)):
                write_days(state, table, key[1], late, np.where(late, last[subject], state.days[key]))
    gone = _missed(model, state, begins, last)
    over = {table: begins[table] > last[state.subject[table]] for table in begins if table != root}
    for table in list(state.frames):
        if table == root:
            continue
        none = np.zeros(len(state.subject[table]), dtype=bool)
        # As a mark it follows the rows, of which some go with those above them.
        mark = f"{table}/cut"
        state.marks[mark] = over.get(table, none) | gone.get(table, none)
    for table in list(state.frames):
        rows = state.marks.pop(f"{table}/cut", None)
        if rows is not None and rows.any():
            drop_rows(model, state, table, rows)


def _missed(model: StudyModel, state: State, begins: dict[str, np.ndarray], last: np.ndarray) -> dict[str, np.ndarray]:
    """Rows (bool) at visits that do not take place any more, of tables that are recorded at visits; what only names
    such a visit (a disposition) names the subject's last one instead."""
    visits = _visits(model, state, begins)
    if visits is None:
        return {}
    over = visits["day"].to_numpy() > last[visits["subject"]]
    missed = set(zip(visits["subject"][over], visits["visit"][over], strict=True))
    final = visits[~over].sort_values("day", kind="stable").groupby("subject")["visit"].last()
    out = {}
    for table, frame in state.frames.items():
        spec = model.structure.tables[table]
        if spec.visit is None or spec.visit not in frame or table == model.root.table:
            continue
        pairs = zip(state.subject[table], frame[spec.visit].astype(object), strict=True)
        gone = np.fromiter((pair in missed for pair in pairs), dtype=bool, count=len(frame))
        if spec.layout in (Layout.FINDINGS, Layout.VISITS):
            out[table] = gone
        elif gone.any():
            values = pd.Series(state.subject[table]).map(final).astype(object)
            _put(state, table, spec.visit, gone, values)
    return out


def _visits(model: StudyModel, state: State, begins: dict[str, np.ndarray]) -> pd.DataFrame | None:
    """The visits that took place: subject, visit as the tables name it, and day; None where no table holds them."""
    table = model.structure.visit_table
    name = model.structure.tables[table].visit if table is not None else None
    if table is None or name is None or table not in begins or name not in state.frames[table]:
        return None
    named = state.frames[table][name].astype(object)
    return pd.DataFrame({"subject": state.subject[table], "visit": named.to_numpy(), "day": begins[table]})


def _at_visits(model: StudyModel, state: State, table: str, fresh: np.ndarray) -> None:
    """Added rows of a table that has one row a visit: at the subject's last visit by then that has none yet, else at
    the next."""
    spec = model.structure.tables[table]
    visits = _visits(model, state, _beginnings(model, state)) if spec.visit in spec.key else None
    if visits is None or spec.visit is None or spec.visit not in state.frames[table]:
        return
    owner, named = state.subject[table], state.frames[table][spec.visit].astype(object).to_numpy(copy=True)
    start = _start(state, table)
    for row in np.flatnonzero(fresh):
        used = set(named[(owner == owner[row]) & ~fresh])
        own = visits[(visits["subject"] == owner[row]) & ~visits["visit"].isin(used)]
        if len(own):
            away = start[row] - own["day"].to_numpy(dtype=float)
            named[row] = own["visit"].iloc[int(np.argmin(np.where(away >= 0, away, 1e6 - away)))]
    _put(state, table, spec.visit, fresh, pd.Series(named, dtype=object))


def _beginnings(model: StudyModel, state: State) -> dict[str, np.ndarray]:
    """The day from the anchor on which each row of the tables begins, drawn or computed; NaN where it has none."""
    wanted = {}
    for table in state.frames:
        spec = model.structure.tables[table]
        column = spec.start or spec.date
        if column is not None:
            wanted[table] = Ref(table=table, column=column)
    trial = loose(state)
    settle(model, trial, closure(model, set(wanted.values()))[0])
    out = {}
    for table, ref in wanted.items():
        if ref.column in trial.frames[table]:
            values = trial.frames[table][ref.column]
            moments = dates.parse(values.astype("str") if isinstance(values.dtype, pd.CategoricalDtype) else values)
            out[table] = np.fmin(moments.day, _first_day(moments)) - state.anchor[state.subject[table]]
    return out


def _first_day(moments: dates.Moments) -> np.ndarray:
    """The first day that a date can be, which may be known to the month or year only."""
    known = np.isfinite(moments.year) & np.isnan(moments.day) & moments.valid
    year = np.where(known, moments.year, 1970)
    month = np.where(known & np.isfinite(moments.month), moments.month, 1)
    months = ((year - 1970) * 12 + month - 1).astype("int64").astype("datetime64[M]")
    return np.where(known, months.astype("datetime64[D]").astype(float), np.nan)

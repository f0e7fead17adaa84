"""Learning tables whose few rows a subject form patterns."""

from __future__ import annotations

from math import comb

import numpy as np
import pandas as pd

from datareplicator.dates import Precision
from datareplicator.model.coding import scalar
from datareplicator.model.context import MARK
from datareplicator.model.landmarks import Landmark, find_landmarks
from datareplicator.model.periods import PeriodModel, fit_periods
from datareplicator.model.rows import by_subject, fit_rows
from datareplicator.model.sets import fit_sets
from datareplicator.model.study_model import Sets
from datareplicator.model.tables.endings import ending_date, final_date, over_days
from datareplicator.model.tables.visits import VISIT, visit_codes
from datareplicator.model.training import Training, day_anchors, subject_days
from datareplicator.structure.spec import Kind, Layout, TableSpec

MOST_CODES = 40
"""Distinct row codes of a set; more columns in the code would leave too few subjects to each pattern."""

USUAL = 0.5
"""Share of subjects with the very same keys of rows from which on a set's rows are told by their key alone."""

ALIKE = 0.8
"""Share of the subjects with either of two rows that have both, from which on one tells of the other."""
NO_CHANCE = 100
"""Ways to choose the subjects that have a row, from which on it is no accident that the same have another."""


def fit_set_table(training: Training, spec: TableSpec) -> Sets:
    """Learn a table whose few rows a subject form patterns."""
    prepared = training.prepared
    subject = prepared.subject[spec.name]
    visit, visit_column = visit_codes(training, spec)
    use = np.flatnonzero(subject >= 0)
    names, joint = _row_codes(training, spec, visit)
    codes, distinct = pd.factorize(pd.MultiIndex.from_frame(joint) if len(joint.columns) > 1 else joint.iloc[:, 0])
    table = [tuple(scalar(v) for v in (d if isinstance(d, tuple) else (d,))) for d in distinct]
    context = training.context()
    # In the order of weight: where a combination was never seen, the first columns are kept to.
    flags = [c for c in context.columns if c.startswith(MARK + "flag:")]
    arm = (MARK + "group",) if _arm_decides(training, codes, subject) else ()
    hard = [c for c in (MARK + "stratum", *arm, *flags, MARK + "reached_end") if c in context.columns]
    held = _held(codes[use], subject[use], len(context))
    echoes, exact = find_echoes(held, training.rows, context[hard])
    context, hard = context.join(echoes), [*hard[:1], *exact, *hard[1:]]
    training.rows |= {code_name(spec.name, k): held[:, k] for k in range(held.shape[1])}
    inputs = (codes[use], subject[use], context, tuple(hard))
    model = prepared.parts.take(
        f"sets in {spec.name}",
        (*inputs, training.min_subjects),
        lambda: fit_sets(*inputs, min_subjects=training.min_subjects),
    )
    periods = _fit_periods(training, spec, codes)
    dated = {spec.start, spec.end} if periods is not None else set()
    columns = [c for c in prepared.structure.free(spec.name) if c not in names and c != spec.visit and c not in dated]
    known: dict[str, pd.Series | np.ndarray] = {"code": pd.Series(codes).astype(str).astype("category")}
    index = training.visit.get(spec.name) if VISIT in names else None
    own = (
        {spec.end: prepared.days(spec.name, spec.end), spec.start: prepared.days(spec.name, spec.start)}
        if periods
        else {}
    )
    anchors = day_anchors(subject, index, training.visits, training.subjects, {str(k): v for k, v in own.items()})
    anchors |= {name: day[np.maximum(subject, 0)] for name, day in training.landmarks.items()}
    rows = fit_rows(
        prepared,
        spec,
        columns,
        training.row_context(spec, known),
        anchors,
        codes,
        chain=True,
        ends=training.ends,
        min_subjects=training.min_subjects,
    )
    over = (over_days(training, spec, spec.start), over_days(training, spec, spec.end))
    ending = ending_date(training, spec)
    latest = final_date(training, spec)
    if latest is not None:
        training.ends[spec.name] = by_subject(prepared, spec.name, latest)
    marks = _landmarks(training, spec, [c for c in names if c != VISIT])
    return Sets(
        table=spec.name,
        model=model,
        columns=tuple(names),
        codes=tuple(table),
        visit=visit_column if VISIT in names else None,
        periods=periods,
        start=spec.start if periods else None,
        over=over,
        covers=ending,
        final=latest,
        end=spec.end if periods else None,
        text=bool(periods and spec.column(spec.start or "").encoding == "text"),
        rows=rows,
        landmarks=marks,
    )


def code_name(table: str, code: int) -> str:
    """The name of a context column: whether a subject has a row of that code in a set."""
    return f"{MARK}rows:{table}:{code}"


def _held(codes: np.ndarray, subject: np.ndarray, n: int) -> np.ndarray:
    """bool[n, C]: whether each subject has a row of each code."""
    held = np.zeros((n, int(codes.max(initial=-1)) + 1), dtype=bool)
    held[subject, codes] = True
    return held


def find_echoes(
    held: np.ndarray, earlier: dict[str, np.ndarray], fixed: pd.DataFrame
) -> tuple[pd.DataFrame, list[str]]:
    """Rows of earlier sets that go with a code of this one, as the element of a dose with the dose.

    `held` bool[n, C]; `earlier`: bool[n] by name; `fixed`: columns that already decide. Returns a column "0"/"1" for
    each row that much the same subjects have as some code and that `fixed` leaves open, and the names of those that
    exactly the same subjects have, more than chance would bring together.
    """
    cell = fixed.astype(str).agg(" ".join, axis=1) if len(fixed.columns) else pd.Series("", index=fixed.index)
    found: dict[str, np.ndarray] = {}
    exact: list[str] = []
    for name, rows in earlier.items():
        shared = np.divide((held & rows[:, None]).sum(axis=0), (held | rows[:, None]).sum(axis=0).clip(1))
        new = not any(np.array_equal(rows, other) for other in found.values())
        left_open = pd.Series(rows).groupby(cell.to_numpy()).nunique().gt(1).any()
        if not new or not left_open or shared.max(initial=0) < ALIKE or comb(len(rows), int(rows.sum())) < NO_CHANCE:
            continue
        found[name] = rows
        exact += [name] if shared.max() == 1 else []
    columns = {name: pd.Categorical(rows.astype(int).astype(str), ["0", "1"]) for name, rows in found.items()}
    return pd.DataFrame(columns, index=fixed.index), exact


def _landmarks(training: Training, spec: TableSpec, told: list[str]) -> tuple[Landmark, ...]:
    """The table's landmarks, which become days that later tables may count from. `told`: columns of its row codes."""
    prepared, subject = training.prepared, training.prepared.subject[spec.name]
    free = prepared.structure.free(spec.name)
    dates = {c: prepared.days(spec.name, c) for c in free if spec.column(c).kind == Kind.DATE}
    frame = prepared.frames[spec.name][[c for c in told if c in free and spec.column(c).encoding == "text"]]
    found = find_landmarks(spec.name, dates, subject, frame)
    for mark in found:
        values = frame[mark.column] if mark.pick == "where" else None
        training.landmarks[mark.name] = mark.days(dates[mark.date], subject, values, prepared.n)
    return found


def _fit_periods(training: Training, spec: TableSpec, codes: np.ndarray) -> PeriodModel | None:
    """The dates of rows that follow each other, where both are free and known to the day."""
    prepared = training.prepared
    free = set(prepared.structure.free(spec.name))
    if spec.start is None or spec.end is None or not {spec.start, spec.end} <= free or spec.layout != Layout.INTERVALS:
        return None
    for column in (spec.start, spec.end):
        precision = prepared.moment(spec.name, column).precision
        if not np.isin(precision, (int(Precision.MISSING), int(Precision.DAY))).all():
            return None
    use = np.flatnonzero(prepared.subject[spec.name] >= 0)
    visit_days = training.visits.day if training.visits is not None else np.empty((prepared.n, 0))
    inputs = (
        prepared.days(spec.name, spec.start)[use],
        prepared.days(spec.name, spec.end)[use],
        codes[use],
        prepared.subject[spec.name][use],
        subject_days(training.visits, training.subjects) | training.landmarks,
        visit_days,
    )
    return prepared.parts.take(f"periods in {spec.name}", inputs, lambda: fit_periods(*inputs))


def _arm_decides(training: Training, codes: np.ndarray, subject: np.ndarray) -> bool:
    """Whether some row code belongs to some arms alone (a treatment): held by half of one arm of three subjects or
    more and by nobody of another of the same class of subjects."""
    subjects = training.subjects
    cell = subjects.stratum * (int(subjects.group.max(initial=0)) + 2) + subjects.group
    cells, place, sizes = np.unique(cell, return_inverse=True, return_counts=True)
    held = pd.DataFrame({"c": codes, "g": place[np.maximum(subject, 0)], "s": subject})[subject >= 0]
    counts = held.drop_duplicates().pivot_table(index="c", columns="g", values="s", aggfunc="count", fill_value=0)
    share = counts.reindex(columns=range(len(cells)), fill_value=0).to_numpy() / sizes
    stratum = cells // (int(subjects.group.max(initial=0)) + 2)
    for code in np.unique(stratum):
        arms = share[:, (stratum == code) & (sizes >= 3)]
        if ((arms >= 0.5).any(axis=1) & (arms == 0).any(axis=1)).any():
            return True
    return False


def _row_codes(training: Training, spec: TableSpec, visit: np.ndarray | None) -> tuple[list[str], pd.DataFrame]:
    """The columns that make a row's code: the term and the visit first, then others while codes stay few; the key alone
    where subjects have the same rows but for what is recorded in them (the questions of a form)."""
    frame = training.prepared.frames[spec.name]
    derived = training.prepared.structure.derived(spec.name)
    free = set(training.prepared.structure.free(spec.name))
    kinds = (Kind.CATEGORY, Kind.FLAG, Kind.INTEGER)
    offered = [c.name for c in spec.columns if c.name in free and c.kind in kinds and c.distinct <= MOST_CODES]
    offered = [c for c in offered if c != spec.visit and c not in derived]
    first = [c for c in (spec.code, spec.test) if c is not None and c in offered]
    order = first + sorted((c for c in offered if c not in first), key=lambda c: spec.column(c).distinct)
    columns: dict[str, pd.Series] = {}
    if visit is not None:
        columns[VISIT] = pd.Series(visit.astype(float))
    most = max(MOST_CODES, 2 * len(pd.DataFrame(columns).drop_duplicates())) if columns else MOST_CODES
    for name in order:
        trial = pd.DataFrame({**columns, name: frame[name].astype("object")})
        if len(trial.drop_duplicates()) <= most:
            columns[name] = trial[name]
    if not columns:
        columns["row"] = pd.Series(np.zeros(len(frame)))
    table = pd.DataFrame(columns)
    key = [VISIT if c == spec.visit else c for c in spec.key if c != spec.subject]
    if key and set(key) < set(table.columns):
        subject = training.prepared.subject[spec.name]
        alike = _usual_rows(table[key], subject)
        if alike >= USUAL and _usual_rows(table, subject) < alike / 2:
            table = table[key]
    return list(table.columns), table.astype(object).where(table.notna(), None)


def _usual_rows(codes: pd.DataFrame, subject: np.ndarray) -> float:
    """Share of subjects whose rows are the most usual ones."""
    code = pd.Series(codes.groupby(list(codes.columns), dropna=False).ngroup().to_numpy())[subject >= 0].sort_values()
    rows = code.astype(str).groupby(subject[code.index]).agg(" ".join)
    return float(rows.value_counts(normalize=True).max())

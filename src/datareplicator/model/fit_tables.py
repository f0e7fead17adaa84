"""Learning the tables that are neither the root nor findings: visits, sets of rows, events, rows below rows."""

from __future__ import annotations

import numpy as np
import pandas as pd

from datareplicator.dates import Precision
from datareplicator.model.children import fit_children
from datareplicator.model.context import MARK
from datareplicator.model.ends import covers, days_over
from datareplicator.model.eventrows import EventRows, approximate_days
from datareplicator.model.events import fit_events
from datareplicator.model.periods import PeriodModel, fit_periods
from datareplicator.model.prepare import parent_rows
from datareplicator.model.rows import by_subject, fit_rows, parent_of, rough_days
from datareplicator.model.sets import fit_sets
from datareplicator.model.study_model import Children, Events, Sets, VisitColumn, Visits
from datareplicator.model.subject_model import Feature
from datareplicator.model.training import Training, day_anchors, subject_days
from datareplicator.structure.spec import Kind, Layout, TableSpec

MOST_CODES = 40
"""Distinct row codes of a set; more columns in the code would leave too few subjects to each pattern."""

VISIT = "visit"
REPEATED = 0.005
USUAL = 0.5
"""Share of subjects with the very same keys of rows from which on a set's rows are told by their key alone."""


def fit_visits(training: Training, spec: TableSpec) -> Visits:
    """Learn the columns of the visit table; its rows are the attended visits."""
    prepared = training.prepared
    subject, visit = prepared.subject[spec.name], training.visit[spec.name]
    columns = [c for c in prepared.structure.free(spec.name) if c != spec.visit]
    context = training.row_context(spec, {"visit": pd.Series(visit).astype(str).astype("category")})
    anchors = day_anchors(subject, visit, training.visits, training.subjects, {})
    rows = fit_rows(
        prepared, spec, columns, context, anchors, visit, ends=training.ends, min_subjects=training.min_subjects
    )
    seen = np.unique(visit[visit >= 0])
    return Visits(table=spec.name, seen=seen, share=_shares(training, spec, seen), rows=rows)


def one_row_a_visit(training: Training, spec: TableSpec) -> bool:
    """Whether the rows of a table are named by subject and visit alone: the table of visits, or whatever else is
    recorded once a visit."""
    if spec.name not in training.visit or training.visits is None or spec.layout not in (Layout.VISITS, Layout.EVENTS):
        return False
    return spec.name == training.prepared.structure.visit_table or spec.key == (spec.subject, spec.visit)


def _shares(training: Training, spec: TableSpec, seen: np.ndarray) -> np.ndarray:
    """The share of those who attended a visit that have a row of it; all in the table of visits."""
    if training.visits is None or spec.name == training.prepared.structure.visit_table:
        return np.ones(len(seen))
    rows = pd.DataFrame({"s": training.prepared.subject[spec.name], "v": training.visit[spec.name]})
    held = rows[(rows["s"] >= 0) & (rows["v"] >= 0)].drop_duplicates().groupby("v").size()
    return held.reindex(seen).to_numpy(dtype=float) / np.maximum(training.visits.attended[:, seen].sum(axis=0), 1)


def visit_codes(training: Training, spec: TableSpec) -> tuple[np.ndarray | None, VisitColumn | None]:
    """A table's visits as codes: catalogue index, or one code after the last index for the subject's last visit."""
    if spec.visit is None or spec.name not in training.visit or training.catalogue is None:
        return None, None
    if spec.visit in training.prepared.structure.derived(spec.name):
        return None, None
    visit, subject = training.visit[spec.name], training.prepared.subject[spec.name]
    last = (
        training.subjects.last_visit[np.maximum(subject, 0)]
        if len(training.subjects.last_visit)
        else np.full(len(visit), -1)
    )
    code = visit.copy()
    at_last = (visit >= 0) & (visit == last)
    if at_last.any():
        middle = visit < np.max(visit)
        if (at_last & middle).sum() > 0.2 * middle.sum():
            code[at_last] = len(training.catalogue)
    return code, VisitColumn(column=spec.visit, last=len(training.catalogue), seen=np.unique(visit[visit >= 0]))


def fit_set_table(training: Training, spec: TableSpec) -> Sets:
    """Learn a table whose few rows a subject form patterns."""
    prepared = training.prepared
    subject = prepared.subject[spec.name]
    visit, visit_column = visit_codes(training, spec)
    use = np.flatnonzero(subject >= 0)
    names, joint = _row_codes(training, spec, visit)
    codes, distinct = pd.factorize(pd.MultiIndex.from_frame(joint) if len(joint.columns) > 1 else joint.iloc[:, 0])
    table = [tuple(_scalar(v) for v in (d if isinstance(d, tuple) else (d,))) for d in distinct]
    context = training.context()
    # In the order of weight: where a combination was never seen, the first columns are kept to.
    flags = [c for c in context.columns if c.startswith(MARK + "flag:")]
    hard = [c for c in (MARK + "stratum", *flags, MARK + "reached_end") if c in context.columns]
    if _arm_decides(training, codes, subject):
        hard.append(MARK + "group")
    model = fit_sets(codes[use], subject[use], context, tuple(hard), min_subjects=training.min_subjects)
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
    over = (_over(training, spec, spec.start), _over(training, spec, spec.end))
    ending = ending_date(training, spec)
    latest = final_date(training, spec)
    if latest is not None:
        training.ends[spec.name] = by_subject(prepared, spec.name, latest)
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
    )


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
    return fit_periods(
        prepared.days(spec.name, spec.start)[use],
        prepared.days(spec.name, spec.end)[use],
        codes[use],
        prepared.subject[spec.name][use],
        subject_days(training.visits, training.subjects),
        visit_days,
    )


def _over(training: Training, spec: TableSpec, column: str | None) -> dict[str, float]:
    """The most days by which a date of a table follows each end of the subject's study."""
    if column is None:
        return {}
    prepared = training.prepared
    return days_over(rough_days(prepared, spec.name, column), prepared.subject[spec.name], training.ends)


def final_date(training: Training, spec: TableSpec) -> str | None:
    """The free date of a table whose last row may end a subject's study: nine of ten subjects have one."""
    prepared = training.prepared
    free = prepared.structure.free(spec.name)
    column = next((c for c in (spec.start, spec.date) if c is not None and c in free), None)
    if column is None or spec.layout == Layout.INTERVALS:
        return None
    return column if np.isfinite(by_subject(prepared, spec.name, column)).mean() >= 0.9 else None


def ending_date(training: Training, spec: TableSpec) -> str | None:
    """The date by whose last row every subject's visits are over, if the table has one (a final disposition)."""
    column = final_date(training, spec)
    if column is None:
        return None
    latest = by_subject(training.prepared, spec.name, column)
    return column if covers(latest, training.subjects.last_day) else None


def _arm_decides(training: Training, codes: np.ndarray, subject: np.ndarray) -> bool:
    """Whether some row code belongs to some arms alone (a treatment): held by half of one arm of three subjects or
    more and by nobody of another."""
    group = training.subjects.group
    sizes = np.bincount(group[group >= 0], minlength=1)
    held = pd.DataFrame({"c": codes, "g": group[np.maximum(subject, 0)], "s": subject})[subject >= 0]
    counts = held.drop_duplicates().pivot_table(index="c", columns="g", values="s", aggfunc="count", fill_value=0)
    counts = counts.reindex(columns=range(len(sizes)), fill_value=0)
    share = counts.to_numpy() / np.maximum(sizes, 1)
    large = sizes >= 3
    return bool(((share[:, large] >= 0.5).any(axis=1) & (share[:, large] == 0).any(axis=1)).any())


def _scalar(value: object) -> str | float | None:
    if value is None or pd.isna(value):
        return None
    return str(value) if isinstance(value, str) else float(value)  # type: ignore[arg-type]


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
        over=_over(training, spec, start),
        visit_follows=_visit_follows(training, spec, rows.start),
        unique=_unique(frame, subject, [c for c in (term, start) if c in free], spec.visit, _plain(spec, free)),
        rows=leftover,
    )


OWN_START, OWN_END = "start", "end"


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


def fit_children_table(training: Training, spec: TableSpec) -> Children:
    """Learn rows below the rows of another table."""
    prepared = training.prepared
    key = spec.parent_key
    assert key is not None
    frame = prepared.frames[spec.name]
    own_key = set(key.columns)
    columns = [c for c in prepared.structure.free(spec.name) if c not in own_key]
    attributes = [c for c in columns if spec.column(c).kind not in (Kind.DATE, Kind.IDENTIFIER, Kind.PII)]
    parents = parent_rows(spec, prepared.frames)
    context = parent_context(prepared.frames[key.parent], prepared.structure.tables[key.parent])
    known = parents >= 0
    model = fit_children(
        parents[known],
        context,
        prepared.subject[key.parent],
        frame[attributes][known].reset_index(drop=True),
        min_subjects=training.min_subjects,
    )
    rest = [c for c in columns if c not in attributes]
    parent_start = prepared.structure.tables[key.parent].start or prepared.structure.tables[key.parent].date
    others = {}
    if parent_start is not None:
        days = prepared.days(key.parent, parent_start)
        others["parent"] = np.append(days, np.nan)[parents]
    subject = prepared.subject[spec.name]
    anchors = day_anchors(subject, None, None, training.subjects, others)
    rows = fit_rows(
        prepared,
        spec,
        rest,
        training.row_context(spec, {}),
        anchors,
        np.full(len(frame), -1),
        ends=training.ends,
        min_subjects=training.min_subjects,
    )
    return Children(table=spec.name, model=model, rows=rows)


def parent_context(frame: pd.DataFrame, spec: TableSpec) -> pd.DataFrame:
    """Columns of a parent table that its children may depend on."""
    kinds = (Kind.CATEGORY, Kind.FLAG, Kind.INTEGER, Kind.DECIMAL)
    names = [
        c.name for c in spec.columns if c.kind in kinds and c.name in frame and c.distinct <= max(60, len(frame) // 5)
    ]
    out = {}
    for name in names:
        numeric = pd.api.types.is_numeric_dtype(frame[name].dtype)
        out[MARK + name] = frame[name].astype(float) if numeric else frame[name].astype("category")
    return pd.DataFrame(out, index=frame.index)

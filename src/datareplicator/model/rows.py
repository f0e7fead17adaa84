"""The columns of a table's rows that no special model makes: attributes, dates, identifiers, personal data, references.

A date is an offset from the best of the days that are known of the row (the subject's anchor, the row's visit, the last
visit, another date), its precision (missing, year, month, day, minute) an attribute like any other, so that missing
dates go with the attributes that explain them.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
from pydantic import Field

from datareplicator.dates import Precision
from datareplicator.document import Document, Floats, Ints
from datareplicator.model.anchors import AT_NEXT
from datareplicator.model.attributes import AttributeModel, fit_attributes
from datareplicator.model.coding import is_number, to_float
from datareplicator.model.ends import LAST_DAY, covers, days_over
from datareplicator.model.identity import IdentifierModel, fit_identifier
from datareplicator.model.levels import is_measured
from datareplicator.model.offsets import ClockModel, OffsetModel, fit_clock, fit_offsets
from datareplicator.model.personal import LAID_OUT, layout
from datareplicator.model.prepare import Prepared
from datareplicator.structure.spec import ColumnSpec, Kind, Layout, TableSpec

PRECISION = "precision of "
OWN = "own "
BEFORE = "before: "
MARGIN = 0.1
CLOCK_KNOTS = 33
LEAST_APART = 8
"""Subjects in all of whom two rows lie apart, from which on it is a rule."""
LEAST_ROOM = 100
"""Numbers kept for each subject's rows at least, where rows are numbered through the study."""


class DateColumn(Document):
    """One date column. `text`: written as ISO 8601 text; `clock`: the times of day, where there are any; `together`:
    all rows of a subject's visit carry one date; `ascending`: a later visit never has an earlier date; `low`, `high`:
    float by visit, the days between which the dates of a visit lie (empty: no bound); `over`: the most days by which
    a date follows each of the days that end a study (see `ends.py`); `covers`: it never comes before the last visit;
    `by_next`: it never comes after the next visit; `dated`: a table of visits says when visits were, so that their own
    days are within their range whatever it is; `apart`: codes of rows that never share the day of the row before.
    """

    column: str
    text: bool
    offsets: OffsetModel
    clock: ClockModel | None
    together: bool = False
    ascending: bool = False
    low: Floats = Field(default_factory=lambda: np.empty(0))
    high: Floats = Field(default_factory=lambda: np.empty(0))
    over: dict[str, float] = Field(default_factory=dict)
    covers: bool = False
    by_next: bool = False
    dated: bool = False
    apart: Ints = Field(default_factory=lambda: np.empty(0, dtype=np.int64))


class RowIdentifier(Document):
    """An identifier of rows, numbered within the subject or through the study."""

    scope: Literal["subject", "study"]
    model: IdentifierModel


class ReferenceColumn(Document):
    """A column that names a row of `parent` (of the same subject) by `parent_column`; `missing` a share of rows;
    `own_date` and `parent_date` pick the nearest row where both are known."""

    column: str
    parent: str
    parent_column: str
    missing: float
    own_date: str | None = None
    parent_date: str | None = None


class RowsModel(Document):
    """All that is drawn for the rows of one table once they exist. `dates` in the order in which they are drawn;
    `chain`: a date may follow the row before it. `personal`: kinds of personal data by column, `absent` the share of
    the subjects who have none of it."""

    table: str
    attributes: AttributeModel
    dates: tuple[DateColumn, ...] = ()
    chain: bool = False
    identifiers: tuple[RowIdentifier, ...] = ()
    personal: dict[str, str] = Field(default_factory=dict)
    absent: dict[str, float] = Field(default_factory=dict)
    layouts: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    references: tuple[ReferenceColumn, ...] = ()


def fit_rows(
    prepared: Prepared,
    spec: TableSpec,
    columns: list[str],
    context: pd.DataFrame,
    anchors: dict[str, np.ndarray],
    code: np.ndarray,
    *,
    rows: np.ndarray | None = None,
    hard: tuple[str, ...] = (),
    extra: pd.DataFrame | None = None,
    chain: bool = False,
    visit: np.ndarray | None = None,
    ends: dict[str, np.ndarray] | None = None,
    min_subjects: int = 1,
) -> RowsModel:
    """Learn `columns` of a table.

    `context`: one row a row of the table (see `context.row_context`); `anchors`: candidate days by name, float a row,
    relative to the subject's anchor; `code`: int a row that dates depend on (-1 unknown); `rows`: the rows to use
    (bool, all with a subject where None); `extra`: further attributes to be drawn with the table's own; `chain`: rows
    follow each other within a subject, so that a date may follow the row before. Every date may follow those of its
    row that come before it: start, end, then the others. `visit`: int a row; the rows of a subject's visit may share
    their date. `ends`: float per subject, the days that end a study.
    """
    options = (rows, hard, extra, chain, visit, ends, min_subjects)
    return prepared.parts.take(
        f"rows of {spec.name}",
        (spec, columns, context, anchors, code, options, _beside(prepared, spec, columns)),
        lambda: _fit_rows(prepared, spec, columns, context, anchors, code, *options),
    )


def _beside(prepared: Prepared, spec: TableSpec, columns: list[str]) -> list[object]:
    """What rows are learned from of their own table, and of those that they name rows of."""
    structure, out = prepared.structure, []
    keys = [key for key in structure.foreign_keys if key.table == spec.name]
    own = [c for c in columns if c in prepared.frames[spec.name]]
    for name in dict.fromkeys([spec.name, *(key.parent for key in keys)]):
        parent = structure.tables[name]
        named = own if name == spec.name else [parent.start, parent.date, *(c for k in keys for c in k.parent_columns)]
        frame = prepared.frames[name]
        out += [frame[[c for c in dict.fromkeys(named) if c in frame]], prepared.subject.get(name), parent.layout]
    derived = sorted(d.target for d in structure.derivations if d.table == spec.name)
    return [*out, keys, derived, prepared.anchor, structure.root, structure.visit_table]


def _fit_rows(
    prepared: Prepared,
    spec: TableSpec,
    columns: list[str],
    context: pd.DataFrame,
    anchors: dict[str, np.ndarray],
    code: np.ndarray,
    rows: np.ndarray | None,
    hard: tuple[str, ...],
    extra: pd.DataFrame | None,
    chain: bool,
    visit: np.ndarray | None,
    ends: dict[str, np.ndarray] | None,
    min_subjects: int,
) -> RowsModel:
    frame, subject = prepared.frames[spec.name], prepared.subject[spec.name]
    use = subject >= 0 if rows is None else rows & (subject >= 0)
    by_kind = _sort(prepared, spec, columns)
    targets = frame[by_kind["attribute"]].copy()
    if extra is not None:
        targets = pd.concat([targets, extra], axis=1)
    for name in by_kind["date"]:
        targets[PRECISION + name] = precision_text(prepared.moment(spec.name, name).precision)
    attributes = fit_attributes(
        targets[use].reset_index(drop=True),
        context[use].reset_index(drop=True),
        subject[use],
        hard=hard,
        min_subjects=min_subjects,
        numbers=_measured(targets[use], subject[use]),
        levels=True,
    )
    candidates = {k: v[use] for k, v in anchors.items()}
    dates = []
    if chain:
        candidates = _before(prepared, spec, by_kind["date"], use) | candidates
    for name in by_kind["date"]:
        made = _fit_date(prepared, spec, name, candidates, code[use], use)
        if visit is not None:
            made = made.model_copy(update=_by_visit(prepared, spec, name, visit, use, anchors.get(AT_NEXT)))
        day = rough_days(prepared, spec.name, name)[use]
        update: dict[str, object] = {"over": days_over(day, subject[use], ends or {})}
        if spec.name == prepared.structure.root and LAST_DAY in (ends or {}):
            update["covers"] = covers(by_subject(prepared, spec.name, name), (ends or {})[LAST_DAY])
        made = made.model_copy(update=update)
        dates.append(made)
        candidates = {OWN + name: rough_days(prepared, spec.name, name)[use]} | candidates
    return RowsModel(
        table=spec.name,
        attributes=attributes,
        dates=tuple(dates),
        chain=chain,
        identifiers=tuple(_fit_row_identifier(prepared, spec, name) for name in by_kind["identifier"]),
        personal={name: spec.column(name).pii or "name" for name in by_kind["personal"]},
        layouts={
            name: found
            for name in by_kind["personal"]
            if (found := _layouts(frame[name][use], subject[use], spec.column(name).pii, min_subjects))
        },
        absent=_absent(frame[by_kind["personal"]][use], subject[use]),
        references=tuple(_fit_reference(prepared, spec, name) for name in by_kind["reference"]),
    )


def _absent(values: pd.DataFrame, subject: np.ndarray) -> dict[str, float]:
    """The share of the subjects who have no value of a column, where there are such."""
    share = (~values.notna().groupby(subject).any()).mean()
    return {str(name): round(float(part), 4) for name, part in share.items() if part > 0}


def _layouts(values: pd.Series, subject: np.ndarray, kind: str | None, min_subjects: int) -> tuple[str, ...]:
    """How personal data of some kinds are written, each layout of two subjects or more in its share (of twenty)."""
    present = values.notna().to_numpy()
    if kind not in LAID_OUT or not present.any():
        return ()
    text = values[present].astype(str).map(layout)
    held = pd.Series(subject[present]).groupby(text.to_numpy()).nunique().sort_values(ascending=False, kind="stable")
    shared = held[held >= max(2, min_subjects)]
    shared = shared if len(shared) else held.iloc[:1]
    times = np.maximum(np.round(20 * shared / shared.sum()), 1).astype(int)
    return tuple(str(name) for name in np.repeat(times.index.to_numpy(), times.to_numpy()))


def precision_text(precision: np.ndarray) -> pd.Series:
    """Precision as a category of the attributes model; a missing date is missing."""
    text = pd.Series(precision.astype(int)).astype(str)
    return text.where(precision > 0)


def rough_days(prepared: Prepared, table: str, column: str) -> np.ndarray:
    """Days relative to the anchor; partial dates at the middle of their month or year."""
    moments = prepared.moment(table, column)
    year, month = moments.year, np.where(np.isfinite(moments.month), moments.month, 7)
    whole = np.isfinite(year) & (year > 1000)
    months = (np.where(whole, year, 1970) - 1970) * 12 + np.where(whole, month, 1) - 1
    middle = months.astype("int64").astype("datetime64[M]").astype("datetime64[D]").astype(float) + 14
    rough = np.where(whole & moments.valid, middle, np.nan)
    day = np.where(np.isfinite(moments.day), moments.day, rough)
    return day - prepared.per_row(table, prepared.anchor)


def _sort(prepared: Prepared, spec: TableSpec, columns: list[str]) -> dict[str, list[str]]:
    out: dict[str, list[str]] = {"attribute": [], "date": [], "identifier": [], "personal": [], "reference": []}
    for name in columns:
        out[role_of(prepared, spec, spec.column(name))].append(name)
    out["date"].sort(key=lambda c: (c != spec.start, c != spec.end))
    return out


def _before(prepared: Prepared, spec: TableSpec, names: list[str], use: np.ndarray) -> dict[str, np.ndarray]:
    """For rows in the table's order the dates of the row before of the same subject, the end first."""
    subject = prepared.subject[spec.name][use]
    out = {}
    for name in reversed(names[:2]):
        days = pd.Series(rough_days(prepared, spec.name, name)[use])
        out[BEFORE + name] = days.groupby(subject).shift(1).to_numpy(dtype=float)
    return out


def role_of(prepared: Prepared, spec: TableSpec, column: ColumnSpec) -> str:
    """How a free column is made: "reference", "date", "personal", "identifier" (numbered) or "attribute"."""
    if parent_of(prepared, spec, column.name) is not None:
        return "reference"
    if column.kind == Kind.DATE:
        return "date"
    if column.kind == Kind.PII:
        return "personal"
    if column.kind == Kind.IDENTIFIER:
        frame = prepared.frames[spec.name]
        key = [c for c in (spec.subject, column.name) if c]
        present = frame[frame[column.name].notna()]
        return "identifier" if not present.duplicated(key).any() else "attribute"
    return "attribute"


def parent_of(prepared: Prepared, spec: TableSpec, column: str) -> tuple[str, str] | None:
    """The table of the same subjects whose rows a column names, and by which column."""
    for key in prepared.structure.foreign_keys:
        if key.table != spec.name or column not in key.columns or column == spec.visit or key.parent == spec.name:
            continue
        parent = prepared.structure.tables[key.parent]
        if parent.layout == Layout.REFERENCE or parent.subject == key.parent_columns[key.columns.index(column)]:
            continue
        if key.parent == prepared.structure.root or len([c for c in key.columns if c != spec.subject]) != 1:
            continue
        return key.parent, key.parent_columns[key.columns.index(column)]
    return None


def _fit_date(
    prepared: Prepared, spec: TableSpec, name: str, anchors: dict[str, np.ndarray], code: np.ndarray, use: np.ndarray
) -> DateColumn:
    target = rough_days(prepared, spec.name, name)[use]
    moments = prepared.moment(spec.name, name)
    precision = moments.precision[use]
    subject = prepared.subject[spec.name][use]
    clock = None
    timed = precision > Precision.DAY
    if timed.any():
        key = clock_key(subject, target)[timed]
        level = precision[timed].astype(np.int64)
        clock = fit_clock(moments.second[use][timed], level, key, np.full(len(key), -1), subject[timed])
    present = np.isfinite(target)
    offsets = fit_offsets(target[present], {k: v[present] for k, v in anchors.items()}, code[present], subject[present])
    text = pd.api.types.is_string_dtype(prepared.frames[spec.name][name].dtype)
    apart = _apart(target - anchors[BEFORE + name], code, subject) if BEFORE + name in anchors else []
    return DateColumn(column=name, text=text, offsets=offsets, clock=clock, apart=np.array(apart, dtype=np.int64))


def _measured(targets: pd.DataFrame, subject: np.ndarray) -> tuple[str, ...]:
    """The columns that are measurements with a level of the subject, however few values they have."""
    columns = [c for c in targets.columns if is_number(targets[c])]
    return tuple(str(c) for c in columns if is_measured(to_float(targets[c]), subject))


def _apart(gap: np.ndarray, code: np.ndarray, subject: np.ndarray) -> list[int]:
    """The codes whose rows lie a day or more after the row before, in every one of enough subjects: each for itself, or
    all together. `gap`: float a row."""
    known = np.isfinite(gap) & (code >= 0)
    if known.any() and gap[known].min() >= 1 and len(np.unique(subject[known])) >= LEAST_APART:
        return np.unique(code[code >= 0]).tolist()
    out = []
    for k in np.unique(code[known]):
        mine = known & (code == k)
        if gap[mine].min() >= 1 and len(np.unique(subject[mine])) >= LEAST_APART:
            out.append(int(k))
    return out


def _by_visit(
    prepared: Prepared, spec: TableSpec, name: str, visit: np.ndarray, use: np.ndarray, following: np.ndarray | None
) -> dict[str, bool | np.ndarray]:
    """Whether nine of ten visits with several rows have one date, whether dates follow the visits (99 of 100), and
    whether they come by the day of the next visit (`following`, float a row; 199 of 200)."""
    day = rough_days(prepared, spec.name, name)[use]
    groups = pd.Series(day).groupby([prepared.subject[spec.name][use], visit[use]])
    several = groups.size() > 1
    first = groups.min().dropna()
    step = first.groupby(level=0).diff().dropna()
    low, high = _bounds(day, visit[use])
    return {
        "low": low,
        "high": high,
        "together": bool(((groups.max() - groups.min())[several] == 0).mean() >= 0.9) if several.any() else False,
        "dated": prepared.structure.visit_table is not None,
        "by_next": _by_next(day, following[use]) if following is not None else False,
        "ascending": bool((step >= 0).mean() >= 0.99) if len(step) else False,
    }


def _by_next(day: np.ndarray, following: np.ndarray) -> bool:
    known = np.isfinite(day) & np.isfinite(following)
    return bool(known.any() and (np.floor(day) <= following)[known].mean() >= 0.995)


def by_subject(prepared: Prepared, table: str, column: str) -> np.ndarray:
    """Each subject's latest day in a column, relative to the anchor; NaN for subjects without."""
    day, subject = rough_days(prepared, table, column), prepared.subject[table]
    latest = np.full(prepared.n, -np.inf)
    known = np.isfinite(day) & (subject >= 0)
    np.maximum.at(latest, subject[known], day[known])
    return np.where(np.isfinite(latest), latest, np.nan)


def _bounds(day: np.ndarray, visit: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The range of days of each visit with a margin of a tenth; NaN for visits without any."""
    size = int(visit.max(initial=-1)) + 1
    known = np.isfinite(day) & (visit >= 0)
    low, high = np.full(size, np.inf), np.full(size, -np.inf)
    np.minimum.at(low, visit[known], day[known])
    np.maximum.at(high, visit[known], day[known])
    seen = np.isfinite(low)
    margin = np.where(seen, np.floor(MARGIN * np.where(seen, high - low, 0.0)), 0.0)
    return np.where(seen, low - margin, np.nan), np.where(seen, high + margin, np.nan)


def clock_key(subject: np.ndarray, day: np.ndarray) -> np.ndarray:
    """Rows of one subject on one day: they may carry one time."""
    return subject.astype(np.int64) * 1_000_000 + np.nan_to_num(day, nan=-500_000).astype(np.int64) + 500_000


def _fit_row_identifier(prepared: Prepared, spec: TableSpec, name: str) -> RowIdentifier:
    frame, subject = prepared.frames[spec.name], prepared.subject[spec.name]
    values = frame[name]
    rows = np.bincount(subject[subject >= 0], minlength=1)
    most = int(rows.max())
    # Within one subject a number of its own cannot be told from one through the study, but for the table's key.
    through = values.dropna().is_unique and ((rows > 0).sum() > 1 or spec.key == (name,))
    if through:
        stride = 1 if most <= 1 and len(values) <= prepared.n else max(LEAST_ROOM, 10 ** len(str(4 * most)))
        return RowIdentifier(scope="study", model=fit_identifier(values, frame[[]], stride=stride))
    model = fit_identifier(values, frame[[spec.subject]] if spec.subject else frame[[]])
    return RowIdentifier(scope="subject", model=model.model_copy(update={"start": 1}))


def _fit_reference(prepared: Prepared, spec: TableSpec, name: str) -> ReferenceColumn:
    found = parent_of(prepared, spec, name)
    assert found is not None
    parent = prepared.structure.tables[found[0]]
    return ReferenceColumn(
        column=name,
        parent=found[0],
        parent_column=found[1],
        missing=float(prepared.frames[spec.name][name].isna().mean()),
        own_date=spec.start or spec.date,
        parent_date=parent.start or parent.date,
    )

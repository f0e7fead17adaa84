"""The table of subjects in a block."""

from __future__ import annotations

import numpy as np
import pandas as pd

from datareplicator.generate.columns import column_so_far
from datareplicator.generate.rows import fill_rows
from datareplicator.generate.state import State
from datareplicator.generate.subjects import SubjectDraw
from datareplicator.model.assigned import labels, sample_assigned
from datareplicator.model.context import MARK, row_context
from datareplicator.model.ends import visit_ends
from datareplicator.model.fit_root import ROOT_END
from datareplicator.model.identity import sample_identifier
from datareplicator.model.study_model import Birth, Flag, RootModel, StudyModel
from datareplicator.model.training import day_anchors
from datareplicator.structure.spec import TableSpec


def make_root(model: StudyModel, state: State, draw: SubjectDraw) -> None:
    """Allocation, covariates, outcomes, dates and identifiers of the block's subjects."""
    root, spec = model.root, model.structure.tables[model.root.table]
    subjects = state.subjects
    index = np.arange(subjects.n)
    frame = pd.DataFrame(index=pd.RangeIndex(subjects.n))
    state.frames[root.table], state.subject[root.table] = frame, index
    for column, values, code in ((root.group, root.groups, draw.group_shown), (root.site, root.sites, draw.site_shown)):
        if column is not None:
            frame[column] = typed_allocation(spec, column, values, code)
    if root.assigned is not None:
        u = state.streams.get("assigned").random(subjects.n)
        codes = draw.assigned, draw.assigned_shown
        like, shown = (sample_assigned(root.assigned, subjects.group, u, code) for code in codes)
        for name, values in like.items():
            frame[name] = covariate_column(spec, name, shown[name])
            state.context[MARK + name] = labels(values)
    for name in root.covariates:
        frame[name] = covariate_column(spec, name, subjects.covariates[name])
    for birth in root.births:
        days = _birth_days(birth, state)
        precision = np.where(np.isfinite(days), birth.precision, 0)
        state.write_date(root.table, birth.column, days, precision, None, birth.text)
    anchors = day_anchors(index, None, state.visits, subjects, {})
    state.ends.update(visit_ends(state.visits, subjects))
    drawn = fill_rows(root.outcomes, state, row_context(state.context, index, {}), anchors, subjects.stratum)
    for name in drawn.columns:
        if name in frame and name not in {f.name for f in root.flags}:
            state.context[MARK + name] = drawn[name].reset_index(drop=True)
    for flag in root.flags:
        state.context[MARK + flag.name] = _flag(model, flag, state, drawn)
        if flag.name in frame:
            del frame[flag.name]
    state.last = _last_days(root, state)
    _end_dates(root, state)
    for date in root.outcomes.dates:
        if date.covers:
            state.ends[ROOT_END + date.column] = state.days[root.table, date.column]
    for identifier in root.identifiers:
        parts = [token.text for token in identifier.tokens if token.kind == "column"]
        columns = pd.DataFrame({c: column_so_far(model.structure, root.table, c, state) for c in parts})
        frame[identifier.column] = sample_identifier(identifier, state.numbers, columns)


def _flag(model: StudyModel, flag: Flag, state: State, drawn: pd.DataFrame) -> pd.Series:
    """Y or N for each subject."""
    if flag.drawn:
        return drawn[flag.name].reset_index(drop=True)
    values = column_so_far(model.structure, model.root.table, flag.column, state)
    holds = (values.astype(object).map(str) == flag.value).to_numpy(dtype=bool)
    return pd.Series(np.where(holds, "Y", "N")).astype("category")


def _last_days(root: RootModel, state: State) -> np.ndarray:
    """The day after which nothing of a subject happens: infinite but for those whose study a fact ends."""
    last = np.full(state.subjects.n, np.inf)
    for fact in root.facts:
        day = state.days.get((root.table, fact.root))
        if fact.terminal and fact.flag is not None and day is not None:
            last = np.where(flagged(state, fact.flag) & np.isfinite(day), np.fmin(last, day), last)
    return last


def _end_dates(root: RootModel, state: State) -> None:
    """No date of the root lies after a subject's last day."""
    frame = state.frames[root.table]
    for fact in root.facts:
        if not fact.terminal or fact.root not in frame:
            continue
        for date in root.outcomes.dates:
            day = state.days[root.table, date.column]
            over = day > state.last
            if over.any():
                end = frame[fact.root].astype(object)
                frame[date.column] = frame[date.column].astype(object).where(~over, end)
                state.days[root.table, date.column] = np.where(over, state.last, day)


def _birth_days(birth: Birth, state: State) -> np.ndarray:
    """Days of birth from the anchor; between two birthdays, with a month to spare on either side, where the age is
    stated (it may have been taken at consent)."""
    covariates = state.subjects.covariates
    if birth.age is None:
        return np.floor(covariates[birth.column].to_numpy(dtype=float))
    since = 0.1 + 0.8 * state.streams.get("birth", birth.column).random(state.subjects.n)
    return -np.floor((covariates[birth.age].to_numpy(dtype=float) + since) * 365.25)


def typed_allocation(spec: TableSpec, column: str, values: tuple[str, ...], code: np.ndarray) -> pd.Series:
    """An allocation column in the source's type; sites may be numbers."""
    text = pd.Series(pd.Categorical.from_codes(code, categories=pd.Index(values, dtype="str")))
    if spec.column(column).encoding == "text":
        return text
    return pd.to_numeric(text.astype("object"), errors="coerce")


def covariate_column(spec: TableSpec, name: str, values: pd.Series) -> pd.Series:
    """A covariate in the source's type."""
    if spec.column(name).encoding in ("integer", "float") and isinstance(values.dtype, pd.CategoricalDtype):
        return pd.to_numeric(values.astype("object"), errors="coerce")
    return values.reset_index(drop=True)


def flagged(state: State, name: str) -> np.ndarray:
    """The subjects for whom a flag holds."""
    column = MARK + name
    if column not in state.context:
        return np.zeros(state.subjects.n, dtype=bool)
    return (state.context[column].astype(object) == "Y").to_numpy(dtype=bool)

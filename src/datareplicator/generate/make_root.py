"""The table of subjects in a block."""

from __future__ import annotations

import numpy as np
import pandas as pd

from datareplicator.generate.rows import fill_rows
from datareplicator.generate.state import State
from datareplicator.model.context import MARK, row_context
from datareplicator.model.identity import sample_identifier
from datareplicator.model.study_model import RootModel, StudyModel
from datareplicator.model.training import day_anchors
from datareplicator.structure.spec import TableSpec


def make_root(model: StudyModel, state: State) -> None:
    """Allocation, covariates, outcomes, dates and identifiers of the block's subjects."""
    root, spec = model.root, model.structure.tables[model.root.table]
    subjects = state.subjects
    index = np.arange(subjects.n)
    frame = pd.DataFrame(index=pd.RangeIndex(subjects.n))
    state.frames[root.table], state.subject[root.table] = frame, index
    for column, values, code in ((root.group, root.groups, subjects.group), (root.site, root.sites, subjects.site)):
        if column is not None:
            frame[column] = _typed(spec, column, values, code)
    for name in root.covariates:
        frame[name] = _covariate(spec, name, subjects.covariates[name])
    for birth in root.births:
        days = np.floor(subjects.covariates[birth.column].to_numpy(dtype=float))
        precision = np.where(np.isfinite(days), birth.precision, 0)
        state.write_date(root.table, birth.column, days, precision, None, birth.text)
    anchors = day_anchors(index, None, state.visits, subjects, {})
    drawn = fill_rows(root.outcomes, state, row_context(state.context, index, {}), anchors, subjects.stratum)
    _add_context(root, state, drawn)
    state.last = _last_days(root, state)
    for identifier in root.identifiers:
        frame[identifier.column] = sample_identifier(identifier, state.numbers, frame)


def _last_days(root: RootModel, state: State) -> np.ndarray:
    """The day after which nothing of a subject happens: infinite but for those whose study a fact ends."""
    last = np.full(state.subjects.n, np.inf)
    for fact in root.facts:
        day = state.days.get((root.table, fact.root))
        if fact.terminal and fact.flag is not None and day is not None:
            last = np.where(flagged(state, fact.flag) & np.isfinite(day), np.fmin(last, day), last)
    return last


def _typed(spec: TableSpec, column: str, values: tuple[str, ...], code: np.ndarray) -> pd.Series:
    """An allocation column in the source's type; sites may be numbers."""
    text = pd.Series(pd.Categorical.from_codes(code, categories=pd.Index(values, dtype="str")))
    if spec.column(column).encoding == "text":
        return text
    return pd.to_numeric(text.astype("object"), errors="coerce")


def _covariate(spec: TableSpec, name: str, values: pd.Series) -> pd.Series:
    if spec.column(name).encoding in ("integer", "float") and isinstance(values.dtype, pd.CategoricalDtype):
        return pd.to_numeric(values.astype("object"), errors="coerce")
    return values.reset_index(drop=True)


def _add_context(root: RootModel, state: State, drawn: pd.DataFrame) -> None:
    """Outcomes and flags become part of the context of all further rows."""
    frame = state.frames[root.table]
    for name in drawn.columns:
        if name in root.flags:
            state.context[MARK + name] = drawn[name].reset_index(drop=True)
            frame.drop(columns=[name], inplace=True)
        elif name in frame:
            state.context[MARK + name] = drawn[name].reset_index(drop=True)


def flagged(state: State, name: str) -> np.ndarray:
    """The subjects for whom a flag holds."""
    column = MARK + name
    if column not in state.context:
        return np.zeros(state.subjects.n, dtype=bool)
    return (state.context[column].astype(object) == "Y").to_numpy(dtype=bool)

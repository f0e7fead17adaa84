"""The known columns of event rows that terms, leads, attributes and durations are learned and drawn from.

Fitting and sampling build them with the same functions, so that a column means the same in both.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from datareplicator.model.eventrows import EventRows
from datareplicator.model.onset import OnsetModel
from datareplicator.model.subjects import Subjects

CODE = "__code__"
"""The context column that holds a row's code."""


def usable_covariates(covariates: pd.DataFrame) -> tuple[str, ...]:
    """Columns that rows can sensibly depend on: numbers, and categories with far fewer values than subjects."""
    kept = []
    for name in covariates.columns:
        values = covariates[name]
        distinct = values.nunique()
        number = pd.api.types.is_numeric_dtype(values.dtype)
        datelike = pd.api.types.is_datetime64_any_dtype(values.dtype) or pd.api.types.is_timedelta64_dtype(values.dtype)
        if distinct > 1 and not datelike and (number or distinct <= max(2, min(12, len(values) // 5))):
            kept.append(str(name))
    return tuple(kept)


def subject_context(subjects: Subjects, covariates: tuple[str, ...]) -> pd.DataFrame:
    """The subject columns that rows depend on, one row a subject: covariates, arm and stratum."""
    context = subjects.covariates.reindex(columns=list(covariates)).reset_index(drop=True)
    return context.assign(__arm__=_index(subjects.group), __stratum__=_index(subjects.stratum))


def _index(codes: np.ndarray) -> pd.Categorical:
    codes = np.asarray(codes, dtype=np.int64)
    return pd.Categorical.from_codes(codes, categories=pd.Index([str(i) for i in range(codes.max(initial=0) + 1)]))


def row_context(
    base: pd.DataFrame,
    code: pd.Series | None,
    group: pd.Series | None,
    on: np.ndarray,
    start: np.ndarray,
    last_day: np.ndarray,
    same_day: np.ndarray,
) -> pd.DataFrame:
    """What attributes may depend on: the subject, the term and its class, and where the row stands in time."""
    columns: dict[str, object] = {
        "__on__": pd.Categorical(on),
        "__lead__": np.where(on, np.nan, -start),
        "__room__": np.where(on, last_day - start, np.nan),
        "__same_day__": pd.Categorical(same_day),
    }
    if code is not None:
        columns[CODE] = code.to_numpy() if not isinstance(code.dtype, pd.CategoricalDtype) else code.array
    if group is not None:
        columns["__class__"] = group.to_numpy() if not isinstance(group.dtype, pd.CategoricalDtype) else group.array
    return base.assign(**columns)


def lead_context(base: pd.DataFrame, code: pd.Series | None, group: pd.Series | None) -> pd.DataFrame:
    """What the lead of a row that began before the study may depend on: the subject, the term and its class."""
    columns = {} if code is None else {CODE: code.array}
    return base.assign(**columns, **({} if group is None else {"__class__": group.array}))


def term_context(
    base: pd.DataFrame, on: np.ndarray, start: np.ndarray, same_day: np.ndarray, onset: OnsetModel
) -> pd.DataFrame:
    """What a term may depend on: the subject, the regime, how early on study, and a start shared with another row."""
    early = np.where(on, np.clip(start, 0, onset.day[-1]), np.nan)
    return base.assign(__on__=pd.Categorical(on), __early__=early, __same_day__=pd.Categorical(same_day))


def find_donors(rows: EventRows, on: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """An earlier row of the same subject and regime for each row (-1 for the first): the row before where both begin
    on the same day, else any. Also whether the row begins on the day of an earlier one. Rows must be sorted."""
    m = len(rows)
    group = rows.subject * 2 + on
    first = np.r_[True, group[1:] != group[:-1]] if m else np.zeros(0, dtype=bool)
    begin = np.maximum.accumulate(np.where(first, np.arange(m), 0)) if m else np.zeros(0, dtype=np.int64)
    place = np.arange(m) - begin
    donor = begin + np.floor(rng.random(m) * place).astype(np.int64)
    day = np.floor(rows.start)
    same = ~first & np.r_[False, day[1:] == day[:-1]] if m else first
    donor = np.where(same, np.arange(m) - 1, donor)
    return np.where(first, -1, donor), same


def impute_starts(
    rows: EventRows, on: np.ndarray, onset: OnsetModel, last_day: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Starts (float[m]) with a plausible day where there is none: made rows always have one, so rows that are
    learned from must have one too. Before the study it is that of another row of the term, else of any row."""
    start = rows.start.copy()
    gap = on & np.isnan(start)
    value = onset.onset(rng.random(len(rows)), onset.total(last_day)[rows.subject])
    start = np.where(gap, np.maximum(value, 0.0), start)
    code = np.zeros(len(rows), dtype=np.int64) if rows.code is None else pd.factorize(rows.code)[0].astype(np.int64)
    for key in (code, np.zeros(len(rows), dtype=np.int64)):
        known = np.flatnonzero(~on & np.isfinite(start))
        need = np.flatnonzero(~on & np.isnan(start))
        known = known[np.argsort(key[known], kind="stable")]
        low, high = (np.searchsorted(key[known], key[need], side=side) for side in ("left", "right"))
        found = high > low
        pick = low + np.floor(rng.random(len(need)) * (high - low)).astype(np.int64)
        start[need[found]] = start[known[pick[found]]]
    return start


def record_groups(subject: np.ndarray, code: pd.Series | None, start: np.ndarray) -> np.ndarray:
    """A number for each combination of subject, term and day of start (int[m])."""
    term = np.zeros(len(subject), dtype=np.int64) if code is None else pd.factorize(code)[0]
    return pd.factorize(pd.MultiIndex.from_arrays([subject, term, np.floor(start)]))[0].astype(np.int64)

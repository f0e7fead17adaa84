"""Keep the drawn events of a subject apart as the source's are."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from datareplicator.model.eventkeys import Apart, row_records
from datareplicator.model.eventrows import EventRows

TRIES = 6


def draw_apart(
    model: Apart,
    record: np.ndarray,
    drawn: pd.DataFrame,
    fixed: np.ndarray,
    redraw: Callable[[np.ndarray], pd.DataFrame],
) -> tuple[pd.DataFrame, np.ndarray]:
    """The attributes `drawn`, those of rows that repeat another one of their record drawn again, at last told apart by
    hand; with which rows (bool[m]) repeat another one nevertheless. `fixed` rows stay as they are."""
    for _ in range(TRIES):
        again = np.flatnonzero(alike(model, record, drawn) & ~fixed)
        if model.alone or not len(again):
            break
        fresh = redraw(again)
        drawn = drawn.copy()
        for name in drawn.columns:
            drawn[name] = _put(drawn[name], again, fresh[name])
    for name, usual in model.columns.items():
        if usual and isinstance(drawn[name].dtype, pd.CategoricalDtype):
            drawn[name] = _told_apart(drawn[name], record, usual, fixed)
    return drawn, alike(model, record, drawn) & ~fixed


def _put(values: pd.Series, rows: np.ndarray, fresh: pd.Series) -> pd.Series:
    if isinstance(values.dtype, pd.CategoricalDtype):
        code = np.array(values.cat.codes, dtype=np.int64)
        code[rows] = fresh.cat.codes.to_numpy()
        return pd.Series(pd.Categorical.from_codes(code, dtype=values.dtype))
    out = values.to_numpy(copy=True)
    out[rows] = fresh.to_numpy()
    return pd.Series(out)


def alike(model: Apart, record: np.ndarray, values: pd.DataFrame) -> np.ndarray:
    """The rows that are what an earlier row of their record is, though the source's rows never are (bool[m])."""
    if model.alike:
        return np.zeros(len(record), dtype=bool)
    if model.alone:
        return pd.Series(record).duplicated().to_numpy()
    out = np.zeros(len(record), dtype=bool)
    for names in [[name] for name in model.columns] or [list(model.attributes)]:
        key = {name: _codes(values[name]) for name in names}
        out |= pd.DataFrame({"record of": record, **key}).duplicated().to_numpy()
    return out


def _codes(values: pd.Series) -> np.ndarray:
    return values.cat.codes.to_numpy() if isinstance(values.dtype, pd.CategoricalDtype) else values.to_numpy()


def _told_apart(values: pd.Series, record: np.ndarray, usual: tuple[str, ...], fixed: np.ndarray) -> pd.Series:
    """Different values in the rows of one record, as long as there are any: the most usual that the record lacks."""
    order = values.cat.categories.get_indexer(pd.Index(usual))
    order = np.append(order[order >= 0], -1)
    place = np.full(len(values.cat.categories) + 1, -1)
    place[order[:-1]] = np.arange(len(order) - 1)
    ranked = place[np.asarray(values.cat.codes, dtype=np.int64)]
    first = np.argsort(~fixed, kind="stable")
    told = ranked.copy()
    told[first] = _different(ranked[first], record[first], len(order) - 1)
    told = np.where(fixed, ranked, told)
    code = np.where(told == ranked, values.cat.codes, order[told])
    return pd.Series(pd.Categorical.from_codes(code, dtype=values.dtype))


def own_labels(values: pd.Series, rows: EventRows) -> pd.Series:
    """Give each record of a subject a label of its own: its first row's, or where another record has that the first
    label, in the order of the categories, that the subject does not have yet, as long as there is one."""
    record = row_records(rows)
    code = np.asarray(values.cat.codes, dtype=np.int64)
    first = np.unique(record, return_index=True)[1]
    label = _different(code[first], rows.subject[first], len(values.cat.categories))
    return pd.Series(pd.Categorical.from_codes(label[record], dtype=values.dtype))


def _different(code: np.ndarray, group: np.ndarray, width: int) -> np.ndarray:
    """Codes of which none (but -1) stands twice in a group: repeated ones become the group's lowest free ones, in
    order, while there are any."""
    twice = pd.DataFrame({"g": group, "v": code}).duplicated().to_numpy() & (code >= 0)
    if not twice.any():
        return code
    asking = np.flatnonzero(twice)
    groups, place = np.unique(group[asking], return_inverse=True)
    used = np.zeros((len(groups), width), dtype=bool)
    inside = np.flatnonzero(np.isin(group, groups) & (code >= 0))
    used[np.searchsorted(groups, group[inside]), code[inside]] = True
    nth = pd.Series(place).groupby(place).cumcount().to_numpy()
    free = ~used[place]
    hit = free & (np.cumsum(free, axis=1) == nth[:, None] + 1)
    out = code.copy()
    out[asking] = np.where(hit.any(axis=1), hit.argmax(axis=1), code[asking])
    return out

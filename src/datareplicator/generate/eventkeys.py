"""Keep the drawn events of a subject apart as the source's are."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from datareplicator.model.eventkeys import row_records
from datareplicator.model.eventrows import EventRows


def alike(rows: EventRows, apart: Mapping[str, tuple[str, ...]] | None) -> np.ndarray:
    """The rows that are what an earlier row of their record is, though the source's rows never are (bool[m])."""
    if apart is None:
        return np.zeros(len(rows), dtype=bool)
    record = pd.Series(row_records(rows))
    if not apart:
        return record.duplicated().to_numpy()
    out = np.zeros(len(rows), dtype=bool)
    for name in apart:
        out |= pd.DataFrame({"r": record, "v": rows.attributes[name].astype(object)}).duplicated().to_numpy()
    return out


def tell_apart(rows: EventRows, apart: Mapping[str, tuple[str, ...]] | None, fixed: np.ndarray) -> None:
    """Give rows of one record different values of the attributes `apart`, as long as there are any: the one drawn, or
    the most usual that the record lacks. Rows that are `fixed` (bool[m]) keep theirs."""
    record = row_records(rows)
    for name, usual in (apart or {}).items():
        values = rows.attributes[name]
        if not usual or not isinstance(values.dtype, pd.CategoricalDtype):
            continue
        order = values.cat.categories.get_indexer(pd.Index(usual))
        order = np.append(order[order >= 0], -1)
        place = np.full(len(values.cat.categories) + 1, -1)
        place[order[:-1]] = np.arange(len(order) - 1)
        ranked = place[np.asarray(values.cat.codes, dtype=np.int64)]
        first = np.argsort(~fixed, kind="stable")
        told = ranked.copy()
        told[first] = _different(ranked[first], record[first], len(order) - 1)
        code = np.where(told == ranked, values.cat.codes, order[told])
        rows.attributes[name] = pd.Series(pd.Categorical.from_codes(code, dtype=values.dtype))


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

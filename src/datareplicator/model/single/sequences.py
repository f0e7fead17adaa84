"""A table of series: rows with a time column, in one series or in one for each value of a key column."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from datareplicator.errors import Place, RequestError
from datareplicator.model.identity import fit_identifier
from datareplicator.model.single.columns import Learned, learn_column, plain
from datareplicator.model.single.detect import detect
from datareplicator.model.single.document import Variable
from datareplicator.model.single.joint import Scores
from datareplicator.model.single.marginals import fit_marginal, scores_of
from datareplicator.model.single.profile import TableProfile, profile_table
from datareplicator.model.single.source import SourceColumn, SourceTable
from datareplicator.model.single.within import learn_within

THIS_ROW = ""
"""Table of the variable that stands for the time of the row itself."""


def profile_sequence(source: SourceTable, time: str, key: str | None) -> TableProfile:
    """Learn a table of series. Raises RequestError where a column is not there or has no order."""
    for name in (time, *([key] if key is not None else [])):
        if name not in source.columns:
            raise RequestError(f"there is no column {name!r}.", hint=f"There are {', '.join(source.columns)}.")
    moment = learn_column(source.columns[time], detect(source.columns[time]))
    when = moment.detected.number
    if when is None or not np.isfinite(when).any():
        raise RequestError("the time column must hold dates or numbers.", place=Place(column=time))
    group = _codes(source.columns[key]) if key is not None else np.zeros(source.rows, dtype=np.int64)
    order = np.lexsort((when, group))
    order = order[np.isfinite(when[order]) & (group[order] >= 0)]
    source = SourceTable(
        {
            n: SourceColumn(n, c.data.take(pa.array(order)), c.pandas_dtype, c.categories, c.ordered)
            for n, c in source.columns.items()
        },
        len(order),
        source.frame,
    )
    when, group = when[order], group[order]
    whole = fit_marginal(np.sort(when), moment.decimals)
    given = Scores([Variable(column=time, table=THIS_ROW)], scores_of(whole, when)[:, None])
    apart = frozenset({time, key} if key is not None else {time})
    found = profile_table(source, apart=apart, given=given, whole=True)
    found.part["sequence"] = _series(time, key, when, group, moment, found)
    for learned in found.columns:
        if learned.name == time:
            learned.params["marginal"] = plain(whole)
            learned.params.pop("clock", None)
        elif learned.name == key:
            _new_keys(learned, source.columns[key].data.unique().drop_null())
    return found


def _codes(column: SourceColumn) -> np.ndarray:
    encoded = column.data if pa.types.is_dictionary(column.data.type) else column.data.dictionary_encode()
    return np.asarray(encoded.indices.cast(pa.int64()).fill_null(-1))


def _series(
    time: str, key: str | None, when: np.ndarray, group: np.ndarray, moment: Learned, found: TableProfile
) -> dict[str, Any]:
    first = np.flatnonzero(np.r_[True, group[1:] != group[:-1]])
    length = np.sort(np.diff(np.r_[first, len(group)])).astype(float)
    gap = np.diff(when)[group[1:] == group[:-1]]
    calendar = when if moment.entry["type"] == "datetime" else None
    matrix = np.array(found.part["correlation"]["matrix"])
    return {
        "key": key,
        "time": time,
        "length": plain(fit_marginal(length, 0)),
        "start": plain(fit_marginal(np.sort(when[first]), moment.decimals)),
        "gap": plain(fit_marginal(np.sort(gap) if len(gap) else np.zeros(1), moment.decimals)),
        "within": learn_within(found.variables, found.scores, matrix, group, calendar, ordered=True),
    }


def _new_keys(learned: Learned, distinct: pa.Array) -> None:
    """The pattern by which new series are named; names without any number are kept as they are."""
    values = distinct.to_pandas()
    if learned.entry["type"] == "datetime" or not any(any(c.isdigit() for c in str(v)) for v in values):
        return
    text = values if pd.api.types.is_integer_dtype(values.dtype) else values.astype(str)
    pattern = fit_identifier(text.rename(learned.name), pd.DataFrame(index=text.index))
    learned.params["identifier"] = pattern.model_dump(mode="json")

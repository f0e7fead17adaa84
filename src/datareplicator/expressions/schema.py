"""What an expression may name: tables, their columns and types, and how their rows find their subject."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from datareplicator.dates import Precision, parse
from datareplicator.expressions.signatures import Type

LOOKED_AT = 1_000
"""Distinct texts on which a column of texts is judged."""
DATED = 0.75
"""Share of them that must be ISO 8601 dates for a column of dates: the rest are errors in dates, and unknown."""


class FrameTypes(Mapping[str, Type]):
    """The types of a frame's columns, judged when first asked for."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self.frame = frame
        self._known: dict[str, Type] = {}

    def __getitem__(self, name: str) -> Type:
        if name not in self._known:
            self._known[name] = column_type(self.frame[name])
        return self._known[name]

    def __contains__(self, name: object) -> bool:
        return name in self.frame.columns

    def __iter__(self) -> Iterator[str]:
        return iter(self.frame.columns)

    def __len__(self) -> int:
        return len(self.frame.columns)


def column_type(column: pd.Series) -> Type:
    """The type of a column, from its dtype and, for texts, its values.

    >>> str(column_type(pd.Series(["2014-03", "2015-02-01"]))), str(column_type(pd.Series(["2014", "2015"])))
    ('date', 'text')
    """
    if isinstance(column.dtype, pd.CategoricalDtype):
        return column_type(pd.Series(column.cat.categories))
    dtype = column.dtype
    if pd.api.types.is_bool_dtype(dtype):
        return Type.TRUTH
    if pd.api.types.is_datetime64_any_dtype(dtype):
        return Type.DATE
    if pd.api.types.is_numeric_dtype(dtype) or pd.api.types.is_timedelta64_dtype(dtype):
        return Type.NUMBER
    distinct = pd.Series(np.asarray(column.dropna().unique()[:LOOKED_AT], dtype=object))
    if not len(distinct):
        return Type.ANY
    moments = parse(distinct.map(str).astype("str"))
    fine = bool((moments.precision[moments.valid] >= Precision.MONTH).any())
    return Type.DATE if fine and moments.valid.mean() >= DATED else Type.TEXT


@dataclass(frozen=True)
class Schema:
    """`table` is the table at hand; `tables` the columns and types of all. `subjects` names the subject key of each
    table that has one; `single` are the tables with at most one row a subject, whose variables others may use."""

    table: str
    tables: Mapping[str, Mapping[str, Type]]
    subjects: Mapping[str, str] = field(default_factory=dict)
    single: frozenset[str] = frozenset()

    @classmethod
    def of(
        cls, table: str, frames: Mapping[str, pd.DataFrame], subject: str | Mapping[str, str] | None = None
    ) -> Schema:
        """The schema of frames. `subject` is the name of the subject key, or one name a table."""
        if isinstance(subject, str):
            subjects = {name: subject for name, frame in frames.items() if subject in frame.columns}
        else:
            subjects = dict(subject or {})
        single = {name for name, key in subjects.items() if name in frames and not _repeats(frames[name][key])}
        return cls(table, {n: FrameTypes(f) for n, f in frames.items()}, subjects, frozenset(single))

    def at(self, table: str) -> Schema:
        """The same tables, with another one at hand."""
        return Schema(table, self.tables, self.subjects, self.single)

    def find_table(self, name: str) -> str | None:
        """A table by its name, in whatever case where that is clear."""
        return _find(name, self.tables)

    def find_column(self, table: str, name: str) -> str | None:
        """A column by its name, in whatever case where that is clear."""
        return _find(name, self.tables[table])


def _find(name: str, known: Mapping) -> str | None:
    if name in known:
        return name
    folded = [other for other in known if other.casefold() == name.casefold()]
    return folded[0] if len(folded) == 1 else None


def _repeats(key: pd.Series) -> bool:
    return bool(key.dropna().duplicated().any())

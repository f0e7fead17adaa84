"""Every column once: codes and distinct values, so that all later steps work on small arrays of integers.

Kinds, numbers and dates are determined on distinct values only; per-row views are made by indexing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd

from datareplicator.dates import Moments
from datareplicator.structure.kinds import classify
from datareplicator.structure.spec import ColumnSpec, Kind
from datareplicator.study import Column


@dataclass
class EncodedColumn:
    """One column. `codes`: int32 a row, -1 missing; `distinct`: the values in order of appearance (original type,
    integers exact); `number`: float64 per distinct value or None; `moments`: per distinct value, dates only."""

    name: str
    codes: np.ndarray
    distinct: pd.Index
    spec: ColumnSpec
    number: np.ndarray | None = None
    moments: Moments | None = None

    @property
    def kind(self) -> Kind:
        return self.spec.kind

    @cached_property
    def present(self) -> np.ndarray:
        """bool a row."""
        return self.codes >= 0

    @cached_property
    def numbers(self) -> np.ndarray:
        """float64 a row, NaN where missing or no number. All NaN for columns without numbers."""
        if self.number is None:
            return np.full(len(self.codes), np.nan)
        return np.append(self.number, np.nan)[self.codes]

    @cached_property
    def days(self) -> np.ndarray:
        """float64 a row, days since 1970-01-01, NaN where the day is unknown. All NaN unless a date column."""
        if self.moments is None:
            return np.full(len(self.codes), np.nan)
        return np.append(self.moments.day, np.nan)[self.codes]

    @cached_property
    def texts(self) -> np.ndarray:
        """The distinct values as text, whole numbers without a decimal point (object array)."""
        return np.array([plain_text(value) for value in self.distinct], dtype=object)

    @cached_property
    def counts(self) -> np.ndarray:
        """Rows per distinct value."""
        return np.bincount(self.codes[self.present], minlength=len(self.distinct))


@dataclass
class EncodedTable:
    """A table's encoded columns beside its frame of `n` rows."""

    name: str
    frame: pd.DataFrame
    columns: dict[str, EncodedColumn]
    n: int

    def __getitem__(self, column: str) -> EncodedColumn:
        return self.columns[column]

    def __contains__(self, column: object) -> bool:
        return column in self.columns


@dataclass
class Context:
    """A study, encoded: what every step of discovery works on.

    `tables` are the logical tables without supplements. `subject` is the subject key's name, `root` the table with one
    row a subject, `subject_columns` what the key is called per table. `subjects` holds the distinct subjects;
    `subject_codes[table]` gives, a row, the index into them (int32, -1 unknown) and is absent for tables that no
    subject reaches; `root_rows` gives, per subject, the row in the root (-1 where the root lacks the subject).
    `order[table]` lists the rows sorted by subject, in the table's own order within a subject.

    Filled as discovery goes on: `constant[table]`, columns of child tables that repeat a root column (name ->
    root column) or never vary within a subject (name -> ""); `same[table]`, columns equal to another one
    of their table (name -> representative); `sequence[table]`, the row number; `test`, `visit`: as in `TableSpec`.
    """

    tables: dict[str, EncodedTable]
    subject: str | None = None
    root: str | None = None
    subject_columns: dict[str, str] = field(default_factory=dict)
    subjects: pd.Index = field(default_factory=lambda: pd.Index([]))
    subject_codes: dict[str, np.ndarray] = field(default_factory=dict)
    constant: dict[str, dict[str, str]] = field(default_factory=dict)
    same: dict[str, dict[str, str]] = field(default_factory=dict)
    sequence: dict[str, str | None] = field(default_factory=dict)
    test: dict[str, str | None] = field(default_factory=dict)
    visit: str | None = None

    @property
    def n_subjects(self) -> int:
        return len(self.subjects)

    @cached_property
    def root_rows(self) -> np.ndarray:
        rows = np.full(self.n_subjects, -1, dtype=np.int64)
        if self.root is not None:
            codes = self.subject_codes[self.root]
            known = np.flatnonzero(codes >= 0)
            rows[codes[known][::-1]] = known[::-1]
        return rows

    @cached_property
    def order(self) -> dict[str, np.ndarray]:
        return {name: np.argsort(codes, kind="stable") for name, codes in self.subject_codes.items()}

    def has_subject(self, table: str) -> bool:
        """Whether the table carries the subject key itself, under its name in the root."""
        return self.subject is not None and self.subject_columns.get(table) == self.subject

    def per_row(self, table: str, per_subject: np.ndarray) -> np.ndarray:
        """A float array per subject, as seen from the rows of a table; NaN where the subject is unknown."""
        return np.append(per_subject.astype(float), np.nan)[self.subject_codes[table]]

    def candidates(self, table: str) -> list[str]:
        """Columns worth a look in templates: not empty, no copy of the root, one of each identical group."""
        skip = set(self.constant.get(table, {})) | set(self.same.get(table, {}))
        return [name for name, c in self.tables[table].columns.items() if c.kind != Kind.EMPTY and name not in skip]


def plain_text(value: object) -> str:
    """A value as it stands in a pointer column: whole numbers without a decimal point.

    >>> plain_text(3.0), plain_text(" 7"), plain_text(20140305123456789)
    ('3', '7', '20140305123456789')
    """
    if isinstance(value, float | np.floating):
        return str(int(value)) if np.isfinite(value) and value == np.floor(value) else f"{value:.12g}"
    return str(value).strip()


def encode_column(name: str, values: pd.Series, source: Column | None = None) -> EncodedColumn:
    """Encode one column of a normalised frame. Integers of any length stay exact."""
    codes, distinct = pd.factorize(values)
    series = pd.Series(distinct)
    rows = int((codes >= 0).sum())
    found = classify(name, series, rows)
    spec = ColumnSpec(
        name=name,
        kind=found.kind,
        encoding=source.type if source is not None else encoding_of(values),
        decimals=found.decimals,
        numeric_text=found.numeric_text,
        distinct=len(distinct),
        missing=1.0 - rows / len(values) if len(values) else 0.0,
        pii=found.pii,
    )
    index = distinct if isinstance(distinct, pd.Index) else pd.Index(distinct)
    return EncodedColumn(name, codes.astype(np.int32), index, spec, found.number, found.moments)


def encoding_of(values: pd.Series) -> str:
    """The source type that a normalised dtype stands for (dates as datetime: the reader knows better)."""
    dtype = values.dtype
    tests = (
        ("boolean", pd.api.types.is_bool_dtype),
        ("datetime", pd.api.types.is_datetime64_any_dtype),
        ("time", pd.api.types.is_timedelta64_dtype),
        ("integer", pd.api.types.is_integer_dtype),
        ("float", pd.api.types.is_float_dtype),
    )
    return next((name for name, test in tests if test(dtype)), "text")


def encode_table(name: str, frame: pd.DataFrame, columns: Mapping[str, Column] | None = None) -> EncodedTable:
    """Encode all columns of a frame; `columns` are the source's declarations where there are any."""
    declared = columns or {}
    encoded = {str(c): encode_column(str(c), frame[c], declared.get(str(c))) for c in frame.columns}
    return EncodedTable(name, frame, encoded, len(frame))

"""The study as faults see it: source tables with the roles of their columns, subjects, and what was touched already.

Every cell is edited at most once and every row dropped, moved or copied at most once. So the answer key is the
difference between the dirty and the clean study, and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd

from datareplicator.structure.encode import plain_text
from datareplicator.structure.spec import MEMBER, SUPPLEMENT, Layout, Structure, TableSpec
from datareplicator.study import Column, Table


@dataclass
class Change:
    """Edits of one fault to one table. `rows`: positions in the clean table; `incident`: one number a row.

    cell: `column` has new values in these rows. delete, move: the rows. insert: the rows of `frame`, to stand after
    `rows`. column: the table's layout, `old` and `new` in plain words or JSON.
    """

    what: str
    table: str
    fault: int
    incident: np.ndarray
    rows: np.ndarray
    column: str | None = None
    frame: pd.DataFrame | None = None
    old: str | None = None
    new: str | None = None


@dataclass
class Piece:
    """One source table being worked on. `clean` never changes; `frame` holds the same rows with the cells edited."""

    name: str
    clean: pd.DataFrame
    columns: dict[str, Column]
    spec: TableSpec
    derived: frozenset[str]
    subject: np.ndarray  # int64 a row: index into the scene's subjects, -1 for none
    label: str = ""
    format: str = ""
    first: int = 0  # rows of the table that came before, where it is made block by block
    sites: np.ndarray = field(default_factory=lambda: np.full(1, None))  # a subject, and None for no subject
    frame: pd.DataFrame = field(init=False)
    deleted: np.ndarray = field(init=False)
    reserved: np.ndarray = field(init=False)
    edited: np.ndarray = field(init=False)
    position: np.ndarray = field(init=False)
    renamed: dict[str, str] = field(default_factory=dict)
    closed: set[str] = field(default_factory=set)
    _claimed: dict[str, np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        n = len(self.clean)
        self.frame = self.clean.copy(deep=False)
        self.deleted, self.reserved, self.edited = (np.zeros(n, dtype=bool) for _ in range(3))
        self.position = np.arange(n, dtype=float)

    def __len__(self) -> int:
        return len(self.clean)

    def has(self, *names: str | None) -> bool:
        """Whether all these columns are there."""
        return all(name is not None and name in self.columns for name in names)

    def free(self, names: Iterable[str]) -> np.ndarray:
        """bool a row: none of these cells was touched, nor the row as a whole."""
        names = list(names)
        result = ~(self.deleted | self.reserved)
        for name in names:
            if name in self._claimed:
                result &= ~self._claimed[name]
            if name in self.closed:
                result[:] = False
        return result

    @property
    def whole(self) -> np.ndarray:
        """bool a row: nothing of it was touched."""
        return ~(self.deleted | self.reserved | self.edited)

    def put(self, column: str, rows: np.ndarray, values: Iterable[object]) -> None:
        """Edit cells that are free."""
        claimed = self._claimed.setdefault(column, np.zeros(len(self), dtype=bool))
        claimed[rows] = True
        self.edited[rows] = True
        self.frame[column] = edited(self.frame[column], rows, list(values))

    def present(self, column: str) -> np.ndarray:
        """bool a row: the cell holds a value."""
        return self.frame[column].notna().to_numpy(dtype=bool)

    def texts(self, column: str, rows: np.ndarray | None = None) -> np.ndarray:
        """The cells as they are now, as objects; missing is None."""
        values = self.frame[column] if rows is None else self.frame[column].iloc[rows]
        result = values.to_numpy(dtype=object, copy=True)
        result[values.isna().to_numpy(dtype=bool)] = None
        return result

    def number(self, column: str) -> np.ndarray:
        """float64 a row; NaN where missing or no number."""
        values = self.frame[column]
        if pd.api.types.is_numeric_dtype(values.dtype):
            return values.to_numpy(dtype=float, na_value=np.nan)
        codes, distinct = pd.factorize(values)
        parsed = pd.to_numeric(pd.Series(np.asarray(distinct, dtype=object)).astype(str), errors="coerce")
        return np.append(parsed.to_numpy(dtype=float), np.nan)[codes]

    def is_text(self, column: str) -> bool:
        return self.columns[column].type == "text"

    @cached_property
    def key(self) -> tuple[str, ...]:
        """The columns that name a row to a person."""
        if self.spec.key:
            return tuple(name for name in self.spec.key if name in self.columns)
        if self.spec.layout in (Layout.SUPPLEMENT, Layout.RELATION, Layout.COMMENT):
            return tuple(c for c in self.columns if c.upper() in _POINTERS or c == self.spec.subject)
        return (self.spec.subject,) if self.has(self.spec.subject) else ()


_POINTERS = {"RDOMAIN", "IDVAR", "IDVARVAL", "QNAM", "RELID"}


def edited(values: pd.Series, rows: np.ndarray, new: list[object]) -> pd.Series:
    """A copy of a column with other values in some rows, in the type that holds them."""
    dtype = values.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        values = values.astype("str")
        dtype = values.dtype
    missing = np.array([v is None or v is pd.NA or v != v for v in new], dtype=bool)
    if pd.api.types.is_bool_dtype(dtype) or pd.api.types.is_integer_dtype(dtype):
        if missing.any() and not pd.api.types.is_extension_array_dtype(dtype):
            values = values.astype("boolean" if pd.api.types.is_bool_dtype(dtype) else "Int64")
        filled = [pd.NA if gone else v for v, gone in zip(new, missing, strict=True)]
        replacement = pd.array(filled, dtype=values.dtype)
    elif pd.api.types.is_float_dtype(dtype):
        replacement = np.array([np.nan if gone else v for v, gone in zip(new, missing, strict=True)], dtype=float)
    elif pd.api.types.is_datetime64_any_dtype(dtype) or pd.api.types.is_timedelta64_dtype(dtype):
        replacement = pd.Series([pd.NaT if gone else v for v, gone in zip(new, missing, strict=True)]).astype(dtype)
        replacement = replacement.array
    else:
        replacement = pd.array([None if gone else str(v) for v, gone in zip(new, missing, strict=True)], dtype=dtype)
    result = values.copy()
    result.iloc[rows] = replacement
    return result


class Scene:
    """All pieces of a study (or of a block of its subjects) and its subjects."""

    def __init__(
        self,
        tables: Mapping[str, Table],
        structure: Structure,
        *,
        formats: Mapping[str, str] | None = None,
        first: Mapping[str, int] | None = None,
        incidents: int = 0,
    ) -> None:
        self.structure = structure
        self._owner = {m: spec for spec in structure.tables.values() for m in spec.members}
        self.subjects = self._find_subjects(tables)
        self.changes: list[Change] = []
        self._incidents = incidents
        self.pieces: dict[str, Piece] = {}
        for name, table in tables.items():
            spec = self._owner.get(name)
            if spec is None:
                continue
            held = spec.subject is not None and spec.subject in table.frame
            subject = self.subjects.get_indexer(table.frame[spec.subject]) if held else np.full(len(table), -1)
            self.pieces[name] = Piece(
                name,
                table.frame.reset_index(drop=True),
                dict(table.columns),
                spec,
                frozenset(structure.derived(spec.name)),
                np.asarray(subject, dtype=np.int64),
                table.label,
                (formats or {}).get(name, ""),
                (first or {}).get(name, 0),
            )
        sites = np.array([None if s is None else plain_text(s) for s in self.of_subjects(structure.site)] + [None])
        for piece in self.pieces.values():
            piece.sites = sites
        self.owner = np.full(len(self.subjects), -1)  # the fault that touched the subject first

    def _find_subjects(self, tables: Mapping[str, Table]) -> pd.Index:
        """The subjects of all tables, those of the root first."""
        order = sorted(tables, key=lambda name: self._owner.get(name) != self._root_spec)
        parts = []
        for name in order:
            spec = self._owner.get(name)
            if spec is not None and spec.subject is not None and spec.subject in tables[name].frame:
                parts.append(pd.Series(tables[name].frame[spec.subject].dropna().unique(), dtype=object))
        return pd.Index(pd.concat(parts).unique() if parts else [], dtype=object)

    @property
    def _root_spec(self) -> TableSpec | None:
        return self.structure.tables.get(self.structure.root or "")

    @property
    def root(self) -> Piece | None:
        """The table of subjects."""
        spec = self._root_spec
        return self.pieces.get(spec.members[0]) if spec is not None else None

    @cached_property
    def root_row(self) -> np.ndarray:
        """int64 a subject: its first row in the root, -1 for none."""
        rows = np.full(len(self.subjects) + 1, -1, dtype=np.int64)
        if self.root is not None:
            rows[self.root.subject[::-1]] = np.arange(len(self.root))[::-1]
        return rows[:-1]

    def of_subjects(self, column: str | None) -> np.ndarray:
        """object a subject: the root's clean value, None where there is none."""
        result = np.full(len(self.subjects), None, dtype=object)
        if self.root is not None and column is not None and column in self.root.clean:
            values = self.root.clean[column]
            held = np.where(values.isna(), None, values.to_numpy(dtype=object))
            known = self.root_row >= 0
            result[known] = held[self.root_row[known]]
        return result

    def incidents(self, n: int) -> np.ndarray:
        """Numbers for n new incidents, from 1."""
        self._incidents += n
        return np.arange(self._incidents - n + 1, self._incidents + 1)

    @property
    def last_incident(self) -> int:
        """The number of incidents so far."""
        return self._incidents

    def members(self, logical: str) -> list[Piece]:
        """The pieces of a logical table."""
        spec = self.structure.tables.get(logical)
        return [self.pieces[m] for m in spec.members if m in self.pieces] if spec is not None else []

    def domain(self, code: str) -> list[Piece]:
        """The pieces of an SDTM domain, by the value of their DOMAIN column and their name."""
        return [p for p in self.pieces.values() if domain_of(p) == code]


def domain_of(piece: Piece) -> str:
    """The SDTM domain of a table, or the empty string: what DOMAIN says where table or columns carry it too."""
    if "DOMAIN" not in piece.columns or not len(piece):
        return ""
    code = str(piece.clean["DOMAIN"].iloc[0]).upper()
    carried = piece.name.upper().startswith(code) or any(c.startswith(code) and c != code for c in piece.columns)
    return code if len(code) == 2 and carried else ""


def virtual(name: str) -> bool:
    """Whether a column stands in the logical table only."""
    return name == MEMBER or name.startswith(SUPPLEMENT)

"""The visits of a study: one catalogue for all tables, and who was seen when.

A table without visits whose findings lie on free dates gets a catalogue of its own (first occasion, second, ...), so
that one timeline model serves both.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from pydantic import model_validator

from datareplicator.document import Document, Exact
from datareplicator.model.prepare import Prepared
from datareplicator.structure.spec import Kind, Layout, TableSpec


class Catalogue(Document):
    """The visits in order: `number` where the visit column is numeric, else `label`; `day`: float, median day."""

    number: Exact
    label: tuple[str, ...]
    day: Exact

    @model_validator(mode="after")
    def _one_length(self) -> Catalogue:
        if not len(self.number) == len(self.label) == len(self.day):
            raise ValueError("number, label and day differ in length")
        return self

    def __len__(self) -> int:
        return len(self.label)

    @property
    def numeric(self) -> bool:
        """Whether the source numbers its visits."""
        return bool(len(self.number)) and bool(np.isfinite(self.number).all())


@dataclass
class Seen:
    """Distinct subject x visit: `subject`, `visit` (index in the catalogue), `day` relative to the anchor (NaN)."""

    subject: np.ndarray
    visit: np.ndarray
    day: np.ndarray


def visit_tables(prepared: Prepared) -> list[TableSpec]:
    """The tables that carry the study's visit column and a subject, the visit table first."""
    structure = prepared.structure
    if structure.visit is None:
        return []
    tables = [
        t
        for t in structure.tables.values()
        if t.visit is not None and (prepared.subject[t.name] >= 0).any() and t.layout != Layout.REFERENCE
    ]
    return sorted(tables, key=lambda t: (t.name != structure.visit_table, -t.rows))


def build_schedule(prepared: Prepared) -> tuple[Catalogue, Seen, dict[str, np.ndarray]] | None:
    """Catalogue, who was seen when, and each visit-carrying table's visit index per row (-1 unknown).

    The day of a visit is the visit table's, else the earliest in the tables that carry it, the fullest table first.
    """
    tables = visit_tables(prepared)
    if not tables:
        return None
    values = {t.name: named_visits(prepared, t) for t in tables}
    keys = pd.concat(list(values.values())).dropna().drop_duplicates()
    if keys.empty:
        return None
    days = {t.name: _row_days(prepared, t) for t in tables}
    keys = _ordered(keys, values, days)
    lookup = pd.Index(_kept(prepared, keys, values))
    keys = pd.Series(lookup)
    rows = {name: lookup.get_indexer(v) for name, v in values.items()}
    seen = _seen(prepared, tables, rows, days, len(lookup))
    middle = pd.Series(seen.day).groupby(seen.visit).median().reindex(range(len(lookup))).to_numpy(dtype=float)
    number = keys.to_numpy(dtype=float) if pd.api.types.is_numeric_dtype(keys) else np.full(len(keys), np.nan)
    label = tuple(str(k) for k in keys)
    return Catalogue(number=number, label=label, day=np.array(middle)), seen, rows


MOST_BESIDE = 200
STRAY = 0.02
"""Share of rows at visits that the visit table does not hold, up to which those visits are left out."""


USUAL = 0.8
"""Share of rows whose visit is the usual one beside a value of another column, from which that column stands in."""


def named_visits(prepared: Prepared, table: TableSpec) -> pd.Series:
    """The visit of each row; of findings that name none (derived parameters), the visit at which the subject's other
    rows, else most rows, have the same value in the column that goes with visits best; where the subject has no other
    row of that visit, its last one: nobody is seen for a derived row's sake."""
    frame = prepared.frames[table.name]
    named = _keys(frame[table.visit])
    missing = named.isna().to_numpy()
    if table.layout != Layout.FINDINGS or not missing.any() or missing.all():
        return named
    subject = pd.Series(prepared.subject[table.name], index=frame.index)
    options = [(_usual(frame[c], named), c) for c in _beside(table) if frame[c][missing].notna().mean() >= USUAL]
    share, column = max(options, default=(0.0, ""))
    if share < USUAL:
        return named
    beside = frame[column]
    own = named.groupby([subject, beside], observed=True).transform("first")
    most = named.groupby(beside, observed=True).agg(lambda v: next(iter(v.mode()), None))
    usual = beside.astype(object).map(most).astype(named.dtype)
    seen = pd.MultiIndex.from_arrays([subject[named.notna()], named.dropna()])
    there = pd.MultiIndex.from_arrays([subject, usual]).isin(seen)
    last = named.groupby(subject).transform("max") if pd.api.types.is_numeric_dtype(named.dtype) else own
    return named.fillna(own).fillna(usual.where(there)).fillna(last)


def _beside(table: TableSpec) -> list[str]:
    """The columns that may stand in for visits: axes first, then what else has few values."""
    few = [c.name for c in table.columns if c.kind in (Kind.CATEGORY, Kind.INTEGER) and 1 < c.distinct <= MOST_BESIDE]
    return [c for c in dict.fromkeys([*table.axes, *few]) if c not in (table.visit, table.test)]


def _usual(beside: pd.Series, named: pd.Series) -> float:
    """Share of the rows with both that have the usual visit beside their value, where visits differ."""
    counts = pd.crosstab(beside.astype("str"), named.astype("str")).to_numpy()
    return float(counts.max(axis=1).sum() / counts.sum()) if counts.size and counts.shape[1] > 1 else 0.0


def _kept(prepared: Prepared, keys: pd.Series, values: dict[str, pd.Series]) -> pd.Series:
    """The visits that the visit table holds, so that every visit of every table stands in it; all of them where too
    many rows would go."""
    table = prepared.structure.visit_table
    if table is None or table not in values:
        return keys
    held = keys[keys.isin(values[table].dropna())]
    rest = pd.concat([v for name, v in values.items() if name != table] or [keys[:0]]).dropna()
    return held if not len(rest) or (~rest.isin(held)).mean() <= STRAY else keys


def _keys(column: pd.Series) -> pd.Series:
    if pd.api.types.is_numeric_dtype(column.dtype):
        return column.astype(float)
    return column.astype("str")


def _row_days(prepared: Prepared, table: TableSpec) -> np.ndarray:
    column = table.start if table.layout == Layout.VISITS and table.start else table.date or table.start
    if column is None or table.layout == Layout.EVENTS:
        return np.full(len(prepared.frames[table.name]), np.nan)
    return prepared.days(table.name, column)


def _ordered(keys: pd.Series, values: dict[str, pd.Series], days: dict[str, np.ndarray]) -> pd.Series:
    if pd.api.types.is_numeric_dtype(keys):
        return keys.sort_values(ignore_index=True)
    table = pd.concat([pd.DataFrame({"key": v.to_numpy(), "day": days[n]}) for n, v in values.items()])
    middle = table.groupby("key").day.median().reindex(keys)
    return pd.Series(middle.sort_values(kind="stable").index, dtype="str")


def _seen(
    prepared: Prepared, tables: list[TableSpec], rows: dict[str, np.ndarray], days: dict[str, np.ndarray], visits: int
) -> Seen:
    """Who was seen: the visit table and the findings decide; other tables only mention a visit."""
    decisive = [t for t in tables if t.layout in (Layout.VISITS, Layout.FINDINGS)] or tables
    parts = []
    for rank, table in enumerate(decisive):
        subject, visit = prepared.subject[table.name], rows[table.name]
        good = (subject >= 0) & (visit >= 0)
        cell = subject[good].astype(np.int64) * visits + visit[good]
        parts.append(pd.DataFrame({"cell": cell, "rank": rank, "day": days[table.name][good]}))
    every = pd.concat(parts)
    dated = every.dropna(subset="day").groupby(["cell", "rank"], as_index=False).day.min()
    first = dated.drop_duplicates("cell").set_index("cell").day
    cells = np.sort(every.cell.unique())
    return Seen(cells // visits, cells % visits, first.reindex(cells).to_numpy(dtype=float))


def occasions(subject: np.ndarray, day: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For dated rows without visits: each row's occasion (0 for the subject's first distinct day, ...; -1 undated)
    and the number of occasions."""
    known = np.isfinite(day) & (subject >= 0)
    out = np.full(len(day), -1)
    frame = pd.DataFrame({"s": subject[known], "d": day[known]})
    out[known] = frame.groupby("s").d.rank(method="dense").to_numpy(dtype=int) - 1
    return out, int(out.max(initial=-1)) + 1

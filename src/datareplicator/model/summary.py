"""Facts of a study that a table without subjects tells: how many subjects and arms, from when to when.

Such a value is known by its parameter (ACTSUB, SSTDTC), and by what it equals in the source; in a new study it is told
anew, so that a summary speaks of the study that it stands in.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

import numpy as np
import pandas as pd

from datareplicator import dates
from datareplicator.document import Document
from datareplicator.model.reference import ReferenceTable
from datareplicator.standards.summary import ARMS, FIRST, LAST, LENGTH, PARAMETERS, SUBJECTS
from datareplicator.structure.spec import Kind, Layout, Ref, Structure

MOST_DAYS = 366
"""Days by which a stated start or end of the study may lie before the first or after the last date."""
CALENDAR = (Layout.SUBJECT, Layout.VISITS, Layout.SETS, Layout.ONCE, Layout.INTERVALS)


class Told(Document):
    """The value in `row` and `column` of the source table `table`. subjects: the number of subjects who have a value in
    `sources`, of all without; arms: the number of different values in `sources`, a table without subjects, or of the
    arms; first, last: the first or last day in `sources`, and `days` more; length: a duration of the whole study."""

    table: str
    column: str
    row: int
    kind: Literal["subjects", "arms", "first", "last", "length"]
    sources: tuple[Ref, ...] = ()
    days: int = 0


def learn_told(
    structure: Structure, frames: Mapping[str, pd.DataFrame], reference: Mapping[str, ReferenceTable]
) -> tuple[Told, ...]:
    """The facts that tables without subjects tell. `frames`: the source tables, `reference`: those without subjects."""
    root = structure.tables.get(structure.root or "")
    if root is None:
        return ()
    facts = _Facts(structure, frames, reference)
    found = []
    for table, kept in reference.items():
        for row, kind in _parameters(kept):
            texts = [c for c, values in kept.values.items() if isinstance(values[row], str)]
            told = next((t for c in texts if (t := facts.find(table, c, row, kind, str(kept.values[c][row])))), None)
            if told is not None:
                found.append(told)
    return tuple(found)


def _parameters(table: ReferenceTable) -> Iterator[tuple[int, str]]:
    """The rows whose parameter speaks of the study, and what it tells."""
    for values in table.values.values():
        known = [(row, PARAMETERS[v]) for row, v in enumerate(values) if isinstance(v, str) and v in PARAMETERS]
        if known:
            yield from known
            return


class _Facts:
    """What the source shows of itself."""

    def __init__(
        self, structure: Structure, frames: Mapping[str, pd.DataFrame], reference: Mapping[str, ReferenceTable]
    ) -> None:
        self._structure, self._frames, self._reference = structure, frames, reference
        self._root = structure.tables[structure.root or ""]
        self._days = {FIRST: self._first_days(), LAST: self._last_days()}

    def find(self, table: str, column: str, row: int, kind: str, value: str) -> Told | None:
        """The fact that a value tells, where it is one."""
        if kind == SUBJECTS:
            found = self._subjects(value)
        elif kind == ARMS:
            found = self._arms(value)
        elif kind == LENGTH:
            return Told(table=table, column=column, row=row, kind="length") if duration(value) else None
        else:
            found = self._day(value, kind)
        if found is None:
            return None
        sources, days = found
        return Told(table=table, column=column, row=row, kind=kind, sources=sources, days=days)  # type: ignore[arg-type]

    def _subjects(self, value: str) -> tuple[tuple[Ref, ...], int] | None:
        number = _whole(value)
        if number is None:
            return None
        members = [self._frames[m] for m in self._root.members]
        if sum(map(len, members)) == number:
            return (), 0
        first = [c for c in (self._structure.anchor, self._structure.group) if c is not None]
        for name in dict.fromkeys([*first, *(c.name for c in self._root.columns)]):
            if sum(int(f[name].notna().sum()) for f in members if name in f) == number:
                return tuple(Ref(table=m, column=name) for m in self._root.members), 0
        return None

    def _arms(self, value: str) -> tuple[tuple[Ref, ...], int] | None:
        number, group = _whole(value), self._structure.group
        if number is None or group is None:
            return None
        for name, kept in self._reference.items():
            if group in kept.values and len({v for v in kept.values[group] if v is not None}) == number:
                return (Ref(table=name, column=group),), 0
        arms = pd.concat([self._frames[m][group] for m in self._root.members if group in self._frames[m]])
        return ((), 0) if arms.nunique() == number else None

    def _day(self, value: str, kind: str) -> tuple[tuple[Ref, ...], int] | None:
        stated = dates.parse(pd.Series([value], dtype="str")).day[0]
        days = self._days[kind]
        if not np.isfinite(stated) or not days:
            return None
        every = max(days.values()) if kind == LAST else min(days.values())
        if stated == every and kind == LAST:
            return tuple(days), 0
        same = tuple(ref for ref, day in days.items() if day == stated)
        if same:
            return same, 0
        away = stated - every
        beyond = away > 0 if kind == LAST else away < 0
        return (tuple(days), int(away)) if beyond and abs(away) <= MOST_DAYS else None

    def _first_days(self) -> dict[Ref, float]:
        """First days of columns that speak of the study's course: history and births begin long before."""
        births = {c.name for c in self._root.columns if "BRTH" in c.name.upper() or "BIRTH" in c.name.upper()}
        refs = [r for r in self._refs(CALENDAR) if not (r.table in self._root.members and r.column in births)]
        found = {r: span(self._frames[r.table][r.column])[0] for r in refs}
        return {r: day for r, day in found.items() if np.isfinite(day)}

    def _last_days(self) -> dict[Ref, float]:
        found = {r: span(self._frames[r.table][r.column])[1] for r in self._refs(tuple(Layout))}
        return {r: day for r, day in found.items() if np.isfinite(day)}

    def _refs(self, layouts: Iterable[Layout]) -> Iterator[Ref]:
        for spec in self._structure.tables.values():
            if spec.layout not in set(layouts) or spec.layout == Layout.REFERENCE:
                continue
            for column in spec.columns:
                for member in spec.members:
                    if column.kind == Kind.DATE and column.name in self._frames[member]:
                        yield Ref(table=member, column=column.name)


def _whole(value: str) -> int | None:
    return int(value) if value.isascii() and value.isdigit() else None


def span(values: pd.Series) -> tuple[float, float]:
    """First and last day in a column, as days since 1970-01-01; NaN where none is known to the day.

    >>> span(pd.Series(["2024-01-02T08:00", "2024-01-05", None]))
    (19724.0, 19727.0)
    """
    if isinstance(values.dtype, pd.CategoricalDtype):
        used = np.unique(values.cat.codes.to_numpy())
        distinct = pd.Series(values.cat.categories[used[used >= 0]], dtype="str")
    else:
        distinct = pd.Series(values.dropna().unique())
    day = dates.parse(distinct).day if len(distinct) else np.empty(0)
    day = day[np.isfinite(day)]
    return (float(day.min()), float(day.max())) if len(day) else (np.nan, np.nan)


_UNITS = {"D": 1.0, "W": 7.0, "M": 30.4375, "Y": 365.25}


def duration(value: str) -> tuple[int, str] | None:
    """Number and unit of a duration of days, weeks, months or years.

    >>> duration("P16W"), duration("PT2H")
    ((16, 'W'), None)
    """
    if len(value) < 3 or value[0] != "P" or value[-1] not in _UNITS:
        return None
    return (int(value[1:-1]), value[-1]) if value[1:-1].isdigit() else None


def longer(value: str, days: float) -> str:
    """A duration with some days more, in its unit.

    >>> longer("P16W", 56.0)
    'P24W'
    """
    found = duration(value)
    return value if found is None else f"P{found[0] + int(np.ceil(days / _UNITS[found[1]] - 1e-9))}{found[1]}"

"""How planned visits are numbered, named and dated, and how that goes on.

What names a visit is found by structure: the study's visit column, and the columns that follow from it alone. A value
goes on where it holds a number that rises with the visits' days or with their order ("WEEK 24", "VISIT 7", 85).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from datareplicator.generate.control.asked import label
from datareplicator.model.reference import ReferenceTable
from datareplicator.model.study_model import SourceTable, StudyModel
from datareplicator.model.timeline import StratumTimeline
from datareplicator.structure.spec import Derivation

_NUMBER = re.compile(r"\d+")
NEAR = 0.35
"""How far a number may lie from the line over days, in steps of the numbers."""
SAME_DAY = 3.0
"""Days by which a planned day may differ from the usual one."""


@dataclass
class Column:
    """A column that follows from the visit: its value by learned visit (index in the catalogue). `fresh`: its values at
    the new visits; `moved`: by learned visit, where it has another one now; `names`: each planned visit has its own."""

    values: dict[int, Any]
    fresh: list[Any] = field(default_factory=list)
    moved: dict[int, Any] = field(default_factory=dict)
    names: bool = True

    def visit(self, value: Any) -> int:
        """The learned visit that a value names, -1 none."""
        key = _key(value)
        return next((index for index, own in self.values.items() if _key(own) == key), -1)


def number_step(number: np.ndarray, end: int, before: int) -> float:
    """By how much numbers of visits rise at the end of the schedule."""
    step = float(number[end] - number[before])
    return step if step > 0 else 1.0


def numbered_end(model: StudyModel, main: StratumTimeline) -> int:
    """The place, among the regular visits, of the last that the schedule goes on from: the last whose name goes on from
    another's (a follow-up after week 12 moves with it), else the last of all."""
    best, last = 1, len(main.regular) - 1
    for column in visit_columns(model, main.regular).values():
        texts = [column.values.get(int(v)) for v in main.regular]
        families = [_family(texts[: k + 1]) for k in range(1, len(texts)) if isinstance(texts[k], str)]
        for family in families:
            if len(family) > best or (len(family) == best > 1 and family[-1][0] > last):
                best, last = len(family), family[-1][0]
    return max(last, 1)


def with_names(
    model: StudyModel, end: int, more: int, gap: float, at: int, planned: tuple[np.ndarray, np.ndarray]
) -> tuple[StudyModel, np.ndarray, tuple[str, ...]]:
    """The model in which `more` visits after the visit `end` of the catalogue, put in at the place `at`, have numbers,
    names and planned days everywhere; and the numbers and labels of the catalogue. `planned`: the regular visits and
    their days."""
    catalogue = model.catalogue
    assert catalogue is not None and model.structure.visit is not None
    regular, typical = planned
    columns = visit_columns(model, regular)
    upto = [int(v) for v in regular if v <= end]
    days = np.array([d for v, d in zip(regular, typical, strict=True) if v <= end])
    first = columns[model.structure.visit]
    number = catalogue.number
    if catalogue.numeric:
        step = number_step(number, end, upto[-2])
        new = number[end] + step * np.arange(1, more + 1)
        push = more * step if at < len(number) and number[at] <= new[-1] + 1e-9 else 0.0
        first.fresh = [float(v) for v in new]
        first.moved = {v: float(number[v] + push) for v in range(at, len(number)) if push}
        number = np.r_[number[:at], new, number[at:] + push]
    for name, column in columns.items():
        if name != model.structure.visit or not catalogue.numeric:
            _go_on(column, upto, days, gap, more)
            _move_days(column, end, dict(zip(regular, typical, strict=True)), catalogue.day, gap * more)
    if catalogue.numeric:
        labels = tuple(str(v) for v in number)
    else:
        labels = (*catalogue.label[:at], *map(str, first.fresh), *catalogue.label[at:])
        number = np.full(len(labels), np.nan)
    derivations = tuple(_with_visits(d, columns, end) for d in model.structure.derivations)
    reference = {
        n: _with_rows(t, columns, model.structure.visit, end, (upto, days, gap, more))
        for n, t in model.reference.items()
    }
    made = model.model_copy(
        update={
            "structure": model.structure.model_copy(update={"derivations": derivations}),
            "reference": reference,
            "sources": tuple(_room(s, columns, reference.get(s.name)) for s in model.sources),
        }
    )
    return made, number, labels


def visit_columns(model: StudyModel, planned: np.ndarray) -> dict[str, Column]:
    """The visit column and those that follow from it alone, or from one that does. `planned`: the regular visits."""
    catalogue, visit = model.catalogue, model.structure.visit
    assert catalogue is not None and visit is not None
    own = catalogue.number.tolist() if catalogue.numeric else list(catalogue.label)
    found = {visit: Column(dict(enumerate(own)))}
    for _ in range(2):
        for d in model.structure.derivations:
            source = found.get(d.sources[0].column) if d.template == "lookup" and len(d.sources) == 1 else None
            if source is None or d.target == visit or not source.names:
                continue
            value = {_key(k): v for k, v in zip(d.params["keys"][0], d.params["values"], strict=True) if k is not None}
            column = found.setdefault(d.target, Column({}))
            for index, name in source.values.items():
                if _key(name) in value:
                    column.values.setdefault(index, value[_key(name)])
            held = [_key(column.values[v]) for v in planned.tolist() if v in column.values]
            column.names = len(set(held)) == len(held) > 1
    return {name: column for name, column in found.items() if column.values}


def _key(value: Any) -> str:
    """A value as a key; numbers to the last digit."""
    return repr(float(value)) if isinstance(value, int | float) and not isinstance(value, bool) else label(value)


def _go_on(column: Column, upto: Sequence[int], days: np.ndarray, gap: float, more: int) -> None:
    held = [(column.values[v], d) for v, d in zip(upto, days, strict=True) if v in column.values]
    if held and upto[-1] in column.values:
        unique = column.names and isinstance(held[-1][0], str)
        column.fresh = continued([v for v, _ in held], np.array([d for _, d in held]), gap, more, unique=unique)


def _move_days(column: Column, end: int, typical: Mapping[int, float], day: np.ndarray, days: float) -> None:
    """Planned days of the visits that come after the end are later. `day`: the usual day of each visit."""
    planned = [v for v in column.values if v in typical]
    if end not in planned or len(planned) < 2 or not all(_number(column.values[v]) for v in planned):
        return
    if all(abs(column.values[v] - typical[v]) <= SAME_DAY for v in planned):
        later = [v for v, value in column.values.items() if v > end and _number(value) and value > column.values[end]]
        near = [v for v in later if abs(column.values[v] - day[v]) <= SAME_DAY]
        column.moved = {v: column.values[v] + days for v in near}


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def continued(values: Sequence[Any], days: np.ndarray, gap: float, more: int, *, unique: bool = False) -> list[Any]:
    """How a column goes on after planned visits: `values` of those visits on `days`, the last one's at the end; then
    `more` visits every `gap` days. `unique`: no two visits have the same value.

    >>> continued(["BASELINE", "WEEK 4", "WEEK 8", "WEEK 12"], np.array([0.0, 28.0, 56.0, 84.0]), 28.0, 2)
    ['WEEK 16', 'WEEK 20']
    >>> continued(["TREATMENT", "TREATMENT"], np.array([0.0, 28.0]), 28.0, 1)
    ['TREATMENT']
    """
    last = values[-1]
    if isinstance(last, int | float) and not isinstance(last, bool):
        known = [(v, d) for v, d in zip(values, days, strict=True) if isinstance(v, int | float)]
        numbers = _line(np.array([v for v, _ in known], dtype=float), np.array([d for _, d in known]), gap, more)
        return [type(last)(v) for v in numbers] if numbers is not None else [last] * more
    if isinstance(last, str):
        family = _family(values)
        if len(family) > 1:
            start, stop = family[-1][2]
            numbers = _line(
                np.array([n for _, n, _ in family], dtype=float), days[[k for k, _, _ in family]], gap, more
            )
            if numbers is not None:
                width = stop - start if last[start] == "0" else 0
                return [f"{last[:start]}{round(n):0{width}d}{last[stop:]}" for n in numbers]
        if unique:
            return [f"{last} {k}" for k in range(2, more + 2)]
    return [last] * more


def _family(values: Sequence[Any]) -> list[tuple[int, int, tuple[int, int]]]:
    """The values that are the last one but for one number: place, number and where it stands."""
    last, best = values[-1], []
    for found in _NUMBER.finditer(last) if isinstance(last, str) else ():
        head, tail = last[: found.start()], last[found.end() :]
        shape = re.compile(re.escape(head) + r"(\d+)" + re.escape(tail))
        members = []
        for k, value in enumerate(values):
            match = shape.fullmatch(value) if isinstance(value, str) else None
            if match is not None:
                members.append((k, int(match[1]), match.span(1)))
        if len(members) > len(best):
            best = members
    return best


def _line(numbers: np.ndarray, days: np.ndarray, gap: float, more: int) -> list[float] | None:
    """Numbers that go on with the days where they lie on a line over them, else with their own last step; None where
    they do not rise."""
    if len(numbers) < 2 or numbers[-1] <= numbers[-2]:
        return None
    steps = np.arange(1, more + 1)
    own = numbers[-1] - numbers[-2]
    after = days > 0
    use = after if after.sum() >= 2 else np.ones(len(days), dtype=bool)
    if np.ptp(days[use]) > 0:
        slope, base = np.polyfit(days[use], numbers[use], 1)
        unit = max(min(np.diff(np.unique(numbers[use])), default=1.0), 1e-9)
        if slope > 0 and np.abs(base + slope * days[use] - numbers[use]).max() <= NEAR * unit:
            # The line of round numbers: a week in seven days, not in 6.98.
            last = (days[use][-1] - days[use][-2]) or 1.0
            slope = (numbers[use][-1] - numbers[use][-2]) / last
            return [float(v) for v in numbers[-1] + slope * gap * steps]
    return [float(v) for v in numbers[-1] + own * steps]


def _with_visits(d: Derivation, columns: Mapping[str, Column], end: int) -> Derivation:
    """A derivation that knows the new visits."""
    if d.template == "row_number":
        order = {
            key: _in_order(d.params.get(key), columns, end) for key in ("order", "file_order") if d.params.get(key)
        }
        return d.model_copy(update={"params": {**d.params, **order}}) if order else d
    naming = {k: columns[s.column] for k, s in enumerate(d.sources) if s.column in columns and columns[s.column].names}
    if d.template != "lookup" or not naming:
        return d
    target = columns.get(d.target)
    keys, values = [list(k) for k in d.params["keys"]], list(d.params["values"])
    visits = [max(c.visit(keys[k][r]) for k, c in naming.items()) for r in range(len(values))]
    for r, visit in enumerate(visits):
        for k, column in naming.items():
            keys[k][r] = _typed(keys[k][r], column.moved.get(visit, keys[k][r]))
        if target is not None:
            values[r] = _typed(values[r], target.moved.get(visit, values[r]))
    for r in [r for r, visit in enumerate(visits) if visit == end]:
        for step in range(len(next(iter(naming.values())).fresh)):
            for k in range(len(keys)):
                keys[k].append(_typed(keys[k][r], naming[k].fresh[step]) if k in naming else keys[k][r])
            values.append(_typed(values[r], target.fresh[step]) if target is not None and target.fresh else values[r])
    return d.model_copy(update={"params": {**d.params, "keys": keys, "values": values}})


def _typed(old: Any, new: Any) -> Any:
    """A new value in the type of the old one."""
    return label(new) if isinstance(old, str) else new


def _in_order(order: Any, columns: Mapping[str, Column], end: int) -> Any:
    """Texts in the order in which rows are numbered, with those of the new visits after the end's."""
    out = []
    for part in order:
        column = columns.get(part.get("column")) if isinstance(part, Mapping) else None
        values = part.get("values") if isinstance(part, Mapping) else None
        if column is not None and column.names and values and column.values.get(end) in values:
            place = values.index(column.values[end]) + 1
            part = {**part, "values": [*values[:place], *column.fresh, *values[place:]]}
        out.append(part)
    return out


def _with_rows(
    table: ReferenceTable,
    columns: Mapping[str, Column],
    visit: str,
    end: int,
    going: tuple[Sequence[int], np.ndarray, float, int],
) -> ReferenceTable:
    """A plan of visits with rows for the new ones, as the rows before go on."""
    if visit not in table.values:
        return table
    upto, days, gap, more = going
    number = columns[visit]
    held = table.values[visit]
    visits = [number.visit(value) for value in held]
    rows = [(visits.index(v), d) for v, d in zip(upto, days, strict=True) if v in visits]
    again = [r for r, visit in enumerate(visits) if visit == end]
    place = [[r, *(again if r == max(again, default=-1) else ())] for r in range(len(held))]
    values: dict[str, tuple[Any, ...]] = {}
    for name, own in table.values.items():
        column = columns.get(name)
        now = [column.moved.get(v, o) if column is not None else o for v, o in zip(visits, own, strict=True)]
        if column is not None and column.fresh:
            fresh = column.fresh
        elif rows:
            fresh = continued([own[r] for r, _ in rows], np.array([d for _, d in rows]), gap, more)
        else:
            fresh = [None] * more
        values[name] = tuple(_spread(now, own, place, again, fresh))
    return table.model_copy(update={"values": values})


def _spread(
    now: Sequence[Any], own: Sequence[Any], place: Sequence[Sequence[int]], again: Sequence[int], fresh: Sequence[Any]
) -> Iterator[Any]:
    """A column's values row by row, those of the new visits after the last row of the end."""
    for row, here in enumerate(place):
        yield now[row]
        if len(here) > 1:
            for value in fresh:
                for r in again:
                    yield value if own[r] == own[again[0]] else own[r]


def _room(source: SourceTable, columns: Mapping[str, Column], reference: ReferenceTable | None) -> SourceTable:
    """Declared lengths that hold the new texts."""
    out = []
    for c in source.columns:
        texts = columns[c.name].fresh if c.name in columns else []
        if reference is not None and c.type == "text":
            texts = list(reference.values[c.name])
        longest = max((len(t) for t in texts if isinstance(t, str)), default=0)
        out.append(c.model_copy(update={"length": longest}) if c.length and longest > c.length else c)
    return source.model_copy(update={"columns": tuple(out)})

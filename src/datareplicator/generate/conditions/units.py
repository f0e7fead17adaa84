"""Scenarios: bundled units and those of users, their parameters, and their steps against a model."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from datareplicator.document import PlainLoader
from datareplicator.errors import Place, RequestError
from datareplicator.expressions import Schema
from datareplicator.expressions.problems import near_names
from datareplicator.expressions.tree import quoted
from datareplicator.generate.conditions.asked import Edit, Scenario, Unit, Wanted
from datareplicator.generate.conditions.condition import Condition, condition_of
from datareplicator.generate.conditions.learned import known_values
from datareplicator.generate.conditions.names import find_table, schema_of
from datareplicator.model.study_model import StudyModel
from datareplicator.standards.sexes import CODES
from datareplicator.structure.spec import Kind, Ref

FOLDER = Path(__file__).parent / "scenarios"
MOST_BYTES = 100_000
DAY = "day"
_LEARNED = re.compile(r"(highest|women of|men of) (\w+)\.(\w+)")
_SEX = {"women of": "F", "men of": "M"}
_PLACE = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Step:
    """An edit whose table and variables the study has. `values` by column; for a cut `DAY` is the day after it."""

    edit: Edit
    table: str
    where: Condition | None
    unless: Condition | None
    values: dict[str, Condition]


def unit_names() -> list[str]:
    """The bundled scenarios.

    >>> "fatal-adverse-event" in unit_names()
    True
    """
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def wanted(scenario: Scenario, folder: Path = Path()) -> Wanted:
    """A scenario with its unit: a bundled one, or a file by its path from `folder`. Raises RequestError."""
    bundled, path = FOLDER / f"{scenario.name}.yaml", folder / scenario.name
    if scenario.name in unit_names():
        return Wanted(scenario=scenario, unit=_read(bundled))
    if path.is_file():
        return Wanted(scenario=scenario, unit=_read(path))
    near = near_names(scenario.name, unit_names())
    hint = f"Did you mean {' or '.join(map(repr, near))}?" if near else f"Bundled are {', '.join(unit_names())}."
    raise RequestError(f"there is no scenario {scenario.name!r} and no file of that name.", hint=hint)


def _read(path: Path) -> Unit:
    place = Place(file=path.name)
    data = path.read_bytes()
    if len(data) > MOST_BYTES:
        raise RequestError(f"is larger than {MOST_BYTES:,} bytes: no scenario.", place=place)
    try:
        content = yaml.load(data, Loader=PlainLoader)
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise RequestError("is not readable as YAML.", place=place) from error
    try:
        return Unit.model_validate(content)
    except ValidationError as error:
        found = [
            f"{'.'.join(map(str, d['loc'])) or 'the unit'}: {d['msg'].removeprefix('Value error, ')}."
            for d in error.errors()
        ]
        raise RequestError(" ".join(found), place=place) from error


def resolved(model: StudyModel, wanted: Wanted, ranges: bool = True) -> Unit:
    """The unit with the values of its parameters in place. Raises RequestError for unknown parameters."""
    unit = wanted.unit
    for name in wanted.scenario.values:
        if name not in unit.parameters:
            known = ", ".join(unit.parameters) or "none"
            raise RequestError(f"scenario {unit.name} has no parameter {name!r}.", hint=f"It has: {known}.")
    values = {k: _literal(model, unit, k, v) for k, v in {**unit.parameters, **wanted.scenario.values}.items()}

    def put(text: str | None) -> Any:
        return None if text is None else _PLACE.sub(lambda found: values.get(found[1], found[0]), text)

    holds = tuple(h.model_copy(update={"where": put(h.where)}) for h in unit.holds)
    edits = tuple(
        e.model_copy(
            update={
                "where": put(e.where),
                "unless": put(e.unless),
                "values": {k: put(v) for k, v in e.values.items()},
            }
        )
        for e in unit.edits
    )
    return unit.model_copy(update={"holds": holds, "edits": edits})


def _literal(model: StudyModel, unit: Unit, name: str, value: Any) -> str:
    """A parameter's value as expressions write it."""
    if isinstance(value, list):
        return ", ".join(_literal(model, unit, name, v) for v in value)
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise RequestError(f"scenario {unit.name}: the parameter {name!r} must be a number or a text, not {value!r}.")
    if not isinstance(value, str):
        return repr(value)
    learned = _LEARNED.fullmatch(value)
    return quoted(value) if learned is None else _from_model(model, unit, name, *learned.groups())


def _from_model(model: StudyModel, unit: Unit, parameter: str, what: str, domain: str, variable: str) -> str:
    """What was learned of a column: its greatest number, or how it says a sex."""
    said, place = f"scenario {unit.name}", f"{domain}.{variable}"
    hint = f"Give it with `with: {{{parameter}: ...}}`."
    try:
        table = find_table(model, domain)
    except RequestError as error:
        raise RequestError(f"{said}: {error.message}", hint=error.hint) from error
    column = schema_of(model).find_column(table, variable)
    if column is None:
        raise RequestError(f"{said}: {table} has no column {variable!r}.", hint=hint)
    known = known_values(model, Ref(table=table, column=column))
    if what == "highest":
        if not known.ranged:
            raise RequestError(f"{said}: the greatest {place} is not known.", hint=hint)
        return repr(known.high)
    texts = sorted(known.texts or ())
    found = [text for text in texts if CODES.get(text.strip().casefold()) == _SEX[what]]
    if not found:
        shown = ", ".join(map(repr, texts)) or "no categories"
        who = what.removesuffix(" of")
        raise RequestError(f"{said}: no value of {place} is known to mean {who}; it shows {shown}.", hint=hint)
    return ", ".join(map(quoted, found))


def steps_of(model: StudyModel, schema: Schema, unit: Unit, said: str) -> tuple[Step, ...]:
    """The edits of a unit as far as the study has what they speak of."""
    out = []
    for edit in unit.edits:
        try:
            table = find_table(model, edit.table)
            unless = None if edit.unless is None else condition_of(model, schema, edit.table, edit.unless, said)
            where = _where(model, schema, edit, said)
        except RequestError:  # the study has no such table or variable: the step has nothing to do in it
            continue
        values = {}
        for name, text in edit.values.items():
            column = DAY if edit.cut is not None else schema.find_column(table, name)
            if column is None or _never_filled(model, table, column):
                continue
            values[column] = condition_of(model, schema, edit.table, text, said, value=True)
        out.append(Step(edit, table, where, unless, values))
    return tuple(out)


def _never_filled(model: StudyModel, table: str, column: str) -> bool:
    """Whether a column follows from others and the source has no value in it: a scenario is no reason to fill it."""
    spec = model.structure.tables[table]
    return column in model.structure.derived(table) and spec.column(column).kind == Kind.EMPTY


def _where(model: StudyModel, schema: Schema, edit: Edit, said: str) -> Condition | None:
    """The rows of a step; for an added row they are a preference, which the study need not have the variables for."""
    if edit.where is None:
        return None
    try:
        return condition_of(model, schema, edit.table, edit.where, said)
    except RequestError:
        if edit.add is None:
            raise
        return None

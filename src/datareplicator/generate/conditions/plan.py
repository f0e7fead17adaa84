"""From what is asked for to what is checked: expressions parsed and typed, contradictions refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from datareplicator.errors import RequestError, asked_in
from datareplicator.expressions import Schema
from datareplicator.generate.conditions.asked import Conditions, CountedEvent, RareEvent, Wanted
from datareplicator.generate.conditions.clashes import allowed, learned_clash, refuse_unknown, unknown_text
from datareplicator.generate.conditions.condition import Condition, condition_of
from datareplicator.generate.conditions.learned import ROOM, Known, known_values
from datareplicator.generate.conditions.names import schema_of
from datareplicator.generate.conditions.units import Step, resolved, steps_of
from datareplicator.model.study_model import StudyModel
from datareplicator.structure.spec import Ref


@dataclass(frozen=True)
class Rule:
    """A constraint: its number from 1, how it is called in messages, its condition."""

    number: int
    said: str
    condition: Condition


@dataclass(frozen=True)
class Part:
    """One of the things that are true of a subject of a quota: in some, every or none of its rows."""

    condition: Condition
    rows: str = "some"


@dataclass(frozen=True)
class Quota:
    """At least `subjects` subjects of whom all parts are true (`exact`: no more), or `times` as many rows of the one
    part.

    `known`: whether the source may show it at all; `steps`: how a subject is made to fit otherwise; `scenario`: whether
    it is one."""

    said: str
    parts: tuple[Part, ...]
    subjects: int | None = None
    times: float | None = None
    known: bool = True
    steps: tuple[Step, ...] = ()
    exact: bool = False
    scenario: bool = False

    @property
    def early(self) -> tuple[Part, ...]:
        """The parts that the table of subjects alone decides."""
        return tuple(p for p in self.parts if p.condition.early)


@dataclass(frozen=True)
class Plan:
    """All rules and quotas of a run."""

    rules: tuple[Rule, ...] = ()
    quotas: tuple[Quota, ...] = ()

    @property
    def conditions(self) -> list[Condition]:
        """All that is looked at: of the rules, then of the parts of the quotas."""
        return [r.condition for r in self.rules] + [p.condition for q in self.quotas for p in q.parts]

    @property
    def early(self) -> tuple[Rule, ...]:
        """The rules that the table of subjects alone decides."""
        return tuple(r for r in self.rules if r.condition.early)


def compile_plan(model: StudyModel, asked: Conditions, subjects: int, *, ranges: bool = True) -> Plan:
    """Check all that is asked for against a model.

    `ranges`: whether numbers keep to what was learned (no wider variation is asked for). Raises RequestError: for
    expressions that cannot be read or name what is not there, contradictions, events that the source never shows.
    """
    schema = schema_of(model)
    rules = []
    for number, constraint in enumerate(asked.constraints, 1):
        said = f"constraint {number} ({constraint.domain}: {constraint.rule})"
        with asked_in(_place(number)):
            condition = condition_of(model, schema, constraint.domain, constraint.rule, said)
            refuse_unknown(condition.expression, condition.schema, lambda ref: known_values(model, ref), said)
        rules.append(Rule(number, said, condition))
    _refuse_clashes(model, rules, ranges)
    quotas = []
    for number, event in enumerate(asked.rare_events):
        with asked_in(f"rare_events.{number}"):
            quotas.append(_of_event(model, schema, event, number + 1, ranges))
            _refuse_too_many(quotas[-1], subjects)
    for number, wanted in enumerate(asked.scenarios):
        with asked_in(f"scenarios.{number}"):
            quotas.append(_of_scenario(model, schema, wanted, ranges))
            _refuse_too_many(quotas[-1], subjects)
    return Plan(tuple(rules), tuple(quotas))


OWN_UNIT = "The bundled scenarios speak of tables of SDTM, some of ADaM; a unit of your own can speak of any."


def _place(number: int) -> str:
    """Where a constraint stands in the run document, by its number from 1."""
    return f"constraints.{number - 1}"


def _of_event(model: StudyModel, schema: Schema, event: RareEvent, number: int, ranges: bool) -> Quota:
    counted = isinstance(event, CountedEvent)
    said = f"counts ({event.counted})" if counted else f"rare event {number} ({event.domain}: {event.where})"
    condition = condition_of(model, schema, event.domain, event.where, said)
    problem = _never(model, condition, ranges)
    if problem:
        hint = "An event that the source never shows needs a scenario that supplies it."
        raise RequestError(f"{said}: {problem}.", hint=hint)
    exact = event.exactly is not None
    wanted = event.exactly if exact else event.subjects
    return Quota(said, (Part(condition),), wanted, event.times, exact=exact)


def _of_scenario(model: StudyModel, schema: Schema, wanted: Wanted, ranges: bool) -> Quota:
    """The unit as it is, or the first variant that the study has the tables for."""
    problem: RequestError | None = None
    for unit in wanted.unit.told():
        try:
            return _of_unit(model, schema, wanted.model_copy(update={"unit": unit}), ranges)
        except RequestError as error:
            problem = problem or error
    assert problem is not None
    raise problem


def _of_unit(model: StudyModel, schema: Schema, wanted: Wanted, ranges: bool) -> Quota:
    unit = resolved(model, wanted, ranges)
    said = f"scenario {unit.name}"
    parts = []
    for holds in unit.holds:
        try:
            part = condition_of(model, schema, holds.domain, holds.where, said)
        except RequestError as error:
            if holds.optional:
                continue
            error.hint = error.hint or OWN_UNIT
            raise
        parts.append(Part(part, holds.rows))
    known = not any(p.rows == "some" and _never(model, p.condition, ranges) for p in parts)
    steps = steps_of(model, schema, unit, said)
    _refuse_subjects(model, said, parts, steps, ranges)
    if not known and not steps:
        raise RequestError(f"{said}: the source never shows it, and the unit has no edits that supply it.")
    return Quota(said, tuple(parts), wanted.scenario.subjects, None, known, steps, True, True)


def _refuse_too_many(quota: Quota, subjects: int) -> None:
    if quota.subjects is not None and quota.subjects > subjects:
        raise RequestError(f"{quota.said}: {quota.subjects:,} subjects are asked for of {subjects:,}.")


def _refuse_subjects(model: StudyModel, said: str, parts: Sequence[Part], steps: Sequence[Step], ranges: bool) -> None:
    """Refuse what the table of subjects never shows and no step brings about."""
    set_by = {Ref(table=step.table, column=column) for step in steps for column in step.values}
    for condition in (part.condition for part in parts if part.rows == "some" and part.condition.early):
        problem = _never(model, condition, ranges, room=0.0)
        if problem and not set_by & condition.reads:
            raise RequestError(f"{said}: no subject fits {condition.expression.text}: {problem}.")


def _refuse_clashes(model: StudyModel, rules: list[Rule], ranges: bool) -> None:
    left = {rule.number: allowed(rule.condition.expression, rule.condition.schema) for rule in rules}
    for rule in rules:
        with asked_in(_place(rule.number)):
            for column, part in left[rule.number].items():
                name = f"{column.table}.{column.column}"
                if part.empty:
                    raise RequestError(f"{rule.said} is impossible: it leaves no value for {name}.")
                problem = learned_clash(column, part, _known(model, column, ranges))
                if problem:
                    raise RequestError(f"{rule.said} is impossible: {problem}.")
    for first, second in combinations(rules, 2):
        with asked_in(_place(first.number), _place(second.number)):
            for column in left[first.number].keys() & left[second.number].keys():
                name = f"{column.table}.{column.column}"
                both = left[first.number][column].both(left[second.number][column])
                if both.empty:
                    raise RequestError(
                        f"{first.said} and {second.said} contradict each other: no value of {name} fits both."
                    )
                problem = learned_clash(column, both, _known(model, column, ranges))
                if problem:
                    raise RequestError(f"{first.said} and {second.said} are impossible together: {problem}.")


def _known(model: StudyModel, column: Ref, ranges: bool) -> Known:
    known = known_values(model, column)
    return known if ranges or known.texts is not None else Known()


def _never(model: StudyModel, condition: Condition, ranges: bool, room: float = ROOM) -> str | None:
    """Why the source never shows a row of a condition, where that is plain. `room`: see `learned_clash`."""
    parts = allowed(condition.expression, condition.schema)
    known = {column: _known(model, column, ranges) for column in parts}
    missing = unknown_text(condition.expression, condition.schema, known)
    if missing:
        problem, near = missing
        return problem + (f" (near: {', '.join(map(repr, near))})" if near else "")
    for column, part in parts.items():
        problem = learned_clash(column, part, known[column], room)
        if problem:
            return problem
    return None

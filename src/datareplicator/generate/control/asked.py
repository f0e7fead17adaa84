"""What a run document may ask of the subjects, as plain documents; nothing here knows the model."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any

from pydantic import (
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    PlainSerializer,
    Tag,
    WithJsonSchema,
    model_validator,
)

from datareplicator.document import Document
from datareplicator.errors import RequestError

COMBINATIONS = "combinations"
RATIO = "ratio"
MISSING = ""
"""How a count names the subjects without a value."""
MOST = 10_000_000


def label(value: Any) -> str:
    """A category as a count names it: text as it is, numbers in their shortest form, nothing for missing.

    >>> label("F"), label(8507.0), label(None)
    ('F', '8507', '')
    """
    if value is None or value != value:
        return MISSING
    if isinstance(value, bool):
        return str(value)
    return f"{value:.12g}" if isinstance(value, int | float) else str(value)


def check_counts(given: Any) -> dict[str, Any]:
    """The normal form of `counts`: categories as text, numbers checked. Raises ValueError in plain words."""
    if not isinstance(given, Mapping):
        raise ValueError("must be a mapping such as `SEX: {F: 150, M: 150}`")
    out: dict[str, Any] = {}
    for name, asked in given.items():
        if name == COMBINATIONS:
            if not isinstance(asked, list):
                raise ValueError(
                    "combinations must be a list such as `- {where: {ARM: Placebo, SEX: F}, subjects: 60}`"
                )
            out[COMBINATIONS] = [_combination(k + 1, item) for k, item in enumerate(asked)]
            continue
        if not isinstance(name, str):
            raise ValueError(f"the variable {name!r} must be text")
        if not isinstance(asked, Mapping) or not asked:
            raise ValueError(f"{name} must be a mapping from categories to numbers, not {asked!r}")
        if set(asked) == {RATIO}:
            parts = asked[RATIO]
            if not isinstance(parts, Mapping) or not parts:
                raise ValueError(f"{name}: a ratio must be a mapping from categories to parts, not {parts!r}")
            out[name] = {RATIO: {_key(name, k): _part(name, k, v) for k, v in parts.items()}}
        else:
            out[name] = {_key(name, k): _number(f"{name} {k}", v) for k, v in asked.items()}
    return out


def _key(variable: str, key: Any) -> str:
    if isinstance(key, bool):
        raise ValueError(f"{variable}: a category was read as {key!r}; quote it")
    return label(key)


def _number(what: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MOST:
        raise ValueError(f"{what} must be a whole number from 0 on, not {value!r}")
    return value


def _part(variable: str, key: Any, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e9:
        raise ValueError(f"{variable} {key}: a part of a ratio must be a number from 0 on, not {value!r}")
    return value


def _combination(number: int, item: Any) -> dict[str, Any]:
    where = item.get("where") if isinstance(item, Mapping) else None
    if not isinstance(where, Mapping) or not where or set(item) != {"where", "subjects"}:
        raise ValueError(f"combination {number} must be like {{where: {{ARM: Placebo, SEX: F}}, subjects: 60}}")
    bad = [v for v in where.values() if isinstance(v, Mapping | list | bool)]
    if bad:
        raise ValueError(f"combination {number}: {bad[0]!r} is no category")
    return {
        "where": {str(k): label(v) for k, v in where.items()},
        "subjects": _number(f"combination {number}: subjects", item["subjects"]),
    }


_NUMBERS = {"type": "object", "additionalProperties": {"type": "integer", "minimum": 0}, "minProperties": 1}
_PARTS = {"type": "object", "additionalProperties": {"type": "number", "minimum": 0}, "minProperties": 1}
_CELL = {
    "type": "object",
    "required": ["where", "subjects"],
    "additionalProperties": False,
    "properties": {
        "where": {"type": "object", "minProperties": 1},
        "subjects": {"type": "integer", "minimum": 0},
    },
}
_RATIO = {"type": "object", "required": [RATIO], "additionalProperties": False, "properties": {RATIO: _PARTS}}

Counts = Annotated[
    dict[str, Any],
    BeforeValidator(check_counts),
    WithJsonSchema(
        {
            "type": "object",
            "properties": {COMBINATIONS: {"type": "array", "items": _CELL}},
            "additionalProperties": {"anyOf": [_NUMBERS, _RATIO]},
        }
    ),
]
"""Exact numbers of subjects: by variable a mapping from categories to numbers, or `{ratio: {category: part}}`; under
`combinations` a list of `{where: {variable: category}, subjects: number}`."""


def total(counts: Mapping[str, Any]) -> tuple[str, int] | None:
    """The first variable whose numbers give the number of subjects, and that number; None where there is none."""
    for name, asked in counts.items():
        if name != COMBINATIONS and set(asked) != {RATIO}:
            return name, sum(asked.values())
    return None


def number_of_subjects(counts: Mapping[str, Any], subjects: int | None) -> int | None:
    """The number of subjects, from itself or from counts. Raises RequestError, naming both where they differ."""
    found = total(counts)
    if found is None:
        return subjects
    for name, asked in counts.items():
        if name in (COMBINATIONS, found[0]) or set(asked) == {RATIO}:
            continue
        if sum(asked.values()) != found[1]:
            raise RequestError(
                f"the counts of {found[0]} sum to {found[1]:,}, those of {name} to {sum(asked.values()):,}."
            )
    if subjects is not None and subjects != found[1]:
        raise RequestError(f"the counts of {found[0]} sum to {found[1]:,}, but {subjects:,} subjects are asked for.")
    return found[1]


def _as_date(value: Any) -> Any:
    if isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise ValueError(f"{value!r} is no date such as 2026-01-31") from None
    return value


def _plain_text(value: Any) -> Any:
    return label(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


Day = Annotated[date, BeforeValidator(_as_date), PlainSerializer(lambda d: d.isoformat())]
Text = Annotated[str, BeforeValidator(_plain_text)]


class Clone(Document):
    """A new site or arm whose subjects are drawn like those of an existing one."""

    model_config = ConfigDict(strict=True)

    variable: str = Field(description="The column of sites or arms, by name (ARM, DM.SITEID).")
    like: Text = Field(description="The existing site or arm.")
    name: Text = Field(min_length=1, description="The name of the new one.")
    names: dict[str, Text] = Field(
        {}, description="New values of other columns that name it too (ARMCD for ARM), by column."
    )


class Enrolment(Document):
    """The days between which subjects enter: those of their reference start, study day 1."""

    model_config = ConfigDict(strict=True)

    first: Day = Field(description="The first day, such as 2026-01-31.")
    last: Day = Field(description="The last day.")

    @model_validator(mode="after")
    def _in_order(self) -> Enrolment:
        if self.last < self.first:
            raise ValueError(f"the last day, {self.last}, is before the first, {self.first}")
        return self


PATTERN = re.compile(r"#+|\{([^{}]+)\}|[^#{}]+")


def check_pattern(text: Any) -> Any:
    """A pattern of identifiers: one run of `#`, columns in braces. Raises ValueError."""
    if not isinstance(text, str):
        return text
    if "".join(m.group() for m in PATTERN.finditer(text)) != text:
        raise ValueError(f"{text!r}: a brace is not closed")
    if len(re.findall(r"#+", re.sub(r"\{[^{}]*\}", "", text))) != 1:
        raise ValueError(f"{text!r} needs one run of # for the number of the subject, such as {{SITEID}}-####")
    return text


Pattern = Annotated[str, BeforeValidator(check_pattern)]


class Change(Document):
    """How a variable or a table of events differs from what was learned."""

    model_config = ConfigDict(strict=True)

    variable: str | None = Field(None, description="The column, as TABLE.COLUMN: a number; any column for `missing`.")
    domain: str | None = Field(None, description="The table: its results, or with `events` its rows.")
    test: Text | None = Field(None, description="The test whose results change; all tests without it.")
    shift: float = Field(0.0, allow_inf_nan=False, description="Added to every value, in its unit.")
    scale: float = Field(1.0, ge=0, le=100, description="Factor of the spread about the middle.")
    drift: float = Field(0.0, allow_inf_nan=False, description="Added for every 30 days since the start.")
    missing: float = Field(1.0, ge=0, le=1000, description="How many times as often values are missing.")
    events: float = Field(1.0, ge=0, le=1000, description="How many times as many rows subjects have on average.")

    @model_validator(mode="after")
    def _whole(self) -> Change:
        if (self.variable is None) == (self.domain is None):
            raise ValueError("needs either a variable or a domain")
        if self.variable is not None and "." not in self.variable:
            raise ValueError(f"the variable must be TABLE.COLUMN, not {self.variable!r}")
        if self.events != 1.0 and (self.domain is None or self.test is not None):
            raise ValueError("events are of a domain as a whole")
        if not self.model_fields_set & {"shift", "scale", "drift", "missing", "events"}:
            raise ValueError("says nothing: give shift, scale, drift, missing or events")
        return self

    @property
    def said(self) -> str:
        """The change as the run document has it."""
        return str(self.variable or self.domain) + (f", test {self.test}" if self.test is not None else "")


class FollowUp(Document):
    """A longer follow-up: planned visits beyond the last one."""

    model_config = ConfigDict(strict=True)

    visits: int = Field(ge=1, le=200, description="How many more planned visits.")
    every: float | None = Field(
        None, gt=0, le=3650, description="Days from one to the next; as between the last two planned ones without it."
    )
    like: Text | None = Field(
        None, description="The planned visit whose assessments the new ones have; the last without it."
    )
    domains: list[str] | None = Field(
        None, description="The tables of results that have rows at the new visits; all that have some at the last one."
    )


class Variation(Document):
    """The dial and what else differs from what was learned."""

    model_config = ConfigDict(strict=True)

    dial: float = Field(1.0, ge=0, le=10, description="Spread: 0 central subjects, 1 as learned, 2 twice as wide.")
    changes: list[Change] = Field([], description="Changes of variables and tables of events.")
    follow_up: FollowUp | None = Field(None, description="More planned visits after the last one.")


NUMBER, MAPPING = "a number", "a mapping"


def _form(value: Any) -> str:
    return MAPPING if isinstance(value, Mapping | Variation) else NUMBER


Spread = Annotated[
    Annotated[float, Field(ge=0, le=10), Tag(NUMBER)] | Annotated[Variation, Tag(MAPPING)], Discriminator(_form)
]
"""The dial alone, or with changes."""

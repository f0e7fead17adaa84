"""Constraints, rare events and scenarios as a run document states them; nothing here knows the model."""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict, Field, model_validator

from datareplicator.document import Document

MOST_SUBJECTS = 10_000_000
DOMAIN = "The table, by its own name or by that of one of its parts, in any case."


class Constraint(Document):
    """A condition that no row of a table breaks.

    >>> Constraint(domain="DM", rule="AGE >= 18").rule
    'AGE >= 18'
    """

    model_config = ConfigDict(strict=True)

    domain: str = Field(description=DOMAIN)
    rule: str = Field(description="What holds in each row; see the reference of expressions.")


class RareEvent(Document):
    """Something that is to be more (or less) frequent than in the source: rows by a factor, or a number of subjects."""

    model_config = ConfigDict(strict=True)

    domain: str = Field(description=DOMAIN)
    where: str = Field(description="Which rows are the event; see the reference of expressions.")
    times: float | None = Field(None, gt=0, le=1000, description="How many times as many rows as without.")
    subjects: int | None = Field(None, ge=1, le=MOST_SUBJECTS, description="At least so many subjects with such a row.")
    exactly: int | None = Field(None, ge=0, le=MOST_SUBJECTS, description="So many subjects with such a row, no more.")

    @model_validator(mode="after")
    def _one_amount(self) -> RareEvent:
        if sum(amount is not None for amount in (self.times, self.subjects, self.exactly)) != 1:
            raise ValueError("needs either `times`, `subjects` or `exactly`")
        return self


class CountedEvent(RareEvent):
    """An event that counts of an outcome ask for; `counted`: how it is said."""

    counted: str


class Scenario(Document):
    """So many subjects with a course that a unit describes, no more and no less."""

    model_config = ConfigDict(strict=True, populate_by_name=True)

    name: str = Field(description="A bundled unit by its name, or the path of a file.")
    subjects: int = Field(ge=0, le=MOST_SUBJECTS, description="So many subjects, no more and no less.")
    values: dict[str, Any] = Field(
        {}, alias="with", description="Values of the unit's parameters, where others than its own are wanted."
    )


class Holds(Document):
    """One thing that is true of a subject of a scenario: `where` holds in some, in every, or in none of its rows.
    `optional`: of no matter where the study has no such table or variable."""

    model_config = ConfigDict(strict=True)

    domain: str
    where: str
    rows: str = Field("some", pattern="^(some|every|none)$")
    optional: bool = False


class Edit(Document):
    """One step that makes a subject fit a scenario.

    add: a row like those of the table, preferably like one where `where` holds. set: `values` in the rows where
    `where` holds, of which `pick` (first, last, all). drop: the rows where `where` holds. cut: all rows of all tables
    that begin after the day `after`, a date; later ends are moved to it. Values are expressions over the row.
    """

    model_config = ConfigDict(strict=True)

    add: str | None = None
    set: str | None = None
    drop: str | None = None
    cut: str | None = None
    where: str | None = None
    pick: str = Field("all", pattern="^(first|last|all)$")
    values: dict[str, str] = Field({})
    unless: str | None = None

    @model_validator(mode="after")
    def _one_step(self) -> Edit:
        if sum(v is not None for v in (self.add, self.set, self.drop, self.cut)) != 1:
            raise ValueError("an edit is exactly one of `add`, `set`, `drop` and `cut`")
        return self

    @property
    def table(self) -> str:
        """The table that it works on; for a cut the one whose row says the day."""
        return self.add or self.set or self.drop or self.cut or ""


class Variant(Document):
    """The same course in studies of other tables: what holds, the edits, and parameters that differ."""

    model_config = ConfigDict(strict=True)

    parameters: dict[str, Any] = Field({})
    holds: tuple[Holds, ...] = Field(min_length=1, strict=False)
    edits: tuple[Edit, ...] = Field((), strict=False)


class Unit(Document):
    """A scenario as a unit: what holds of its subjects, and which edits bring it about where the model never does.

    `parameters`: names in braces in its expressions, with the values that are taken unless others are given;
    ``highest TABLE.COLUMN`` stands for the greatest number learned, ``women of TABLE.COLUMN`` and ``men of
    TABLE.COLUMN`` for how the column says so. `variants`: how it is told where the study lacks the tables or variables
    that `holds` speaks of.
    """

    model_config = ConfigDict(strict=True)

    name: str
    summary: str = ""
    parameters: dict[str, Any] = Field({})
    holds: tuple[Holds, ...] = Field(min_length=1, strict=False)
    edits: tuple[Edit, ...] = Field((), strict=False)
    variants: tuple[Variant, ...] = Field((), strict=False)

    def told(self) -> tuple[Unit, ...]:
        """The unit and its variants, each as a unit of its own."""
        return self, *(
            self.model_copy(
                update={"parameters": {**self.parameters, **v.parameters}, "holds": v.holds, "edits": v.edits}
            )
            for v in self.variants
        )


class Wanted(Document):
    """A scenario with its unit at hand."""

    scenario: Scenario
    unit: Unit


class Conditions(Document):
    """All that is asked for in one run."""

    constraints: tuple[Constraint, ...] = ()
    rare_events: tuple[RareEvent, ...] = ()
    scenarios: tuple[Wanted, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.constraints or self.rare_events or self.scenarios)

"""One correction to what discovery finds, as the run document states it."""

from __future__ import annotations

from typing import Literal

import yaml
from pydantic import ConfigDict, Field, model_validator

from datareplicator.document import Document

VERBS = ("declare", "deny", "kind", "pii", "ignore", "keep")
_FORMS: dict[tuple[str, str], tuple[set[str], set[str]]] = {
    ("declare", "key"): ({"table", "columns"}, set()),
    ("declare", "dependency"): ({"variable", "by"}, {"exceptions"}),
    ("declare", "derivation"): ({"variable", "formula"}, {"exceptions"}),
    ("declare", "reference"): ({"variable", "to"}, set()),
    ("declare", "link"): ({"variable", "table"}, {"value", "column", "code", "date"}),
    ("deny", "key"): ({"table"}, {"columns"}),
    ("deny", "link"): ({"variable"}, {"table"}),
}
"""What each form needs, and what it may have; all others need a variable and nothing else."""

Kinds = Literal["identifier", "category", "flag", "integer", "decimal", "text", "date", "time", "duration"]
Replacement = Literal[
    "name", "first_name", "last_name", "initials", "address", "postcode", "phone", "email", "national_id", "mrn",
    "card", "iban", "ip", "url", "uuid",
]  # fmt: skip
"""What personal data can be replaced by."""


class Correction(Document):
    """Exactly one of `declare`, `deny`, `kind`, `pii`, `ignore` and `keep` says what is corrected; the other keys say
    where and how. Variables are written ``TABLE.COLUMN``.

    >>> Correction(deny="derivation", variable="LB.LBNRIND").said
    '{deny: derivation, variable: LB.LBNRIND}'
    """

    model_config = ConfigDict(strict=True)

    declare: Literal["key", "dependency", "derivation", "reference", "link"] | None = Field(
        None, description="What holds although it was not found: checked against the data."
    )
    deny: Literal["key", "dependency", "derivation", "reference", "link", "order", "pii"] | None = Field(
        None, description="What was found and does not hold."
    )
    kind: Kinds | None = Field(None, description="What the values of a column are; `text` is free text.")
    pii: Replacement | None = Field(
        None, description="The column holds personal data; its values are replaced by new ones of this kind."
    )
    ignore: Literal["column"] | None = Field(None, description="The column is not learned, and stays empty.")
    keep: Literal["column"] | None = Field(
        None, description="The column's texts are used as they are: neither computed, numbered anew nor replaced."
    )
    variable: str | None = Field(None, description="The column, as TABLE.COLUMN.")
    table: str | None = Field(None, description="The table.")
    columns: list[str] | None = Field(None, min_length=1, description="The columns of a key.")
    by: list[str] | None = Field(None, min_length=1, max_length=3, description="The columns that decide another one.")
    formula: str | None = Field(None, description="How the column is computed; see the reference of expressions.")
    to: str | None = Field(None, description="The column that a reference names rows by, as TABLE.COLUMN.")
    value: str | None = Field(None, description="The value of the subject's column in a link.")
    column: str | None = Field(None, description="The column of the linked table.")
    code: str | None = Field(None, description="The value of the linked table's column.")
    date: str | None = Field(None, description="The date of the linked table that is the subject's date.")
    exceptions: float = Field(0.0, ge=0, le=0.5, description="The share of rows that may contradict a declaration.")

    @model_validator(mode="after")
    def _one_form(self) -> Correction:
        given = [verb for verb in VERBS if getattr(self, verb) is not None]
        if len(given) != 1:
            raise ValueError(f"needs exactly one of the keys {', '.join(VERBS)}")
        needed, allowed = _FORMS.get((given[0], getattr(self, given[0])), ({"variable"}, set()))
        has = set(self.model_fields_set) - {*VERBS}
        has = {name for name in has if getattr(self, name) not in (None, 0.0)}
        form = f"`{given[0]}: {getattr(self, given[0])}`"
        if needed - has:
            raise ValueError(f"{form} needs the key {' and '.join(sorted(needed - has))}")
        if has - needed - allowed:
            raise ValueError(f"{form} has no key {' or '.join(sorted(has - needed - allowed))}")
        if self.declare == "link" and (self.column is None) != (self.code is None):
            raise ValueError("a link needs both `column` and `code`, or neither")
        if self.declare == "link" and (self.value is None) == (self.date is None):
            raise ValueError("a link needs either `value`, for a fact, or `date`, for its date")
        if self.declare == "link" and self.date is not None and self.column is None:
            raise ValueError("a link of dates needs `column` and `code`")
        return self

    @property
    def said(self) -> str:
        """The correction as one line of YAML."""
        given = self.model_dump(exclude_defaults=True)
        return yaml.safe_dump(given, default_flow_style=True, sort_keys=False, allow_unicode=True, width=10_000).strip()

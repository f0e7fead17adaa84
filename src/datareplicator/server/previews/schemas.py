"""What is asked of a table, and what comes back."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Operator = Literal["eq", "ne", "lt", "le", "gt", "ge", "in", "contains", "starts", "missing", "present"]
Scalar = str | int | float | bool


class Condition(BaseModel):
    """One condition on a column. `missing` and `present` take no value, `in` a list."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"column": "AESEV", "operator": "eq", "value": "SEVERE"}}
    )

    column: str = Field(max_length=200)
    operator: Operator = "eq"
    value: Scalar | list[Scalar] | None = None


class Order(BaseModel):
    """A column to sort by."""

    model_config = ConfigDict(extra="forbid")

    column: str = Field(max_length=200)
    descending: bool = False


class TableQuery(BaseModel):
    """Which rows of a table: all conditions hold; `search` is sought in every text column."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "where": [{"column": "AESEV", "operator": "eq", "value": "SEVERE"}],
                "sort": [{"column": "AESTDTC"}],
                "limit": 20,
            }
        },
    )

    where: list[Condition] = Field([], max_length=50)
    search: str = Field("", max_length=200)
    faulty: bool = Field(False, description="Of runs with faults: only rows in which something was changed.")
    sort: list[Order] = Field([], max_length=10)
    columns: list[str] | None = Field(None, max_length=2000, description="These only, in this order.")
    offset: int = Field(0, ge=0, le=2**62)
    limit: int = Field(50, ge=1, le=1000)


class ColumnOut(BaseModel):
    """A column with what is known of it."""

    name: str
    label: str = ""
    type: str
    format: str = ""
    length: int | None = None


class TableOut(BaseModel):
    """A table. Without `preview` it holds values that its columns cannot (injected faults)."""

    table: str
    label: str
    rows: int
    preview: bool
    columns: list[ColumnOut]


class Mark(BaseModel):
    """A fault in a row of the page: what was changed, and what was there before."""

    row: int = Field(description="Number of the row in the table, from 1.")
    variable: str | None = Field(description="Null where the whole row was put in or changed.")
    kind: str
    change: str
    severity: str
    old: str | None
    new: str | None


class Rows(BaseModel):
    """A page of a table: `matching` rows fit the conditions, of `total`."""

    table: str
    label: str
    columns: list[ColumnOut]
    rows: list[list[Any]]
    numbers: list[int] = Field(description="Number of each row in the table, from 1.")
    marks: list[Mark] = []
    offset: int
    matching: int
    total: int


class ColumnSummary(BaseModel):
    """What a column of a table holds."""

    column: str
    missing: int
    distinct: int
    least: Any = None
    greatest: Any = None
    top: list[tuple[Any, int]] = Field(description="The most frequent values with their rows.")

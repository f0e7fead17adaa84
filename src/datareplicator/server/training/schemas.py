"""What goes into the Training Replicator's endpoints."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

MOST_ROWS = 1_000_000


class GenerateRelated(BaseModel):
    """Rows of related tables from a model of several tables (`model`), or from a model of each (`models`) with the
    foreign keys between them."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "models": {"customers": {"metadata": {}, "columns": []}, "orders": {"metadata": {}, "columns": []}},
                "foreign_keys": {"orders": {"customer_id": "customers.id"}},
                "rows": {"customers": 100},
                "seed": 42,
            }
        },
    )

    model: dict[str, Any] | None = Field(None, description="A model definition, of one table or several.")
    models: dict[str, dict[str, Any]] | None = Field(None, min_length=1, description="Model definitions by table.")
    foreign_keys: dict[str, dict[str, str]] | None = Field(
        None, description="Of `models`: by table, the column and TABLE.COLUMN that it refers to."
    )
    rows: int | dict[str, int] = Field(
        1000, description="Rows of the first table that refers to no other, or by the names of such tables."
    )
    seed: int = 42
    method: Literal["copula", "normal"] = "copula"

    @property
    def asked_rows(self) -> int:
        """Rows that are asked for by name; children come on top."""
        return self.rows if isinstance(self.rows, int) else sum(self.rows.values())


class TrainedModel(BaseModel):
    """A model definition (the JSON that `ModelSerializer` keeps) and what it was learned from."""

    model: dict[str, Any]
    tables: list[str]
    rows: int


class RelatedTables(BaseModel):
    """Generated rows by table."""

    tables: dict[str, list[dict[str, Any]]]
    rows: dict[str, int]

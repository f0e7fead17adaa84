"""What goes in and out about targets."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints, field_validator

from datareplicator.server.jobs.schemas import JobOut
from datareplicator.server.projects.schemas import Name

Address = Annotated[str, StringConstraints(pattern=r"^https?://[^\s@]+$", max_length=2000)]
Header = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{1,100}$")]


class HttpOptions(BaseModel):
    """An HTTP endpoint that takes POST requests: files as they are, or rows in batches."""

    model_config = ConfigDict(extra="forbid")

    url: Address = Field(description="Without credentials; those go into the secret.")
    form: Literal["files", "json", "ndjson"] = Field(
        "json", description="A request for each file, or for each batch of rows of a table."
    )
    batch_rows: int = Field(1000, ge=1, le=100_000)
    auth_header: Header = Field("Authorization", description="The header that carries the secret.")


class TargetNew(BaseModel):
    """A target to be set up."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "name": "Data hub",
                "options": {"url": "https://hub.example.org/ingest", "form": "ndjson"},
                "secret": "Bearer abc",
            }
        },
    )

    name: Name
    kind: Literal["http"] = "http"
    options: HttpOptions
    secret: SecretStr | None = Field(None, max_length=10_000, description="Kept encrypted, never shown again.")

    @field_validator("secret")
    @classmethod
    def _header_value(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not (value.get_secret_value().isascii() and value.get_secret_value().isprintable()):
            raise ValueError("must be printable ASCII: it is sent as a header")
        return value


class TargetOut(BaseModel):
    """A target, without its secret."""

    id: uuid.UUID
    name: str
    kind: Literal["http"]
    options: HttpOptions
    has_secret: bool
    created_at: datetime


class Reached(BaseModel):
    """Whether a target answers."""

    ok: bool
    detail: str


class PushNew(BaseModel):
    """A run to be pushed; all of its tables by default."""

    model_config = ConfigDict(extra="forbid")

    run_id: uuid.UUID
    tables: list[str] | None = Field(None, min_length=1, max_length=2000)


class PushOut(BaseModel):
    """A push; the job's result counts requests, rows and bytes."""

    id: uuid.UUID
    target_id: uuid.UUID
    run_id: uuid.UUID
    created_at: datetime
    job: JobOut

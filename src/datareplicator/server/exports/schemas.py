"""What goes in and out about exports."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from datareplicator.server.jobs.schemas import JobOut

ExportFormat = Literal["parquet", "csv", "tsv", "xpt", "json", "ndjson", "dataset-json", "xlsx", "duckdb"]


class ExportNew(BaseModel):
    """Tables of a run in another format; all of them by default."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"format": "xpt", "tables": ["dm", "ae"]}})

    format: ExportFormat
    tables: list[str] | None = Field(None, min_length=1, max_length=2000)


class ExportFile(BaseModel):
    """A file of an export."""

    name: str
    size: int
    sha256: str


class ExportOut(BaseModel):
    """An export; `files` are there when the job is done."""

    id: uuid.UUID
    run_id: uuid.UUID
    format: ExportFormat
    created_at: datetime
    job: JobOut
    summary: dict[str, Any] | None
    files: list[ExportFile]

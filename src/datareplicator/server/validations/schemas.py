"""What goes in and out about validations."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from datareplicator.server.jobs.schemas import MOST, JobOut, Urgency
from datareplicator.server.projects.schemas import Name


class ValidationNew(BaseModel):
    """A dataset or a run to be checked, perhaps against the rates of a baseline."""

    model_config = ConfigDict(extra="forbid")

    dataset_id: uuid.UUID | None = None
    version: int | None = Field(None, ge=1, le=MOST)
    run_id: uuid.UUID | None = None
    baseline_dataset_id: uuid.UUID | None = Field(None, description="Whose own rates are the yardstick.")
    detectors: bool = Field(True, description="Run the statistical detectors as well.")
    name: Name | None = None
    urgency: Urgency = "normal"


class ValidationOut(BaseModel):
    """A validation; `summary` is there when the job is done."""

    id: uuid.UUID
    name: str
    run_id: uuid.UUID | None
    version_id: uuid.UUID | None
    baseline_id: uuid.UUID | None
    created_at: datetime
    created_by: uuid.UUID | None
    job: JobOut
    summary: dict[str, Any] | None


class ValidationPage(BaseModel):
    """A page of validations, newest first."""

    items: list[ValidationOut]
    total: int

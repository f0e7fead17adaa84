"""What goes in and out about models."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from datareplicator.server.jobs.schemas import MOST, JobOut, Urgency
from datareplicator.server.projects.schemas import Name


class ModelNew(BaseModel):
    """A model to be learned. `corrections` and `privacy` are those of the run document."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "dataset_id": "1f0c4f7e-6a55-4c63-9d52-3a4a3f0f3f10",
                "corrections": [{"deny": "derivation", "variable": "LB.LBNRIND"}],
                "privacy": {"min_subjects": 3},
            }
        },
    )

    dataset_id: uuid.UUID
    version: int | None = Field(None, ge=1, le=MOST, description="Version of the dataset; the latest by default.")
    name: Name | None = Field(None, description="Models of the same name are versions of each other.")
    description: str = Field("", max_length=20_000)
    corrections: list[dict[str, Any]] = Field([], max_length=1000, description="What discovery found, set right.")
    privacy: dict[str, Any] = Field({}, description="Limits on what is learned: min_subjects.")
    urgency: Urgency = "normal"


class ModelChange(BaseModel):
    """What is to be changed."""

    model_config = ConfigDict(extra="forbid")

    description: str = Field(max_length=20_000)


class ModelOut(BaseModel):
    """A model; `summary` is there when the job is done."""

    id: uuid.UUID
    name: str
    number: int = Field(description="Version of this name, from 1.")
    description: str
    origin: Literal["learned", "imported"]
    dataset_id: uuid.UUID | None
    dataset_version: int | None
    request: dict[str, Any]
    created_at: datetime
    created_by: uuid.UUID | None
    job: JobOut
    summary: dict[str, Any] | None


class ModelPage(BaseModel):
    """A page of models, newest first."""

    items: list[ModelOut]
    total: int

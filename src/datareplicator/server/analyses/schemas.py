"""What goes in and out about analyses."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from datareplicator.server.jobs.schemas import MOST, JobOut, Urgency
from datareplicator.server.projects.schemas import Name


class AnalysisNew(BaseModel):
    """An analysis to be made."""

    model_config = ConfigDict(extra="forbid")

    dataset_id: uuid.UUID
    version: int | None = Field(None, ge=1, le=MOST, description="Version of the dataset; the latest by default.")
    name: Name | None = None
    urgency: Urgency = "normal"


class AnalysisOut(BaseModel):
    """An analysis; `summary` is there when the job is done."""

    id: uuid.UUID
    name: str
    dataset_id: uuid.UUID
    version: int
    created_at: datetime
    created_by: uuid.UUID | None
    job: JobOut
    summary: dict[str, Any] | None = Field(description="Subjects, rows, tables with their keys, arms, notes...")


class AnalysisPage(BaseModel):
    """A page of analyses, newest first."""

    items: list[AnalysisOut]
    total: int


class Difference(BaseModel):
    """Something in which the compared ones differ: a value for each, null where it is absent."""

    place: str = Field(description="What it is about: the study, a table, or TABLE.COLUMN.")
    aspect: str = Field(description="rows, subjects, missing, kind, quantiles, categories...")
    values: list[Any]


class Comparison(BaseModel):
    """Analyses or models side by side."""

    ids: list[uuid.UUID]
    names: list[str]
    differences: list[Difference]
    same: int = Field(description="Aspects that are alike.")
    truncated: bool

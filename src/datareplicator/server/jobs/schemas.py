"""What is told of jobs."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

State = Literal["queued", "running", "done", "failed", "cancelled"]
Urgency = Literal["routine", "normal", "critical"]
MOST = 2**31 - 1
"""Of counts and offsets: what every database takes."""
Number = Annotated[int, Field(ge=1, le=MOST)]


class JobProgress(BaseModel):
    """The step at hand; a total of 0 says that nobody knows how long it takes."""

    step: str = Field(description="Name of the step: read, discover, learn, generate, check, report, write.")
    done: int = 0
    total: int = 0
    unit: str = ""
    remaining_seconds: float | None = Field(None, description="Until this step ends, at its speed so far.")


class JobOut(BaseModel):
    """A job."""

    model_config = ConfigDict(from_attributes=True)

    id: uuid.UUID
    kind: str = Field(description="inspection, analysis, model, import, run, corruption, validation, export.")
    queue: str
    state: State
    subject_id: uuid.UUID | None = Field(description="What the job makes: a dataset's version, an analysis, a run...")
    priority: int
    attempt: int
    progress: JobProgress | None
    result: dict[str, Any] | None
    error: dict[str, Any] | None
    cache: Literal["hit", "miss"]
    rows: int
    seconds: float
    cpu_seconds: float
    peak_mb: float
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    last_event: int = Field(description="Number of the last event: follow from here, or from 0 for all.")


class JobPage(BaseModel):
    """A page of jobs, newest first."""

    items: list[JobOut]
    total: int


class JobEventOut(BaseModel):
    """One event of a job; numbers are without gaps."""

    number: int
    at: datetime
    event: Literal["state", "progress"]
    content: dict[str, Any]

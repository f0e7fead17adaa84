"""What goes in and out about runs."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from datareplicator.run import OutputFormat
from datareplicator.server.jobs.schemas import MOST, JobOut, Urgency
from datareplicator.server.projects.schemas import Name

DOCUMENT = (
    "The run document of the command line (`GET /api/run-schema`), less its paths: what to make is in `dataset_id` or "
    "`model_id`, and the output is kept by the service."
)


class RunNew(BaseModel):
    """New subjects to be made from a model, or from a dataset (a model is learned, or found in the cache)."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "dataset_id": "1f0c4f7e-6a55-4c63-9d52-3a4a3f0f3f10",
                "document": {"subjects": 1000, "seed": 7, "format": "xpt", "report": True},
            }
        },
    )

    dataset_id: uuid.UUID | None = None
    version: int | None = Field(None, ge=1, le=MOST, description="Version of the dataset; the latest by default.")
    model_id: uuid.UUID | None = None
    name: Name | None = None
    document: dict[str, Any] = Field({}, description=DOCUMENT)
    check: bool | None = Field(
        None, description="Validate what is generated; as the settings say by default, and always for a report."
    )
    urgency: Urgency = Field("normal", description="Within the priority of the tier.")


class CorruptionNew(BaseModel):
    """A dataset as it is, with faults in known places and their answer key."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {"dataset_id": "1f0c4f7e-6a55-4c63-9d52-3a4a3f0f3f10", "plan": {"include": "messy-site"}}
        },
    )

    dataset_id: uuid.UUID
    version: int | None = Field(None, ge=1, le=MOST, description="Version of the dataset; the latest by default.")
    plan: dict[str, Any] = Field(description="Faults: profiles by `include`, or your own in `faults`.")
    seed: int = Field(0, ge=0, le=2**63 - 1)
    format: OutputFormat = "same"
    name: Name | None = None
    urgency: Urgency = "normal"


class RunOut(BaseModel):
    """A run; `summary` is there when the job is done: rows, tables, what validation found."""

    id: uuid.UUID
    name: str
    kind: Literal["generate", "corrupt"]
    model_id: uuid.UUID | None
    dataset_id: uuid.UUID | None
    dataset_version: int | None
    request: dict[str, Any]
    created_at: datetime
    created_by: uuid.UUID | None
    expires_at: datetime | None
    job: JobOut
    waits_for: JobOut | None = Field(description="The job of the model that the run waits for.")
    summary: dict[str, Any] | None


class RunPage(BaseModel):
    """A page of runs, newest first."""

    items: list[RunOut]
    total: int


class RunChange(BaseModel):
    """What is to be changed; `keep_until` null keeps the run until it is deleted."""

    model_config = ConfigDict(extra="forbid")

    name: Name | None = None
    keep_until: AwareDatetime | None = None


class OutputFile(BaseModel):
    """A file of a run's output."""

    name: str
    size: int
    sha256: str


class Finding(BaseModel):
    """One finding of validation."""

    model_config = ConfigDict(extra="allow")

    rule: str
    severity: str
    table: str | None = None
    row: int | None = None
    subject: str | None = None
    variables: str | None = None
    values: str | None = None
    message: str | None = None


class FindingPage(BaseModel):
    """A page of findings; `kept` of all are listed one by one, the rest is counted in `rules`."""

    headline: str
    notes: list[str]
    rules: list[dict[str, Any]]
    items: list[Finding]
    matching: int
    kept: int


class FaultKind(BaseModel):
    """How many faults of one kind were put in."""

    kind: str
    severity: str
    faults: int
    changes: int = Field(description="Cells, rows or columns that they changed.")
    detectable: bool = Field(description="Whether a rule can see them.")


class FaultFound(BaseModel):
    """One change of the answer key; `old` and `new` are texts that give the value exactly."""

    incident: int
    kind: str
    change: str
    table: str | None
    row: int | None = Field(description="In the table as it is now, from 1; null for rows that were taken out.")
    subject: str | None
    variable: str | None
    old: str | None
    new: str | None
    severity: str
    detectable: bool


class FaultPage(BaseModel):
    """A page of the answer key, with sums by kind over all of it."""

    kinds: list[FaultKind]
    items: list[FaultFound]
    matching: int


class RequestProblem(BaseModel):
    """What is wrong with a part of a request."""

    place: str = Field(description="Path in the document, such as constraints.0 or counts; empty: all of it.")
    message: str
    hint: str | None = None
    position: int | None = Field(None, description="In an expression, from 1.")


class RequestChecked(BaseModel):
    """A request that was looked at and not asked for. Amounts are estimates by the source and by earlier runs."""

    problems: list[RequestProblem]
    subjects: int | None
    rows: int | None
    bytes: int | None = Field(description="As the files of the source; null where there are none.")
    seconds: float | None = Field(description="Of the run, and of learning where that is needed first.")
    checked: Literal["model", "names", "grammar", "nothing"] = Field(
        description="How far the request was checked: against the model as a run does, or expressions with the names "
        "of the source, where it was analysed or learned."
    )
    learned: bool = Field(description="Whether the model that a run would take is there.")

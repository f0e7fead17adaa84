"""What goes in and out about datasets."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from datareplicator.server.jobs.schemas import JobOut
from datareplicator.server.projects.schemas import Name


class DatasetNew(BaseModel):
    """A dataset to be made; its files are uploaded then."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"name": "DR-201 snapshot 3"}})

    name: Name
    description: str = Field("", max_length=20_000)


class DatasetChange(BaseModel):
    """What is to be changed."""

    model_config = ConfigDict(extra="forbid")

    name: Name | None = None
    description: str | None = Field(None, max_length=20_000)


class FileOut(BaseModel):
    """A file of a dataset."""

    name: str
    format: str
    size: int
    sha256: str
    created_at: datetime


class ProblemPlace(BaseModel):
    """Where something is wrong; rows count from 1, the header not included."""

    file: str | None = None
    table: str | None = None
    column: str | None = None
    row: int | None = None


class FileProblem(BaseModel):
    """What is wrong with a file, and what to do."""

    code: str
    message: str
    place: ProblemPlace
    hint: str | None = None


class TableFound(BaseModel):
    """A table that was recognised in a file."""

    table: str
    label: str
    domain: str | None
    standard: str | None
    rows: int
    columns: int
    subjects: int | None


class FileFound(BaseModel):
    """What was recognised in a file."""

    file: str
    tables: list[TableFound]
    problem: FileProblem | None


class Inspection(BaseModel):
    """What was recognised in a version: `usable` says that it can be analysed and learned as it is."""

    usable: bool
    study: str
    standard: str | None
    rows: int
    subjects: int | None
    files: list[FileFound]
    problems: list[FileProblem]
    notes: list[str]


class VersionOut(BaseModel):
    """A version of a dataset. `state` is that of its inspection."""

    id: uuid.UUID
    number: int
    size: int
    digest: str = Field(description="SHA-256 over the names and contents of the files.")
    created_at: datetime
    state: Literal["queued", "running", "done", "failed", "cancelled"]
    files: list[FileOut]
    inspection: Inspection | None
    job: JobOut | None


class DatasetOut(BaseModel):
    """A dataset with its latest version."""

    id: uuid.UUID
    name: str
    description: str
    created_at: datetime
    updated_at: datetime
    created_by: uuid.UUID | None
    versions: int
    latest: VersionOut | None


class DatasetPage(BaseModel):
    """A page of datasets, the latest changed first."""

    items: list[DatasetOut]
    total: int


class UploadNew(BaseModel):
    """A file that will come in parts."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(max_length=500)
    size: int = Field(ge=1, le=2**50, description="Bytes of the whole file.")


class UploadOut(BaseModel):
    """A file that comes in parts."""

    id: uuid.UUID
    name: str
    size: int
    received: int
    complete: bool
    expires_at: datetime


class VersionNew(BaseModel):
    """A new version out of complete uploads, and of the latest version less what is removed."""

    model_config = ConfigDict(extra="forbid")

    uploads: list[uuid.UUID] = Field([], max_length=2000)
    replace: bool = Field(False, description="Take nothing over from the latest version.")
    remove: list[str] = Field([], max_length=2000, description="Names of files that are not taken over.")

"""What a kind of job is: what is fetched for it, what a child does, what is stored of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from datareplicator.server.database import Database
from datareplicator.server.jobs.tables import Job
from datareplicator.server.settings import Settings
from datareplicator.server.storage import Storage
from datareplicator.server.storage.upload import Stored

HOMES = (
    "datareplicator.server.datasets.jobs",
    "datareplicator.server.analyses.jobs",
    "datareplicator.server.models.jobs",
    "datareplicator.server.runs.jobs",
    "datareplicator.server.validations.jobs",
    "datareplicator.server.exports.jobs",
    "datareplicator.server.targets.jobs",
)


@dataclass(frozen=True)
class Desk:
    """What a worker has at hand."""

    database: Database
    storage: Storage
    settings: Settings
    scratch: Path

    def checkpoints_of(self, job: Job) -> Path:
        """Where the attempts at a job on this machine leave what the next one may go on with."""
        return self.scratch / f"{job.id}-checkpoints"


@dataclass(frozen=True)
class Outcome:
    """What a child gave: its result, and the files of its folder `out`, stored below `prefix`."""

    result: dict[str, Any]
    prefix: str
    files: Sequence[Stored] = field(default_factory=tuple)

    def file(self, name: str) -> Stored:
        """A stored file by its name."""
        return next(stored for stored in self.files if stored.name == name)

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(stored.size for stored in self.files)


@dataclass(frozen=True)
class Kind:
    """A kind of job.

    `prepare` puts the inputs into the folder and gives the child's specification; `work` names the child's function
    as ``module:function``; `publish` makes the rows of the result, in the transaction that marks the job as done.
    What needs the network has `perform` instead of the first two: it is done in the worker, and only waits there.
    """

    name: str
    queue: str
    work: str = ""
    prepare: Callable[[Desk, Job, Path], Awaitable[dict[str, Any]]] | None = None
    publish: Callable[[AsyncSession, Job, Outcome], Awaitable[dict[str, Any]]] = field(kw_only=True)
    perform: Callable[[Desk, Job, Path, Callable[[dict[str, Any]], None]], Awaitable[dict[str, Any]]] | None = None


@cache
def kinds() -> dict[str, Kind]:
    """All kinds by name; each feature lists its own as `KINDS` in its module `jobs`."""
    return {kind.name: kind for home in HOMES for kind in import_module(home).KINDS}

"""The jobs that learn a dataset, and that read an imported model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from datareplicator.server.cache import service as cache
from datareplicator.server.jobs.inputs import fetch_version, identity
from datareplicator.server.jobs.kind import Desk, Kind, Outcome
from datareplicator.server.jobs.tables import Job
from datareplicator.server.models.tables import Model


async def _prepare_fit(desk: Desk, job: Job, folder: Path) -> dict[str, Any]:
    await fetch_version(desk, job.project_id, identity(job.request["version_id"]), folder / "in")
    return job.request["learn"]


async def _prepare_import(desk: Desk, job: Job, folder: Path) -> dict[str, Any]:
    await desk.storage.fetch(job.request["staged"], folder / "in" / "model.json")
    return {}


async def _publish(session: AsyncSession, job: Job, outcome: Outcome) -> dict[str, Any]:
    await cache.keep(session, job, outcome, Model)
    if "staged" in job.request:
        cache.forget(session, job.request["staged"])
    return {"rows": outcome.result["rows"], "subjects": outcome.result["subjects"], "digest": outcome.result["digest"]}


KINDS = (
    Kind("model", "training", "datareplicator.server.models.work:fit", _prepare_fit, publish=_publish),
    Kind("import", "training", "datareplicator.server.models.work:check", _prepare_import, publish=_publish),
)

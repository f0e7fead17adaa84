"""The jobs that generate, and that put faults into a dataset."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from datareplicator.server.cache import service as cache
from datareplicator.server.jobs.inputs import fetch_result, fetch_version, identity
from datareplicator.server.jobs.kind import Desk, Kind, Outcome
from datareplicator.server.jobs.tables import Job
from datareplicator.server.models.tables import Model
from datareplicator.server.models.work import MODEL
from datareplicator.server.runs.tables import Run

SOURCE = "source"


async def _prepare_run(desk: Desk, job: Job, folder: Path) -> dict[str, Any]:
    request = job.request
    async with desk.database.session() as session:
        found = select(Model.result_id).where(
            Model.id == identity(request["model_id"]), Model.project_id == job.project_id
        )
        result_id = await session.scalar(found)
    await fetch_result(desk, job.project_id, result_id, folder / "in", only=MODEL)
    spec = {key: request[key] for key in ("document", "named", "check", "rows_per_second", "batch_subjects")}
    spec["checkpoints"] = str(desk.checkpoints_of(job))
    if request.get("source_id"):
        await fetch_version(desk, job.project_id, identity(request["source_id"]), folder / "in" / SOURCE)
        spec["source"] = SOURCE
    return spec


async def _prepare_corruption(desk: Desk, job: Job, folder: Path) -> dict[str, Any]:
    named = job.request["named"]
    await fetch_version(desk, job.project_id, identity(job.request["source_id"]), folder / "in" / named)
    return {"source": named, **{key: job.request["request"][key] for key in ("plan", "seed", "format")}}


async def _publish(session: AsyncSession, job: Job, outcome: Outcome) -> dict[str, Any]:
    await cache.keep(session, job, outcome, Run)
    told = outcome.result
    return {"rows": told["rows"], "subjects": told["subjects"], "bytes": outcome.size}


KINDS = (
    Kind("run", "generation", "datareplicator.server.runs.work:generate", _prepare_run, publish=_publish),
    Kind("corruption", "generation", "datareplicator.server.runs.work:corrupt", _prepare_corruption, publish=_publish),
)

"""The job that writes a run in another format."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from datareplicator.server.cache import service as cache
from datareplicator.server.exports.tables import Export
from datareplicator.server.jobs.inputs import fetch_result, identity
from datareplicator.server.jobs.kind import Desk, Kind, Outcome
from datareplicator.server.jobs.tables import Job
from datareplicator.server.jobs.tablesout import FOLDER
from datareplicator.server.runs.tables import Run


async def _prepare(desk: Desk, job: Job, folder: Path) -> dict[str, Any]:
    async with desk.database.session() as session:
        found = select(Run.result_id).where(Run.id == identity(job.request["run_id"]), Run.project_id == job.project_id)
        result_id = await session.scalar(found)
    await fetch_result(desk, job.project_id, result_id, folder / "in", only="tables.json")
    await fetch_result(desk, job.project_id, result_id, folder / "in" / FOLDER, below=f"{FOLDER}/")
    return {"format": job.request["format"], "tables": job.request["tables"]}


async def _publish(session: AsyncSession, job: Job, outcome: Outcome) -> dict[str, Any]:
    await cache.keep(session, job, outcome, Export)
    return {"rows": outcome.result["rows"], "bytes": outcome.size}


KINDS = (Kind("export", "generation", "datareplicator.server.exports.work:export", _prepare, publish=_publish),)

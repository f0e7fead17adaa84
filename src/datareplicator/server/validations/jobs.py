"""The job that checks a study."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from datareplicator.server.cache import service as cache
from datareplicator.server.jobs.inputs import fetch_result, fetch_version, identity
from datareplicator.server.jobs.kind import Desk, Kind, Outcome
from datareplicator.server.jobs.tables import Job
from datareplicator.server.runs.tables import Run
from datareplicator.server.runs.work import FILES
from datareplicator.server.validations.tables import Validation


async def _prepare(desk: Desk, job: Job, folder: Path) -> dict[str, Any]:
    request = job.request
    study = folder / "in" / "study"
    if request["run_id"]:
        async with desk.database.session() as session:
            found = select(Run.result_id).where(Run.id == identity(request["run_id"]), Run.project_id == job.project_id)
            result_id = await session.scalar(found)
        await fetch_result(desk, job.project_id, result_id, study, below=f"{FILES}/")
    else:
        await fetch_version(desk, job.project_id, identity(request["version_id"]), study)
    spec = {"study": "study", "detectors": request["detectors"]}
    if request["baseline_id"]:
        await fetch_version(desk, job.project_id, identity(request["baseline_id"]), folder / "in" / "baseline")
        spec["baseline"] = "baseline"
    return spec


async def _publish(session: AsyncSession, job: Job, outcome: Outcome) -> dict[str, Any]:
    await cache.keep(session, job, outcome, Validation)
    return {"rows": 0, "findings": outcome.result["findings"]}


KINDS = (Kind("validation", "analysis", "datareplicator.server.validations.work:validate", _prepare, publish=_publish),)

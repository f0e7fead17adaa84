"""The job that analyses a dataset."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from datareplicator.server.analyses.tables import Analysis
from datareplicator.server.cache import service as cache
from datareplicator.server.jobs.inputs import fetch_version, identity
from datareplicator.server.jobs.kind import Desk, Kind, Outcome
from datareplicator.server.jobs.tables import Job


async def _prepare(desk: Desk, job: Job, folder: Path) -> dict[str, Any]:
    await fetch_version(desk, job.project_id, identity(job.request["version_id"]), folder / "in")
    return {}


async def _publish(session: AsyncSession, job: Job, outcome: Outcome) -> dict[str, Any]:
    await cache.keep(session, job, outcome, Analysis)
    return {"rows": outcome.result["rows"], "subjects": outcome.result["subjects"]}


KINDS = (Kind("analysis", "analysis", "datareplicator.server.analyses.work:analyse", _prepare, publish=_publish),)

"""The job that looks into the files of a dataset."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from datareplicator.server.cache import service as cache
from datareplicator.server.datasets.tables import DatasetVersion
from datareplicator.server.jobs.inputs import fetch_version
from datareplicator.server.jobs.kind import Desk, Kind, Outcome
from datareplicator.server.jobs.tables import Job

ASIDE = (".meta.json", "define.xml")
"""Files that go with data and are no tables."""


async def _prepare(desk: Desk, job: Job, folder: Path) -> dict[str, Any]:
    names = await fetch_version(desk, job.project_id, job.subject_id, folder / "in")
    return {"files": [name for name in names if not name.lower().endswith(ASIDE)]}


async def _publish(session: AsyncSession, job: Job, outcome: Outcome) -> dict[str, Any]:
    await cache.keep(session, job, outcome, DatasetVersion, summary=outcome.result)
    return {"usable": outcome.result["usable"], "rows": outcome.result["rows"]}


KINDS = (Kind("inspection", "analysis", "datareplicator.server.datasets.work:inspect", _prepare, publish=_publish),)

"""The jobs that learn a dataset, and that read an imported model."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from datareplicator.errors import RequestError
from datareplicator.server.cache import service as cache
from datareplicator.server.datasets.tables import DatasetVersion
from datareplicator.server.jobs.inputs import fetch_result, fetch_version, identity
from datareplicator.server.jobs.kind import Desk, Kind, Outcome
from datareplicator.server.jobs.tables import Job
from datareplicator.server.models.tables import Model
from datareplicator.server.models.work import EARLIER, MODEL
from datareplicator.server.storage import Missing

log = structlog.get_logger("datareplicator.models")


async def _prepare_fit(desk: Desk, job: Job, folder: Path) -> dict[str, Any]:
    version_id = identity(job.request["version_id"])
    await fetch_version(desk, job.project_id, version_id, folder / "in")
    spec = dict(job.request["learn"])
    async with desk.database.session() as session:
        earlier = await earlier_of(session, job.project_id, version_id)
    if earlier is not None:
        try:
            await fetch_result(desk, job.project_id, earlier.result_id, folder / EARLIER, only=MODEL)
            spec["earlier"] = f"{earlier.name}, version {earlier.number}"
        except (RequestError, Missing):
            log.info("the earlier model was deleted meanwhile: all is learned", job=str(job.id))
    return spec


async def earlier_of(session: AsyncSession, project_id: uuid.UUID, version_id: uuid.UUID | None) -> Model | None:
    """The newest model of the dataset, of this version if there is one: what has not changed
    since can be taken over from it."""
    version = await session.get(DatasetVersion, version_id)
    if version is None:
        return None
    own = select(DatasetVersion.id).where(DatasetVersion.dataset_id == version.dataset_id)
    query = (
        select(Model)
        .where(Model.project_id == project_id, Model.version_id.in_(own), Model.result_id.is_not(None))
        .order_by((Model.version_id == version_id).desc(), Model.created_at.desc())
    )
    return await session.scalar(query.limit(1))


async def _prepare_import(desk: Desk, job: Job, folder: Path) -> dict[str, Any]:
    await desk.storage.fetch(job.request["staged"], folder / "in" / "model.json")
    return {}


async def _publish(session: AsyncSession, job: Job, outcome: Outcome) -> dict[str, Any]:
    since = outcome.result.pop("since", None)  # of this job, not of whoever finds its result in the cache
    await cache.keep(session, job, outcome, Model)
    if "staged" in job.request:
        cache.forget(session, job.request["staged"])
    told = {name: outcome.result[name] for name in ("rows", "subjects", "digest")}
    return told if since is None else {**told, "since": since}


KINDS = (
    Kind("model", "training", "datareplicator.server.models.work:fit", _prepare_fit, publish=_publish),
    Kind("import", "training", "datareplicator.server.models.work:check", _prepare_import, publish=_publish),
)

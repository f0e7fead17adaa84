"""What nobody needs any more: files of deleted rows, runs beyond their time, uploads that were given up, the cache's
old results."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from datareplicator.server.cache import service as cache
from datareplicator.server.cache.service import forget
from datareplicator.server.database import Database, now
from datareplicator.server.datasets import service as datasets
from datareplicator.server.datasets.tables import Dataset, Upload
from datareplicator.server.jobs.queue import overdue
from datareplicator.server.jobs.tables import Job, JobEvent
from datareplicator.server.policies.service import load
from datareplicator.server.runs import service as runs
from datareplicator.server.runs.tables import Run
from datareplicator.server.storage import Storage

AT_ONCE = 100
EVENTS_KEPT = timedelta(days=7)
"""Steps of ended jobs are told for so long; the jobs themselves stay with what they made."""


async def tidy(database: Database, storage: Storage) -> int:
    """One round; how much went. Several processes may do it at a time."""
    gone = await _expired(database) if await _any_expired(database) else 0
    return gone + await cache.sweep(database, storage)


async def _any_expired(database: Database) -> bool:
    """Whether there is anything to write: looking costs no lock."""
    async with database.session() as session:
        moment = now()
        for found in (
            select(Run.id).where(Run.expires_at < moment),
            *await _old_datasets(session, Dataset.id),
            select(Upload.id).where(Upload.expires_at < moment),
            select(JobEvent.id).join(Job, Job.id == JobEvent.job_id).where(overdue(moment - EVENTS_KEPT)),
        ):
            if await session.scalar(found.limit(1)) is not None:
                return True
    return False


async def _old_datasets(session: AsyncSession, what: Any) -> list[Any]:
    """The query of datasets that nobody changed for longer than the policy keeps them; none without one."""
    days = (await load(session)).retention.datasets_days
    return [] if days is None else [select(what).where(Dataset.updated_at < now() - timedelta(days=days))]


async def _expired(database: Database) -> int:
    moment, gone = now(), 0
    async with database.session(write=True) as session:
        for run in (await session.scalars(select(Run).where(Run.expires_at < moment).limit(AT_ONCE))).all():
            await runs.drop(session, run)
            gone += 1
        for query in await _old_datasets(session, Dataset):
            for dataset in (await session.scalars(query.limit(AT_ONCE))).all():
                await datasets.drop(session, dataset)
                gone += 1
        for upload in (await session.scalars(select(Upload).where(Upload.expires_at < moment).limit(AT_ONCE))).all():
            forget(session, f"projects/{upload.project_id}/uploads/{upload.id}")
            await session.execute(delete(Upload).where(Upload.id == upload.id))
            gone += 1
        old = select(Job.id).where(overdue(moment - EVENTS_KEPT))
        await session.execute(delete(JobEvent).where(JobEvent.job_id.in_(old)))
    return gone

"""Results found again, shared by several rows, and let go when nothing shows them any more."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from datareplicator import __version__
from datareplicator.server.analyses.tables import Analysis
from datareplicator.server.cache.tables import Deletion, Result, ResultFile
from datareplicator.server.database import Database, now
from datareplicator.server.datasets.tables import DatasetVersion
from datareplicator.server.exports.tables import Export
from datareplicator.server.jobs.kind import Outcome
from datareplicator.server.jobs.tables import Job
from datareplicator.server.models.tables import Model
from datareplicator.server.policies.service import load
from datareplicator.server.runs.tables import Run
from datareplicator.server.storage import Storage
from datareplicator.server.validations.tables import Validation

SHOWN_BY = (DatasetVersion, Analysis, Model, Run, Validation, Export)


def key_of(kind: str, parts: Mapping[str, Any]) -> str:
    """The digest of all that a result depends on: what was asked, the digests of its inputs, and our version.

    >>> key_of("model", {"data": "ab", "seed": 1}) == key_of("model", {"seed": 1, "data": "ab"})
    True
    """
    text = json.dumps([kind, __version__, parts], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


async def find(session: AsyncSession, project_id: uuid.UUID, kind: str, key: str) -> Result | None:
    """The newest result of this key in the project, as far as the policy lets the cache answer.

    Projects do not share results: that an answer comes at once must not tell what others have.
    """
    policy = (await load(session)).cache
    if not policy.enabled:
        return None
    query = select(Result).where(Result.project_id == project_id, Result.kind == kind, Result.key == key)
    if policy.lifetime_days is not None:
        query = query.where(Result.created_at > now() - timedelta(days=policy.lifetime_days))
    found = await session.scalar(query.order_by(Result.created_at.desc()).limit(1))
    if found is not None and policy.max_bytes is not None:
        newer = select(func.sum(Result.size)).where(Result.created_at >= found.created_at)
        if (await session.scalar(newer) or 0) > policy.max_bytes:
            return None
    return found


async def keep(session: AsyncSession, job: Job, outcome: Outcome, shown_by: Any, **values: Any) -> Result:
    """The rows of what a job made, shown by the row of table `shown_by` that the job was asked for."""
    result = Result(
        project_id=job.project_id,
        kind=job.kind,
        key=job.request["key"],
        prefix=outcome.prefix,
        size=outcome.size,
        summary=outcome.result,
    )
    session.add(result)
    await session.flush()
    session.add_all(
        ResultFile(result_id=result.id, name=stored.name, size=stored.size, sha256=stored.sha256)
        for stored in outcome.files
    )
    own = (shown_by.id == job.subject_id) & (shown_by.project_id == job.project_id)
    await session.execute(update(shown_by).where(own).values(result_id=result.id, **values))
    return result


async def let_go(session: AsyncSession, result_ids: Iterable[uuid.UUID | None]) -> None:
    """Delete those of the results that nothing shows any more; their files go with the next sweep."""
    for each in {found for found in result_ids if found is not None}:
        unused = [~exists().where(table.result_id == each) for table in SHOWN_BY]
        gone = await session.execute(delete(Result).where(Result.id == each, *unused).returning(Result.prefix))
        for (prefix,) in gone.all():
            forget(session, prefix)


def forget(session: AsyncSession, prefix: str) -> None:
    """Delete what lies below a prefix of the store, once this transaction is committed."""
    session.add(Deletion(prefix=prefix))


async def sweep(database: Database, storage: Storage) -> int:
    """Delete from the store what no row names any more; how many prefixes. Doing it twice does no harm."""
    async with database.session() as session:
        waiting = (await session.execute(select(Deletion.id, Deletion.prefix).limit(100))).all()
    for identity, prefix in waiting:
        await storage.delete(prefix)
        async with database.session(write=True) as session:
            await session.execute(delete(Deletion).where(Deletion.id == identity))
    return len(waiting)


async def files_of(session: AsyncSession, result: Result) -> list[ResultFile]:
    """The files of a result by name."""
    query = select(ResultFile).where(ResultFile.result_id == result.id).order_by(ResultFile.name)
    return list(await session.scalars(query))

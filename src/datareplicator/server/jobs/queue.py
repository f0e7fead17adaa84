"""Claiming, keeping and finishing jobs, the same on SQLite and PostgreSQL. The session given is one that writes; its
transaction is the caller's."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Float, Select, and_, case, exists, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import aliased
from sqlalchemy.sql.functions import FunctionElement

from datareplicator.server.database import Database, now
from datareplicator.server.jobs.tables import CANCELLED, DONE, FAILED, OPEN, QUEUED, RUNNING, Job, JobEvent
from datareplicator.server.limits.quotas import refund

LEASE = 10.0
"""Seconds that a worker holds a job without a sign of life."""
MOST_FAILURES = 3
"""Attempts that may end without a word (killed, out of memory) before a job is given up."""


class Lost(Exception):
    """The job is not this worker's any more: cancelled, deleted, or taken over after a silence."""


class clock(FunctionElement[float]):
    """Seconds since 1970 by the database's clock: the only one that all workers share."""

    type = Float()
    inherit_cache = True
    name = "clock"


@compiles(clock, "sqlite")
def _sqlite_clock(element: Any, compiler: Any, **options: Any) -> str:
    return "((julianday('now') - 2440587.5) * 86400.0)"


@compiles(clock, "postgresql")
def _postgresql_clock(element: Any, compiler: Any, **options: Any) -> str:
    return "EXTRACT(EPOCH FROM clock_timestamp())"


def _claimable(queues: Sequence[str], overall: int | None) -> Any:
    """Jobs that wait and may begin, or whose worker fell silent. Who has as many running as the tier allows, and
    everybody when `overall` run, waits."""
    before, running = aliased(Job), aliased(Job)
    ready = or_(Job.after_id.is_(None), exists().where(before.id == Job.after_id, before.state == DONE))
    busy = select(func.count()).select_from(running).where(running.state == RUNNING)
    own = busy.where(running.user_id == Job.user_id).correlate(Job).scalar_subquery()
    room = or_(Job.at_once.is_(None), own < Job.at_once)
    waiting = and_(Job.state == QUEUED, Job.not_before <= clock(), ready, room)
    if overall is not None:
        waiting = and_(waiting, busy.scalar_subquery() < overall)
    silent = and_(Job.state == RUNNING, Job.lease_until < clock())
    return and_(Job.queue.in_(queues), or_(waiting, silent))


@lru_cache(maxsize=64)
def _free(queues: tuple[str, ...], overall: int | None) -> Select[tuple[uuid.UUID]]:
    """The first job that can be claimed. Workers look several times a second, so the query is put together once."""
    claimable = select(Job.id).where(_claimable(queues, overall))
    return claimable.order_by(Job.priority.desc(), Job.created_at, Job.id).limit(1)


async def claim(database: Database, queues: Sequence[str], worker: str, *, overall: int | None = None) -> Job | None:
    """Take the first job by priority and age; None where there is none. `overall`: how many may run at a time.

    One UPDATE with its condition inside: two workers never get the same attempt. PostgreSQL skips rows that another
    is just taking; SQLite has one writer at a time, so that only a worker that saw a job asks to write.
    """
    free = _free(tuple(queues), overall)
    if not await database.look(free, {}):
        return None
    taken = (
        update(Job)
        .where(Job.id == free.with_for_update(skip_locked=True).scalar_subquery())
        .values(
            state=RUNNING,
            worker=worker,
            attempt=Job.attempt + 1,
            failures=Job.failures + case((Job.state == RUNNING, 1), else_=0),
            lease_until=clock() + LEASE,
            started_at=func.coalesce(Job.started_at, now()),
        )
        .returning(Job)
        .execution_options(synchronize_session=False)
    )
    async with database.session(write=True) as session:
        job = (await session.scalars(taken)).one_or_none()
        if job is not None:
            await tell(session, job.id, {"event": "state", "state": RUNNING, "attempt": job.attempt})
            session.expunge(job)
        return job


def _held(job: Job) -> Any:
    return and_(Job.id == job.id, Job.attempt == job.attempt, Job.worker == job.worker, Job.state == RUNNING)


async def is_held(session: AsyncSession, job: Job) -> bool:
    """Whether the worker still has the job."""
    return await session.scalar(select(Job.id).where(_held(job))) is not None


async def keep(session: AsyncSession, job: Job) -> None:
    """Prolong the lease. Raises Lost."""
    await _write(session, job, lease_until=clock() + LEASE)


async def _write(session: AsyncSession, job: Job, **values: Any) -> None:
    """Change a job that is held, or raise Lost."""
    done = await session.execute(
        update(Job).where(_held(job)).values(**values).execution_options(synchronize_session=False)
    )
    if done.rowcount != 1:
        raise Lost(str(job.id))


async def tell(session: AsyncSession, job_id: uuid.UUID, content: dict[str, Any]) -> None:
    """Append an event. The counter of the job numbers them without gaps."""
    number = await session.scalar(
        update(Job)
        .where(Job.id == job_id)
        .values(events=Job.events + 1)
        .returning(Job.events)
        .execution_options(synchronize_session=False)
    )
    if number is not None:
        await session.execute(insert(JobEvent).values(job_id=job_id, number=number, at=now(), content=content))


async def note_progress(session: AsyncSession, job: Job, progress: dict[str, Any]) -> None:
    """Keep and tell how far a held job is. Raises Lost."""
    await _write(session, job, progress=progress, lease_until=clock() + LEASE)
    await tell(session, job.id, {"event": "progress", **progress})


async def finish(session: AsyncSession, job: Job, result: dict[str, Any], used: dict[str, Any]) -> None:
    """Mark a held job as done, in the transaction of its result. Raises Lost."""
    await _write(session, job, state=DONE, result=result, error=None, finished_at=now(), worker=None, **used)
    await tell(session, job.id, {"event": "state", "state": DONE})


async def fail(session: AsyncSession, job: Job, error: dict[str, Any], used: dict[str, Any]) -> None:
    """Mark a held job as failed, and what waits for it. Raises Lost."""
    await _write(session, job, state=FAILED, error=error, finished_at=now(), worker=None, **used)
    await tell(session, job.id, {"event": "state", "state": FAILED, "error": error})
    await _give_quota_back(session, job)
    await _fail_waiting(session, job.id, error)


async def give_back(session: AsyncSession, job: Job, error: dict[str, Any] | None, wait: float = 0.0) -> None:
    """Put a held job back for another attempt, in `wait` seconds; with an error it counts as a failure. Raises Lost."""
    failures = job.failures + (error is not None)
    await _write(session, job, state=QUEUED, worker=None, error=error, failures=failures, not_before=clock() + wait)
    await tell(session, job.id, {"event": "state", "state": QUEUED, "attempt": job.attempt, "error": error})


async def cancel(session: AsyncSession, project_id: uuid.UUID, job_id: uuid.UUID) -> bool:
    """Cancel an open job; whether it was open. Its worker loses it at once and kills the process."""
    done = await session.scalars(
        update(Job)
        .where(Job.id == job_id, Job.project_id == project_id, Job.state.in_(OPEN))
        .values(state=CANCELLED, finished_at=now(), worker=None)
        .returning(Job)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    job = done.one_or_none()
    if job is None:
        return False
    await _give_quota_back(session, job)
    await tell(session, job_id, {"event": "state", "state": CANCELLED})
    reason = {"code": "cancelled", "message": "the job that this one waits for was cancelled."}
    await _fail_waiting(session, job_id, reason)
    return True


async def _fail_waiting(session: AsyncSession, job_id: uuid.UUID, error: dict[str, Any]) -> None:
    """Jobs that wait for one that will never be done."""
    waiting = await session.scalars(
        update(Job)
        .where(Job.after_id == job_id, Job.state == QUEUED)
        .values(state=FAILED, error=error, finished_at=now())
        .returning(Job)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    for each in waiting.all():
        await _give_quota_back(session, each)
        await tell(session, each.id, {"event": "state", "state": FAILED, "error": error})
        await _fail_waiting(session, each.id, error)


async def _give_quota_back(session: AsyncSession, job: Job) -> None:
    """What was spent for a job that made nothing."""
    spent = job.request.get("spent")
    if spent and job.user_id is not None:
        day = date.fromisoformat(spent["day"])
        await refund(session, job.user_id, subjects=spent["subjects"], rows=spent["rows"], day=day)


def overdue(moment: datetime) -> Any:
    """Jobs whose finished record may go."""
    return and_(Job.state.not_in(OPEN), Job.finished_at < moment)

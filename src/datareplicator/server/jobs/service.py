"""Asking for jobs and looking at them."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import Row, bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from datareplicator.server.audit.service import record
from datareplicator.server.database import Database, now
from datareplicator.server.jobs import queue
from datareplicator.server.jobs.schemas import JobEventOut, JobOut, JobProgress, Urgency
from datareplicator.server.jobs.tables import DONE, QUEUED, Job, JobEvent
from datareplicator.server.limits.quotas import tier_of
from datareplicator.server.oplog.service import log_operation
from datareplicator.server.problems import Problem, not_found
from datareplicator.server.projects.access import ProjectAccess

URGENCY = {"routine": -50, "normal": 0, "critical": 50}
"""Beside the tier's priority, of which the smaller goes first."""
QUEUE_OF = {
    "inspection": "analysis",
    "analysis": "analysis",
    "validation": "analysis",
    "model": "training",
    "import": "training",
    "run": "generation",
    "corruption": "generation",
    "export": "generation",
    "push": "generation",
}


_ONE = select(Job).where(Job.id == bindparam("job"), Job.project_id == bindparam("project"))
_LOOK = _ONE.with_only_columns(*Job.__table__.columns)
OPERATION = {"model": "training", "import": "training", "run": "generation", "corruption": "generation"}
"""By which word the log of operations knows a kind of job, where it is another."""


async def ask(
    session: AsyncSession,
    access: ProjectAccess,
    kind: str,
    subject_id: uuid.UUID,
    request: dict[str, Any] | None = None,
    *,
    after_id: uuid.UUID | None = None,
    urgency: Urgency = "normal",
    done: dict[str, Any] | None = None,
) -> Job:
    """A new job for a thing in a project. With `done`, the result that the cache had, it is done at once."""
    tier = await tier_of(session, access.principal)
    job = Job(
        project_id=access.project_id,
        user_id=access.principal.user_id,
        kind=kind,
        queue=QUEUE_OF[kind],
        subject_id=subject_id,
        request=request or {},
        after_id=after_id,
        priority=URGENCY[urgency] - tier.priority,
        at_once=tier.concurrent_runs,
    )
    session.add(job)
    await session.flush()
    if done is not None:
        moment = now()
        job.state, job.cache, job.result = DONE, "hit", done
        job.started_at = job.finished_at = moment
        await session.flush()
        operation = {"principal": access.principal, "project_id": access.project_id, "job_id": str(job.id)}
        await log_operation(session, OPERATION.get(kind, kind), cache="hit", **operation, **_counts(done))
    await queue.tell(session, job.id, {"event": "state", "state": QUEUED if done is None else DONE})
    return job


def _counts(done: dict[str, Any]) -> dict[str, Any]:
    return {name: done[name] for name in ("subjects", "rows") if done.get(name) is not None}


def shown(job: Job | Row[Any]) -> JobOut:
    """A job for the outside."""
    progress = JobProgress(**job.progress) if job.progress else None
    plain = {name: getattr(job, name) for name in JobOut.model_fields if name not in ("progress", "last_event")}
    return JobOut(**plain, progress=progress, last_event=job.events)


async def find(session: AsyncSession, project_id: uuid.UUID, job_id: uuid.UUID) -> Job:
    """A job of a project. Raises a 404."""
    job = await session.scalar(_ONE, {"job": job_id, "project": project_id})
    if job is None:
        raise not_found("job")
    return job


async def look(database: Database, project_id: uuid.UUID, job_id: uuid.UUID) -> JobOut:
    """A job of a project for the outside, as those ask who follow it. Raises a 404."""
    rows = await database.look(_LOOK, {"job": job_id, "project": project_id})
    if not rows:
        raise not_found("job")
    return shown(rows[0])


async def page(
    session: AsyncSession,
    project_id: uuid.UUID,
    *,
    kind: str | None,
    state: str | None,
    offset: int,
    limit: int,
) -> tuple[list[Job], int]:
    """Jobs of a project, newest first, and how many there are."""
    query = select(Job).where(Job.project_id == project_id)
    if kind:
        query = query.where(Job.kind == kind)
    if state:
        query = query.where(Job.state == state)
    total = await session.scalar(select(func.count()).select_from(query.subquery()))
    rows = await session.scalars(query.order_by(Job.created_at.desc(), Job.id).offset(offset).limit(limit))
    return list(rows), total or 0


async def cancel(session: AsyncSession, access: ProjectAccess, job_id: uuid.UUID) -> Job:
    """Cancel a job. Raises 404, and 409 where it has ended already."""
    job = await find(session, access.project_id, job_id)
    if not await queue.cancel(session, access.project_id, job_id):
        raise Problem(409, f"The job is {job.state} already.")
    await session.refresh(job)
    known = {"principal": access.principal, "project_id": access.project_id}
    await log_operation(session, OPERATION.get(job.kind, job.kind), "cancelled", job_id=str(job.id), **known)
    after = {"kind": job.kind, "of": str(job.subject_id)}
    await record(session, access.principal, "cancel", "job", job.id, after=after, project_id=access.project_id)
    return job


async def events(session: AsyncSession, job_id: uuid.UUID, after: int, limit: int = 1000) -> list[JobEventOut]:
    """What a job told after an event's number."""
    query = select(JobEvent).where(JobEvent.job_id == job_id, JobEvent.number > after)
    rows = await session.scalars(query.order_by(JobEvent.number).limit(limit))
    return [event_shown(row) for row in rows]


def event_shown(row: JobEvent) -> JobEventOut:
    """An event for the outside."""
    content = dict(row.content)
    return JobEventOut(number=row.number, at=row.at, event=content.pop("event"), content=content)

"""Targets: setting up, testing, pushing."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from datareplicator.server.audit.service import record
from datareplicator.server.jobs import queue
from datareplicator.server.jobs import service as jobs
from datareplicator.server.jobs.tables import Job
from datareplicator.server.problems import Problem, not_found
from datareplicator.server.projects.access import ProjectAccess
from datareplicator.server.runs import service as runs
from datareplicator.server.secrets import seal
from datareplicator.server.settings import Settings
from datareplicator.server.targets import kinds
from datareplicator.server.targets.schemas import PushNew, PushOut, Reached, TargetNew, TargetOut
from datareplicator.server.targets.tables import Push, Target


async def create(session: AsyncSession, settings: Settings, access: ProjectAccess, asked: TargetNew) -> Target:
    """A new target; its secret is sealed."""
    secret = None if asked.secret is None else seal(settings, kinds.PURPOSE, asked.secret.get_secret_value())
    target = Target(
        project_id=access.project_id,
        name=asked.name,
        kind=asked.kind,
        options=asked.options.model_dump(mode="json"),
        secret=secret,
        created_by=access.principal.user_id,
    )
    session.add(target)
    await session.flush()
    after = {"name": target.name, "options": target.options}
    await record(session, access.principal, "create", "target", target.id, after=after, project_id=access.project_id)
    return target


async def find(session: AsyncSession, project_id: uuid.UUID, target_id: uuid.UUID) -> Target:
    """A target of a project. Raises a 404."""
    found = await session.scalar(select(Target).where(Target.id == target_id, Target.project_id == project_id))
    if found is None:
        raise not_found("target")
    return found


def shown(target: Target) -> TargetOut:
    """A target for the outside, without its secret."""
    options = kinds.options_of(target)
    plain: dict[str, Any] = {name: getattr(target, name) for name in ("id", "name", "kind", "created_at")}
    return TargetOut(**plain, options=options, has_secret=target.secret is not None)


async def of_project(session: AsyncSession, project_id: uuid.UUID) -> list[TargetOut]:
    """The targets of a project by name."""
    query = select(Target).where(Target.project_id == project_id).order_by(Target.name, Target.id)
    return [shown(target) for target in await session.scalars(query)]


async def remove(session: AsyncSession, access: ProjectAccess, target: Target) -> None:
    """Delete a target with its secret; pushes under way are cancelled."""
    for job_id in (await session.scalars(select(Push.job_id).where(Push.target_id == target.id))).all():
        if job_id is not None:
            await queue.cancel(session, access.project_id, job_id)
    await session.execute(delete(Target).where(Target.id == target.id))
    before = {"name": target.name}
    await record(session, access.principal, "delete", "target", target.id, before=before, project_id=access.project_id)


async def probe(settings: Settings, target: Target) -> Reached:
    """Whether a target answers and lets us in; nothing is sent."""
    ok, detail = await kinds.probe(settings, target)
    return Reached(ok=ok, detail=detail)


async def push(session: AsyncSession, access: ProjectAccess, target: Target, asked: PushNew) -> Push:
    """Push a run to a target, by a job."""
    run = await runs.find(session, access.project_id, asked.run_id)
    result = await runs.result_of(session, run)
    known = [each["table"] for each in result.summary["tables"]]
    for table in asked.tables or ():
        if table not in known:
            raise Problem(422, f"The run has no table {table!r}.", tables=known)
    row = Push(project_id=access.project_id, target_id=target.id, run_id=run.id, created_by=access.principal.user_id)
    session.add(row)
    await session.flush()
    request = {"target_id": str(target.id), "run_id": str(run.id), "tables": asked.tables}
    row.job_id = (await jobs.ask(session, access, "push", row.id, request)).id
    await session.flush()
    after = {"target": target.name, "run": str(run.id)}
    await record(session, access.principal, "push", "run", run.id, after=after, project_id=access.project_id)
    return row


async def push_shown(session: AsyncSession, row: Push) -> PushOut:
    """A push for the outside."""
    job = await session.get_one(Job, row.job_id, populate_existing=True)
    return PushOut(
        id=row.id, target_id=row.target_id, run_id=row.run_id, created_at=row.created_at, job=jobs.shown(job)
    )


async def pushes(session: AsyncSession, target: Target) -> list[PushOut]:
    """The last hundred pushes to a target."""
    query = select(Push).where(Push.target_id == target.id, Push.project_id == target.project_id)
    rows = await session.scalars(query.order_by(Push.created_at.desc()).limit(100))
    return [await push_shown(session, row) for row in rows.all()]

"""Validations: asking, reading, deleting."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from datareplicator.server.audit.service import record
from datareplicator.server.cache import service as cache
from datareplicator.server.cache.tables import Result
from datareplicator.server.datasets import service as datasets
from datareplicator.server.jobs import queue
from datareplicator.server.jobs import service as jobs
from datareplicator.server.jobs.tables import Job
from datareplicator.server.problems import Problem, not_found
from datareplicator.server.projects.access import ProjectAccess
from datareplicator.server.runs import service as runs
from datareplicator.server.validations.schemas import ValidationNew, ValidationOut
from datareplicator.server.validations.tables import Validation


async def ask(session: AsyncSession, access: ProjectAccess, asked: ValidationNew) -> Validation:
    """A validation, found in the cache or made by a job."""
    if (asked.dataset_id is None) == (asked.run_id is None):
        raise Problem(422, "Say what to check: dataset_id or run_id.")
    row = Validation(id=uuid.uuid4(), project_id=access.project_id, created_by=access.principal.user_id, name="")
    parts: dict[str, Any] = {"detectors": asked.detectors, "baseline": None}
    if asked.run_id is not None:
        run = await runs.find(session, access.project_id, asked.run_id)
        parts["of"] = (await runs.result_of(session, run)).key
        row.run_id, row.name = run.id, asked.name or run.name
    else:
        assert asked.dataset_id is not None
        version = await datasets.usable_version(session, access.project_id, asked.dataset_id, asked.version)
        dataset = await datasets.find(session, access.project_id, asked.dataset_id)
        parts["of"] = version.digest
        row.version_id, row.name = version.id, asked.name or f"{dataset.name}, version {version.number}"
    if asked.baseline_dataset_id is not None:
        baseline = await datasets.usable_version(session, access.project_id, asked.baseline_dataset_id)
        row.baseline_id, parts["baseline"] = baseline.id, baseline.digest
    key = cache.key_of("validation", parts)
    known = await cache.find(session, access.project_id, "validation", key)
    row.result_id = None if known is None else known.id
    session.add(row)
    await session.flush()
    request = {"key": key, "detectors": asked.detectors}
    request |= {name: _text(getattr(row, name)) for name in ("run_id", "version_id", "baseline_id")}
    done = None if known is None else {"rows": 0, "findings": known.summary["findings"]}
    job = await jobs.ask(session, access, "validation", row.id, request, urgency=asked.urgency, done=done)
    row.job_id = job.id
    await session.flush()
    after = {"name": row.name}
    await record(session, access.principal, "create", "validation", row.id, after=after, project_id=row.project_id)
    return row


def _text(value: uuid.UUID | None) -> str | None:
    return None if value is None else str(value)


async def find(session: AsyncSession, project_id: uuid.UUID, validation_id: uuid.UUID) -> Validation:
    """A validation of a project. Raises a 404."""
    query = select(Validation).where(Validation.id == validation_id, Validation.project_id == project_id)
    found = await session.scalar(query)
    if found is None:
        raise not_found("validation")
    return found


async def result_of(session: AsyncSession, validation: Validation) -> Result:
    """The result of a validation. Raises a 409 where it is not there."""
    result = await session.get(Result, validation.result_id) if validation.result_id else None
    if result is None:
        raise Problem(409, "The validation is not done.", code="not-done")
    return result


async def shown(session: AsyncSession, validation: Validation) -> ValidationOut:
    """A validation for the outside."""
    job = await session.get_one(Job, validation.job_id, populate_existing=True)
    result = await session.get(Result, validation.result_id) if validation.result_id else None
    plain = ("id", "name", "run_id", "version_id", "baseline_id", "created_at", "created_by")
    return ValidationOut(
        **{name: getattr(validation, name) for name in plain},
        job=jobs.shown(job),
        summary=result.summary if result else None,
    )


async def page(
    session: AsyncSession, project_id: uuid.UUID, run_id: uuid.UUID | None, offset: int, limit: int
) -> tuple[list[ValidationOut], int]:
    """Validations of a project (of one run), newest first, and how many there are."""
    query = select(Validation).where(Validation.project_id == project_id)
    if run_id is not None:
        query = query.where(Validation.run_id == run_id)
    total = await session.scalar(select(func.count()).select_from(query.subquery()))
    rows = await session.scalars(
        query.order_by(Validation.created_at.desc(), Validation.id).offset(offset).limit(limit)
    )
    return [await shown(session, each) for each in rows.all()], total or 0


async def remove(session: AsyncSession, access: ProjectAccess, validation: Validation) -> None:
    """Delete a validation."""
    if validation.job_id is not None:
        await queue.cancel(session, access.project_id, validation.job_id)
    result_id = validation.result_id
    await session.execute(delete(Validation).where(Validation.id == validation.id))
    await cache.let_go(session, [result_id])
    await record(session, access.principal, "delete", "validation", validation.id, project_id=access.project_id)

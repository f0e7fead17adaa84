"""Exports: asking, reading."""

from __future__ import annotations

import uuid

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from datareplicator.server.cache import service as cache
from datareplicator.server.cache.tables import Result
from datareplicator.server.exports.schemas import ExportFile, ExportNew, ExportOut
from datareplicator.server.exports.tables import Export
from datareplicator.server.jobs import service as jobs
from datareplicator.server.jobs.tables import Job
from datareplicator.server.problems import Problem, not_found
from datareplicator.server.projects.access import ProjectAccess
from datareplicator.server.runs import service as runs
from datareplicator.server.runs.tables import Run


async def ask(session: AsyncSession, access: ProjectAccess, run: Run, asked: ExportNew) -> Export:
    """An export of a run, found in the cache or made by a job."""
    result = await runs.result_of(session, run)
    known_tables = [each["table"] for each in result.summary["tables"]]
    for table in asked.tables or ():
        if table not in known_tables:
            raise Problem(422, f"The run has no table {table!r}.", tables=known_tables)
    key = cache.key_of("export", {"of": result.key, "format": asked.format, "tables": asked.tables})
    known = await cache.find(session, access.project_id, "export", key)
    export = Export(
        project_id=access.project_id, run_id=run.id, format=asked.format, created_by=access.principal.user_id
    )
    export.result_id = None if known is None else known.id
    session.add(export)
    await session.flush()
    request = {"key": key, "run_id": str(run.id), "format": asked.format, "tables": asked.tables}
    done = None if known is None else {"rows": known.summary["rows"], "bytes": known.size}
    job = await jobs.ask(session, access, "export", export.id, request, done=done)
    export.job_id = job.id
    await session.flush()
    return export


async def find(session: AsyncSession, run: Run, export_id: uuid.UUID) -> Export:
    """An export of a run. Raises a 404."""
    query = select(Export).where(Export.id == export_id, Export.run_id == run.id, Export.project_id == run.project_id)
    found = await session.scalar(query)
    if found is None:
        raise not_found("export")
    return found


async def result_of(session: AsyncSession, export: Export) -> Result:
    """The result of an export. Raises a 409 where it is not there."""
    result = await session.get(Result, export.result_id) if export.result_id else None
    if result is None:
        raise Problem(409, "The export is not done.", code="not-done")
    return result


async def shown(session: AsyncSession, export: Export) -> ExportOut:
    """An export for the outside."""
    job = await session.get_one(Job, export.job_id, populate_existing=True)
    result = await session.get(Result, export.result_id) if export.result_id else None
    files = [] if result is None else await cache.files_of(session, result)
    return ExportOut(
        id=export.id,
        run_id=export.run_id,
        format=export.format,  # type: ignore[arg-type]
        created_at=export.created_at,
        job=jobs.shown(job),
        summary=result.summary if result else None,
        files=[ExportFile(name=file.name, size=file.size, sha256=file.sha256) for file in files],
    )


async def of_run(session: AsyncSession, run: Run) -> list[ExportOut]:
    """The exports of a run, newest first."""
    query = select(Export).where(Export.run_id == run.id, Export.project_id == run.project_id)
    rows = await session.scalars(query.order_by(Export.created_at.desc()))
    return [await shown(session, each) for each in rows.all()]

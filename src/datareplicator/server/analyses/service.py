"""Analyses: asking, reading, comparing, deleting."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from datareplicator.server.analyses.comparison import compare
from datareplicator.server.analyses.schemas import AnalysisNew, AnalysisOut, Comparison
from datareplicator.server.analyses.tables import Analysis
from datareplicator.server.analyses.work import PROFILE
from datareplicator.server.audit.service import record
from datareplicator.server.cache import service as cache
from datareplicator.server.cache.tables import Result
from datareplicator.server.datasets import service as datasets
from datareplicator.server.datasets.tables import Dataset, DatasetVersion
from datareplicator.server.jobs import queue
from datareplicator.server.jobs import service as jobs
from datareplicator.server.jobs.tables import Job
from datareplicator.server.problems import Problem, not_found
from datareplicator.server.projects.access import ProjectAccess
from datareplicator.server.storage import Missing, Storage


async def ask(session: AsyncSession, access: ProjectAccess, asked: AnalysisNew) -> Analysis:
    """An analysis of a dataset's version, found in the cache or made by a job."""
    version = await datasets.usable_version(session, access.project_id, asked.dataset_id, asked.version)
    dataset = await datasets.find(session, access.project_id, asked.dataset_id)
    analysis = Analysis(
        project_id=access.project_id,
        version_id=version.id,
        name=asked.name or f"{dataset.name}, version {version.number}",
        created_by=access.principal.user_id,
    )
    session.add(analysis)
    await session.flush()
    key = cache.key_of("analysis", {"data": version.digest, "documents": 3})
    known = await cache.find(session, access.project_id, "analysis", key)
    told = None if known is None else {name: known.summary[name] for name in ("rows", "subjects")}
    analysis.result_id = None if known is None else known.id
    request = {"key": key, "version_id": str(version.id)}
    job = await jobs.ask(session, access, "analysis", analysis.id, request, urgency=asked.urgency, done=told)
    analysis.job_id = job.id
    await session.flush()
    told_of = {"name": analysis.name, "dataset": str(dataset.id), "version": version.number}
    await record(
        session, access.principal, "create", "analysis", analysis.id, after=told_of, project_id=access.project_id
    )
    return analysis


async def find(session: AsyncSession, project_id: uuid.UUID, analysis_id: uuid.UUID) -> Analysis:
    """An analysis of a project. Raises a 404."""
    query = select(Analysis).where(Analysis.id == analysis_id, Analysis.project_id == project_id)
    found = await session.scalar(query)
    if found is None:
        raise not_found("analysis")
    return found


async def shown(session: AsyncSession, analysis: Analysis) -> AnalysisOut:
    """An analysis for the outside."""
    version = await session.get_one(DatasetVersion, analysis.version_id)
    job = await session.get_one(Job, analysis.job_id, populate_existing=True)
    result = await session.get(Result, analysis.result_id) if analysis.result_id else None
    return AnalysisOut(
        id=analysis.id,
        name=analysis.name,
        dataset_id=version.dataset_id,
        version=version.number,
        created_at=analysis.created_at,
        created_by=analysis.created_by,
        job=jobs.shown(job),
        summary=None if result is None else result.summary,
    )


async def page(
    session: AsyncSession, project_id: uuid.UUID, dataset_id: uuid.UUID | None, offset: int, limit: int
) -> tuple[list[AnalysisOut], int]:
    """Analyses of a project (of one dataset), newest first, and how many there are."""
    query = select(Analysis).where(Analysis.project_id == project_id)
    if dataset_id is not None:
        own = select(DatasetVersion.id).join(Dataset).where(Dataset.id == dataset_id)
        query = query.where(Analysis.version_id.in_(own))
    total = await session.scalar(select(func.count()).select_from(query.subquery()))
    rows = await session.scalars(query.order_by(Analysis.created_at.desc(), Analysis.id).offset(offset).limit(limit))
    return [await shown(session, analysis) for analysis in rows.all()], total or 0


async def document(session: AsyncSession, storage: Storage, analysis: Analysis, name: str) -> dict[str, Any]:
    """One of the documents of an analysis. Raises a 409 where it is not there yet."""
    result = await session.get(Result, analysis.result_id) if analysis.result_id else None
    if result is None:
        raise Problem(409, "The analysis is not done.", code="not-done")
    try:
        return json.loads(await storage.read(f"{result.prefix}/{name}"))
    except Missing as error:
        detail = "The analysis was made by an earlier version of the service, which did not look at this."
        raise Problem(409, detail, code="outdated", hint="Analyse the data again.") from error


async def side_by_side(
    session: AsyncSession, storage: Storage, project_id: uuid.UUID, ids: Sequence[uuid.UUID]
) -> Comparison:
    """Where analyses differ."""
    found = [await find(session, project_id, each) for each in ids]
    documents = [await document(session, storage, each, PROFILE) for each in found]
    differences, same, truncated = compare(documents)
    return Comparison(
        ids=list(ids), names=[each.name for each in found], differences=differences, same=same, truncated=truncated
    )


async def remove(session: AsyncSession, access: ProjectAccess, analysis: Analysis) -> None:
    """Delete an analysis; its job is cancelled, its documents go where no other analysis shows them."""
    if analysis.job_id is not None:
        await queue.cancel(session, access.project_id, analysis.job_id)
    result_id = analysis.result_id
    await session.execute(delete(Analysis).where(Analysis.id == analysis.id))
    await cache.let_go(session, [result_id])
    before = {"name": analysis.name}
    await record(
        session, access.principal, "delete", "analysis", analysis.id, before=before, project_id=access.project_id
    )

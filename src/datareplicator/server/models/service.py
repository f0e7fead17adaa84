"""Models: learning, importing, versions, comparing, deleting."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from datareplicator.pipeline import Vocabulary
from datareplicator.run import Run as RunDocument
from datareplicator.server.analyses.comparison import compare
from datareplicator.server.analyses.schemas import Comparison
from datareplicator.server.audit.service import record
from datareplicator.server.cache import service as cache
from datareplicator.server.cache.tables import Result
from datareplicator.server.datasets import service as datasets
from datareplicator.server.datasets.tables import DatasetVersion
from datareplicator.server.jobs import queue
from datareplicator.server.jobs import service as jobs
from datareplicator.server.jobs.schemas import Urgency
from datareplicator.server.jobs.tables import Job
from datareplicator.server.models.schemas import ModelNew, ModelOut
from datareplicator.server.models.tables import Model
from datareplicator.server.models.work import EXPLANATION, VOCABULARY
from datareplicator.server.problems import Problem, not_found
from datareplicator.server.projects.access import ProjectAccess
from datareplicator.server.storage import Missing, Storage


def learning_of(run: RunDocument) -> dict[str, Any]:
    """What of a run document shapes the learning."""
    document = run.model_dump(mode="json", include={"corrections", "privacy"})
    return {"corrections": document["corrections"], "privacy": document["privacy"]}


def learning_key(version: DatasetVersion, learn: dict[str, Any]) -> str:
    """The digest of all that a learned model depends on."""
    return cache.key_of("model", {"data": version.digest, "learn": learn})


async def ask(session: AsyncSession, access: ProjectAccess, asked: ModelNew) -> Model:
    """A model of a dataset's version, found in the cache or learned by a job."""
    run = RunDocument().updated(corrections=asked.corrections or None, privacy=asked.privacy or None)
    version = await datasets.usable_version(session, access.project_id, asked.dataset_id, asked.version)
    return await learn(session, access, version, run, asked.name, asked.description, asked.urgency)


async def learn(
    session: AsyncSession,
    access: ProjectAccess,
    version: DatasetVersion,
    run: RunDocument,
    name: str | None = None,
    description: str = "",
    urgency: Urgency = "normal",
) -> Model:
    """A model row and its job, or the cache's result."""
    shaped = learning_of(run)
    key = learning_key(version, shaped)
    known = await cache.find(session, access.project_id, "model", key)
    dataset = await datasets.find(session, access.project_id, version.dataset_id)
    model = await _row(session, access, name or dataset.name, description, "learned", version.id, shaped)
    model.result_id = None if known is None else known.id
    told = None if known is None else {each: known.summary[each] for each in ("rows", "subjects", "digest")}
    request = {"key": key, "version_id": str(version.id), "learn": shaped}
    job = await jobs.ask(session, access, "model", model.id, request, urgency=urgency, done=told)
    model.job_id = job.id
    await session.flush()
    await _recorded(session, access, "create", model, {"dataset": str(dataset.id), "version": version.number})
    return model


async def open_or_done(
    session: AsyncSession, project_id: uuid.UUID, version: DatasetVersion, run: RunDocument
) -> Model | None:
    """The newest model that was, or is being, learned from this version in this way."""
    query = (
        select(Model)
        .join(Job, Job.id == Model.job_id)
        .where(
            Model.project_id == project_id, Model.version_id == version.id, Job.state.in_(("queued", "running", "done"))
        )
        .order_by(Model.created_at.desc())
    )
    wanted = learning_of(run)
    return next((model for model in await session.scalars(query) if model.request == wanted), None)


async def add_import(
    session: AsyncSession, access: ProjectAccess, model_id: uuid.UUID, name: str, staged: str, digest: str
) -> Model:
    """A model from a document that is in the store already; a job reads it as strictly as any."""
    model = await _row(session, access, name, "", "imported", None, {}, model_id)
    request = {"key": cache.key_of("import", {"document": digest}), "staged": staged}
    job = await jobs.ask(session, access, "import", model.id, request)
    model.job_id = job.id
    await session.flush()
    await _recorded(session, access, "import", model, {"sha256": digest})
    return model


async def _row(
    session: AsyncSession,
    access: ProjectAccess,
    name: str,
    description: str,
    origin: str,
    version_id: uuid.UUID | None,
    request: dict[str, Any],
    model_id: uuid.UUID | None = None,
) -> Model:
    same = (Model.project_id == access.project_id) & (Model.name == name)
    last = await session.scalar(select(func.max(Model.number)).where(same))
    model = Model(
        id=model_id or uuid.uuid4(),
        project_id=access.project_id,
        version_id=version_id,
        name=name,
        number=(last or 0) + 1,
        description=description,
        origin=origin,
        request=request,
        created_by=access.principal.user_id,
    )
    session.add(model)
    await session.flush()
    return model


async def _recorded(
    session: AsyncSession, access: ProjectAccess, action: str, model: Model, told: dict[str, Any]
) -> None:
    after = {"name": model.name, "number": model.number, **told}
    await record(session, access.principal, action, "model", model.id, after=after, project_id=access.project_id)


async def find(session: AsyncSession, project_id: uuid.UUID, model_id: uuid.UUID) -> Model:
    """A model of a project. Raises a 404."""
    found = await session.scalar(select(Model).where(Model.id == model_id, Model.project_id == project_id))
    if found is None:
        raise not_found("model")
    return found


async def result_of(session: AsyncSession, model: Model) -> Result:
    """The result of a model. Raises a 409 where it is not learned."""
    result = await session.get(Result, model.result_id) if model.result_id else None
    if result is None:
        raise Problem(409, "The model is not there yet: its job is not done.", code="not-done")
    return result


async def shown(session: AsyncSession, model: Model) -> ModelOut:
    """A model for the outside."""
    version = await session.get(DatasetVersion, model.version_id) if model.version_id else None
    job = await session.get_one(Job, model.job_id, populate_existing=True)
    result = await session.get(Result, model.result_id) if model.result_id else None
    plain = ("id", "name", "number", "description", "origin", "request", "created_at", "created_by")
    return ModelOut(
        **{name: getattr(model, name) for name in plain},
        dataset_id=version.dataset_id if version else None,
        dataset_version=version.number if version else None,
        job=jobs.shown(job),
        summary=result.summary if result else None,
    )


async def page(
    session: AsyncSession, project_id: uuid.UUID, name: str | None, offset: int, limit: int
) -> tuple[list[ModelOut], int]:
    """Models of a project (of one name), newest first, and how many there are."""
    query = select(Model).where(Model.project_id == project_id)
    if name:
        query = query.where(Model.name == name)
    total = await session.scalar(select(func.count()).select_from(query.subquery()))
    rows = await session.scalars(query.order_by(Model.created_at.desc(), Model.id).offset(offset).limit(limit))
    return [await shown(session, model) for model in rows.all()], total or 0


async def explanation(session: AsyncSession, storage: Storage, model: Model) -> dict[str, Any]:
    """What a model holds of its study's structure, and what could not be learned."""
    result = await result_of(session, model)
    return json.loads(await storage.read(f"{result.prefix}/{EXPLANATION}"))


async def vocabulary(session: AsyncSession, storage: Storage, model: Model) -> Vocabulary:
    """What can be asked of a model. Raises a 404 for those of releases that did not write it down."""
    result = await result_of(session, model)
    try:
        return Vocabulary.model_validate_json(await storage.read(f"{result.prefix}/{VOCABULARY}"))
    except Missing as error:
        raise not_found("vocabulary") from error


async def side_by_side(
    session: AsyncSession, storage: Storage, project_id: uuid.UUID, ids: Sequence[uuid.UUID]
) -> Comparison:
    """Where models differ."""
    found = [await find(session, project_id, each) for each in ids]
    documents = [await explanation(session, storage, each) for each in found]
    differences, same, truncated = compare(documents)
    names = [f"{each.name} {each.number}" for each in found]
    return Comparison(ids=list(ids), names=names, differences=differences, same=same, truncated=truncated)


async def remove(session: AsyncSession, access: ProjectAccess, model: Model) -> None:
    """Delete a model; runs made with it stay."""
    if model.job_id is not None:
        await queue.cancel(session, access.project_id, model.job_id)
        job = await session.get(Job, model.job_id)
        if job is not None and "staged" in job.request:
            cache.forget(session, job.request["staged"])
    result_id = model.result_id
    await session.execute(delete(Model).where(Model.id == model.id))
    await cache.let_go(session, [result_id])
    before = {"name": model.name, "number": model.number}
    await record(session, access.principal, "delete", "model", model.id, before=before, project_id=access.project_id)

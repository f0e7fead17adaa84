"""Runs: asking, reading, deleting."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta
from typing import Any

from sqlalchemy import Row, bindparam, delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from datareplicator.run import Run as RunDocument
from datareplicator.server.audit.service import record
from datareplicator.server.cache import service as cache
from datareplicator.server.cache.tables import Result, ResultFile
from datareplicator.server.database import Database, now
from datareplicator.server.datasets import service as datasets
from datareplicator.server.datasets.tables import DatasetVersion
from datareplicator.server.exports.tables import Export
from datareplicator.server.jobs import queue
from datareplicator.server.jobs import service as jobs
from datareplicator.server.jobs.tables import DONE, Job
from datareplicator.server.limits.quotas import spend
from datareplicator.server.models import service as models
from datareplicator.server.models.tables import Model
from datareplicator.server.policies.service import load
from datareplicator.server.problems import Problem, not_found
from datareplicator.server.projects.access import ProjectAccess
from datareplicator.server.runs.document import parse_document, parse_plan
from datareplicator.server.runs.schemas import CorruptionNew, RunNew, RunOut
from datareplicator.server.runs.tables import Run
from datareplicator.server.runs.work import FILES
from datareplicator.server.validations.tables import Validation

_WITH_RESULT = (
    select(Run.id, Result)
    .outerjoin(Result, Result.id == Run.result_id)
    .where(Run.id == bindparam("run"), Run.project_id == bindparam("project"))
)
_LOOK = _WITH_RESULT.with_only_columns(Run.id, Result.prefix, Result.summary)
ROWS_OF_A_SUBJECT = 500
"""Taken where neither the model nor the dataset says it yet."""


async def ask(session: AsyncSession, access: ProjectAccess, asked: RunNew) -> Run:
    """A run, found in the cache or made by a job, after that of its model where there is none yet.

    Quotas are spent here; a run from the cache costs nothing.
    """
    if (asked.dataset_id is None) == (asked.model_id is None):
        raise Problem(422, "A run is made of a dataset or of a model: give dataset_id or model_id.")
    defaults = (await load(session)).defaults
    document = {"format": defaults.format, **asked.document}
    if not {"subjects", "counts"} & set(document):
        document["subjects"] = defaults.subjects
    wanted = parse_document(document)
    request = wanted.request()
    model, version = await _made_of(session, access, asked, wanted)
    learned = await session.get_one(Job, model.job_id, populate_existing=True)
    if learned.state in ("failed", "cancelled"):
        raise Problem(409, f"The model cannot be used: its job was {learned.state}.", code="not-done")
    source = version if asked.dataset_id is not None or wanted.report else None
    if wanted.report and source is None:
        raise Problem(422, "A report compares with the source, and the dataset of this model is not here.")
    data = source.digest if source is not None else None
    check = wanted.report or (defaults.validate_runs if asked.check is None else asked.check)
    parts = {"model": learned.request["key"], "document": _shaping(document), "source": data, "check": check}
    key = cache.key_of("run", parts)
    known = await cache.find(session, access.project_id, "run", key)
    run = await _row(session, access, asked.name or f"{model.name}, {request.subjects:,} subjects", "generate")
    run.model_id, run.version_id, run.request = model.id, version.id if version else None, document
    told: dict[str, Any] = {"key": key, "model_id": str(model.id), "document": document, "check": check}
    told |= {"source_id": str(source.id) if source else None, "named": _plain(model.name)}
    if known is None:
        rows = round(await _rows_of_a_subject(session, model, version) * request.subjects)
        tier = await spend(session, access.principal, subjects=request.subjects, rows=rows)
        day = now().date().isoformat()
        told |= {"spent": {"subjects": request.subjects, "rows": rows, "day": day}}
        told |= {"rows_per_second": tier.rows_per_second or 0, "batch_subjects": tier.batch_subjects}
        await datasets.check_room(session, access, 0)
    after = None if learned.state == DONE else learned.id
    return await _asked(session, access, run, told, known, after, asked.urgency)


async def _made_of(
    session: AsyncSession, access: ProjectAccess, asked: RunNew, wanted: RunDocument
) -> tuple[Model, DatasetVersion | None]:
    """The model and the version of the dataset that a request is about."""
    if asked.model_id is not None:
        if wanted.corrections or wanted.privacy.min_subjects != 1:
            raise Problem(422, "Corrections and privacy act when a model is learned: give them there.")
        model = await models.find(session, access.project_id, asked.model_id)
        version = await session.get(DatasetVersion, model.version_id) if model.version_id else None
        return model, version
    assert asked.dataset_id is not None
    version = await datasets.usable_version(session, access.project_id, asked.dataset_id, asked.version)
    model = await models.open_or_done(session, access.project_id, version, wanted)
    if model is None:
        model = await models.learn(session, access, version, wanted, urgency=asked.urgency)
    return model, version


def _shaping(document: dict[str, Any]) -> dict[str, Any]:
    """What of a document shapes the output beside the model."""
    return {name: value for name, value in document.items() if name not in ("corrections", "privacy")}


def _plain(name: str) -> str:
    """A name that may stand in a path and in a manifest."""
    return re.sub(r"[^\w.-]+", "-", name).strip("-.") or "study"


async def _rows_of_a_subject(session: AsyncSession, model: Model, version: DatasetVersion | None) -> float:
    """Rows that a subject has, as far as it is known."""
    result = await session.get(Result, model.result_id) if model.result_id else None
    for summary in (result.summary if result else None, version.summary if version else None):
        if summary and summary.get("rows") and summary.get("subjects"):
            return summary["rows"] / summary["subjects"]
    return ROWS_OF_A_SUBJECT


async def corrupt(session: AsyncSession, access: ProjectAccess, asked: CorruptionNew) -> Run:
    """A dataset with faults, found in the cache or made by a job."""
    plan = parse_plan(asked.plan)
    version = await datasets.usable_version(session, access.project_id, asked.dataset_id, asked.version)
    dataset = await datasets.find(session, access.project_id, asked.dataset_id)
    request = {"plan": plan.model_dump(mode="json", exclude_defaults=True), "seed": asked.seed, "format": asked.format}
    key = cache.key_of("corruption", {"data": version.digest, "request": request})
    known = await cache.find(session, access.project_id, "corruption", key)
    run = await _row(session, access, asked.name or f"{dataset.name} with faults", "corrupt")
    run.version_id, run.request = version.id, request
    told: dict[str, Any] = {"key": key, "source_id": str(version.id), "named": _plain(dataset.name), "request": request}
    if known is None:
        rows = version.summary["rows"] if version.summary else 0
        await spend(session, access.principal, rows=rows)
        told["spent"] = {"subjects": 0, "rows": rows, "day": now().date().isoformat()}
    return await _asked(session, access, run, told, known, None, asked.urgency)


async def _row(session: AsyncSession, access: ProjectAccess, name: str, kind: str) -> Run:
    days = (await load(session)).retention.runs_days
    return Run(
        id=uuid.uuid4(),
        project_id=access.project_id,
        name=name,
        kind=kind,
        created_by=access.principal.user_id,
        expires_at=None if days is None else now() + timedelta(days=days),
    )


async def _asked(
    session: AsyncSession,
    access: ProjectAccess,
    run: Run,
    told: dict[str, Any],
    known: Result | None,
    after_id: uuid.UUID | None,
    urgency: Any,
) -> Run:
    """The row of a run with its job."""
    run.result_id = None if known is None else known.id
    session.add(run)
    await session.flush()
    done = None
    if known is not None:
        done = {"rows": known.summary["rows"], "subjects": known.summary["subjects"], "bytes": known.size}
    kind = "run" if run.kind == "generate" else "corruption"
    job = await jobs.ask(session, access, kind, run.id, told, after_id=after_id, urgency=urgency, done=done)
    run.job_id = job.id
    await session.flush()
    after = {"name": run.name, "kind": run.kind, "request": run.request}
    await record(session, access.principal, "create", "run", run.id, after=after, project_id=access.project_id)
    return run


async def find(session: AsyncSession, project_id: uuid.UUID, run_id: uuid.UUID) -> Run:
    """A run of a project. Raises a 404."""
    found = await session.scalar(select(Run).where(Run.id == run_id, Run.project_id == project_id))
    if found is None:
        raise not_found("run")
    return found


async def result_of(session: AsyncSession, run: Run) -> Result:
    """The result of a run. Raises a 409 where it is not there."""
    return _there(await session.get(Result, run.result_id) if run.result_id else None)


async def result_at(session: AsyncSession, project_id: uuid.UUID, run_id: uuid.UUID) -> Result:
    """The result of a run of a project, by one query. Raises 404, and 409 where it is not there."""
    row = (await session.execute(_WITH_RESULT, {"run": run_id, "project": project_id})).first()
    if row is None:
        raise not_found("run")
    return _there(row[1])


async def look(database: Database, project_id: uuid.UUID, run_id: uuid.UUID) -> Row[Any]:
    """`prefix` and `summary` of the result of a run, as those ask who page through it. Raises 404 and 409."""
    rows = await database.look(_LOOK, {"run": run_id, "project": project_id})
    if not rows:
        raise not_found("run")
    if rows[0].prefix is None:
        raise _not_done()
    return rows[0]


def _not_done() -> Problem:
    return Problem(409, "The run has no output yet: its job is not done.", code="not-done")


def _there(result: Result | None) -> Result:
    if result is None:
        raise _not_done()
    return result


async def output_files(session: AsyncSession, result: Result) -> list[ResultFile]:
    """The files of the output folder, as the command line would have written it."""
    return [file for file in await cache.files_of(session, result) if file.name.startswith(f"{FILES}/")]


async def shown(session: AsyncSession, run: Run) -> RunOut:
    """A run for the outside."""
    job = await session.get_one(Job, run.job_id, populate_existing=True)
    before = await session.get(Job, job.after_id, populate_existing=True) if job.after_id else None
    result = await session.get(Result, run.result_id) if run.result_id else None
    version = await session.get(DatasetVersion, run.version_id) if run.version_id else None
    plain = ("id", "name", "kind", "model_id", "request", "created_at", "created_by", "expires_at")
    return RunOut(
        **{name: getattr(run, name) for name in plain},
        dataset_id=version.dataset_id if version else None,
        dataset_version=version.number if version else None,
        job=jobs.shown(job),
        waits_for=jobs.shown(before) if before is not None and before.state != DONE else None,
        summary=result.summary if result else None,
    )


async def page(
    session: AsyncSession, project_id: uuid.UUID, kind: str | None, offset: int, limit: int
) -> tuple[list[RunOut], int]:
    """Runs of a project, newest first, and how many there are."""
    query = select(Run).where(Run.project_id == project_id)
    if kind:
        query = query.where(Run.kind == kind)
    total = await session.scalar(select(func.count()).select_from(query.subquery()))
    rows = await session.scalars(query.order_by(Run.created_at.desc(), Run.id).offset(offset).limit(limit))
    return [await shown(session, run) for run in rows.all()], total or 0


async def remove(session: AsyncSession, access: ProjectAccess, run: Run) -> None:
    """Delete a run with its output, exports and validations."""
    await drop(session, run)
    before = {"name": run.name}
    await record(session, access.principal, "delete", "run", run.id, before=before, project_id=access.project_id)


async def drop(session: AsyncSession, run: Run) -> None:
    """The deletion itself: jobs are cancelled, what nothing shows any more goes."""
    results = [run.result_id]
    job_ids = [run.job_id]
    for table in (Export, Validation):
        rows = (await session.execute(select(table.result_id, table.job_id).where(table.run_id == run.id))).all()
        results += [result for result, _ in rows]
        job_ids += [job for _, job in rows]
        await session.execute(delete(table).where(table.run_id == run.id))
    for job_id in job_ids:
        if job_id is not None:
            await queue.cancel(session, run.project_id, job_id)
    await session.execute(delete(Run).where(Run.id == run.id))
    await cache.let_go(session, results)

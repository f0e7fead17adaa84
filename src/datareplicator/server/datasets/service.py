"""Datasets: making, versions, files, deletion."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Sequence

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from datareplicator.server.analyses.tables import Analysis
from datareplicator.server.audit.service import record
from datareplicator.server.cache import service as cache
from datareplicator.server.cache.tables import Result
from datareplicator.server.database import now
from datareplicator.server.datasets.receiving import Received
from datareplicator.server.datasets.schemas import DatasetNew, DatasetOut, FileOut, Inspection, VersionOut
from datareplicator.server.datasets.tables import Dataset, DatasetVersion, StoredFile, Upload, VersionFile
from datareplicator.server.jobs import queue
from datareplicator.server.jobs import service as jobs
from datareplicator.server.jobs.tables import Job
from datareplicator.server.limits.quotas import check_storage, tier_of
from datareplicator.server.policies.service import load
from datareplicator.server.problems import Problem, not_found
from datareplicator.server.projects.access import ProjectAccess
from datareplicator.server.projects.tables import Project
from datareplicator.server.validations.tables import Validation


async def create(session: AsyncSession, access: ProjectAccess, asked: DatasetNew) -> Dataset:
    """A dataset without files."""
    dataset = Dataset(project_id=access.project_id, created_by=access.principal.user_id, **asked.model_dump())
    session.add(dataset)
    await session.flush()
    after = {"name": dataset.name}
    await record(session, access.principal, "create", "dataset", dataset.id, after=after, project_id=access.project_id)
    return dataset


async def find(session: AsyncSession, project_id: uuid.UUID, dataset_id: uuid.UUID) -> Dataset:
    """A dataset of a project. Raises a 404."""
    found = await session.scalar(select(Dataset).where(Dataset.id == dataset_id, Dataset.project_id == project_id))
    if found is None:
        raise not_found("dataset")
    return found


async def find_version(
    session: AsyncSession, project_id: uuid.UUID, dataset_id: uuid.UUID, number: int | None = None
) -> DatasetVersion:
    """A version by its number, or the latest. Raises a 404."""
    query = select(DatasetVersion).where(
        DatasetVersion.dataset_id == dataset_id, DatasetVersion.project_id == project_id
    )
    if number is not None:
        query = query.where(DatasetVersion.number == number)
    found = await session.scalar(query.order_by(DatasetVersion.number.desc()).limit(1))
    if found is None:
        raise not_found("dataset, or it has no such version")
    return found


async def usable_version(
    session: AsyncSession, project_id: uuid.UUID, dataset_id: uuid.UUID, number: int | None = None
) -> DatasetVersion:
    """A version to work on. Raises a 404, and a 422 where its files are known to be unreadable."""
    version = await find_version(session, project_id, dataset_id, number)
    if version.summary is not None and not version.summary["usable"]:
        problems = version.summary["problems"]
        first = problems[0]
        raise Problem(
            422,
            f"The dataset cannot be read: {first['message']}",
            code="source",
            hint="Its page lists all problems; remove or replace the files.",
            problems=problems,
        )
    return version


async def files_of(session: AsyncSession, version_id: uuid.UUID) -> list[StoredFile]:
    """The files of a version by name."""
    query = select(StoredFile).join(VersionFile, VersionFile.file_id == StoredFile.id)
    return list(await session.scalars(query.where(VersionFile.version_id == version_id).order_by(StoredFile.name)))


async def check_room(session: AsyncSession, access: ProjectAccess, adding: int) -> None:
    """Raise a 507 where the person, or the service, may not keep so many bytes more."""
    own = select(Project.id).where(Project.created_by == access.project.created_by)
    used = {}
    for name, where in (("used", True), ("overall", False)):
        files, results = select(func.sum(StoredFile.size)), select(func.sum(Result.size))
        if where:
            files, results = files.where(StoredFile.project_id.in_(own)), results.where(Result.project_id.in_(own))
        used[name] = int((await session.scalar(files)) or 0) + int((await session.scalar(results)) or 0)
    check_storage(await load(session), await tier_of(session, access.principal), **used, adding=adding)


def key_of_file(project_id: uuid.UUID, dataset_id: uuid.UUID, file_id: uuid.UUID) -> str:
    """Where a file lies in the store."""
    return f"projects/{project_id}/datasets/{dataset_id}/{file_id}"


async def add_version(
    session: AsyncSession,
    access: ProjectAccess,
    dataset: Dataset,
    received: Sequence[tuple[uuid.UUID, Received]],
    *,
    replace: bool = False,
    remove: Iterable[str] = (),
) -> DatasetVersion:
    """A version of new files (stored already, under their ids) and of those of the latest that stay. Its inspection
    is asked for, or found in the cache."""
    latest = await _latest(session, dataset)
    files = {} if replace or latest is None else {file.name: file for file in await files_of(session, latest.id)}
    for name in remove:
        if files.pop(name, None) is None:
            raise Problem(422, f"There is no file {name} to remove.")
    for file_id, one in received:
        key = key_of_file(dataset.project_id, dataset.id, file_id)
        files[one.name] = StoredFile(
            id=file_id,
            project_id=dataset.project_id,
            dataset_id=dataset.id,
            name=one.name,
            format=one.format,
            size=one.size,
            sha256=one.sha256,
            key=key,
        )
    if not files:
        raise Problem(422, "A version needs at least one file.")
    _check_names(files)
    version = DatasetVersion(
        project_id=dataset.project_id,
        dataset_id=dataset.id,
        number=1 if latest is None else latest.number + 1,
        digest=digest_of(files.values()),
        size=sum(file.size for file in files.values()),
        created_by=access.principal.user_id,
    )
    dataset.updated_at = now()
    session.add_all([version, *files.values()])
    await session.flush()
    session.add_all(VersionFile(version_id=version.id, file_id=file.id) for file in files.values())
    await _ask_inspection(session, access, version)
    told = {"name": dataset.name, "version": version.number, "files": len(files), "digest": version.digest}
    await record(session, access.principal, "upload", "dataset", dataset.id, after=told, project_id=access.project_id)
    return version


async def _latest(session: AsyncSession, dataset: Dataset) -> DatasetVersion | None:
    """The latest version; the dataset is locked, so that two uploads do not make the same number."""
    await session.execute(select(Dataset.id).where(Dataset.id == dataset.id).with_for_update())
    query = select(DatasetVersion).where(DatasetVersion.dataset_id == dataset.id)
    return await session.scalar(query.order_by(DatasetVersion.number.desc()).limit(1))


def _check_names(files: Iterable[str]) -> None:
    seen: dict[str, str] = {}
    for name in files:
        other = seen.setdefault(name.lower(), name)
        if other != name:
            raise Problem(422, f"The files {other} and {name} differ in upper and lower case only.")


def digest_of(files: Iterable[StoredFile]) -> str:
    """What a version holds, in one number."""
    lines = sorted(f"{file.sha256} {file.name}" for file in files)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


async def _ask_inspection(session: AsyncSession, access: ProjectAccess, version: DatasetVersion) -> None:
    key = cache.key_of("inspection", {"data": version.digest})
    known = await cache.find(session, access.project_id, "inspection", key)
    if known is not None:
        version.result_id, version.summary = known.id, known.summary
    told = None if known is None else {"usable": known.summary["usable"], "rows": known.summary["rows"]}
    job = await jobs.ask(session, access, "inspection", version.id, {"key": key}, done=told)
    version.job_id = job.id
    await session.flush()


async def page(
    session: AsyncSession, project_id: uuid.UUID, search: str, offset: int, limit: int
) -> tuple[list[DatasetOut], int]:
    """Datasets of a project, the latest changed first, and how many there are."""
    query = select(Dataset).where(Dataset.project_id == project_id)
    if search:
        query = query.where(Dataset.name.icontains(search, autoescape=True))
    total = await session.scalar(select(func.count()).select_from(query.subquery()))
    rows = await session.scalars(query.order_by(Dataset.updated_at.desc(), Dataset.id).offset(offset).limit(limit))
    return [await shown(session, dataset) for dataset in rows.all()], total or 0


async def shown(session: AsyncSession, dataset: Dataset) -> DatasetOut:
    """A dataset for the outside."""
    query = select(DatasetVersion).where(DatasetVersion.dataset_id == dataset.id)
    versions = (await session.scalars(query.order_by(DatasetVersion.number.desc()))).all()
    plain = {name: getattr(dataset, name) for name in DatasetOut.model_fields if name not in ("versions", "latest")}
    latest = await version_shown(session, versions[0]) if versions else None
    return DatasetOut(**plain, versions=len(versions), latest=latest)


async def version_shown(session: AsyncSession, version: DatasetVersion) -> VersionOut:
    """A version for the outside."""
    job = await session.get(Job, version.job_id, populate_existing=True) if version.job_id else None
    files = [FileOut.model_validate(file, from_attributes=True) for file in await files_of(session, version.id)]
    return VersionOut(
        id=version.id,
        number=version.number,
        size=version.size,
        digest=version.digest,
        created_at=version.created_at,
        state=job.state if job is not None else "done",
        files=files,
        inspection=Inspection.model_validate(version.summary) if version.summary else None,
        job=jobs.shown(job) if job is not None else None,
    )


async def drop(session: AsyncSession, dataset: Dataset) -> None:
    """Delete a dataset with its versions, analyses, validations and files; models and runs stay."""
    own = select(DatasetVersion.id).where(DatasetVersion.dataset_id == dataset.id)
    await _remove_versions(session, dataset.project_id, [row for (row,) in (await session.execute(own)).all()])
    for upload in await session.scalars(select(Upload.id).where(Upload.dataset_id == dataset.id)):
        cache.forget(session, f"projects/{dataset.project_id}/uploads/{upload}")
    await session.execute(delete(Dataset).where(Dataset.id == dataset.id))
    cache.forget(session, f"projects/{dataset.project_id}/datasets/{dataset.id}")


async def remove(session: AsyncSession, access: ProjectAccess, dataset: Dataset) -> None:
    """Delete a dataset, as somebody asked for."""
    await drop(session, dataset)
    await record(
        session,
        access.principal,
        "delete",
        "dataset",
        dataset.id,
        before={"name": dataset.name},
        project_id=access.project_id,
    )


async def remove_version(session: AsyncSession, access: ProjectAccess, version: DatasetVersion) -> None:
    """Delete a version, and the files that no other version has."""
    await _remove_versions(session, access.project_id, [version.id])
    orphans = select(StoredFile).where(
        StoredFile.dataset_id == version.dataset_id,
        StoredFile.id.not_in(select(VersionFile.file_id)),
    )
    for file in (await session.scalars(orphans)).all():
        cache.forget(session, file.key)
        await session.delete(file)
    told = {"version": version.number}
    await record(
        session,
        access.principal,
        "delete",
        "dataset-version",
        version.dataset_id,
        before=told,
        project_id=access.project_id,
    )


async def _remove_versions(session: AsyncSession, project_id: uuid.UUID, versions: Sequence[uuid.UUID]) -> None:
    """Delete versions and what only describes them: jobs are cancelled, results are let go."""
    results: list[uuid.UUID | None] = []
    for table, column in (
        (Analysis, Analysis.version_id),
        (Validation, Validation.version_id),
        (DatasetVersion, DatasetVersion.id),
    ):
        rows = (await session.execute(select(table.result_id, table.job_id).where(column.in_(versions)))).all()
        results += [result for result, _ in rows]
        for _, job_id in rows:
            if job_id is not None:
                await queue.cancel(session, project_id, job_id)
        await session.execute(delete(table).where(column.in_(versions)))
    await cache.let_go(session, results)


async def versions(session: AsyncSession, project_id: uuid.UUID, dataset_id: uuid.UUID) -> list[VersionOut]:
    """All versions of a dataset, the newest first."""
    query = select(DatasetVersion).where(
        DatasetVersion.dataset_id == dataset_id, DatasetVersion.project_id == project_id
    )
    rows = await session.scalars(query.order_by(DatasetVersion.number.desc()))
    return [await version_shown(session, version) for version in rows.all()]

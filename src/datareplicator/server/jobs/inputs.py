"""Inputs of jobs: files of datasets and of results, put into a job's folder."""

from __future__ import annotations

import uuid
from pathlib import Path

from sqlalchemy import select

from datareplicator.errors import RequestError
from datareplicator.server.cache.tables import Result, ResultFile
from datareplicator.server.datasets.tables import StoredFile, VersionFile
from datareplicator.server.jobs.kind import Desk


async def fetch_version(desk: Desk, project_id: uuid.UUID, version_id: uuid.UUID | None, folder: Path) -> list[str]:
    """The files of a dataset's version into a folder; their names. Raises RequestError where it is gone."""
    async with desk.database.session() as session:
        query = (
            select(StoredFile.name, StoredFile.key)
            .join(VersionFile, VersionFile.file_id == StoredFile.id)
            .where(VersionFile.version_id == version_id, StoredFile.project_id == project_id)
            .order_by(StoredFile.name)
        )
        found = (await session.execute(query)).all()
    if not found:
        raise RequestError("the dataset was deleted meanwhile.")
    for name, key in found:
        await desk.storage.fetch(key, folder / name)
    return [name for name, _ in found]


async def fetch_result(
    desk: Desk, project_id: uuid.UUID, result_id: uuid.UUID | None, folder: Path, *, below: str = "", only: str = ""
) -> list[str]:
    """Files of a result into a folder: all, those whose names begin with `below` (under the rest of their names), or
    `only` that one. Their names. Raises RequestError where they are gone."""
    async with desk.database.session() as session:
        query = (
            select(Result.prefix, ResultFile.name)
            .join(ResultFile, ResultFile.result_id == Result.id)
            .where(Result.id == result_id, Result.project_id == project_id)
        )
        query = query.where(ResultFile.name == only if only else ResultFile.name.startswith(below, autoescape=True))
        found = (await session.execute(query)).all()
    if not found:
        raise RequestError("what the work needs was deleted meanwhile.")
    for prefix, name in found:
        await desk.storage.fetch(f"{prefix}/{name}", folder / name.removeprefix(below))
    return [name.removeprefix(below) for _, name in found]


def identity(text: str | None) -> uuid.UUID | None:
    """An id as JSON has it."""
    return None if text is None else uuid.UUID(text)

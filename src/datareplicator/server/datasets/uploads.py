"""Files that come in parts: create, send parts with their offset, ask how much is there, go on after a cut."""

from __future__ import annotations

import asyncio
import uuid
from datetime import timedelta
from pathlib import Path

from fastapi import Request
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import ClientDisconnect

from datareplicator.server.cache.service import forget
from datareplicator.server.database import Database, now
from datareplicator.server.datasets.receiving import Received, looked_at, safe_name, too_large
from datareplicator.server.datasets.schemas import UploadNew, UploadOut
from datareplicator.server.datasets.tables import Dataset, Upload
from datareplicator.server.problems import Problem, not_found
from datareplicator.server.projects.access import ProjectAccess
from datareplicator.server.storage import Storage

LIFETIME = timedelta(hours=24)


async def create(session: AsyncSession, access: ProjectAccess, dataset: Dataset, asked: UploadNew) -> Upload:
    """An upload of which nothing is here yet."""
    upload = Upload(
        project_id=access.project_id,
        dataset_id=dataset.id,
        name=safe_name(asked.name),
        size=asked.size,
        created_by=access.principal.user_id,
        expires_at=now() + LIFETIME,
    )
    session.add(upload)
    await session.flush()
    return upload


async def find(session: AsyncSession, project_id: uuid.UUID, upload_id: uuid.UUID) -> Upload:
    """An upload of a project that has not expired. Raises a 404."""
    query = select(Upload).where(Upload.id == upload_id, Upload.project_id == project_id, Upload.expires_at > now())
    found = await session.scalar(query.execution_options(populate_existing=True))
    if found is None:
        raise not_found("upload, or it has expired")
    return found


async def under_way(session: AsyncSession, project_id: uuid.UUID, dataset_id: uuid.UUID) -> list[Upload]:
    """The uploads of a dataset that have not expired, by name."""
    own = (Upload.project_id == project_id) & (Upload.dataset_id == dataset_id) & (Upload.expires_at > now())
    return list(await session.scalars(select(Upload).where(own).order_by(Upload.name, Upload.created_at)))


def shown(upload: Upload) -> UploadOut:
    """An upload for the outside."""
    plain = {name: getattr(upload, name) for name in UploadOut.model_fields if name != "complete"}
    return UploadOut(**plain, complete=upload.received == upload.size)


def _prefix(upload: Upload) -> str:
    return f"projects/{upload.project_id}/uploads/{upload.id}"


async def take_part(
    database: Database, storage: Storage, upload: Upload, request: Request, offset: int, folder: Path
) -> int:
    """Store what the request's body holds, from `offset` on; how much is here now. What came before a cut counts.

    Raises 409 where the offset is not where the upload stands, 413 where there are more bytes than announced.
    """
    if offset != upload.received:
        raise _elsewhere(upload.received)
    path, seen = folder / "part", 0
    with path.open("wb") as file:
        try:
            async for piece in request.stream():
                seen += len(piece)
                if offset + seen > upload.size:
                    raise too_large(upload.size)
                file.write(piece)
        except ClientDisconnect:
            pass  # what came is kept: the client asks for the offset and goes on from there
    if not seen:
        return offset
    key = f"{_prefix(upload)}/{offset:015d}.{uuid.uuid4().hex}"
    await storage.put_file(key, path, move=True)
    async with database.session(write=True) as session:
        row = await session.scalar(select(Upload).where(Upload.id == upload.id).with_for_update())
        if row is None:
            raise not_found("upload")
        if row.received != offset:
            raise _elsewhere(row.received)
        row.parts = [*row.parts, [key, seen]]
        row.received = offset + seen
        return row.received


def _elsewhere(received: int) -> Problem:
    return Problem(
        409,
        f"The upload stands at byte {received:,}.",
        hint="Go on from there.",
        headers={"Upload-Offset": str(received)},
    )


async def assemble(
    database: Database,
    storage: Storage,
    project_id: uuid.UUID,
    dataset: Dataset,
    ids: list[uuid.UUID],
    folder: Path,
    most_bytes: int,
) -> tuple[list[Upload], list[Received]]:
    """The files of complete uploads, put together and looked at. Raises 404, and 409 where bytes are missing."""
    uploads, received = [], []
    for number, upload_id in enumerate(ids):
        async with database.session() as session:
            upload = await find(session, project_id, upload_id)
        if upload.dataset_id != dataset.id:
            raise not_found("upload")
        if upload.received != upload.size:
            raise Problem(409, f"{upload.name}: {upload.size - upload.received:,} bytes are missing.")
        path = folder / f"upload-{number}" / upload.name
        path.parent.mkdir()
        with path.open("wb") as file:
            for key, _ in upload.parts:
                async for piece in storage.stream(key):
                    file.write(piece)
        uploads.append(upload)
        received += await asyncio.to_thread(looked_at, path, upload.name, most_bytes)
    return uploads, received


async def remove(session: AsyncSession, upload: Upload) -> None:
    """Delete an upload and its parts."""
    forget(session, _prefix(upload))
    await session.execute(delete(Upload).where(Upload.id == upload.id))

"""Datasets: upload, look, change, delete."""

from __future__ import annotations

import uuid
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Request, Response, status
from starlette.requests import HTTPConnection

from datareplicator import sample_study_path
from datareplicator.server.audit.service import record
from datareplicator.server.database import DatabaseDep, SessionDep, SettingsDep
from datareplicator.server.datasets import receiving, service, uploads
from datareplicator.server.datasets.receiving import Received
from datareplicator.server.datasets.schemas import (
    DatasetChange,
    DatasetNew,
    DatasetOut,
    DatasetPage,
    UploadNew,
    UploadOut,
    VersionNew,
    VersionOut,
)
from datareplicator.server.datasets.tables import Dataset
from datareplicator.server.jobs.schemas import MOST, Number
from datareplicator.server.problems import Problem, responses
from datareplicator.server.projects.access import ProjectAccess, in_project
from datareplicator.server.storage import Storage

router = APIRouter(prefix="/projects/{project_id}/datasets", tags=["datasets"])
Reader = Annotated[ProjectAccess, in_project("viewer", "datasets.read")]
Editor = Annotated[ProjectAccess, in_project("editor", "datasets.write")]
ANY_SIZE = 1 << 50
"""For routes that count the body themselves, as it comes."""


def storage_of(connection: HTTPConnection) -> Storage:
    """The store of the application that answers."""
    return connection.app.state.storage


StorageDep = Annotated[Storage, Depends(storage_of)]


@router.get("", summary="List datasets", responses=responses(404))
async def list_datasets(
    access: Reader,
    session: SessionDep,
    search: Annotated[str, Query(max_length=200, description="Part of the name.")] = "",
    offset: Annotated[int, Query(ge=0, le=MOST)] = 0,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> DatasetPage:
    """Datasets of the project, the latest changed first."""
    items, total = await service.page(session, access.project_id, search, offset, limit)
    return DatasetPage(items=items, total=total)


@router.post("", summary="Make a dataset", status_code=status.HTTP_201_CREATED, responses=responses(404))
async def create_dataset(asked: DatasetNew, access: Editor, session: SessionDep) -> DatasetOut:
    """A dataset without files yet."""
    return await service.shown(session, await service.create(session, access, asked))


@router.post(
    "/sample", summary="Take the sample study", status_code=status.HTTP_201_CREATED, responses=responses(404, 507)
)
async def create_sample(
    access: Editor, database: DatabaseDep, storage: StorageDep, settings: SettingsDep
) -> DatasetOut:
    """A dataset of the bundled SDTM study of 20 invented subjects."""
    with receiving.staging(settings.data_dir) as folder:
        received = []
        for path in sorted(sample_study_path().iterdir()):
            copy = folder / path.name
            copy.write_bytes(path.read_bytes())
            received += receiving.looked_at(copy, path.name, settings.max_upload_bytes)
        asked = DatasetNew(name="Sample study", description="20 invented subjects of the trial DR-201, SDTM.")
        async with database.session(write=True) as session:
            dataset = await service.create(session, access, asked)
        await _store(database, storage, access, dataset, received)
    async with database.session() as session:
        return await service.shown(session, await service.find(session, access.project_id, dataset.id))


@router.get("/{dataset_id}", summary="Read a dataset", responses=responses(404))
async def read_dataset(dataset_id: uuid.UUID, access: Reader, session: SessionDep) -> DatasetOut:
    """A dataset, its latest version, and what was recognised in its files."""
    return await service.shown(session, await service.find(session, access.project_id, dataset_id))


@router.patch("/{dataset_id}", summary="Rename a dataset", responses=responses(404))
async def change_dataset(
    dataset_id: uuid.UUID, asked: DatasetChange, access: Editor, session: SessionDep
) -> DatasetOut:
    """Change name or description."""
    dataset = await service.find(session, access.project_id, dataset_id)
    before = {"name": dataset.name}
    for name, value in asked.model_dump(exclude_none=True).items():
        setattr(dataset, name, value)
    await session.flush()
    after = {"name": dataset.name}
    await record(
        session, access.principal, "change", "dataset", dataset.id, before, after, project_id=dataset.project_id
    )
    return await service.shown(session, dataset)


@router.delete(
    "/{dataset_id}", summary="Delete a dataset", status_code=status.HTTP_204_NO_CONTENT, responses=responses(404)
)
async def delete_dataset(dataset_id: uuid.UUID, access: Editor, session: SessionDep) -> None:
    """Delete a dataset with all versions, files, analyses and validations, for good. Models and runs stay."""
    dataset = await service.find(session, access.project_id, dataset_id)
    await service.remove(session, access, dataset)


@router.post(
    "/{dataset_id}/files",
    summary="Upload files",
    status_code=status.HTTP_201_CREATED,
    responses=responses(400, 404, 413, 415, 422, 507),
    max_body_size=ANY_SIZE,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "multipart/form-data": {
                    "schema": {
                        "type": "object",
                        "properties": {"files": {"type": "array", "items": {"type": "string", "format": "binary"}}},
                    }
                }
            },
        }
    },
)
async def upload_files(
    dataset_id: uuid.UUID,
    request: Request,
    access: Editor,
    database: DatabaseDep,
    storage: StorageDep,
    settings: SettingsDep,
    replace: Annotated[bool, Query(description="Take nothing over from the latest version.")] = False,
) -> VersionOut:
    """A new version: the latest with these files added, those of the same name replaced. Zips are unpacked.

    The files are looked into by a job; the version says what was recognised when it is done.
    """
    async with database.session() as session:
        dataset = await service.find(session, access.project_id, dataset_id)
    most = settings.max_upload_bytes
    with receiving.staging(settings.data_dir) as folder:
        async with receiving.form_files(request, most) as files:
            received = await receiving.receive(files, folder, most)
        return await _store(database, storage, access, dataset, received, replace=replace)


async def _store(
    database: DatabaseDep,
    storage: Storage,
    access: ProjectAccess,
    dataset: Dataset,
    received: list[Received],
    *,
    taken: list[uploads.Upload] | None = None,
    replace: bool = False,
    remove: list[str] | None = None,
) -> VersionOut:
    """Files into the store, then the version; if that fails, nothing is left."""
    twice = {one.name for one in received if sum(other.name == one.name for other in received) > 1}
    if twice:
        raise Problem(422, f"The file {min(twice)} occurs twice in the upload.")
    async with database.session() as session:
        await service.check_room(session, access, sum(one.size for one in received))
    named = [(uuid.uuid4(), one) for one in received]
    keys = [service.key_of_file(access.project_id, dataset.id, file_id) for file_id, _ in named]
    try:
        for key, (_, one) in zip(keys, named, strict=True):
            await storage.put_file(key, one.path, move=True)
        async with database.session(write=True) as session:
            held = await service.find(session, access.project_id, dataset.id)
            version = await service.add_version(session, access, held, named, replace=replace, remove=remove or ())
            for upload in taken or ():
                await uploads.remove(session, upload)
            return await service.version_shown(session, version)
    except BaseException:
        for key in keys:
            await storage.delete(key)
        raise


@router.get("/{dataset_id}/versions", summary="List versions", responses=responses(404))
async def list_versions(dataset_id: uuid.UUID, access: Reader, session: SessionDep) -> list[VersionOut]:
    """All versions, the newest first."""
    await service.find(session, access.project_id, dataset_id)
    return await service.versions(session, access.project_id, dataset_id)


@router.post(
    "/{dataset_id}/versions",
    summary="Make a version of uploads",
    status_code=status.HTTP_201_CREATED,
    responses=responses(404, 409, 415, 422, 507),
)
async def create_version(
    dataset_id: uuid.UUID,
    asked: VersionNew,
    access: Editor,
    database: DatabaseDep,
    storage: StorageDep,
    settings: SettingsDep,
) -> VersionOut:
    """A version out of files that came in parts, and of the latest version less what is removed."""
    async with database.session() as session:
        dataset = await service.find(session, access.project_id, dataset_id)
    with receiving.staging(settings.data_dir) as folder:
        taken, received = await uploads.assemble(
            database, storage, access.project_id, dataset, asked.uploads, folder, settings.max_upload_bytes
        )
        return await _store(
            database, storage, access, dataset, received, taken=taken, replace=asked.replace, remove=asked.remove
        )


@router.get("/{dataset_id}/versions/{number}", summary="Read a version", responses=responses(404))
async def read_version(dataset_id: uuid.UUID, number: Number, access: Reader, session: SessionDep) -> VersionOut:
    """Files of a version, what was recognised in them, and what is wrong with them."""
    return await service.version_shown(
        session, await service.find_version(session, access.project_id, dataset_id, number)
    )


@router.delete(
    "/{dataset_id}/versions/{number}",
    summary="Delete a version",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=responses(404),
)
async def delete_version(dataset_id: uuid.UUID, number: Number, access: Editor, session: SessionDep) -> None:
    """Delete a version and the files that only it has."""
    version = await service.find_version(session, access.project_id, dataset_id, number)
    await service.remove_version(session, access, version)


@router.get("/{dataset_id}/uploads", summary="List uploads under way", responses=responses(404))
async def list_uploads(dataset_id: uuid.UUID, access: Reader, session: SessionDep) -> list[UploadOut]:
    """Files that have begun to come and are not part of a version yet: where each stands, so that one can go on."""
    dataset = await service.find(session, access.project_id, dataset_id)
    return [uploads.shown(each) for each in await uploads.under_way(session, access.project_id, dataset.id)]


@router.post(
    "/{dataset_id}/uploads",
    summary="Begin a resumable upload",
    status_code=status.HTTP_201_CREATED,
    responses=responses(404, 413, 422),
)
async def create_upload(
    dataset_id: uuid.UUID,
    asked: UploadNew,
    access: Editor,
    session: SessionDep,
    settings: SettingsDep,
    response: Response,
) -> UploadOut:
    """Announce a file that comes in parts: send them by PATCH, each with the offset where it begins."""
    dataset = await service.find(session, access.project_id, dataset_id)
    if asked.size > settings.max_upload_bytes:
        raise receiving.too_large(settings.max_upload_bytes)
    await service.check_room(session, access, asked.size)
    upload = await uploads.create(session, access, dataset, asked)
    response.headers["Location"] = f"/api/projects/{access.project_id}/datasets/{dataset_id}/uploads/{upload.id}"
    return uploads.shown(upload)


@router.head("/{dataset_id}/uploads/{upload_id}", summary="Where an upload stands", responses=responses(404))
async def stand_of_upload(dataset_id: uuid.UUID, upload_id: uuid.UUID, access: Editor, session: SessionDep) -> Response:
    """The headers Upload-Offset and Upload-Length."""
    upload = await uploads.find(session, access.project_id, upload_id)
    headers = {"Upload-Offset": str(upload.received), "Upload-Length": str(upload.size), "Cache-Control": "no-store"}
    return Response(headers=headers)


@router.patch(
    "/{dataset_id}/uploads/{upload_id}",
    summary="Send a part",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=responses(404, 409, 413, 415),
    max_body_size=ANY_SIZE,
    openapi_extra={
        "requestBody": {"content": {"application/offset+octet-stream": {"schema": {"type": "string"}}}},
    },
)
async def send_part(
    dataset_id: uuid.UUID,
    upload_id: uuid.UUID,
    request: Request,
    access: Editor,
    database: DatabaseDep,
    storage: StorageDep,
    settings: SettingsDep,
    upload_offset: Annotated[int, Header(ge=0, le=2**50, description="Where the part begins.")],
) -> Response:
    """The next bytes of a file, as application/offset+octet-stream; the answer says where it stands then."""
    if request.headers.get("content-type", "") != "application/offset+octet-stream":
        raise Problem(415, "Parts come as application/offset+octet-stream.")
    async with database.session() as session:
        upload = await uploads.find(session, access.project_id, upload_id)
    with receiving.staging(settings.data_dir) as folder:
        received = await uploads.take_part(database, storage, upload, request, upload_offset, folder)
    return Response(status_code=status.HTTP_204_NO_CONTENT, headers={"Upload-Offset": str(received)})


@router.delete(
    "/{dataset_id}/uploads/{upload_id}",
    summary="Give an upload up",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=responses(404),
)
async def delete_upload(dataset_id: uuid.UUID, upload_id: uuid.UUID, access: Editor, session: SessionDep) -> None:
    """Delete what came of a file so far."""
    await uploads.remove(session, await uploads.find(session, access.project_id, upload_id))

"""Runs in other formats."""

from __future__ import annotations

import uuid

from fastapi import APIRouter, Request, Response, status

from datareplicator.server.database import SessionDep
from datareplicator.server.datasets.routes import StorageDep
from datareplicator.server.downloads.service import file_answer, zip_answer
from datareplicator.server.exports import service
from datareplicator.server.exports.schemas import ExportNew, ExportOut
from datareplicator.server.problems import not_found, responses
from datareplicator.server.runs import service as runs
from datareplicator.server.runs.routes import Reader

router = APIRouter(prefix="/projects/{project_id}/runs/{run_id}/exports", tags=["runs"])


@router.get("", summary="List exports", responses=responses(404))
async def list_exports(run_id: uuid.UUID, access: Reader, session: SessionDep) -> list[ExportOut]:
    """Exports of a run, newest first."""
    return await service.of_run(session, await runs.find(session, access.project_id, run_id))


@router.post("", summary="Convert the output", status_code=status.HTTP_202_ACCEPTED, responses=responses(404, 409, 422))
async def create_export(run_id: uuid.UUID, asked: ExportNew, access: Reader, session: SessionDep) -> ExportOut:
    """Write the tables in another format, or into one DuckDB file; by a job, or at once where it was done before."""
    run = await runs.find(session, access.project_id, run_id)
    return await service.shown(session, await service.ask(session, access, run, asked))


@router.get("/{export_id}", summary="Read an export", responses=responses(404))
async def read_export(run_id: uuid.UUID, export_id: uuid.UUID, access: Reader, session: SessionDep) -> ExportOut:
    """State and files of an export."""
    run = await runs.find(session, access.project_id, run_id)
    return await service.shown(session, await service.find(session, run, export_id))


@router.get("/{export_id}/files/{name}", summary="Download a converted file", responses=responses(404, 409, 416))
async def read_file(
    run_id: uuid.UUID,
    export_id: uuid.UUID,
    name: str,
    request: Request,
    access: Reader,
    session: SessionDep,
    storage: StorageDep,
) -> Response:
    """One file of an export; ranges are understood."""
    run = await runs.find(session, access.project_id, run_id)
    export = await service.find(session, run, export_id)
    result = await service.result_of(session, export)
    file = next((each for each in (await service.shown(session, export)).files if each.name == name), None)
    if file is None:
        raise not_found("file")
    return await file_answer(request, storage, f"{result.prefix}/{name}", name, sha256=file.sha256)


@router.get("/{export_id}/archive", summary="Download an export", responses=responses(404, 409))
async def read_archive(
    run_id: uuid.UUID, export_id: uuid.UUID, access: Reader, session: SessionDep, storage: StorageDep
) -> Response:
    """All files of an export as a zip, made while it is sent."""
    run = await runs.find(session, access.project_id, run_id)
    export = await service.find(session, run, export_id)
    result = await service.result_of(session, export)
    files = (await service.shown(session, export)).files
    return zip_answer(storage, [(f.name, f"{result.prefix}/{f.name}") for f in files], f"{run.name}-{export.format}")

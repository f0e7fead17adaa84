"""Tables of datasets, page by page, and their files."""

from __future__ import annotations

import uuid
from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from datareplicator.server.cache.tables import Result
from datareplicator.server.database import DatabaseDep, SessionDep, SettingsDep
from datareplicator.server.datasets import service
from datareplicator.server.datasets.routes import Reader, StorageDep
from datareplicator.server.downloads.service import file_answer
from datareplicator.server.jobs.schemas import Number
from datareplicator.server.previews import service as previews
from datareplicator.server.previews.charts import chart_of
from datareplicator.server.previews.schemas import ColumnSummary, Rows, TableOut, TableQuery
from datareplicator.server.problems import not_found, responses

router = APIRouter(prefix="/projects/{project_id}/datasets/{dataset_id}/versions/{number}", tags=["datasets"])


async def _result(session: AsyncSession, project_id: uuid.UUID, dataset_id: uuid.UUID, number: int) -> Result | None:
    version = await service.find_version(session, project_id, dataset_id, number)
    return await session.get(Result, version.result_id) if version.result_id else None


@router.get("/tables", summary="List the tables", responses=responses(404, 409))
async def list_tables(
    dataset_id: uuid.UUID, number: Number, access: Reader, session: SessionDep, storage: StorageDep
) -> list[TableOut]:
    """Tables with their columns, labels and rows."""
    return previews.tables_out(
        await previews.index_of(storage, await _result(session, access.project_id, dataset_id, number))
    )


@router.post("/tables/{table}/query", summary="Look at a table", responses=responses(404, 409, 422))
async def query_table(
    dataset_id: uuid.UUID,
    number: Number,
    table: str,
    asked: TableQuery,
    access: Reader,
    database: DatabaseDep,
    storage: StorageDep,
    settings: SettingsDep,
) -> Rows:
    """A page of a table, filtered and sorted; tables of any size."""
    async with database.session() as session:
        result = await _result(session, access.project_id, dataset_id, number)
    return await previews.rows_of(storage, settings, result, table, asked)


@router.get("/tables/{table}/columns/{column}", summary="Summarise a column", responses=responses(404, 409, 422))
async def summarise_column(
    dataset_id: uuid.UUID,
    number: Number,
    table: str,
    column: str,
    access: Reader,
    database: DatabaseDep,
    storage: StorageDep,
    settings: SettingsDep,
) -> ColumnSummary:
    """Missing, distinct, least, greatest and most frequent values."""
    async with database.session() as session:
        result = await _result(session, access.project_id, dataset_id, number)
    return await previews.summary_of(storage, settings, result, table, column)


@router.get("/files/{name}", summary="Download a file", responses=responses(404, 416))
async def read_file(
    dataset_id: uuid.UUID,
    number: Number,
    name: str,
    request: Request,
    access: Reader,
    session: SessionDep,
    storage: StorageDep,
) -> Response:
    """One file as it was uploaded."""
    version = await service.find_version(session, access.project_id, dataset_id, number)
    file = next((each for each in await service.files_of(session, version.id) if each.name == name), None)
    if file is None:
        raise not_found("file")
    return await file_answer(request, storage, file.key, file.name, sha256=file.sha256)


@router.get("/tables/{table}/columns/{column}/chart", summary="Plot a column", responses=responses(404, 409, 422))
async def plot_column(
    dataset_id: uuid.UUID,
    number: Number,
    table: str,
    column: str,
    access: Reader,
    database: DatabaseDep,
    storage: StorageDep,
    settings: SettingsDep,
) -> dict[str, Any]:
    """A Vega-Lite specification with its data: a histogram of numbers, bars of anything else."""
    async with database.session() as session:
        result = await _result(session, access.project_id, dataset_id, number)
    return await chart_of(storage, settings, result, table, column)

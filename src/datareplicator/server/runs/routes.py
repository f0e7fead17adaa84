"""Runs and their output."""

from __future__ import annotations

import asyncio
import uuid
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response, status

from datareplicator.pipeline.replication import FINDINGS, REPORT
from datareplicator.run import run_schema
from datareplicator.server.audit.service import record
from datareplicator.server.auth.principal import CurrentPrincipal
from datareplicator.server.database import DatabaseDep, SessionDep, SettingsDep
from datareplicator.server.datasets.routes import StorageDep
from datareplicator.server.downloads.service import file_answer, zip_answer
from datareplicator.server.jobs.schemas import MOST
from datareplicator.server.previews import service as previews
from datareplicator.server.previews.charts import chart_of
from datareplicator.server.previews.schemas import ColumnSummary, Rows, TableOut, TableQuery
from datareplicator.server.problems import Problem, not_found, responses
from datareplicator.server.projects.access import ProjectAccess, in_project
from datareplicator.server.runs import answers, checking, findings, service
from datareplicator.server.runs.schemas import (
    CorruptionNew,
    FaultPage,
    FindingPage,
    OutputFile,
    RequestChecked,
    RunChange,
    RunNew,
    RunOut,
    RunPage,
)
from datareplicator.server.runs.work import FILES

router = APIRouter(prefix="/projects/{project_id}/runs", tags=["runs"])
schema_router = APIRouter(tags=["runs"])
Reader = Annotated[ProjectAccess, in_project("viewer", "runs.read")]
Editor = Annotated[ProjectAccess, in_project("editor", "runs.write")]


@schema_router.get("/run-schema", summary="JSON Schema of the run document")
async def read_run_schema(principal: CurrentPrincipal) -> dict[str, Any]:
    """The schema of `document`, as the command line takes it, paths included."""
    return run_schema()


@router.get("", summary="List runs", responses=responses(404))
async def list_runs(
    access: Reader,
    session: SessionDep,
    kind: Literal["generate", "corrupt"] | None = None,
    offset: Annotated[int, Query(ge=0, le=MOST)] = 0,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> RunPage:
    """Runs of the project, newest first."""
    items, total = await service.page(session, access.project_id, kind, offset, limit)
    return RunPage(items=items, total=total)


@router.post(
    "", summary="Generate subjects", status_code=status.HTTP_202_ACCEPTED, responses=responses(404, 409, 422, 429, 507)
)
async def create_run(asked: RunNew, access: Editor, session: SessionDep) -> RunOut:
    """New subjects, as the run document asks for. By a job, or at once by the cache where the same was made before."""
    return await service.shown(session, await service.ask(session, access, asked))


@router.post("/check", summary="Look at a request", responses=responses(404, 409, 422))
async def check_request(
    asked: RunNew, access: Editor, database: DatabaseDep, storage: StorageDep, settings: SettingsDep
) -> RequestChecked:
    """What is wrong with a request, and about what it would make and take; nothing is started."""
    return await checking.check(database, storage, settings, access, asked)


@router.post(
    "/corrupt",
    summary="Put faults into a dataset",
    status_code=status.HTTP_202_ACCEPTED,
    responses=responses(404, 422, 429, 507),
)
async def create_corruption(asked: CorruptionNew, access: Editor, session: SessionDep) -> RunOut:
    """A dataset as it is, with faults in known places and the answer key (`answers/`)."""
    return await service.shown(session, await service.corrupt(session, access, asked))


@router.get("/{run_id}", summary="Read a run", responses=responses(404))
async def read_run(run_id: uuid.UUID, access: Reader, session: SessionDep) -> RunOut:
    """State of a run, and when it is done its tables, rows and what validation found."""
    return await service.shown(session, await service.find(session, access.project_id, run_id))


@router.patch("/{run_id}", summary="Rename or keep a run", responses=responses(404))
async def change_run(run_id: uuid.UUID, asked: RunChange, access: Editor, session: SessionDep) -> RunOut:
    """Change the name, or until when the run is kept."""
    run = await service.find(session, access.project_id, run_id)
    if asked.name is not None:
        run.name = asked.name
    if "keep_until" in asked.model_fields_set:
        run.expires_at = asked.keep_until
    await session.flush()
    after = asked.model_dump(mode="json", exclude_unset=True)
    await record(session, access.principal, "change", "run", run.id, after=after, project_id=access.project_id)
    return await service.shown(session, run)


@router.delete("/{run_id}", summary="Delete a run", status_code=status.HTTP_204_NO_CONTENT, responses=responses(404))
async def delete_run(run_id: uuid.UUID, access: Editor, session: SessionDep) -> None:
    """Delete a run with its output, exports and validations, for good."""
    await service.remove(session, access, await service.find(session, access.project_id, run_id))


@router.get("/{run_id}/files", summary="List the output", responses=responses(404, 409))
async def list_files(run_id: uuid.UUID, access: Reader, session: SessionDep) -> list[OutputFile]:
    """The files of the output folder: tables, manifest, findings, report, answer key."""
    result = await service.result_at(session, access.project_id, run_id)
    files = await service.output_files(session, result)
    return [OutputFile(name=f.name.removeprefix(f"{FILES}/"), size=f.size, sha256=f.sha256) for f in files]


@router.get("/{run_id}/files/{name:path}", summary="Download a file", responses=responses(404, 409, 416))
async def read_file(
    run_id: uuid.UUID, name: str, request: Request, access: Reader, session: SessionDep, storage: StorageDep
) -> Response:
    """One file of the output; ranges are understood, so that a cut download goes on."""
    result = await service.result_at(session, access.project_id, run_id)
    files = {file.name: file for file in await service.output_files(session, result)}
    file = files.get(f"{FILES}/{name}")
    if file is None:
        raise not_found("file")
    return await file_answer(
        request, storage, f"{result.prefix}/{file.name}", name.rpartition("/")[2], sha256=file.sha256
    )


@router.get("/{run_id}/archive", summary="Download everything", responses=responses(404, 409))
async def read_archive(run_id: uuid.UUID, access: Reader, session: SessionDep, storage: StorageDep) -> Response:
    """The output folder as a zip, made while it is sent."""
    run = await service.find(session, access.project_id, run_id)
    result = await service.result_of(session, run)
    files = await service.output_files(session, result)
    named = [(file.name.removeprefix(f"{FILES}/"), f"{result.prefix}/{file.name}") for file in files]
    return zip_answer(storage, named, run.name)


@router.get("/{run_id}/report", summary="The report", responses=responses(404, 409))
async def read_report(
    run_id: uuid.UUID, request: Request, access: Reader, session: SessionDep, storage: StorageDep
) -> Response:
    """The page that compares source and synthetic, where the run was asked for one."""
    result = await service.result_at(session, access.project_id, run_id)
    return await file_answer(request, storage, f"{result.prefix}/{FILES}/{REPORT}", REPORT, inline=True)


@router.get("/{run_id}/findings", summary="What validation found", responses=responses(404, 409))
async def read_findings(
    run_id: uuid.UUID,
    access: Reader,
    database: DatabaseDep,
    storage: StorageDep,
    rule: Annotated[str | None, Query(max_length=100)] = None,
    table: Annotated[str | None, Query(max_length=200)] = None,
    severity: Literal["error", "warning", "info"] | None = None,
    offset: Annotated[int, Query(ge=0, le=MOST)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> FindingPage:
    """Findings of the checks that every run goes through, by rule and one by one (the first of each rule)."""
    async with database.session() as session:
        result = await service.result_at(session, access.project_id, run_id)
    content = await storage.read(f"{result.prefix}/{FILES}/{FINDINGS}")
    wanted = {"rule": rule, "table": table, "severity": severity}
    return await asyncio.to_thread(findings.page, content, **wanted, offset=offset, limit=limit)


@router.get("/{run_id}/answers", summary="The faults that were put in", responses=responses(404, 409))
async def read_answers(
    run_id: uuid.UUID,
    access: Reader,
    database: DatabaseDep,
    storage: StorageDep,
    settings: SettingsDep,
    kind: Annotated[str | None, Query(max_length=100)] = None,
    table: Annotated[str | None, Query(max_length=200)] = None,
    offset: Annotated[int, Query(ge=0, le=MOST)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> FaultPage:
    """The answer key of a run with faults: what was changed where, and what was there before."""
    async with database.session() as session:
        result = await service.result_at(session, access.project_id, run_id)
    if not result.summary.get("answers"):
        raise Problem(409, "No faults were put into this run.", code="no-faults")
    path = await previews.local_path(storage, settings, f"{result.prefix}/{answers.KEY}")
    return await asyncio.to_thread(answers.page, path, kind=kind, table=table, offset=offset, limit=limit)


@router.get("/{run_id}/tables", summary="List the tables", responses=responses(404, 409))
async def list_tables(run_id: uuid.UUID, access: Reader, session: SessionDep, storage: StorageDep) -> list[TableOut]:
    """Tables with their columns, labels and rows."""
    result = await service.result_at(session, access.project_id, run_id)
    return previews.tables_out(await previews.index_of(storage, result))


@router.post("/{run_id}/tables/{table}/query", summary="Look at a table", responses=responses(404, 409, 422))
async def query_table(
    run_id: uuid.UUID,
    table: str,
    asked: TableQuery,
    access: Reader,
    database: DatabaseDep,
    storage: StorageDep,
    settings: SettingsDep,
) -> Rows:
    """A page of a table, filtered and sorted; tables of any size. Faults that were put in are marked."""
    result = await service.look(database, access.project_id, run_id)
    key = answers.KEY if result.summary.get("answers") else None
    return await previews.rows_of(storage, settings, result, table, asked, key)


@router.get(
    "/{run_id}/tables/{table}/columns/{column}", summary="Summarise a column", responses=responses(404, 409, 422)
)
async def summarise_column(
    run_id: uuid.UUID,
    table: str,
    column: str,
    access: Reader,
    database: DatabaseDep,
    storage: StorageDep,
    settings: SettingsDep,
) -> ColumnSummary:
    """Missing, distinct, least, greatest and most frequent values: what a filter offers."""
    async with database.session() as session:
        result = await service.result_at(session, access.project_id, run_id)
    return await previews.summary_of(storage, settings, result, table, column)


@router.get(
    "/{run_id}/tables/{table}/columns/{column}/chart", summary="Plot a column", responses=responses(404, 409, 422)
)
async def plot_column(
    run_id: uuid.UUID,
    table: str,
    column: str,
    access: Reader,
    database: DatabaseDep,
    storage: StorageDep,
    settings: SettingsDep,
) -> dict[str, Any]:
    """A Vega-Lite specification with its data: a histogram of numbers, bars of anything else."""
    async with database.session() as session:
        result = await service.result_at(session, access.project_id, run_id)
    return await chart_of(storage, settings, result, table, column)

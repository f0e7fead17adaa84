"""Validations."""

from __future__ import annotations

import asyncio
import uuid
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response, status

from datareplicator.server.database import DatabaseDep, SessionDep
from datareplicator.server.datasets.routes import StorageDep
from datareplicator.server.downloads.service import file_answer
from datareplicator.server.jobs.schemas import MOST
from datareplicator.server.problems import responses
from datareplicator.server.runs import findings
from datareplicator.server.runs.routes import Editor, Reader
from datareplicator.server.runs.schemas import FindingPage
from datareplicator.server.validations import service
from datareplicator.server.validations.schemas import ValidationNew, ValidationOut, ValidationPage

router = APIRouter(prefix="/projects/{project_id}/validations", tags=["validations"])


@router.get("", summary="List validations", responses=responses(404))
async def list_validations(
    access: Reader,
    session: SessionDep,
    run_id: uuid.UUID | None = None,
    offset: Annotated[int, Query(ge=0, le=MOST)] = 0,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> ValidationPage:
    """Validations of the project, newest first."""
    items, total = await service.page(session, access.project_id, run_id, offset, limit)
    return ValidationPage(items=items, total=total)


@router.post("", summary="Validate", status_code=status.HTTP_202_ACCEPTED, responses=responses(404, 409, 422))
async def create_validation(asked: ValidationNew, access: Editor, session: SessionDep) -> ValidationOut:
    """Check a dataset or a run by the rules of its standard, its own structure, and statistical detectors."""
    return await service.shown(session, await service.ask(session, access, asked))


@router.get("/{validation_id}", summary="Read a validation", responses=responses(404))
async def read_validation(validation_id: uuid.UUID, access: Reader, session: SessionDep) -> ValidationOut:
    """State and summary of a validation."""
    return await service.shown(session, await service.find(session, access.project_id, validation_id))


@router.get("/{validation_id}/findings", summary="The findings", responses=responses(404, 409))
async def read_findings(
    validation_id: uuid.UUID,
    access: Reader,
    database: DatabaseDep,
    storage: StorageDep,
    rule: Annotated[str | None, Query(max_length=100)] = None,
    table: Annotated[str | None, Query(max_length=200)] = None,
    severity: Literal["error", "warning", "info"] | None = None,
    offset: Annotated[int, Query(ge=0, le=MOST)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> FindingPage:
    """Findings by rule, and every one of them page by page."""
    async with database.session() as session:
        result = await service.result_of(session, await service.find(session, access.project_id, validation_id))
    content = await storage.read(f"{result.prefix}/findings.json")
    wanted = {"rule": rule, "table": table, "severity": severity}
    return await asyncio.to_thread(findings.page, content, **wanted, offset=offset, limit=limit)


@router.get("/{validation_id}/document", summary="Download the findings", responses=responses(404, 409, 416))
async def read_document(
    validation_id: uuid.UUID,
    request: Request,
    access: Reader,
    session: SessionDep,
    storage: StorageDep,
    format: Literal["json", "csv", "xlsx", "html"] = "csv",
) -> Response:
    """The findings as a file; JSON and CSV hold all, the others the first 1,000 of each rule."""
    result = await service.result_of(session, await service.find(session, access.project_id, validation_id))
    name = f"findings.{format}"
    return await file_answer(request, storage, f"{result.prefix}/{name}", name, inline=format == "html")


@router.delete(
    "/{validation_id}", summary="Delete a validation", status_code=status.HTTP_204_NO_CONTENT, responses=responses(404)
)
async def delete_validation(validation_id: uuid.UUID, access: Editor, session: SessionDep) -> None:
    """Delete a validation."""
    await service.remove(session, access, await service.find(session, access.project_id, validation_id))

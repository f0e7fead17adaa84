"""Analyses."""

from __future__ import annotations

import uuid
from typing import Annotated, Any

from fastapi import APIRouter, Query, status

from datareplicator.server.analyses import service
from datareplicator.server.analyses.schemas import AnalysisNew, AnalysisOut, AnalysisPage, Comparison
from datareplicator.server.analyses.work import EXPLANATION, PATTERNS, PROFILE
from datareplicator.server.database import SessionDep
from datareplicator.server.datasets.routes import Editor, Reader, StorageDep
from datareplicator.server.jobs.schemas import MOST
from datareplicator.server.problems import responses

router = APIRouter(prefix="/projects/{project_id}/analyses", tags=["analyses"])


@router.get("", summary="List analyses", responses=responses(404))
async def list_analyses(
    access: Reader,
    session: SessionDep,
    dataset_id: uuid.UUID | None = None,
    offset: Annotated[int, Query(ge=0, le=MOST)] = 0,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> AnalysisPage:
    """Analyses of the project, newest first."""
    items, total = await service.page(session, access.project_id, dataset_id, offset, limit)
    return AnalysisPage(items=items, total=total)


@router.post("", summary="Analyse a dataset", status_code=status.HTTP_202_ACCEPTED, responses=responses(404, 422))
async def create_analysis(asked: AnalysisNew, access: Editor, session: SessionDep) -> AnalysisOut:
    """What is in a dataset: distributions, relations, time patterns, structure. By a job, or at once by the cache."""
    return await service.shown(session, await service.ask(session, access, asked))


@router.get("/compare", summary="Compare analyses", responses=responses(404, 409))
async def compare_analyses(
    access: Reader,
    session: SessionDep,
    storage: StorageDep,
    id: Annotated[list[uuid.UUID], Query(min_length=2, max_length=5, description="Two to five analyses.")],
) -> Comparison:
    """Stored analyses side by side: where they differ."""
    return await service.side_by_side(session, storage, access.project_id, id)


@router.get("/{analysis_id}", summary="Read an analysis", responses=responses(404))
async def read_analysis(analysis_id: uuid.UUID, access: Reader, session: SessionDep) -> AnalysisOut:
    """State and summary of an analysis."""
    return await service.shown(session, await service.find(session, access.project_id, analysis_id))


@router.get("/{analysis_id}/profile", summary="The profile", responses=responses(404, 409))
async def read_profile(
    analysis_id: uuid.UUID, access: Reader, session: SessionDep, storage: StorageDep
) -> dict[str, Any]:
    """Tables, columns, distributions, visits, arms, sites, relations; categories of fewer than three subjects are not
    named."""
    analysis = await service.find(session, access.project_id, analysis_id)
    return await service.document(session, storage, analysis, PROFILE)


@router.get("/{analysis_id}/explanation", summary="The structure, explained", responses=responses(404, 409))
async def read_explanation(
    analysis_id: uuid.UUID, access: Reader, session: SessionDep, storage: StorageDep
) -> dict[str, Any]:
    """Keys, dependencies, derivations with their exceptions, layouts, links: what corrections can set right."""
    analysis = await service.find(session, access.project_id, analysis_id)
    return await service.document(session, storage, analysis, EXPLANATION)


@router.get("/{analysis_id}/patterns", summary="Courses, events by arm, correlations", responses=responses(404, 409))
async def read_patterns(
    analysis_id: uuid.UUID, access: Reader, session: SessionDep, storage: StorageDep
) -> dict[str, Any]:
    """Tests over the visits by arm, events by arm with their terms, rank correlations between subjects; nothing that
    fewer than three subjects show."""
    analysis = await service.find(session, access.project_id, analysis_id)
    return await service.document(session, storage, analysis, PATTERNS)


@router.delete(
    "/{analysis_id}", summary="Delete an analysis", status_code=status.HTTP_204_NO_CONTENT, responses=responses(404)
)
async def delete_analysis(analysis_id: uuid.UUID, access: Editor, session: SessionDep) -> None:
    """Delete an analysis."""
    await service.remove(session, access, await service.find(session, access.project_id, analysis_id))

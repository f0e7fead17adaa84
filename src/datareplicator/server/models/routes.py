"""Models."""

from __future__ import annotations

import hashlib
import uuid
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response, status

from datareplicator import pipeline
from datareplicator.server.analyses.schemas import Comparison
from datareplicator.server.audit.service import record
from datareplicator.server.database import DatabaseDep, SessionDep, SettingsDep
from datareplicator.server.datasets import receiving
from datareplicator.server.datasets.routes import ANY_SIZE, StorageDep
from datareplicator.server.downloads.service import file_answer
from datareplicator.server.jobs.schemas import MOST
from datareplicator.server.models import service
from datareplicator.server.models.schemas import ModelChange, ModelNew, ModelOut, ModelPage
from datareplicator.server.models.work import MODEL
from datareplicator.server.problems import Problem, responses
from datareplicator.server.projects.access import ProjectAccess, in_project
from datareplicator.server.projects.schemas import Name

router = APIRouter(prefix="/projects/{project_id}/models", tags=["models"])
Reader = Annotated[ProjectAccess, in_project("viewer", "models.read")]
Editor = Annotated[ProjectAccess, in_project("editor", "models.write")]
MOST_IMPORTED = 500_000_000
"""Bytes of a model document that is imported."""


@router.get("", summary="List models", responses=responses(404))
async def list_models(
    access: Reader,
    session: SessionDep,
    name: Annotated[str | None, Query(max_length=200, description="Versions of this name only.")] = None,
    offset: Annotated[int, Query(ge=0, le=MOST)] = 0,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> ModelPage:
    """Models of the project, newest first."""
    items, total = await service.page(session, access.project_id, name, offset, limit)
    return ModelPage(items=items, total=total)


@router.post("", summary="Learn a model", status_code=status.HTTP_202_ACCEPTED, responses=responses(404, 422))
async def create_model(asked: ModelNew, access: Editor, session: SessionDep) -> ModelOut:
    """Learn a dataset: structure and statistics, none of its rows. By a job, or at once by the cache."""
    return await service.shown(session, await service.ask(session, access, asked))


@router.post(
    "/import",
    summary="Import a model",
    status_code=status.HTTP_202_ACCEPTED,
    responses=responses(404, 413, 415, 507),
    max_body_size=ANY_SIZE,
    openapi_extra={"requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}},
)
async def import_model(
    request: Request,
    access: Editor,
    database: DatabaseDep,
    storage: StorageDep,
    settings: SettingsDep,
    name: Annotated[Name, Query(description="What to call it.")],
) -> ModelOut:
    """A model document that was exported here or by the command line. It is data, never code; a job checks it."""
    if not request.headers.get("content-type", "").lower().startswith("application/json"):
        raise Problem(415, "A model document comes as application/json.")
    model_id = uuid.uuid4()
    staged = f"projects/{access.project_id}/imports/{model_id}"
    digest = hashlib.sha256()
    with receiving.staging(settings.data_dir) as folder:
        with (folder / MODEL).open("wb") as file:
            async for piece in receiving.counted(request, min(MOST_IMPORTED, settings.max_upload_bytes)):
                digest.update(piece)
                file.write(piece)
        await storage.put_file(staged, folder / MODEL, move=True)
    try:
        async with database.session(write=True) as session:
            model = await service.add_import(session, access, model_id, name, staged, digest.hexdigest())
            return await service.shown(session, model)
    except BaseException:
        await storage.delete(staged)
        raise


@router.get("/compare", summary="Compare models", responses=responses(404, 409))
async def compare_models(
    access: Reader,
    session: SessionDep,
    storage: StorageDep,
    id: Annotated[list[uuid.UUID], Query(min_length=2, max_length=5, description="Two to five models.")],
) -> Comparison:
    """Models side by side: where the learned structures differ."""
    return await service.side_by_side(session, storage, access.project_id, id)


@router.get("/{model_id}", summary="Read a model", responses=responses(404))
async def read_model(model_id: uuid.UUID, access: Reader, session: SessionDep) -> ModelOut:
    """State and summary of a model."""
    return await service.shown(session, await service.find(session, access.project_id, model_id))


@router.patch("/{model_id}", summary="Describe a model", responses=responses(404))
async def change_model(model_id: uuid.UUID, asked: ModelChange, access: Editor, session: SessionDep) -> ModelOut:
    """Change the description."""
    model = await service.find(session, access.project_id, model_id)
    model.description = asked.description
    await session.flush()
    await record(session, access.principal, "change", "model", model.id, project_id=access.project_id)
    return await service.shown(session, model)


@router.get("/{model_id}/explanation", summary="What was learned", responses=responses(404, 409))
async def read_explanation(
    model_id: uuid.UUID, access: Reader, session: SessionDep, storage: StorageDep
) -> dict[str, object]:
    """Keys, dependencies, derivations, links, what is suppressed, what could not be learned."""
    return await service.explanation(session, storage, await service.find(session, access.project_id, model_id))


@router.get("/{model_id}/vocabulary", summary="What can be asked of a model", responses=responses(404, 409))
async def read_vocabulary(
    model_id: uuid.UUID, access: Reader, session: SessionDep, storage: StorageDep
) -> pipeline.Vocabulary:
    """The tables and columns that the model draws, with the values that it knows: what a form can offer."""
    return await service.vocabulary(session, storage, await service.find(session, access.project_id, model_id))


@router.get("/{model_id}/document", summary="Export a model", responses=responses(404, 409, 416))
async def export_model(
    model_id: uuid.UUID, request: Request, access: Reader, session: SessionDep, storage: StorageDep
) -> Response:
    """The model as one JSON document, for the command line, the library or another service."""
    model = await service.find(session, access.project_id, model_id)
    result = await service.result_of(session, model)
    return await file_answer(request, storage, f"{result.prefix}/{MODEL}", f"{model.name}-{model.number}.json")


@router.delete(
    "/{model_id}", summary="Delete a model", status_code=status.HTTP_204_NO_CONTENT, responses=responses(404)
)
async def delete_model(model_id: uuid.UUID, access: Editor, session: SessionDep) -> None:
    """Delete a model. Runs made with it stay."""
    await service.remove(session, access, await service.find(session, access.project_id, model_id))

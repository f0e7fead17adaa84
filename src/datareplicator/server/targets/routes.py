"""Targets."""

from __future__ import annotations

import uuid
from typing import Annotated

from fastapi import APIRouter, status

from datareplicator.server.database import DatabaseDep, SessionDep, SettingsDep
from datareplicator.server.problems import responses
from datareplicator.server.projects.access import ProjectAccess, in_project
from datareplicator.server.targets import service
from datareplicator.server.targets.schemas import PushNew, PushOut, Reached, TargetNew, TargetOut

router = APIRouter(prefix="/projects/{project_id}/targets", tags=["targets"])
Reader = Annotated[ProjectAccess, in_project("viewer", "targets.read")]
Editor = Annotated[ProjectAccess, in_project("editor", "targets.write")]


@router.get("", summary="List targets", responses=responses(404))
async def list_targets(access: Reader, session: SessionDep) -> list[TargetOut]:
    """Targets of the project, without their secrets."""
    return await service.of_project(session, access.project_id)


@router.post("", summary="Set up a target", status_code=status.HTTP_201_CREATED, responses=responses(404))
async def create_target(asked: TargetNew, access: Editor, session: SessionDep, settings: SettingsDep) -> TargetOut:
    """An HTTP endpoint that takes files or rows, a bucket of S3's kind, a PostgreSQL database, or a REDCap project."""
    return service.shown(await service.create(session, settings, access, asked))


@router.get("/{target_id}", summary="Read a target", responses=responses(404))
async def read_target(target_id: uuid.UUID, access: Reader, session: SessionDep) -> TargetOut:
    """A target, without its secret."""
    return service.shown(await service.find(session, access.project_id, target_id))


@router.delete(
    "/{target_id}", summary="Delete a target", status_code=status.HTTP_204_NO_CONTENT, responses=responses(404)
)
async def delete_target(target_id: uuid.UUID, access: Editor, session: SessionDep) -> None:
    """Delete a target with its secret."""
    await service.remove(session, access, await service.find(session, access.project_id, target_id))


@router.post("/{target_id}/test", summary="Test a target", responses=responses(404))
async def test_target(target_id: uuid.UUID, access: Editor, database: DatabaseDep, settings: SettingsDep) -> Reached:
    """Whether the target answers and lets us in; no data are sent."""
    async with database.session() as session:
        target = await service.find(session, access.project_id, target_id)
    return await service.probe(settings, target)


@router.get("/{target_id}/pushes", summary="List pushes", responses=responses(404))
async def list_pushes(target_id: uuid.UUID, access: Reader, session: SessionDep) -> list[PushOut]:
    """The last hundred pushes to a target, newest first."""
    return await service.pushes(session, await service.find(session, access.project_id, target_id))


@router.post(
    "/{target_id}/pushes", summary="Push a run", status_code=status.HTTP_202_ACCEPTED, responses=responses(404, 409)
)
async def create_push(target_id: uuid.UUID, asked: PushNew, access: Editor, session: SessionDep) -> PushOut:
    """Send the output of a run to a target, by a job: again when the target is busy, each request with an idempotency
    key that stays the same."""
    target = await service.find(session, access.project_id, target_id)
    return await service.push_shown(session, await service.push(session, access, target, asked))

"""Projects."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, status

from datareplicator.server.audit.service import record
from datareplicator.server.auth.principal import Principal, require
from datareplicator.server.database import SessionDep
from datareplicator.server.problems import Problem, responses
from datareplicator.server.projects import activity, service
from datareplicator.server.projects.access import ProjectEdit, ProjectOwn, ProjectRead
from datareplicator.server.projects.schemas import ProjectChange, ProjectNew, ProjectOut, ProjectPage
from datareplicator.server.projects.tables import MemberRole

router = APIRouter(prefix="/projects", tags=["projects"])


@router.get("", summary="List projects")
async def list_projects(
    principal: Annotated[Principal, require("projects.read")],
    session: SessionDep,
    search: Annotated[str, Query(max_length=200, description="Part of the name.")] = "",
    archived: Annotated[bool, Query(description="Archived ones as well.")] = False,
    offset: Annotated[int, Query(ge=0)] = 0,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> ProjectPage:
    """The asker's projects, the latest changed first; administrators see all."""
    items, total = await service.list_projects(
        session, principal, search=search, archived=archived, offset=offset, limit=limit
    )
    return ProjectPage(items=items, total=total)


@router.post("", summary="Make a project", status_code=status.HTTP_201_CREATED)
async def create_project(
    asked: ProjectNew, principal: Annotated[Principal, require("projects.write")], session: SessionDep
) -> ProjectOut:
    """A new project; its maker is its owner."""
    if principal.only_project is not None:
        raise Problem(403, "This API key is for one project only.")
    project = await service.create_project(session, principal, asked)
    facts = service.facts(project)
    await record(session, principal, "project.made", "project", project.id, after=facts, project_id=project.id)
    return service.shown(project, MemberRole.OWNER)


@router.get("/{project_id}", summary="Read a project", responses=responses(404))
async def read_project(access: ProjectRead) -> ProjectOut:
    """One project."""
    return service.shown(access.project, access.role)


@router.get("/{project_id}/activity", summary="What was done in a project", responses=responses(404))
async def read_activity(
    access: ProjectRead,
    session: SessionDep,
    before: Annotated[int | None, Query(ge=1, le=2**62, description="`next` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 20,
) -> activity.ActivityPage:
    """Who did what, the latest first."""
    return await activity.page(session, access.project_id, before, limit)


@router.patch("/{project_id}", summary="Change a project", responses=responses(404))
async def change_project(asked: ProjectChange, access: ProjectEdit, session: SessionDep) -> ProjectOut:
    """Change name, description, standard or domains, or archive it."""
    before = service.facts(access.project)
    project = await service.change_project(session, access, asked)
    after, who = service.facts(project), access.principal
    await record(session, who, "project.changed", "project", project.id, before, after, project_id=project.id)
    return service.shown(project, access.role)


@router.delete(
    "/{project_id}", summary="Delete a project", status_code=status.HTTP_204_NO_CONTENT, responses=responses(404)
)
async def delete_project(access: ProjectOwn, session: SessionDep) -> None:
    """Delete a project with everything in it, for good."""
    await service.delete_project(session, access.project_id)
    before, number = service.facts(access.project), access.project_id
    await record(session, access.principal, "project.deleted", "project", number, before, project_id=number)

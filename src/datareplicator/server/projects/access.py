"""Access to a project: membership is part of the query, so that a check that is forgotten finds nothing.

    @router.get("/projects/{project_id}/runs")
    async def list_runs(access: Annotated[ProjectAccess, in_project("viewer", "runs.read")], session: SessionDep): ...

`ProjectRead`, `ProjectEdit` and `ProjectOwn` are the same for the project itself.
"""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Path
from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import HTTPConnection

from datareplicator.server.auth.permissions import known
from datareplicator.server.auth.principal import CurrentPrincipal, Principal, missing
from datareplicator.server.database import database_of
from datareplicator.server.problems import Problem, not_found
from datareplicator.server.projects.tables import MemberRole, Membership, Project

_RANK = {role: rank for rank, role in enumerate(MemberRole)}
_ANY = (
    select(Project, Membership.role)
    .outerjoin(Membership, (Membership.project_id == Project.id) & (Membership.user_id == bindparam("user")))
    .where(Project.id == bindparam("project"))
)
_OWN = _ANY.where(Membership.user_id.is_not(None))
ProjectId = Annotated[uuid.UUID, Path(description="The project.")]


@dataclass(frozen=True)
class ProjectAccess:
    """A project that the principal may enter, and as what. The project is detached: read it, change it elsewhere."""

    project: Project
    principal: Principal
    role: MemberRole

    @property
    def project_id(self) -> uuid.UUID:
        """The project's id."""
        return self.project.id


async def find_access(session: AsyncSession, principal: Principal, project_id: uuid.UUID) -> ProjectAccess:
    """The project, if the principal is in it or is an administrator; 404 else."""
    if principal.only_project not in (None, project_id):
        raise not_found("project")
    found = _ANY if principal.is_administrator else _OWN
    row = (await session.execute(found, {"project": project_id, "user": principal.user_id})).first()
    if row is None:
        raise not_found("project")
    role = MemberRole.OWNER if principal.is_administrator else MemberRole(row[1])
    return ProjectAccess(row[0], principal, role)


def access_check(least: str, permission: str) -> Callable[..., Awaitable[ProjectAccess]]:
    """A dependency over the path's `project_id`: 403 without the permission, 404 for strangers, 403 for a role in the
    project below `least`."""
    needed = MemberRole(least)
    known(permission)

    async def check(connection: HTTPConnection, project_id: ProjectId, principal: CurrentPrincipal) -> ProjectAccess:
        if not principal.may(permission):
            raise missing(principal, permission)
        async with database_of(connection).session() as session:
            access = await find_access(session, principal, project_id)
        if _RANK[access.role] < _RANK[needed]:
            raise Problem(403, f"This needs the role {needed.value} in the project; yours is {access.role.value}.")
        connection.state.project_id = access.project_id
        return access

    check.permission = permission  # type: ignore[attr-defined]
    check.least = needed  # type: ignore[attr-defined]
    return check


def in_project(least: str, permission: str) -> Any:
    """`Annotated[ProjectAccess, in_project("editor", "datasets.write")]`."""
    return Depends(access_check(least, permission))


ProjectRead = Annotated[ProjectAccess, in_project("viewer", "projects.read")]
ProjectEdit = Annotated[ProjectAccess, in_project("editor", "projects.write")]
ProjectOwn = Annotated[ProjectAccess, in_project("owner", "projects.write")]

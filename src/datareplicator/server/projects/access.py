"""Access to a project: membership is part of the query, so that a check that is forgotten finds nothing.

    @router.get("/projects/{project_id}/runs")
    async def list_runs(access: Annotated[ProjectAccess, in_project("viewer", "runs.read")], session: SessionDep): ...

`ProjectRead`, `ProjectEdit` and `ProjectOwn` are the same for the project itself.
"""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Path
from sqlalchemy import Row, Select, bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import HTTPConnection

from datareplicator.server.auth.permissions import known
from datareplicator.server.auth.principal import CurrentPrincipal, Principal, missing
from datareplicator.server.database import Database, database_of
from datareplicator.server.problems import Problem, not_found
from datareplicator.server.projects.tables import MemberRole, Membership, Project

_RANK = {role: rank for rank, role in enumerate(MemberRole)}
_COLUMNS = tuple(Project.__mapper__.column_attrs.keys())
_ANY = (
    select(*(getattr(Project, name) for name in _COLUMNS), Membership.role.label("member_role"))
    .select_from(Project)
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
    rows = await session.execute(_statement(principal), _values(principal, project_id))
    return _access(rows.all(), principal)


async def _looked_up(database: Database, principal: Principal, project_id: uuid.UUID) -> ProjectAccess:
    """The same, outside of any transaction."""
    return _access(await database.look(_statement(principal), _values(principal, project_id)), principal)


def _statement(principal: Principal) -> Select[Any]:
    return _ANY if principal.is_administrator else _OWN


def _values(principal: Principal, project_id: uuid.UUID) -> dict[str, uuid.UUID]:
    if principal.only_project not in (None, project_id):
        raise not_found("project")
    return {"project": project_id, "user": principal.user_id}


def _access(rows: Sequence[Row[Any]], principal: Principal) -> ProjectAccess:
    if not rows:
        raise not_found("project")
    *values, role = rows[0]
    project = Project(**dict(zip(_COLUMNS, values, strict=True)))
    return ProjectAccess(project, principal, MemberRole.OWNER if principal.is_administrator else MemberRole(role))


def access_check(least: str, permission: str) -> Callable[..., Awaitable[ProjectAccess]]:
    """A dependency over the path's `project_id`: 403 without the permission, 404 for strangers, 403 for a role in the
    project below `least`."""
    needed = MemberRole(least)
    known(permission)

    async def check(connection: HTTPConnection, project_id: ProjectId, principal: CurrentPrincipal) -> ProjectAccess:
        if not principal.may(permission):
            raise missing(principal, permission)
        access = await _looked_up(database_of(connection), principal, project_id)
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

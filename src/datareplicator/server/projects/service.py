"""Making, listing, changing and deleting projects."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import Select, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from datareplicator.server.auth.principal import Principal
from datareplicator.server.cache.service import forget
from datareplicator.server.database import now
from datareplicator.server.problems import not_found
from datareplicator.server.projects.access import ProjectAccess
from datareplicator.server.projects.schemas import ProjectChange, ProjectNew, ProjectOut
from datareplicator.server.projects.tables import MemberRole, Membership, Project


def shown(project: Project, role: MemberRole) -> ProjectOut:
    """A project as somebody with this role sees it."""
    values = {name: getattr(project, name) for name in ProjectOut.model_fields if name != "my_role"}
    return ProjectOut(**values, my_role=role)


def facts(project: Project) -> dict[str, Any]:
    """What the audit trail keeps of a project."""
    archived = project.archived_at is not None
    return {
        "name": project.name,
        "description": project.description,
        "standard": project.standard,
        "domains": project.domains,
        "archived": archived,
    }


def _visible(principal: Principal) -> Select[Any]:
    """Projects that the principal may see, with their role."""
    own = (Membership.project_id == Project.id) & (Membership.user_id == principal.user_id)
    found = select(Project, Membership.role).outerjoin(Membership, own)
    if not principal.is_administrator:
        found = found.where(Membership.user_id.is_not(None))
    if principal.only_project is not None:
        found = found.where(Project.id == principal.only_project)
    return found


async def list_projects(
    session: AsyncSession, principal: Principal, *, search: str, archived: bool, offset: int, limit: int
) -> tuple[list[ProjectOut], int]:
    """A page of the projects, the latest changed first, and how many there are."""
    found = _visible(principal)
    if not archived:
        found = found.where(Project.archived_at.is_(None))
    if search:
        found = found.where(Project.name.icontains(search, autoescape=True))
    total = await session.scalar(select(func.count()).select_from(found.subquery()))
    page = found.order_by(Project.updated_at.desc(), Project.id).offset(offset).limit(limit)
    rows = (await session.execute(page)).all()
    owner = MemberRole.OWNER
    items = [shown(row[0], owner if principal.is_administrator else MemberRole(row[1])) for row in rows]
    return items, total or 0


async def create_project(session: AsyncSession, principal: Principal, asked: ProjectNew) -> Project:
    """A new project with its maker as owner."""
    project = Project(**asked.model_dump(), created_by=principal.user_id, updated_at=now())
    session.add(project)
    await session.flush()
    session.add(Membership(project_id=project.id, user_id=principal.user_id, role=MemberRole.OWNER.value))
    return project


async def change_project(session: AsyncSession, access: ProjectAccess, asked: ProjectChange) -> Project:
    """Change what was given; `standard` may be emptied with null."""
    values = asked.model_dump(exclude_unset=True)
    archived = values.pop("archived", None)
    values = {name: value for name, value in values.items() if value is not None or name == "standard"}
    if archived is not None:
        values["archived_at"] = now() if archived else None
    changed = await session.scalar(
        update(Project)
        .where(Project.id == access.project_id)
        .values(**values, updated_at=now())
        .returning(Project)
        .execution_options(populate_existing=True)
    )
    if changed is None:
        raise not_found("project")
    return changed


async def delete_project(session: AsyncSession, project_id: uuid.UUID) -> None:
    """Delete a project with everything in it, its files too."""
    forget(session, f"projects/{project_id}")
    await session.execute(delete(Project).where(Project.id == project_id))

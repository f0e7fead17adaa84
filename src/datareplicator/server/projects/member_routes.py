"""Members of projects, and invitations."""

from __future__ import annotations

import uuid
from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, Request, status

from datareplicator.server import mail
from datareplicator.server.audit.service import record
from datareplicator.server.auth.lockout import may_mail
from datareplicator.server.auth.principal import Principal, require
from datareplicator.server.database import SessionDep, SettingsDep
from datareplicator.server.mail import Mail
from datareplicator.server.policies.service import PoliciesDep
from datareplicator.server.problems import Problem, not_found, responses
from datareplicator.server.projects import members, service
from datareplicator.server.projects.access import ProjectOwn, ProjectRead
from datareplicator.server.projects.schemas import (
    InvitationMade,
    InvitationNew,
    InvitationOut,
    InvitationToken,
    MemberChange,
    MemberOut,
    ProjectOut,
)
from datareplicator.server.projects.tables import MemberRole, Project

router = APIRouter(tags=["members"])
GONE = status.HTTP_204_NO_CONTENT


@router.get("/projects/{project_id}/members", summary="List members", responses=responses(404))
async def list_members(access: ProjectRead, session: SessionDep) -> list[MemberOut]:
    """Who is in the project, in order of joining."""
    return await members.list_members(session, access.project_id)


@router.patch(
    "/projects/{project_id}/members/{user_id}", summary="Change a member's role", responses=responses(404, 409)
)
async def change_member(
    user_id: uuid.UUID, asked: MemberChange, access: ProjectOwn, session: SessionDep
) -> list[MemberOut]:
    """Answers all members."""
    member = await members.find_member(session, access.project_id, user_id)
    if asked.role is not MemberRole.OWNER:
        await members.keep_an_owner(session, member)
    before, member.role = member.role, asked.role.value
    await session.flush()
    await record(
        session,
        access.principal,
        "member.changed",
        "user",
        user_id,
        {"role": before},
        {"role": member.role},
        project_id=access.project_id,
    )
    return await members.list_members(session, access.project_id)


@router.delete(
    "/projects/{project_id}/members/{user_id}",
    summary="Remove a member",
    status_code=GONE,
    responses=responses(404, 409),
)
async def remove_member(user_id: uuid.UUID, access: ProjectRead, session: SessionDep) -> None:
    """Owners remove anybody; everybody may leave."""
    if access.role is not MemberRole.OWNER and user_id != access.principal.user_id:
        raise Problem(403, "This needs the role owner in the project.")
    member = await members.find_member(session, access.project_id, user_id)
    await members.keep_an_owner(session, member)
    await session.delete(member)
    before = {"role": member.role}
    await record(session, access.principal, "member.removed", "user", user_id, before, project_id=access.project_id)


@router.get("/projects/{project_id}/invitations", summary="List open invitations", responses=responses(404))
async def list_invitations(access: ProjectOwn, session: SessionDep) -> list[InvitationOut]:
    """In order of time."""
    return await members.list_invitations(session, access.project_id)


@router.post(
    "/projects/{project_id}/invitations",
    summary="Invite somebody",
    status_code=status.HTTP_201_CREATED,
    responses=responses(404, 409),
)
async def invite(
    asked: InvitationNew,
    access: ProjectOwn,
    session: SessionDep,
    settings: SettingsDep,
    policies: PoliciesDep,
    request: Request,
    later: BackgroundTasks,
) -> InvitationMade:
    """The link works for the account of this address, for 14 days; it is sent by mail too where that is set up."""
    made = await members.invite(session, access.principal, access.project_id, asked.email, asked.role)
    await record(
        session,
        access.principal,
        "invitation.made",
        "invitation",
        made.id,
        after={"role": made.role},
        project_id=access.project_id,
    )
    if settings.smtp_host is not None and await may_mail(request, policies.rates, made.email):
        text = f"You are invited to the project {access.project.name}. Open this link to join it."
        later.add_task(mail.send, settings, Mail(made.email, "Invitation to a project", text, made.link))
    return made


@router.delete(
    "/projects/{project_id}/invitations/{invitation_id}",
    summary="Withdraw an invitation",
    status_code=GONE,
    responses=responses(404),
)
async def withdraw(invitation_id: uuid.UUID, access: ProjectOwn, session: SessionDep) -> None:
    """Its link no longer works."""
    role = await members.withdraw(session, access.project_id, invitation_id)
    before = {"role": role}
    await record(
        session,
        access.principal,
        "invitation.withdrawn",
        "invitation",
        invitation_id,
        before,
        project_id=access.project_id,
    )


@router.post("/invitations/accept", summary="Accept an invitation", responses=responses(404))
async def accept(
    asked: InvitationToken, principal: Annotated[Principal, require("projects.read")], session: SessionDep
) -> ProjectOut:
    """With the token of the link, logged in with the address that was invited."""
    if principal.key_id is not None:
        raise Problem(403, "This needs a login; an API key will not do.")
    member = await members.accept(session, principal, asked.token)
    project = await session.get(Project, member.project_id)
    if project is None:
        raise not_found("project")
    after = {"role": member.role}
    await record(session, principal, "member.joined", "user", principal.user_id, after=after, project_id=project.id)
    return service.shown(project, MemberRole(member.role))

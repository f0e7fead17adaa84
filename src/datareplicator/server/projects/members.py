"""Who is in a project: members and invitations."""

from __future__ import annotations

import secrets
import uuid
from datetime import timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from datareplicator.server.auth.principal import Principal
from datareplicator.server.auth.tables import User
from datareplicator.server.database import now
from datareplicator.server.problems import Problem, not_found
from datareplicator.server.projects.schemas import InvitationMade, InvitationOut, MemberOut
from datareplicator.server.projects.tables import Invitation, MemberRole, Membership, Project
from datareplicator.server.secrets import digest

DAYS = 14


async def list_members(session: AsyncSession, project_id: uuid.UUID) -> list[MemberOut]:
    """The members, in order of joining."""
    found = select(User, Membership).join(Membership, Membership.user_id == User.id)
    rows = await session.execute(found.where(Membership.project_id == project_id).order_by(Membership.created_at))
    return [
        MemberOut(user_id=user.id, email=user.email, name=user.name, role=MemberRole(own.role), since=own.created_at)
        for user, own in rows
    ]


async def find_member(session: AsyncSession, project_id: uuid.UUID, user_id: uuid.UUID) -> Membership:
    """One membership; 404 else."""
    member = await session.get(Membership, (project_id, user_id), with_for_update=True)
    if member is None:
        raise not_found("member")
    return member


async def keep_owners(session: AsyncSession, user_id: uuid.UUID) -> None:
    """Refuse to let go somebody who is the only owner of a project."""
    others = select(Membership.project_id).where(
        Membership.role == MemberRole.OWNER.value, Membership.user_id != user_id
    )
    own = (Membership.user_id == user_id) & (Membership.role == MemberRole.OWNER.value)
    alone = select(Project.name).join(Membership, Membership.project_id == Project.id)
    names = (await session.scalars(alone.where(own, Project.id.not_in(others)).order_by(Project.name))).all()
    if names:
        raise Problem(
            409,
            f"You are the only owner of {', '.join(names[:5])}{' and others' if len(names) > 5 else ''}.",
            hint="Make another member owner of each, or delete it, first.",
        )


async def keep_an_owner(session: AsyncSession, member: Membership) -> None:
    """Refuse to lose the last owner."""
    if member.role != MemberRole.OWNER.value:
        return
    owners = select(func.count()).where(Membership.project_id == member.project_id, Membership.role == member.role)
    if (await session.scalar(owners) or 0) < 2:
        raise Problem(409, "This is the last owner of the project.", hint="Make somebody else owner first.")


async def invite(
    session: AsyncSession, principal: Principal, project_id: uuid.UUID, email: str, role: MemberRole
) -> InvitationMade:
    """An invitation with its link; one for the same address is replaced."""
    email = email.strip().lower()
    settings = session.info["settings"]
    member = select(Membership.user_id).join(User, User.id == Membership.user_id)
    if await session.scalar(member.where(Membership.project_id == project_id, User.email == email)):
        raise Problem(409, "This person is in the project already.")
    await session.execute(delete(Invitation).where(Invitation.project_id == project_id, Invitation.email == email))
    token = secrets.token_urlsafe(32)
    made = Invitation(
        project_id=project_id,
        email=email,
        role=role.value,
        token=digest(token),
        invited_by=principal.user_id,
        expires_at=now() + timedelta(days=DAYS),
    )
    session.add(made)
    await session.flush()
    link = f"{settings.public_url}/invitation#token={token}"
    return InvitationMade(**InvitationOut.model_validate(made).model_dump(), link=link)


async def list_invitations(session: AsyncSession, project_id: uuid.UUID) -> list[InvitationOut]:
    """The open invitations."""
    found = select(Invitation).where(Invitation.project_id == project_id, Invitation.expires_at > now())
    return [InvitationOut.model_validate(row) for row in await session.scalars(found.order_by(Invitation.created_at))]


async def withdraw(session: AsyncSession, project_id: uuid.UUID, invitation_id: uuid.UUID) -> str:
    """Take an invitation back; the role it offered."""
    own = (Invitation.project_id == project_id) & (Invitation.id == invitation_id)
    role = await session.scalar(delete(Invitation).where(own).returning(Invitation.role))
    if role is None:
        raise not_found("invitation")
    return role


async def accept(session: AsyncSession, principal: Principal, token: str) -> Membership:
    """Join a project. The link is for the person of its address only: who else finds it cannot use it."""
    good = (Invitation.token == digest(token)) & (Invitation.expires_at > now())
    found = await session.scalar(select(Invitation).where(good, Invitation.email == principal.email))
    if found is None:
        raise not_found("invitation for you")
    member = await session.get(Membership, (found.project_id, principal.user_id))
    if member is None:
        member = Membership(project_id=found.project_id, user_id=principal.user_id, role=found.role)
        session.add(member)
    await session.delete(found)
    await session.flush()
    return member

"""Accounts, for those who look after them."""

from __future__ import annotations

import uuid
from typing import Annotated, Any

from fastapi import APIRouter, BackgroundTasks, Query, status
from fastapi_users import exceptions
from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from datareplicator.server import mail
from datareplicator.server.audit.service import record
from datareplicator.server.auth import links, sessions
from datareplicator.server.auth.manager import UserManager
from datareplicator.server.auth.permissions import Role
from datareplicator.server.auth.principal import Principal, require
from datareplicator.server.auth.service import keep_an_administrator
from datareplicator.server.auth.tables import User
from datareplicator.server.database import SessionDep, SettingsDep
from datareplicator.server.mail import Mail
from datareplicator.server.policies.model import Policies
from datareplicator.server.policies.service import PoliciesDep
from datareplicator.server.problems import Problem, not_found, responses
from datareplicator.server.users.schemas import LinkOut, UserChange, UserMade, UserNew, UserOut, UserPage

router = APIRouter(prefix="/users", tags=["users"])
Writer = Annotated[Principal, require("users.write")]


def _facts(user: User) -> dict[str, Any]:
    return {"role": user.role, "tier": user.tier, "is_active": user.is_active, "name": user.name}


def _tier(policies: Policies, name: str) -> str:
    if name not in policies.tiers:
        raise Problem(422, f"There is no tier {name}; there are {', '.join(policies.tiers)}.")
    return name


async def _find(session: AsyncSession, user_id: uuid.UUID) -> User:
    user = await session.get(User, user_id)
    if user is None:
        raise not_found("account")
    return user


def _invitation(user: User, link: str) -> Mail:
    text = "An account was made for you. Open this link within 72 hours to set its password."
    return Mail(user.email, "Your account", text, link)


@router.get("", summary="List accounts")
async def list_users(
    principal: Annotated[Principal, require("users.read")],
    session: SessionDep,
    search: Annotated[str, Query(max_length=200, description="Part of the email address or name.")] = "",
    offset: Annotated[int, Query(ge=0)] = 0,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> UserPage:
    """By email address."""
    found = select(User)
    if search:
        like = (User.email.icontains(search, autoescape=True), User.name.icontains(search, autoescape=True))
        found = found.where(or_(*like))
    total = await session.scalar(select(func.count()).select_from(found.subquery()))
    rows = await session.scalars(found.order_by(User.email).offset(offset).limit(limit))
    return UserPage(items=[UserOut.model_validate(user) for user in rows], total=total or 0)


@router.post("", summary="Make an account", status_code=status.HTTP_201_CREATED, responses=responses(409))
async def make_user(
    asked: UserNew,
    principal: Writer,
    session: SessionDep,
    settings: SettingsDep,
    policies: PoliciesDep,
    later: BackgroundTasks,
) -> UserMade:
    """The person sets a password by the link. Works while registration is closed."""
    tier = _tier(policies, asked.tier or policies.access.default_tier)
    try:
        user = await UserManager(session, policies.access).make(
            asked.email, None, role=asked.role.value, tier=tier, name=asked.name.strip()
        )
    except exceptions.UserAlreadyExists as error:
        raise Problem(409, "There is an account with this email address already.") from error
    link = await links.make_link(session, settings, links.INVITE, "accept-invitation", user.id)
    await record(session, principal, "user.made", "user", user.id, after=_facts(user))
    if settings.smtp_host is not None:
        later.add_task(mail.send, settings, _invitation(user, link))
    return UserMade(**UserOut.model_validate(user).model_dump(), link=link)


@router.get("/{user_id}", summary="Read an account", responses=responses(404))
async def read_user(
    user_id: uuid.UUID, principal: Annotated[Principal, require("users.read")], session: SessionDep
) -> UserOut:
    """One account."""
    return UserOut.model_validate(await _find(session, user_id))


@router.patch("/{user_id}", summary="Change an account", responses=responses(404, 409))
async def change_user(
    user_id: uuid.UUID, asked: UserChange, principal: Writer, session: SessionDep, policies: PoliciesDep
) -> UserOut:
    """Role, tier, name, or switch it off; counts with the account's next request."""
    user = await _find(session, user_id)
    values = asked.model_dump(exclude_none=True)
    if "tier" in values:
        _tier(policies, values["tier"])
    if values.get("role", Role.ADMINISTRATOR) is not Role.ADMINISTRATOR or values.get("is_active") is False:
        await keep_an_administrator(session, user)
    before = _facts(user)
    for name, value in values.items():
        setattr(user, name, value.value if isinstance(value, Role) else value)
    if not user.is_active:
        await sessions.end_all(session, user.id)
    await session.flush()
    await record(session, principal, "user.changed", "user", user.id, before, _facts(user))
    return UserOut.model_validate(user)


@router.post("/{user_id}/link", summary="Make a link that sets the password", responses=responses(404))
async def make_link(user_id: uuid.UUID, principal: Writer, session: SessionDep, settings: SettingsDep) -> LinkOut:
    """For somebody who forgot it where no mail can be sent. Works once, for 72 hours."""
    user = await _find(session, user_id)
    link = await links.make_link(session, settings, links.INVITE, "accept-invitation", user.id)
    await record(session, principal, "user.link-made", "user", user.id)
    return LinkOut(link=link)


@router.delete(
    "/{user_id}", summary="Delete an account", status_code=status.HTTP_204_NO_CONTENT, responses=responses(404, 409)
)
async def delete_user(user_id: uuid.UUID, principal: Writer, session: SessionDep) -> None:
    """With its logins, keys and memberships. Projects stay; the audit trail keeps the id."""
    user = await _find(session, user_id)
    await keep_an_administrator(session, user)
    await UserManager(session, Policies().access).delete(user)
    await record(session, principal, "user.deleted", "user", user_id, before=_facts(user))

"""Links that work once: kept as digests, with an end."""

from __future__ import annotations

import secrets
import uuid
from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from datareplicator.server.auth.permissions import Role
from datareplicator.server.auth.tables import OneTimeToken, User
from datareplicator.server.database import now
from datareplicator.server.problems import Problem
from datareplicator.server.secrets import digest
from datareplicator.server.settings import Settings

SETUP = "setup"
INVITE = "invite"
HOURS = 72


async def make_link(
    session: AsyncSession, settings: Settings, purpose: str, page: str, user_id: uuid.UUID | None = None
) -> str:
    """A new link to this page of the user interface; links of the same purpose for the same person end. The token is
    behind the # so that it reaches no server's log."""
    token = secrets.token_urlsafe(32)
    same = (OneTimeToken.purpose == purpose) & (
        OneTimeToken.user_id.is_(None) if user_id is None else OneTimeToken.user_id == user_id
    )
    await session.execute(delete(OneTimeToken).where(same))
    ends = now() + timedelta(hours=HOURS)
    session.add(OneTimeToken(token=digest(token), purpose=purpose, user_id=user_id, expires_at=ends))
    await session.flush()
    return f"{settings.public_url}/{page}#token={token}"


async def use(session: AsyncSession, purpose: str, token: str) -> OneTimeToken:
    """Take a link's token out of use; 400 when it is wrong, used or over."""
    condition = (OneTimeToken.token == digest(token)) & (OneTimeToken.purpose == purpose)
    found = await session.scalar(
        delete(OneTimeToken).where(condition, OneTimeToken.expires_at > now()).returning(OneTimeToken)
    )
    if found is None:
        raise bad_link()
    return found


def bad_link() -> Problem:
    """The answer to a link that does not work."""
    return Problem(400, "The link is wrong, was used, or is too old.", code="bad-link", hint="Ask for a new one.")


async def has_administrator(session: AsyncSession) -> bool:
    """Whether there is an administrator who can log in."""
    found = select(User.id).where(User.role == Role.ADMINISTRATOR.value, User.is_active.is_(True)).limit(1)
    return await session.scalar(found) is not None

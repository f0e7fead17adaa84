"""Logins: what the browser or program holds is random; what the database holds is its digest."""

from __future__ import annotations

import secrets
import uuid
from datetime import timedelta
from typing import Any

from fastapi_users.authentication.strategy import Strategy
from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from datareplicator.server.auth.tables import LoginSession, User
from datareplicator.server.database import now
from datareplicator.server.secrets import digest
from datareplicator.server.settings import Settings

GOOD = (
    select(User)
    .join(LoginSession, LoginSession.user_id == User.id)
    .where(
        LoginSession.token == bindparam("token"),
        LoginSession.created_at > bindparam("created_after"),
        LoginSession.used_at > bindparam("used_after"),
        User.is_active.is_(True),
    )
)
"""The active user of a login that is still good; its parameters are those of `good_now`."""
TOUCH = timedelta(minutes=1)
"""The moment of last use is written at most this often."""


TOUCHED = (
    update(LoginSession)
    .where(LoginSession.token == bindparam("touched"), LoginSession.used_at < bindparam("stale"))
    .values(used_at=bindparam("moment"))
)
"""Notes that a login was used; its parameters are those of `touched_now`."""


class HashedTokens(Strategy[User, uuid.UUID]):  # pyright: ignore[reportInvalidTypeArguments]
    """FastAPI-Users' strategy of tokens in a database, with digests in place of the tokens."""

    def __init__(self, session: AsyncSession, settings: Settings, client: str = "") -> None:
        self.session = session
        self.settings = settings
        self.client = client[:200]

    async def read_token(self, token: str | None, user_manager: object = None) -> User | None:
        """The active user whose login this is, if it is still good."""
        return await self.session.scalar(GOOD, good_now(token, self.settings)) if token else None

    async def write_token(self, user: User) -> str:
        """A new login; the token is known to the caller only."""
        token = secrets.token_urlsafe(32)
        self.session.add(LoginSession(token=digest(token), user_id=user.id, client=self.client))
        await self.session.flush()
        return token

    async def destroy_token(self, token: str, user: User) -> None:
        """End this login."""
        await self.session.execute(delete(LoginSession).where(LoginSession.token == digest(token)))


def good_now(token: str, settings: Settings) -> dict[str, Any]:
    """What makes a login good at this moment."""
    moment = now()
    return {
        "token": digest(token),
        "created_after": moment - timedelta(hours=settings.session_hours),
        "used_after": moment - timedelta(hours=settings.idle_hours),
    }


def touched_now(token: str) -> dict[str, Any]:
    """The use of a login at this moment, for `TOUCHED`."""
    moment = now()
    return {"touched": digest(token), "moment": moment, "stale": moment - TOUCH}


async def end_all(session: AsyncSession, user_id: uuid.UUID, *, but: str | None = None) -> None:
    """End all logins of a user, but for the one with this token."""
    condition = LoginSession.user_id == user_id
    if but is not None:
        condition &= LoginSession.token != digest(but)
    await session.execute(delete(LoginSession).where(condition))


async def sweep(session: AsyncSession, settings: Settings) -> None:
    """Remove logins that ended by time."""
    moment = now()
    await session.execute(
        delete(LoginSession).where(
            (LoginSession.created_at < moment - timedelta(hours=settings.session_hours))
            | (LoginSession.used_at < moment - timedelta(hours=settings.idle_hours))
        )
    )

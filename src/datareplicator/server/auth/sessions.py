"""Logins: what the browser or program holds is random; what the database holds is its digest."""

from __future__ import annotations

import secrets
import uuid
from datetime import timedelta
from typing import Any

from fastapi_users.authentication.strategy import Strategy
from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from datareplicator.server.auth.tables import LoginSession, User
from datareplicator.server.database import now
from datareplicator.server.secrets import digest
from datareplicator.server.settings import Settings

TOUCH = timedelta(minutes=1)
"""The moment of last use is written at most this often."""


class HashedTokens(Strategy[User, uuid.UUID]):  # pyright: ignore[reportInvalidTypeArguments]
    """FastAPI-Users' strategy of tokens in a database, with digests in place of the tokens."""

    def __init__(self, session: AsyncSession, settings: Settings, client: str = "") -> None:
        self.session = session
        self.settings = settings
        self.client = client[:200]

    async def read_token(self, token: str | None, user_manager: object = None) -> User | None:
        """The active user whose login this is, if it is still good."""
        found = await self.find(token) if token else None
        return found[0] if found else None

    async def find(self, token: str, *more: Any) -> tuple[Any, ...] | None:
        """The active user, whether it is time to note that the login was used, and `more` expressions of the same
        query."""
        moment = now()
        found = (
            select(User, LoginSession.used_at, *more)
            .join(LoginSession, LoginSession.user_id == User.id)
            .where(
                LoginSession.token == digest(token),
                LoginSession.created_at > moment - timedelta(hours=self.settings.session_hours),
                LoginSession.used_at > moment - timedelta(hours=self.settings.idle_hours),
                User.is_active.is_(True),
            )
        )
        row = (await self.session.execute(found)).first()
        return None if row is None else (row[0], row[1] < moment - TOUCH, *row[2:])

    async def write_token(self, user: User) -> str:
        """A new login; the token is known to the caller only."""
        token = secrets.token_urlsafe(32)
        self.session.add(LoginSession(token=digest(token), user_id=user.id, client=self.client))
        await self.session.flush()
        return token

    async def destroy_token(self, token: str, user: User) -> None:
        """End this login."""
        await self.session.execute(delete(LoginSession).where(LoginSession.token == digest(token)))


async def touch(session: AsyncSession, token: str) -> None:
    """Note that a login was used now."""
    moment = now()
    await session.execute(
        update(LoginSession)
        .where(LoginSession.token == digest(token), LoginSession.used_at < moment - TOUCH)
        .values(used_at=moment)
    )


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

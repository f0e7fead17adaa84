"""A running service, people to use it, and small helps."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI
from fastapi_users.password import PasswordHelper
from httpx import ASGITransport, AsyncClient

from datareplicator.server.app import create_app
from datareplicator.server.auth.permissions import Role
from datareplicator.server.auth.sessions import HashedTokens
from datareplicator.server.auth.tables import User
from datareplicator.server.database import Database
from datareplicator.server.settings import Settings

BASE = "http://service.test"
PASSWORD = "correct horse battery staple"
HASH = PasswordHelper().hash(PASSWORD)


@dataclass
class Account:
    """Somebody with an account and a login."""

    id: uuid.UUID
    email: str
    token: str
    password: str = PASSWORD

    @property
    def headers(self) -> dict[str, str]:
        """What proves who asks."""
        return {"Authorization": f"Bearer {self.token}"}


@dataclass
class Service:
    """An application that runs, and ways to use it."""

    app: FastAPI
    settings: Settings
    _clients: list[AsyncClient] = field(default_factory=list)

    @property
    def database(self) -> Database:
        return self.app.state.database

    def client(self, **options: Any) -> AsyncClient:
        """Somebody without a login."""
        transport = ASGITransport(app=self.app, raise_app_exceptions=options.pop("raise_app_exceptions", True))
        made = AsyncClient(transport=transport, base_url=BASE, **options)
        self._clients.append(made)
        return made

    async def sign_up(self, email: str | None = None, role: str = "analyst", **fields: Any) -> Account:
        """A new account with a login, past all checks."""
        email = email or f"{role}-{uuid.uuid4().hex[:8]}@example.org"
        values = {"is_verified": True, "hashed_password": HASH, **fields}
        async with self.database.session(write=True) as session:
            user = User(email=email, role=Role(role).value, **values)
            session.add(user)
            await session.flush()
            token = await HashedTokens(session, self.settings).write_token(user)
        return Account(user.id, email, token)

    def as_user(self, account: Account) -> AsyncClient:
        """A client that is this account."""
        return self.client(headers=account.headers)

    async def project(self, owner: Account, **fields: Any) -> str:
        """A new project of this owner; its id."""
        answer = await self.as_user(owner).post("/api/projects", json={"name": "Study", **fields})
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    async def close(self) -> None:
        for client in self._clients:
            await client.aclose()


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Service]:
    """A service with these settings, started and stopped."""
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        service = Service(app, settings)
        yield service
        await service.close()


def changed(settings: Settings, **values: Any) -> None:
    """Change settings in place, as if the environment had said so from the beginning."""
    for name, value in values.items():
        setattr(settings, name, value)

"""What an administrator does at the machine itself."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import TypeVar

from sqlalchemy import select

from datareplicator.errors import DataReplicatorError, RequestError
from datareplicator.server.app import create_app
from datareplicator.server.audit.service import Verdict, record, verify
from datareplicator.server.auth import first, links
from datareplicator.server.auth.tables import User
from datareplicator.server.database import Database, make_database
from datareplicator.server.migrate import migrate
from datareplicator.server.oplog.logs import configure
from datareplicator.server.run_serve import read_settings

T = TypeVar("T")


class TrailBroken(DataReplicatorError):
    """The audit trail was changed from outside."""

    code = "audit"
    exit_code = 8


def _with_database(act: Callable[[Database], Awaitable[T]]) -> T:
    settings = read_settings()
    configure(settings)

    async def run() -> T:
        database = make_database(settings)
        try:
            await migrate(database)
            return await act(database)
        finally:
            await database.close()

    return asyncio.run(run())


def migrate_database() -> None:
    """Bring the database to the form of this version."""

    async def nothing(database: Database) -> None:
        """Opening the database is all."""

    _with_database(nothing)


def create_administrator(email: str, password: str) -> None:
    """Make an administrator, or make the account of this address one, with this password."""
    _with_database(lambda database: first.create_administrator(database, email, password))


def setup_link() -> str | None:
    """A new link for the first administrator; None when there is an administrator."""
    return _with_database(first.prepare)


def password_link(email: str) -> str:
    """A link, good once, that sets the password of this account. Raises RequestError when there is none."""

    async def make(database: Database) -> str:
        async with database.session(write=True) as session:
            user = await session.scalar(select(User).where(User.email == email.strip().lower()))
            if user is None:
                raise RequestError("there is no account with this email address.")
            link = await links.make_link(session, database.settings, links.INVITE, "accept-invitation", user.id)
            await record(session, None, "user.link-made", "user", user.id)
            return link

    return _with_database(make)


def verify_audit() -> Verdict:
    """Check the audit trail. Raises TrailBroken with the first event that is not as it was written."""

    async def check(database: Database) -> Verdict:
        async with database.session() as session:
            return await verify(session, database.settings)

    verdict = _with_database(check)
    if not verdict.whole:
        raise TrailBroken(f"the audit trail is broken at event {verdict.broken_at}: {verdict.reason}.")
    return verdict


def openapi() -> str:
    """The description of the API (OpenAPI 3.1), as JSON."""
    return json.dumps(create_app(read_settings()).openapi(), indent=2, ensure_ascii=False) + "\n"

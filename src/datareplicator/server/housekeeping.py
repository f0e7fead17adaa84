"""What is done now and then: what ended by time is removed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

import structlog
from fastapi import FastAPI
from sqlalchemy import delete
from sqlalchemy.exc import SQLAlchemyError

from datareplicator.server.auth import sessions
from datareplicator.server.auth.tables import OneTimeToken
from datareplicator.server.database import Database, now
from datareplicator.server.limits.store import SqlStorage
from datareplicator.server.oplog.tables import Operation
from datareplicator.server.policies.service import load
from datareplicator.server.projects.tables import Invitation

EVERY_SECONDS = 600
SETTLE_SECONDS = 3

log = structlog.get_logger("datareplicator.housekeeping")


async def sweep(database: Database) -> None:
    """Remove ended logins, links, invitations and counters, and operations older than the policies keep them."""
    moment = now()
    await SqlStorage(database).sweep()
    async with database.session(write=True) as session:
        await sessions.sweep(session, database.settings)
        await session.execute(delete(OneTimeToken).where(OneTimeToken.expires_at <= moment))
        await session.execute(delete(Invitation).where(Invitation.expires_at <= moment))
        days = (await load(session)).retention.logs_days
        if days is not None:
            await session.execute(delete(Operation).where(Operation.at < moment - timedelta(days=days)))


async def _for_ever(database: Database) -> None:
    while True:
        await asyncio.sleep(EVERY_SECONDS)
        try:
            await sweep(database)
        except SQLAlchemyError as error:
            log.error("sweeping failed; it is tried again later", exc_info=error)


async def _settle_for_ever(database: Database) -> None:
    while database.is_sqlite:
        await asyncio.sleep(SETTLE_SECONDS)
        with suppress(SQLAlchemyError):  # the next look finds the same to do
            await database.settle()


@asynccontextmanager
async def sweeping(app: FastAPI) -> AsyncIterator[None]:
    """Sweep as long as the application runs."""
    tasks = [asyncio.create_task(work(app.state.database)) for work in (_for_ever, _settle_for_ever)]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

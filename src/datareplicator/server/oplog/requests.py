"""Requests in the record of operations: written in batches, so that no request waits for it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import structlog
from fastapi import FastAPI
from sqlalchemy import insert
from sqlalchemy.exc import SQLAlchemyError

from datareplicator.server.database import Database, now
from datareplicator.server.oplog.tables import Operation

EVERY_SECONDS = 1.0
MOST_WAITING = 20_000
"""When the database stands still the oldest are dropped rather than all memory filled."""

_INSERT = insert(Operation)

log = structlog.get_logger("datareplicator.operation")


class RequestWriter:
    """Keeps operations until they are written."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: deque[dict[str, Any]] = deque(maxlen=MOST_WAITING)

    def add(self, **values: Any) -> None:
        """Take one operation, the same columns each time; it is written within a second."""
        self._waiting.append({"kind": "request", "at": now(), **values})

    async def flush(self) -> None:
        """Write what waits."""
        taken = [self._waiting.popleft() for _ in range(len(self._waiting))]
        if not taken:
            return
        try:
            await self._database.write(_INSERT, taken)
        except SQLAlchemyError as error:
            log.error("the record of requests could not be written", lost=len(taken), exc_info=error)

    async def run(self) -> None:
        """Write for ever."""
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            await self.flush()


@asynccontextmanager
async def writing(app: FastAPI) -> AsyncIterator[None]:
    """Write as long as the application runs, and the rest at its end."""
    task = asyncio.create_task(app.state.requests.run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await app.state.requests.flush()

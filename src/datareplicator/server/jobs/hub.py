"""Followers of jobs within one API process: one look at the database for all of them, not one for each."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from fastapi import FastAPI
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from datareplicator.server.database import Database
from datareplicator.server.jobs.tables import OPEN, Job

LOOK = 0.3
"""Seconds between two looks."""


class Hub:
    """Wakes those who follow jobs that told something."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: dict[uuid.UUID, set[asyncio.Event]] = {}
        self._known: dict[uuid.UUID, tuple[int, str]] = {}
        self._work = asyncio.Event()

    @asynccontextmanager
    async def following(self, job_id: uuid.UUID) -> AsyncIterator[asyncio.Event]:
        """An event that is set whenever there may be news of the job; clear it before reading them."""
        news = asyncio.Event()
        news.set()
        self._waiting.setdefault(job_id, set()).add(news)
        self._work.set()
        try:
            yield news
        finally:
            self._waiting[job_id].discard(news)
            if not self._waiting[job_id]:
                del self._waiting[job_id]
                self._known.pop(job_id, None)

    async def run(self) -> None:
        """Look for news as long as anybody follows."""
        while True:
            if not self._waiting:
                self._work.clear()
            await self._work.wait()
            with suppress(SQLAlchemyError):  # the database is away: followers wait with us
                await self._look()
            await asyncio.sleep(LOOK)

    async def _look(self) -> None:
        followed = list(self._waiting)
        async with self._database.session() as session:
            rows = (await session.execute(select(Job.id, Job.events, Job.state).where(Job.id.in_(followed)))).all()
        found = {job_id: (events, state) for job_id, events, state in rows}
        for job_id in followed:
            seen = found.get(job_id, (-1, "gone"))
            if self._known.get(job_id) != seen:
                self._known[job_id] = seen
                for news in self._waiting.get(job_id, ()):
                    news.set()


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """The hub of an application."""
    app.state.hub = Hub(app.state.database)
    looking = asyncio.create_task(app.state.hub.run())
    try:
        yield
    finally:
        looking.cancel()
        with suppress(asyncio.CancelledError):
            await looking


def is_open(state: str) -> bool:
    """Whether a job of this state may still tell something."""
    return state in OPEN

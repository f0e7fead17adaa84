"""Counters of rates in the database, so that all processes count together.

A counter lives for one window of time from its first hit (fixed window). A storage of the `limits` library, with one
addition: several counters are raised by one statement, and what comes while a transaction is under way shares the next
one. So a process writes in one place only, however many requests there are, and the count stays exact.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from limits.aio.storage import Storage
from sqlalchemy import bindparam, case, delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.sql.dml import ReturningInsert

from datareplicator.server.database import Database, now
from datareplicator.server.limits.tables import RateCounter


@dataclass(frozen=True)
class Counted:
    """A counter after it was raised."""

    hits: int
    expires_at: float
    """Seconds since 1970."""


@dataclass
class _Batch:
    """Increments that go into one transaction."""

    amounts: dict[str, int] = field(default_factory=dict)
    windows: dict[str, float] = field(default_factory=dict)
    written: asyncio.Task[dict[str, Counted]] | None = None

    def add(self, amounts: Mapping[str, tuple[int, float]]) -> dict[str, int]:
        """Take increments; how much the batch holds of these counters then."""
        for key, (amount, seconds) in amounts.items():
            self.amounts[key] = self.amounts.get(key, 0) + amount
            self.windows[key] = seconds
        return {key: self.amounts[key] for key in amounts}


class SqlStorage(Storage):
    """Counters in the table `rate_counter`."""

    STORAGE_SCHEME = None  # made by us, never by address

    def __init__(self, database: Database) -> None:
        super().__init__()
        self._database = database
        self._open: _Batch | None = None
        self._writing = asyncio.Lock()

    @property
    def base_exceptions(self) -> type[Exception]:
        return SQLAlchemyError

    async def incr_all(self, amounts: Mapping[str, tuple[int, float]]) -> dict[str, Counted]:
        """Raise counters, given as key: (amount, seconds of the window); what they are then."""
        batch = self._open
        if batch is None:
            batch = self._open = _Batch()
            batch.written = asyncio.create_task(self._write(batch))
        stand = batch.add(amounts)
        assert batch.written is not None
        counted = await asyncio.shield(batch.written)  # a request that is broken off takes no other with it
        later = {key: batch.amounts[key] - hits for key, hits in stand.items()}
        return {key: Counted(counted[key].hits - hits, counted[key].expires_at) for key, hits in later.items()}

    async def _write(self, batch: _Batch) -> dict[str, Counted]:
        async with self._writing:
            self._open = None
            moment = now()
            rows = [
                {
                    "key": key,
                    "hits": amount,
                    "expires_at": moment + timedelta(seconds=batch.windows[key]),
                    "now": moment,
                }
                for key, amount in sorted(batch.amounts.items())  # one order, so that no two wait for each other
            ]
            raised = await self._database.write(_RAISING[self._database.is_sqlite], rows)
            return {key: Counted(hits, end.timestamp()) for key, hits, end in raised}

    async def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Raise one counter; what it is then."""
        return (await self.incr_all({key: (amount, expiry)}))[key].hits

    async def get(self, key: str) -> int:
        """A counter; 0 when its window is over."""
        found = await self._find(key)
        return 0 if found is None else found.hits

    async def get_expiry(self, key: str) -> float:
        """When the window ends, in seconds since 1970; now when there is none."""
        found = await self._find(key)
        return time.time() if found is None else found.expires_at

    async def _find(self, key: str) -> Counted | None:
        async with self._database.session() as session:
            found = select(RateCounter).where(RateCounter.key == key, RateCounter.expires_at > now())
            row = await session.scalar(found)
        return None if row is None else Counted(row.hits, row.expires_at.timestamp())

    async def check(self) -> bool:
        """Whether the store answers."""
        await self.get("check")
        return True

    async def reset(self) -> int:
        """Forget all counters."""
        return await self._delete(datetime.max.replace(tzinfo=UTC))

    async def sweep(self) -> int:
        """Forget the counters whose window is over; how many there were."""
        return await self._delete(now())

    async def _delete(self, moment: datetime) -> int:
        async with self._database.session(write=True) as session:
            done = await session.execute(delete(RateCounter).where(RateCounter.expires_at <= moment))
        return done.rowcount

    async def clear(self, key: str) -> None:
        """Forget one counter."""
        async with self._database.session(write=True) as session:
            await session.execute(delete(RateCounter).where(RateCounter.key == key))


def _raising(is_sqlite: bool) -> ReturningInsert[Any]:
    """The statement that raises counters, given as rows, and begins a new window where the last one is over."""
    given = (sqlite if is_sqlite else postgresql).insert(RateCounter)
    over = RateCounter.expires_at <= bindparam("now", type_=RateCounter.expires_at.type)
    raised = given.on_conflict_do_update(
        index_elements=[RateCounter.key],
        set_={
            "hits": case((over, given.excluded.hits), else_=RateCounter.hits + given.excluded.hits),
            "expires_at": case((over, given.excluded.expires_at), else_=RateCounter.expires_at),
        },
    )
    return raised.returning(RateCounter.key, RateCounter.hits, RateCounter.expires_at)


_RAISING = {is_sqlite: _raising(is_sqlite) for is_sqlite in (True, False)}

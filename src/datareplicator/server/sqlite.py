"""SQLite's driver with one trip to its thread for a statement, where there would be four.

aiosqlite does each call of the database in the connection's thread: a cursor, the statement, its rows, the cursor's
end. A service that answers with some small queries spends most of its time on these trips.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

from aiosqlite import Connection

CHUNK = 64
"""Rows that aiosqlite reads at a time where it is asked to stream."""


class _Cursor:
    """What a statement gave: its rows are here already."""

    def __init__(self, connection: QuickConnection) -> None:
        self._connection = connection
        self._rows: list[Any] = []
        self.description: Any = None
        self.lastrowid: int | None = None
        self.rowcount = -1

    async def execute(self, statement: str, parameters: Any = ()) -> None:
        await self._connection.in_thread(self._done, "execute", statement, parameters)

    async def executemany(self, statement: str, parameters: Any) -> None:
        await self._connection.in_thread(self._done, "executemany", statement, parameters)

    def _done(self, how: str, statement: str, parameters: Any) -> None:
        cursor = self._connection.plain.cursor()
        try:
            getattr(cursor, how)(statement, parameters)
            self.description, self.lastrowid = cursor.description, cursor.lastrowid
            self._rows = cursor.fetchall() if cursor.description else []
            self.rowcount = cursor.rowcount
        finally:
            cursor.close()

    async def fetchall(self) -> list[Any]:
        return self._rows

    async def close(self) -> None:
        self._rows = []


class QuickConnection(Connection):
    """A connection of aiosqlite whose cursors hold their rows, and that ends no transaction where there is none."""

    @property
    def plain(self) -> sqlite3.Connection:
        """The connection itself, for its own thread."""
        return self._conn

    async def in_thread(self, function: Callable[..., Any], *given: Any) -> Any:
        """Do something in the connection's thread."""
        return await self._execute(function, *given)

    async def cursor(self) -> Any:
        return _Cursor(self)

    async def commit(self) -> None:
        if self.in_transaction:
            await super().commit()

    async def rollback(self) -> None:
        if self.in_transaction:
            await super().rollback()


def connect(path: str, **options: Any) -> QuickConnection:
    """A connection that opens when it is awaited; the options are those of `sqlite3.connect`."""
    connection = QuickConnection(lambda: sqlite3.connect(path, **options), CHUNK)
    connection._thread.daemon = True  # one that nobody closed must not keep the process alive
    return connection

"""SQLite's driver with one trip to its thread for a statement, where there would be four.

aiosqlite does each call of the database in the connection's thread: a cursor, the statement, its rows, the cursor's
end. A service that answers with some small queries spends most of its time on these trips.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from typing import Any

from aiosqlite import Connection

AGAIN_SECONDS = 0.002
"""Between two tries to get SQLite's one place for writing. SQLite's own patience sleeps for up to 0.1 s."""
BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_BUSY_RECOVERY)
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
        await self._connection.in_thread(self._done, statement, parameters)

    async def executemany(self, statement: str, parameters: Any) -> None:
        await self._connection.in_thread(self._done_many, statement, parameters)

    def _done(self, statement: str, parameters: Any) -> None:
        cursor = self._connection.plain.cursor()
        try:
            _patiently(self._connection.patience, cursor, statement, parameters)
            self.description, self.lastrowid = cursor.description, cursor.lastrowid
            self._rows = cursor.fetchall() if cursor.description else []
            self.rowcount = cursor.rowcount
        finally:
            cursor.close()

    def _done_many(self, statement: str, parameters: Any) -> None:
        """All rows in one transaction: that of the session, or one of their own."""
        plain = self._connection.plain
        alone = not plain.in_transaction
        cursor = plain.cursor()
        try:
            if alone:
                _patiently(self._connection.patience, cursor, "BEGIN IMMEDIATE")
            cursor.executemany(statement, parameters)
            self.rowcount = cursor.rowcount
            if alone:
                plain.commit()
        finally:
            if alone and plain.in_transaction:
                plain.rollback()
            cursor.close()

    async def fetchall(self) -> list[Any]:
        return self._rows

    async def close(self) -> None:
        self._rows = []


def _patiently(seconds: float, cursor: sqlite3.Cursor, statement: str, parameters: Any = ()) -> None:
    """Execute a statement, again and again while others write. A statement that finds no place has done nothing."""
    end = time.monotonic() + seconds
    while True:
        try:
            cursor.execute(statement, parameters)
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode not in BUSY or time.monotonic() > end:
                raise
            time.sleep(AGAIN_SECONDS)


class QuickConnection(Connection):
    """A connection of aiosqlite whose cursors hold their rows, and that ends no transaction where there is none."""

    patience = 0.0
    """Seconds that a statement waits for others who write."""

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


def connect(path: str, *, timeout: float = 5.0, **options: Any) -> QuickConnection:
    """A connection that opens when it is awaited; the options are those of `sqlite3.connect`."""
    connection = QuickConnection(lambda: sqlite3.connect(path, timeout=0, **options), CHUNK)
    connection.patience = timeout
    connection._thread.daemon = True  # one that nobody closed must not keep the process alive
    return connection

"""The database: engine, sessions, column types that mean the same on SQLite and PostgreSQL.

SQLite lets one connection write at a time. A transaction that starts reading and then writes can fail at once there
when another process wrote in between, whatever the patience. So a session that will write says so when it begins
(BEGIN IMMEDIATE) and waits for its turn.
"""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Depends
from sqlalchemy import JSON, DateTime, Dialect, Executable, MetaData, Row, TypeDecorator, Uuid, event
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import URL, Engine, create_engine, make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.pool import StaticPool
from starlette.requests import HTTPConnection

from datareplicator.server import sqlite
from datareplicator.server.settings import Settings

BUSY_SECONDS = 30
LOG_PAGES = 20_000
"""Pages in SQLite's log after which whoever writes next waits until they are in the database and on the disk. The
service brings them there before, in the background (see `Database.settle`)."""
READING = {"GET", "HEAD", "OPTIONS"}
NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


def now() -> datetime:
    """This moment, in UTC."""
    return datetime.now(UTC)


class UtcDateTime(TypeDecorator[datetime]):
    """A moment with time zone; SQLite forgets the zone, so it is put back."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without time zone cannot be stored")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


Json = JSON().with_variant(JSONB(), "postgresql")
"""A column of any JSON."""


class Base(DeclarativeBase):
    """All tables of the service."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {datetime: UtcDateTime(), uuid.UUID: Uuid(), dict[str, Any]: Json}  # noqa: RUF012


Id = Annotated[uuid.UUID, mapped_column(primary_key=True, default=uuid.uuid4)]
"""A primary key; use as `id: Mapped[Id]`."""

Made = Annotated[datetime, mapped_column(default=now)]
"""When a row was made; use as `created_at: Mapped[Made]`."""


class Identified:
    """Mixin: a random id and the moment of creation."""

    id: Mapped[Id]
    created_at: Mapped[Made]


class Database:
    """An engine with its sessions.

    `session()` is one transaction: committed when the block ends well, rolled back when it raises. Take
    `session(write=True)` for what writes. A session carries the settings: `session.info["settings"]`.
    """

    def __init__(self, engine: AsyncEngine, settings: Settings) -> None:
        self.engine = engine
        self.settings = settings
        info = {"settings": settings}
        self._writing = engine.execution_options(immediate=True)
        self._single = engine.execution_options(isolation_level="AUTOCOMMIT") if not self.is_sqlite else engine
        self._near = _near(engine.url) if self.is_sqlite else None
        self._read = async_sessionmaker(engine, expire_on_commit=False, info=info)
        self._write = async_sessionmaker(self._writing, expire_on_commit=False, info=info)

    @property
    def is_sqlite(self) -> bool:
        """Whether this is SQLite."""
        return self.engine.dialect.name == "sqlite"

    @asynccontextmanager
    async def session(self, *, write: bool = False) -> AsyncIterator[AsyncSession]:
        """One transaction."""
        async with (self._write if write else self._read)() as session, session.begin():
            yield session

    @asynccontextmanager
    async def loose_session(self, *, write: bool = False) -> AsyncIterator[AsyncSession]:
        """A session in which the caller commits, several times if need be; what is left at the end is committed."""
        async with (self._write if write else self._read)() as session:
            yield session
            await session.commit()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[AsyncConnection]:
        """A connection that writes, in one transaction."""
        async with self._writing.begin() as connection:
            yield connection

    async def look(self, statement: Executable, values: Mapping[str, Any]) -> Sequence[Row[Any]]:
        """The rows of one statement that reads some rows by their key: for what every request asks. A statement that is
        made once, with `values` for its bound parameters, need not be put together again.

        SQLite is read here and now: that takes less than the way to another thread and back, and who reads waits for
        nobody who writes.
        """
        if self._near is not None:
            with self._near.connect() as near:
                return near.execute(statement, values).all()
        async with self._single.connect() as connection:
            return (await connection.execute(statement, values)).all()

    async def write(
        self, statement: Executable, values: Mapping[str, Any] | Sequence[Mapping[str, Any]]
    ) -> Sequence[Row[Any]]:
        """One statement that writes, for one row or for many, as a transaction by itself; the rows that it returns."""
        async with self._single.connect() as connection:
            done = await connection.execute(statement, values)
            return done.all() if done.returns_rows else []

    async def settle(self) -> None:
        """Bring SQLite's log into the database as far as nobody is in the way; PostgreSQL does that by itself."""
        if self.is_sqlite:
            async with self.engine.connect() as connection:
                await connection.exec_driver_sql("PRAGMA wal_checkpoint(PASSIVE)")

    async def close(self) -> None:
        """Close all connections."""
        await self.engine.dispose()
        if self._near is not None:
            self._near.dispose()


def make_database(settings: Settings) -> Database:
    """The database of these settings; connections are made when first needed."""
    url = make_url(settings.database_address)
    if url.get_backend_name() != "sqlite":
        return Database(
            create_async_engine(url, pool_size=10, max_overflow=20, pool_pre_ping=True, hide_parameters=True), settings
        )
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    engine = create_async_engine(
        url,
        pool_size=10,
        max_overflow=30,
        connect_args={"timeout": BUSY_SECONDS, "async_creator_fn": sqlite.connect},
        hide_parameters=True,
        pool_reset_on_return=None,  # sessions end their transactions themselves
    )
    event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return Database(engine, settings)


def _near(url: URL) -> Engine:
    """One connection to SQLite that only reads, and that whoever asks uses in its own thread."""
    engine = create_engine(
        URL.create("sqlite", database=url.database),
        poolclass=StaticPool,
        isolation_level="AUTOCOMMIT",
        connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
        hide_parameters=True,
    )
    event.listen(engine, "connect", lambda connection, record: connection.execute("PRAGMA query_only=ON"))
    return engine


def _prepare_sqlite(connection: Any, record: Any) -> None:
    connection.isolation_level = None  # the driver begins no transactions: _begin_sqlite does
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", f"wal_autocheckpoint={LOG_PAGES}"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Any) -> None:
    if connection.get_execution_options().get("immediate", False):
        connection.exec_driver_sql("BEGIN IMMEDIATE")  # what only reads needs no transaction: each statement is one


def database_of(connection: HTTPConnection) -> Database:
    """The database of the application that answers."""
    return connection.app.state.database


async def _session(connection: HTTPConnection) -> AsyncIterator[AsyncSession]:
    write = connection.scope.get("method", "GET") not in READING
    async with database_of(connection).loose_session(write=write) as session:
        yield session


SessionDep = Annotated[AsyncSession, Depends(_session, scope="function")]
"""The request's session: one transaction, committed before the answer is sent, rolled back on an error. It begins with
its first statement; on SQLite a request that is no GET holds the write lock from then on, so stream bodies and compute
before that. A WebSocket should open short sessions of its own (`database_of(websocket).session()`)."""

DatabaseDep = Annotated[Database, Depends(database_of)]


def settings_of(connection: HTTPConnection) -> Settings:
    """The settings of the application that answers."""
    return connection.app.state.settings


SettingsDep = Annotated[Settings, Depends(settings_of)]

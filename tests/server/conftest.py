"""What tests of the service share: an application on a fresh database, and people to use it.

SQLite always; PostgreSQL as well where scripts/postgresql.py finds one (it says why it does not else).
"""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import structlog
from fastapi import FastAPI
from httpx import AsyncClient
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool
from support.service import BASE, Service, running

from datareplicator.server.app import create_app
from datareplicator.server.database import make_database
from datareplicator.server.migrate import migrate
from datareplicator.server.settings import PREFIX, Settings
from scripts.postgresql import NotHere
from scripts.postgresql import running as running_postgresql

DATABASES = ("sqlite", "postgresql")


@pytest.fixture(autouse=True, scope="session")
def _quiet() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(PREFIX):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a database that was migrated once, to be copied."""
    folder = tmp_path_factory.mktemp("template")
    asyncio.run(_migrated(Settings(_env_file=None, data_dir=folder)))
    return folder / "datareplicator.db"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Tests run on both databases; a module says otherwise by DATABASES."""
    if "database_url" in metafunc.fixturenames:
        databases = getattr(metafunc.module, "DATABASES", DATABASES)
        metafunc.parametrize("database_url", databases, indirect=True)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """A server of its own, with a migrated database `template` to be copied; tests are skipped where there is none."""
    with ExitStack() as stack:
        try:
            address = stack.enter_context(running_postgresql())
        except NotHere as reason:
            pytest.skip(f"no PostgreSQL: {reason}")
        asyncio.run(_administer(address, "CREATE DATABASE template"))
        asyncio.run(_migrated(Settings(_env_file=None, database_url=_named(address, "template"))))
        yield address


def _named(address: str, name: str) -> str:
    return make_url(address).set(database=name).render_as_string(hide_password=False)


async def _administer(address: str, statement: str) -> None:
    engine = create_async_engine(address, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    async with engine.connect() as connection:
        await connection.execute(text(statement))
    await engine.dispose()


async def _migrated(settings: Settings) -> None:
    database = make_database(settings)
    await migrate(database)
    await database.close()


@pytest.fixture
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a fresh, migrated database."""
    if request.param == "sqlite":
        copy = tmp_path / "datareplicator.db"
        shutil.copyfile(request.getfixturevalue("migrated_sqlite"), copy)
        yield f"sqlite+aiosqlite:///{copy}"
        return
    address, name = request.getfixturevalue("postgresql"), f"test_{uuid.uuid4().hex}"
    asyncio.run(_administer(address, f"CREATE DATABASE {name} TEMPLATE template"))
    yield _named(address, name)
    asyncio.run(_administer(address, f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    """The settings of the service under test; a test module may override this fixture."""
    return Settings(
        _env_file=None,
        data_dir=tmp_path,
        database_url=database_url,
        environment="development",
        public_url=BASE,
        log_level="warning",
    )


@pytest.fixture
async def service(settings: Settings) -> AsyncIterator[Service]:
    """The service under test."""
    async with running(settings) as made:
        yield made


@pytest.fixture
def app(tmp_path: Path) -> FastAPI:
    """An application that was not started: to look at."""
    return create_app(Settings(_env_file=None, data_dir=tmp_path))


@pytest.fixture
async def client(service: Service) -> AsyncClient:
    """Somebody without a login."""
    return service.client()

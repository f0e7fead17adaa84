"""The form of the database: its history leads to its tables, forward and back, once however many start."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect

from datareplicator.server.database import make_database
from datareplicator.server.migrate import config, migrate
from datareplicator.server.settings import Settings
from datareplicator.server.tables import metadata


async def test_the_history_leads_to_the_tables(service: Any) -> None:
    def differences(connection: Connection) -> list[Any]:
        return compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata)

    async with service.database.connection() as connection:
        assert await connection.run_sync(differences) == []


async def test_the_way_back(settings: Settings) -> None:
    database = make_database(settings)
    async with database.connection() as connection:
        await connection.run_sync(lambda used: command.downgrade(config(used), "base"))
    async with database.connection() as connection:
        assert await connection.run_sync(lambda used: inspect(used).get_table_names()) == ["alembic_version"]
    await migrate(database)
    await database.close()


async def test_many_start_at_once(tmp_path: Path) -> None:
    databases = [make_database(Settings(_env_file=None, data_dir=tmp_path)) for _ in range(4)]
    await asyncio.gather(*(migrate(database) for database in databases))
    for database in databases:
        await database.close()

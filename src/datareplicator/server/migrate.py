"""Bring the database to the form that this version needs."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

from datareplicator.server.database import Database

FOLDER = Path(__file__).parent / "migrations"
LOCK = 7_210_430_118
"""Number of PostgreSQL's advisory lock under which the steps run."""


def config(connection: Connection | None = None) -> Config:
    """Alembic's configuration, without a file."""
    made = Config()
    made.set_main_option("script_location", str(FOLDER))
    made.attributes["connection"] = connection
    return made


def _upgrade(connection: Connection) -> None:
    command.upgrade(config(connection), "head")


async def migrate(database: Database) -> None:
    """Run the steps that are missing, all or none. Of processes that start together one does it, the others wait:
    on SQLite for the write lock, on PostgreSQL for an advisory lock of the transaction."""
    async with database.connection() as connection:
        if not database.is_sqlite:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        await connection.run_sync(_upgrade)

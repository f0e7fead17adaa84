"""Write the next step of the service's database from the difference between its tables and its history.

    .venv/bin/python scripts/make_migration.py 0002 work "Datasets, jobs, models, runs"

Read what it wrote, and correct it, before it is committed.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile

from alembic import command

from datareplicator.server.database import make_database
from datareplicator.server.migrate import FOLDER, config, migrate
from datareplicator.server.settings import Settings


async def make(number: str, name: str, message: str) -> None:
    """Write the step as versions/NUMBER_NAME.py."""
    with tempfile.TemporaryDirectory() as folder:
        database = make_database(Settings(data_dir=folder, database_url=None))
        await migrate(database)
        async with database.connection() as connection:
            await connection.run_sync(
                lambda used: command.revision(config(used), message=message, rev_id=number, autogenerate=True)
            )
        await database.close()
    written = next((FOLDER / "versions").glob(f"{number}_*.py"))
    written.rename(written.with_name(f"{number}_{name}.py"))
    print(written.with_name(f"{number}_{name}.py"))


if __name__ == "__main__":
    asyncio.run(make(*sys.argv[1:4]))

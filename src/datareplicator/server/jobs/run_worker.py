"""A worker process: `datareplicator worker`, and what `serve` starts beside itself."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from datareplicator.errors import RequestError
from datareplicator.server.database import make_database
from datareplicator.server.jobs.children import nursery
from datareplicator.server.jobs.kind import Desk
from datareplicator.server.jobs.tables import QUEUES
from datareplicator.server.jobs.worker import Worker, clean_scratch
from datareplicator.server.migrate import migrate
from datareplicator.server.oplog.logs import configure
from datareplicator.server.settings import Settings
from datareplicator.server.storage import open_storage

LEFT_BEHIND = 24 * 3600.0
"""Seconds after which a folder of work belongs to nobody."""


def storage_folder(settings: Settings) -> Path:
    """Where files lie when no other store is named."""
    return settings.data_dir / "files"


def desk_of(settings: Settings) -> Desk:
    """What a worker of these settings has at hand."""
    folder = settings.data_dir.resolve()
    storage = open_storage(settings.storage_url, storage_folder(settings).resolve())
    return Desk(make_database(settings), storage, settings, folder / "scratch")


def known_queues(text: str) -> list[str]:
    """The queues in a text with commas. Raises RequestError.

    >>> known_queues("analysis, training")
    ['analysis', 'training']
    """
    names = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in names if name not in QUEUES]
    if unknown or not names:
        raise RequestError(f"{', '.join(unknown) or 'nothing'} is no queue.", hint=f"There are {', '.join(QUEUES)}.")
    return list(dict.fromkeys(names))


def work_with(queues: Sequence[str], *, slots: int = 1, with_parent: bool = False) -> None:
    """Work with the settings of the environment."""
    settings = Settings()
    configure(settings)
    asyncio.run(work(settings, queues, slots=slots, with_parent=with_parent))


async def work(settings: Settings, queues: Sequence[str], *, slots: int = 1, with_parent: bool = False) -> None:
    """Work until SIGTERM or Ctrl-C; `with_parent`: also until the process that started this one is gone."""
    desk = desk_of(settings)
    worker = Worker(desk, queues, slots=slots)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, worker.stop)
    await migrate(desk.database)
    clean_scratch(desk.scratch, LEFT_BEHIND)
    if with_parent:
        nursery().nice = settings.worker_nice
    watching = asyncio.create_task(_watch_parent(worker)) if with_parent else None
    try:
        await worker.run()
    finally:
        if watching is not None:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching
        await desk.database.close()


async def _watch_parent(worker: Worker) -> None:
    parent = os.getppid()
    while os.getppid() == parent:
        await asyncio.sleep(1.0)
    worker.stop()

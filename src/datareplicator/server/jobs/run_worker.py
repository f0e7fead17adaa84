"""A worker process: `datareplicator worker`, and what `serve` starts beside itself."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from datareplicator.server.database import make_database
from datareplicator.server.jobs.kind import Desk
from datareplicator.server.jobs.worker import Worker, clean_scratch
from datareplicator.server.migrate import migrate
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


async def work(settings: Settings, queues: Sequence[str], *, slots: int = 1, with_parent: bool = False) -> None:
    """Work until SIGTERM or Ctrl-C; `with_parent`: also until the process that started this one is gone."""
    desk = desk_of(settings)
    worker = Worker(desk, queues, slots=slots)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, worker.stop)
    await migrate(desk.database)
    clean_scratch(desk.scratch, LEFT_BEHIND)
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

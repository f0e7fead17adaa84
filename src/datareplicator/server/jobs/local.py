"""Workers that belong to one server: started with it, started again when they die, gone with it."""

from __future__ import annotations

import asyncio
import fcntl
import os
import sys
from collections.abc import Sequence
from contextlib import suppress

import structlog

from datareplicator.server.jobs.tables import QUEUES
from datareplicator.server.settings import PREFIX, Settings

log = structlog.get_logger("datareplicator.worker")
PAUSE = 1.0
"""Seconds before a worker that died is started again."""


class LocalWorkers:
    """Keeps `settings.workers` worker processes of all queues running."""

    def __init__(self, settings: Settings, queues: Sequence[str] = QUEUES) -> None:
        self._settings, self._queues = settings, queues
        self._keepers: list[asyncio.Task[None]] = []
        self.processes: dict[int, asyncio.subprocess.Process] = {}

    def start(self) -> None:
        """Start them, in one of the processes that share a data folder; when that one dies, another takes over."""
        self._keepers = [asyncio.create_task(self._first())]

    async def _first(self) -> None:
        path = self._settings.data_dir.resolve() / "workers.lock"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w") as file:
            while True:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    await asyncio.sleep(PAUSE)
            await asyncio.gather(*(self._keep(number) for number in range(self._settings.workers)))

    async def stop(self) -> None:
        """Ask them to end; what they were at is given back for others."""
        for keeper in self._keepers:
            keeper.cancel()
        for process in self.processes.values():
            with suppress(ProcessLookupError):
                process.terminate()
        for process in list(self.processes.values()):
            try:
                await asyncio.wait_for(process.wait(), 10)
            except TimeoutError:
                process.kill()
        await asyncio.gather(*self._keepers, return_exceptions=True)

    async def _keep(self, number: int) -> None:
        while True:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-c",
                "from datareplicator.cli import main; main()",
                "worker",
                "--queues",
                ",".join(self._queues),
                "--with-parent",
                env=environment(self._settings),
            )
            self.processes[number] = process
            code = await process.wait()
            log.warning("worker ended and is started again", number=number, status=code)
            await asyncio.sleep(PAUSE)


def environment(settings: Settings) -> dict[str, str]:
    """The environment of a worker: ours, and the settings that it needs, in case they were not given there."""
    given = {
        "DATA_DIR": str(settings.data_dir.resolve()),
        "DATABASE_URL": settings.database_url,
        "STORAGE_URL": settings.storage_url,
        "SECRET_KEY": settings.secret_key.get_secret_value() if settings.secret_key else None,
        "WORKER_NICE": str(settings.worker_nice),
        "LOG_LEVEL": settings.log_level,
        "LOG_FORMAT": settings.log_format,
    }
    return {**os.environ, **{PREFIX + name: value for name, value in given.items() if value is not None}}

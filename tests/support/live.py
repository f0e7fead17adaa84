"""The service on a port of its own, with a worker, in a thread: for clients that block."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn
from support.service import HASH

from datareplicator.server.app import create_app
from datareplicator.server.auth.sessions import HashedTokens
from datareplicator.server.auth.tables import User
from datareplicator.server.jobs.kind import Desk
from datareplicator.server.jobs.tables import QUEUES
from datareplicator.server.jobs.worker import Worker
from datareplicator.server.settings import Settings


@dataclass
class Live:
    """Where it answers."""

    url: str
    app: Any
    loop: asyncio.AbstractEventLoop

    def token(self, role: str = "analyst") -> str:
        """A login of a new account."""
        return asyncio.run_coroutine_threadsafe(self._token(role), self.loop).result(30)

    async def _token(self, role: str) -> str:
        database = self.app.state.database
        async with database.session(write=True) as session:
            email = f"{time.monotonic_ns()}@example.org"
            user = User(email=email, role=role, tier="priority", is_verified=True, hashed_password=HASH)
            session.add(user)
            await session.flush()
            return await HashedTokens(session, database.settings).write_token(user)


@contextmanager
def live(folder: Path) -> Iterator[Live]:
    """Start one and stop it."""
    settings = Settings(_env_file=None, data_dir=folder, environment="development", log_level="error")
    app = create_app(settings)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="critical"))
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_until_complete, args=(_serve(server, app, settings),), daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.05)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield Live(f"http://127.0.0.1:{port}", app, loop)
    server.should_exit = True
    thread.join(30)
    loop.close()


async def _serve(server: uvicorn.Server, app: Any, settings: Settings) -> None:
    serving = asyncio.create_task(server.serve())
    while not server.started and not serving.done():
        await asyncio.sleep(0.05)
    worker = Worker(Desk(app.state.database, app.state.storage, settings, settings.data_dir / "scratch"), QUEUES)
    working = asyncio.create_task(worker.run())
    while not server.should_exit:
        await asyncio.sleep(0.1)
    worker.stop()
    await working
    await serving

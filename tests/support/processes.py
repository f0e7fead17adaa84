"""The service in processes of its own, as people start it, and somebody to ask it."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from datareplicator.server.auth.sessions import HashedTokens
from datareplicator.server.auth.tables import User
from datareplicator.server.database import make_database
from datareplicator.server.jobs.local import environment
from datareplicator.server.settings import Settings


@contextmanager
def command(settings: Settings, *words: str, **own: str) -> Iterator[subprocess.Popen[bytes]]:
    """`datareplicator WORDS` as people start it."""
    more = {"DATAREPLICATOR_LOG_LEVEL": "error", **{f"DATAREPLICATOR_{name}": value for name, value in own.items()}}
    whole = [sys.executable, "-c", "from datareplicator.cli import main; main()", *words]
    with subprocess.Popen(whole, env={**environment(settings), **more}, stdout=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.terminate()


@contextmanager
def served(settings: Settings, workers: int, token: str) -> Iterator[tuple[httpx.Client, subprocess.Popen[bytes]]]:
    """A server that answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    with command(settings, "serve", PORT=port, WORKERS=str(workers), WORKER_NICE="0") as process:
        headers = {"Authorization": f"Bearer {token}"}
        with httpx.Client(base_url=f"http://127.0.0.1:{port}/api", headers=headers, timeout=30) as client:
            while True:
                try:
                    assert client.get("/auth/me").status_code == 200
                    break
                except httpx.TransportError:
                    assert process.poll() is None
                    time.sleep(0.1)
            yield client, process


def token_of(settings: Settings, role: str = "analyst", tier: str = "priority") -> str:
    """A login of a new account, past all checks."""
    return asyncio.run(_token(settings, role, tier))


async def _token(settings: Settings, role: str, tier: str) -> str:
    database = make_database(settings)
    async with database.session(write=True) as session:
        email = f"{time.monotonic_ns()}@example.org"
        user = User(email=email, role=role, tier=tier, is_verified=True, hashed_password="none")
        session.add(user)
        await session.flush()
        token = await HashedTokens(session, settings).write_token(user)
    await database.close()
    return token

"""Starting children, talking to them, and ending them at once."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from functools import cache
from pathlib import Path
from typing import Any

LONGEST_LINE = 64 << 20
"""Bytes of one message: results are summaries, but of studies with thousands of columns."""
KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TEMP", "SYSTEMROOT", "PYTHONPATH", "VIRTUAL_ENV", "TZ")
OWN = {
    "OMP_NUM_THREADS": "1",
    "MPLBACKEND": "agg",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",  # a process that forks must have one thread
}


class Child:
    """One process that works on one job. It leads a group of its own, so that what it starts ends with it."""

    def __init__(self, pid: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.pid = pid
        self._reader, self._writer = reader, writer

    async def work(self, function: str, spec: dict[str, Any], folder: Path) -> AsyncIterator[dict[str, Any]]:
        """Give the order and yield the messages; the last one has ``result``, ``error`` or ``crash``."""
        order = {"work": function, "spec": spec, "folder": str(folder)}
        with contextlib.suppress(ConnectionError):  # it ended before: the end of its messages says so
            self._writer.write((json.dumps(order, default=str) + "\n").encode())
            await self._writer.drain()
        finished = False
        async for message in self._messages():
            if "ended" in message:
                if not finished:
                    yield {"crash": f"the process ended with {_said(message['ended'])}", "retry": True}
                return
            finished = not message.keys().isdisjoint(("result", "error", "crash"))
            yield message

    async def _messages(self) -> AsyncIterator[dict[str, Any]]:
        with contextlib.suppress(ConnectionError):
            while line := await self._reader.readline():
                with contextlib.suppress(ValueError):  # the rest of a line whose writer was killed
                    yield json.loads(line)

    async def end(self) -> None:
        """Kill the process and all that it started, also in the midst of a computation."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        with contextlib.suppress(ConnectionError):
            while await self._reader.read(1 << 20):
                pass
        self._writer.close()


class Nursery:
    """Children, forked from a process that has imported what they need (see `nursery`).

    `nice`: how far they stand back behind others on the machine, from 0 to 19; said before the first one starts.
    """

    def __init__(self) -> None:
        self.nice = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None

    def open(self) -> None:
        """Start the process that forks; it imports for some seconds, and whoever comes earlier waits."""
        if self._process is not None and self._process.poll() is None:
            return
        self.close()
        self._control, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "datareplicator.server.jobs.nursery", str(self.nice)],
                stdin=theirs,
                start_new_session=True,
                env={name: os.environ[name] for name in KEPT if name in os.environ} | OWN,
            )

    async def child(self) -> Child:
        """A new child, which waits for its order."""
        for _ in range(2):  # a nursery that was killed is started again
            self.open()
            child = await self._forked()
            if child is not None:
                return child
            self.close()
        raise OSError("no process for the work can be started")

    async def _forked(self) -> Child | None:
        ours, theirs = socket.socketpair()
        assert self._control is not None
        with theirs, contextlib.suppress(ConnectionError):
            socket.send_fds(self._control, [b"f"], [theirs.fileno()])
        reader, writer = await asyncio.open_connection(sock=ours, limit=LONGEST_LINE)
        try:
            line = await reader.readline()
            return Child(json.loads(line)["ready"], reader, writer)
        except (ConnectionError, ValueError, KeyError):  # it ended before it said anything
            writer.close()
            return None
        except BaseException:
            writer.close()
            raise

    def close(self) -> None:
        """End the process that forks, and with it this nursery's children."""
        if self._control is not None:
            self._control.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._process = self._control = None


@cache
def nursery() -> Nursery:
    """The one of this process."""
    made = Nursery()
    atexit.register(made.close)
    return made


def _said(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"status {code}"

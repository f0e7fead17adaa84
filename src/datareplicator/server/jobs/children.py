"""Starting children, talking to them, and ending them at once."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

LONGEST_LINE = 64 << 20
"""Bytes of one message: results are summaries, but of studies with thousands of columns."""
KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TEMP", "SYSTEMROOT", "PYTHONPATH", "VIRTUAL_ENV", "TZ")


class Child:
    """One process that works on one job. It leads a group of its own, so that what it starts ends with it."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.pid = process.pid

    @classmethod
    async def start(cls, scratch: Path) -> Child:
        """Start one; it imports what it needs and waits."""
        environment = {name: os.environ[name] for name in KEPT if name in os.environ}
        environment |= {"OMP_NUM_THREADS": "1", "MPLBACKEND": "agg", "TMPDIR": str(scratch)}
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "datareplicator.server.jobs.child",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,
            limit=LONGEST_LINE,
            env=environment,
            cwd=scratch,
        )
        return cls(process)

    @property
    def alive(self) -> bool:
        return self._process.returncode is None

    async def work(self, function: str, spec: dict[str, Any], folder: Path) -> AsyncIterator[dict[str, Any]]:
        """Give the order and yield the messages; the last one has ``result``, ``error`` or ``crash``."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None and stdout is not None
        order = {"work": function, "spec": spec, "folder": str(folder)}
        with contextlib.suppress(ConnectionError):  # it ended before: the end of its messages says so
            stdin.write((json.dumps(order, default=str) + "\n").encode())
            await stdin.drain()
        while line := await stdout.readline():
            yield json.loads(line)
        code = await self._process.wait()
        if code:
            yield {"crash": f"the process ended with {_said(code)}", "retry": True}

    async def end(self) -> None:
        """Kill the process and all that it started, also in the midst of a computation."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        await self._process.wait()


class Spare:
    """Children, with one kept warm: importing takes longer than most small jobs."""

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch
        self._waiting: Child | None = None
        self._lock = asyncio.Lock()

    async def warm(self) -> None:
        """Have one ready."""
        async with self._lock:
            if self._waiting is None or not self._waiting.alive:
                self._waiting = await Child.start(self._scratch)

    async def take(self) -> Child:
        """The warm one, or a new one."""
        async with self._lock:
            child, self._waiting = self._waiting, None
        if child is not None and child.alive:
            return child
        return await Child.start(self._scratch)

    async def close(self) -> None:
        async with self._lock:
            if self._waiting is not None:
                await self._waiting.end()
                self._waiting = None


def _said(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"status {code}"

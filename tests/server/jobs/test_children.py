"""Children start at once, share what was imported, and tell how they ended."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from datareplicator.server.jobs import child as childs
from datareplicator.server.jobs.children import Child, nursery

pytestmark = pytest.mark.anyio
WORK = "datareplicator.server.training.work:train"


async def _messages(child: Child, work: str, folder: Path) -> list[dict[str, Any]]:
    try:
        return [message async for message in child.work(work, {}, folder)]
    finally:
        await child.end()


async def test_children_start_at_once_and_end_whole(tmp_path: Path) -> None:
    await (await nursery().child()).end()
    started = time.monotonic()
    children = await asyncio.gather(*(nursery().child() for _ in range(4)))
    assert time.monotonic() - started < 1
    assert len({child.pid for child in children}) == 4
    for child in children:
        assert os.getpgid(child.pid) == child.pid
        await child.end()
        with pytest.raises(ProcessLookupError):
            os.kill(child.pid, 0)


async def test_defects_are_told_without_what_they_say(tmp_path: Path) -> None:
    (end,) = await _messages(await nursery().child(), WORK, tmp_path)
    assert end["crash"] == "builtins.FileNotFoundError" and "retry" not in end
    assert end["used"]["peak_mb"] > 10
    (end,) = await _messages(await nursery().child(), "os:getcwd", tmp_path)
    assert end["crash"] == "builtins.ValueError"


async def test_a_killed_child_is_told_and_tried_again(tmp_path: Path) -> None:
    child, other = await nursery().child(), await nursery().child()
    os.kill(child.pid, signal.SIGKILL)
    assert await _messages(child, WORK, tmp_path) == [{"crash": "the process ended with signal 9", "retry": True}]
    assert (await _messages(other, WORK, tmp_path))[0]["crash"] == "builtins.FileNotFoundError"


@pytest.mark.skipif(not os.path.isdir("/proc"), reason="looks at processes by /proc")
async def test_a_killed_nursery_is_started_again_and_has_one_thread() -> None:
    child = await nursery().child()
    with open(f"/proc/{child.pid}/stat") as file:
        pid = int(file.read().rpartition(")")[2].split()[1])
    assert len(os.listdir(f"/proc/{pid}/task")) == 1
    await child.end()
    os.kill(pid, signal.SIGKILL)
    again = await nursery().child()
    assert again.pid != child.pid
    await again.end()


@pytest.mark.parametrize("end", [ConnectionResetError, None])
def test_children_leave_with_their_worker_however_it_ended(end: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    left: list[int] = []
    monkeypatch.setattr(childs.os, "_exit", left.append)
    orders = Mock()
    orders.read.side_effect = end
    childs._leave_with_worker(orders)
    assert left == [1]

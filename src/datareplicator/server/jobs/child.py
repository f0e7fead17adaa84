"""The process that does the heavy work of one job, and nothing else: no database, no network, no secret.

It is forked by the nursery, waits until the worker names a function and a folder (one line of JSON on its channel), and
tells how far it is, and at last a result or an error, as lines of JSON on the same channel. It ends when the worker
does: the channel is closed then.
"""

from __future__ import annotations

import json
import logging
import os
import resource
import socket
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any, TextIO

from datareplicator.errors import DataReplicatorError

MOST_STEPS_A_SECOND = 8
PACKAGE = "datareplicator.server."

Work = Callable[[dict[str, Any], Path, Callable[[Any], None]], dict[str, Any]]
"""(specification, folder, progress) -> result, all JSON. Inputs and outputs are files in the folder."""


class Teller:
    """Writes messages, one line each, from any thread."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()
        self._last = 0.0
        self._name = ""

    def say(self, message: dict[str, Any]) -> None:
        with self._lock:
            self._stream.write(json.dumps(message, default=str) + "\n")
            self._stream.flush()

    def progress(self, step: Any) -> None:
        """A `pipeline.Step`; too many of the same step in a row are left out."""
        now = time.monotonic()
        if step.name == self._name and step.done < (step.total or 1) and now - self._last < 1 / MOST_STEPS_A_SECOND:
            return
        self._last, self._name = now, step.name
        self.say({"step": step.name, "done": step.done, "total": step.total, "unit": step.unit})


def work_on(channel: socket.socket) -> None:
    """Wait for the order, work, tell."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    teller = Teller(channel.makefile("w", encoding="utf-8"))
    orders = channel.makefile("r", encoding="utf-8")
    teller.say({"ready": os.getpid()})
    line = orders.readline()
    if not line:
        return
    order = json.loads(line)
    threading.Thread(target=_leave_with_worker, args=(orders,), daemon=True).start()
    os.environ["TMPDIR"], tempfile.tempdir = order["folder"], None
    teller.say(_done(order, teller))


def _leave_with_worker(orders: TextIO) -> None:
    with suppress(OSError):  # a worker that was killed with messages unread leaves a broken connection
        orders.read()
    os._exit(1)


def _done(order: dict[str, Any], teller: Teller) -> dict[str, Any]:
    """The last message: the result or the error, with what it took."""
    started = time.monotonic()
    try:
        work = _function(order["work"])
        outcome: dict[str, Any] = {"result": work(order["spec"], Path(order["folder"]), teller.progress)}
    except DataReplicatorError as error:
        outcome = {"error": problem(error)}
    except MemoryError:
        outcome = {"crash": "memory ran out", "retry": True}
    except Exception as error:
        # The message may quote the user's data, which must not get into a log: type and place are enough.
        frames = "".join(traceback.format_list(traceback.extract_tb(error.__traceback__)))
        outcome = {"crash": f"{type(error).__module__}.{type(error).__name__}", "trace": frames}
    return {**outcome, "used": {**used(), "seconds": round(time.monotonic() - started, 3)}}


def problem(error: DataReplicatorError) -> dict[str, Any]:
    """An error of the library as JSON: code, message, place, hint."""
    place = {name: value for name, value in vars(error.place).items() if value is not None}
    return {"code": error.code, "message": error.message, "place": place, "hint": error.hint}


def used() -> dict[str, float]:
    """CPU seconds and peak memory (MB) of this process and those that it started."""
    own, below = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = own.ru_utime + own.ru_stime + below.ru_utime + below.ru_stime
    kilobyte = 1 if sys.platform != "darwin" else 1024
    return {"cpu_seconds": round(cpu, 3), "peak_mb": round(max(own.ru_maxrss, below.ru_maxrss) / 1024 / kilobyte, 1)}


def _function(name: str) -> Work:
    """``module:function`` below our own package."""
    module, _, function = name.partition(":")
    if not module.startswith(PACKAGE):
        raise ValueError(f"{name!r} is no work of ours")
    return getattr(import_module(module), function)

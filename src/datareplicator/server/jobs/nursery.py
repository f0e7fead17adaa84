"""The process that children are forked from: it imported what they need, so that they start at once and share memory.

It has one thread and neither the database nor secrets. On its standard input, a socket, the worker sends it one end of
a channel for each child that is wanted. When a child ended, the nursery says how on that channel and closes it. It ends
when the worker does.
"""

from __future__ import annotations

import gc
import json
import os
import selectors
import signal
import socket
import sys
from contextlib import suppress
from importlib import import_module
from pathlib import Path

from datareplicator.server.jobs.child import work_on

WARM = (
    "datareplicator.server.analyses.work",
    "datareplicator.server.datasets.work",
    "datareplicator.server.exports.work",
    "datareplicator.server.models.work",
    "datareplicator.server.runs.work",
    "datareplicator.server.training.work",
    "datareplicator.server.validations.work",
)
LATER = (
    "datareplicator.evaluate.report",
    "datareplicator.pipeline.corruption",
    "datareplicator.faults.kinds",
    "faker",
    "sklearn.ensemble",
)
"""What only some kinds of work need: imported while nothing is asked for."""
LONGEST = 16
"""Bytes of a request; what counts is the descriptor that comes with it."""


class Nursery:
    """Forks children and sees them end."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._channels: dict[int, socket.socket] = {}
        self._awake, wake = socket.socketpair()
        for each in (self._awake, wake):
            each.setblocking(False)
        self._wake = wake
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)

    def run(self) -> None:
        """Until the worker closes the control socket."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._control, selectors.EVENT_READ)
            selector.register(self._awake, selectors.EVENT_READ)
            later = list(LATER)
            while True:
                ready = [key.fileobj for key, _ in selector.select(0 if later else None)]
                if not ready:
                    _import(later.pop(0))
                if self._awake in ready:
                    self._awake.recv(4096)
                    self._reap()
                if self._control in ready:
                    asked, descriptors, _, _ = socket.recv_fds(self._control, LONGEST, LONGEST)
                    for descriptor in descriptors:
                        self._fork(socket.socket(fileno=descriptor))
                    if not asked:
                        return

    def _fork(self, channel: socket.socket) -> None:
        pid = os.fork()
        if pid:
            self._channels[pid] = channel
            return
        code = 1
        try:
            os.setpgrp()  # the child leads a group of its own, so that what it starts ends with it
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for other in (self._control, self._awake, self._wake, *self._channels.values()):
                other.close()
            work_on(channel)
            code = 0
        finally:
            os._exit(code)

    def _reap(self) -> None:
        while self._channels:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            with self._channels.pop(pid) as channel:
                channel.setblocking(False)
                try:  # the line break ends what a killed child left unfinished
                    channel.send(f"\n{json.dumps({'ended': os.waitstatus_to_exitcode(status)})}\n".encode())
                except OSError:
                    continue  # the worker does not listen any more


def main() -> None:
    """Import, then fork whenever asked."""
    os.dup2(2, 1)  # what libraries print belongs to the log
    _give_way(int(sys.argv[1]))
    control = socket.socket(fileno=os.dup(sys.stdin.fileno()))
    for name in WARM:
        _import(name)
    Nursery(control).run()


def _give_way(nice: int) -> None:
    """Work comes after whoever waits for an answer of a service on the same machine."""
    os.nice(nice)
    with suppress(OSError):  # Linux may weigh sessions as a whole, and this is one; elsewhere there is no such file
        Path("/proc/self/autogroup").write_text(f"{nice}\n", encoding="ascii")


def _import(name: str) -> None:
    import_module(name)
    gc.freeze()  # a collection in a child would copy what is shared


if __name__ == "__main__":
    main()

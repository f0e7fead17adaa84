"""Items run in a pool of processes; results come in order, and no more than a few wait at any time."""

from __future__ import annotations

import os
import signal
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import islice
from multiprocessing import parent_process
from multiprocessing.context import SpawnContext, SpawnProcess
from typing import Any, TypeVar

from threadpoolctl import threadpool_limits

from datareplicator.engine.job import Job
from datareplicator.errors import EngineError

State = TypeVar("State")
Item = TypeVar("Item")
Result = TypeVar("Result")

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "ARROW_NUM_THREADS"), "1")

_working: tuple[Job, Any] | None = None
"""The job and its state in a worker process; set once by `_start`."""


class _Spawn(SpawnContext):
    """Fresh processes (a fork of a process with threads may hang), remembered so that they can be ended at once."""

    def __init__(self) -> None:
        super().__init__()
        self.started: list[SpawnProcess] = []

    def Process(self, *args: Any, **kwargs: Any) -> SpawnProcess:  # type: ignore[override]
        process = SpawnProcess(*args, **kwargs)
        self.started.append(process)
        return process

    def terminate(self) -> None:
        for process in self.started:
            if process.is_alive():
                process.terminate()


def _leave_with_parent() -> None:
    """A parent that was killed cannot end its workers, and they would wait for work for ever."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _start(job: Job) -> None:
    global _working
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    with threadpool_limits(1):
        _working = (job, job.setup())


def _run(item: Any) -> Any:
    assert _working is not None
    job, state = _working
    with threadpool_limits(1):
        return job.run(state, item)


@contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """Children inherit blocked signals: Ctrl-C reaches the whole group, also children that are still importing.

    Ours waits until the block is over, and is not lost.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    from multiprocessing import resource_tracker

    resource_tracker.ensure_running()  # which would unblock the signal when it is started together with a child
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Children inherit the environment: number libraries read it when they are imported."""
    before = {name: os.environ.get(name) for name in ONE_THREAD}
    os.environ.update(ONE_THREAD)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def run_in_pool(job: Job[State, Item, Result], items: Iterable[Item], workers: int) -> Iterator[Result]:
    """Yield the results in order from `workers` processes; at most `workers` + 1 items are under way or waiting.

    Closing the iterator early, or an error, ends the processes at once. Raises EngineError when a process dies.
    """
    context = _Spawn()
    todo = iter(items)
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_start, initargs=(job,))
    finished = False
    try:
        with _one_thread(), _deaf_to_interrupts():
            queue: deque[Future[Result]] = deque(pool.submit(_run, item) for item in islice(todo, workers + 1))
        while queue:
            result = queue.popleft().result()
            queue.extend(pool.submit(_run, item) for item in islice(todo, 1))
            yield result
        finished = True
    except BrokenProcessPool as error:
        raise EngineError(
            "a worker process ended unexpectedly.",
            hint="It may have run out of memory: try fewer workers (--workers 1).",
        ) from error
    finally:
        if not finished:
            context.terminate()
        pool.shutdown(wait=True, cancel_futures=True)

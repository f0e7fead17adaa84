"""The choice between this process and a pool."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import TypeVar

from datareplicator.engine.job import Job
from datareplicator.engine.local import run_here
from datareplicator.engine.pool import run_in_pool

State = TypeVar("State")
Item = TypeVar("Item")
Result = TypeVar("Result")


def default_workers(items: int) -> int:
    """As many processes as there are cores for us, and no more than there are items."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(cores, items))


def run_job(job: Job[State, Item, Result], items: Sequence[Item], workers: int | None = None) -> Iterator[Result]:
    """Yield the result of every item, in order, from `workers` processes (None: as many as make sense)."""
    count = min(workers or default_workers(len(items)), len(items))
    return run_in_pool(job, items, count) if count > 1 else run_here(job, items)

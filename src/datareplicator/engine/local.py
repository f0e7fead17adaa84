"""Items run one after another in this process."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

from threadpoolctl import threadpool_limits

from datareplicator.engine.job import Job

State = TypeVar("State")
Item = TypeVar("Item")
Result = TypeVar("Result")


def run_here(job: Job[State, Item, Result], items: Iterable[Item]) -> Iterator[Result]:
    """Yield the results in order.

    Matrix products run on one thread: over several, the last bit of a sum depends on their number, and with it the
    bytes of the output.
    """
    with threadpool_limits(1):
        state = job.setup()
    for item in items:
        with threadpool_limits(1):
            result = job.run(state, item)
        yield result

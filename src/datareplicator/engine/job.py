"""What an engine asks of the work it runs, and nothing about what the work does."""

from __future__ import annotations

from typing import Protocol, TypeVar

State = TypeVar("State")
Item = TypeVar("Item", contravariant=True)
Result = TypeVar("Result", covariant=True)


class Job(Protocol[State, Item, Result]):
    """Work in independent items. A job, its items and its results can be pickled; its state need not be.

    `setup` is called once in each process that works; `run` once an item, with that process's state. The result may
    depend on the job and the item only.
    """

    def setup(self) -> State:
        """Load what all items need."""
        ...

    def run(self, state: State, item: Item) -> Result:
        """Do one item."""
        ...

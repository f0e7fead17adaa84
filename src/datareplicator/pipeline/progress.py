"""How far long work is: named steps that a caller may show."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True)
class Step:
    """`done` of `total` units of a named step; a total of 0 says that nobody knows how long it takes."""

    name: str
    done: int = 0
    total: int = 0
    unit: str = ""


Progress = Callable[[Step], None] | None
"""Called now and then with the step at hand; None for nobody."""


def tell(progress: Progress, step: Step) -> None:
    """Tell the caller, where there is one who listens."""
    if progress is not None:
        progress(step)


@contextmanager
def stage(progress: Progress, name: str) -> Iterator[None]:
    """A step of unknown length: begun, and done at the end."""
    tell(progress, Step(name))
    yield
    tell(progress, Step(name, 1, 1))

"""Jobs that worker processes can import."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass

from threadpoolctl import threadpool_info

from datareplicator.errors import ModelError


@dataclass(frozen=True)
class Square:
    """Squares numbers; the first items take longest, so that they finish last in a pool."""

    offset: int = 0
    slow: int = 0

    def setup(self) -> int:
        return self.offset

    def run(self, state: int, item: int) -> int:
        time.sleep(0.2 if item < self.slow else 0.0)
        return item * item + state


@dataclass(frozen=True)
class Refuse:
    """Fails with an error of ours at item 2."""

    def setup(self) -> None:
        return None

    def run(self, state: None, item: int) -> int:
        if item == 2:
            raise ModelError("item 2 is bad", hint="Leave it out.")
        return item


@dataclass(frozen=True)
class Die:
    """Kills its own process, as the kernel does when memory runs out."""

    def setup(self) -> None:
        return None

    def run(self, state: None, item: int) -> int:
        os.kill(os.getpid(), signal.SIGKILL)
        return item


@dataclass(frozen=True)
class Threads:
    """The number of threads that matrix products may use, and whether numpy was there to ask."""

    def setup(self) -> None:
        import numpy as np

        np.ones((2, 2)) @ np.ones((2, 2))

    def run(self, state: None, item: int) -> list[int]:
        return [pool["num_threads"] for pool in threadpool_info()]


@dataclass(frozen=True)
class Sleep:
    """Writes its process id to a folder, then sleeps for a minute."""

    folder: str

    def setup(self) -> None:
        return None

    def run(self, state: None, item: int) -> int:
        if item > 0:
            open(os.path.join(self.folder, str(os.getpid())), "w").close()
            time.sleep(60)
        return item

"""Wall time, processor time and peak memory of a command with all its worker processes (Linux)."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

INTERVAL = 0.05
"""Seconds between two looks at the memory."""
PAGE = os.sysconf("SC_PAGE_SIZE")


class Cost(NamedTuple):
    """Seconds of wall and of processor time, and the highest sum of resident memory (MiB) over all processes.

    Pages that processes share count once for each, so that the sum is rather too high than too low. Processor time is
    the steadier figure on a machine that does other work beside.
    """

    seconds: float
    processor: float
    mebibytes: float


def command(*arguments: object) -> Cost:
    """Run `datareplicator` with these arguments in a process of its own; CalledProcessError where it fails."""
    return run([Path(sys.executable).parent / "datareplicator", *map(str, arguments)])


def run(words: Sequence[str | Path]) -> Cost:
    """Run a command to its end, quietly."""
    start, before, peak = time.perf_counter(), processor_time(), 0.0
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(words, stdout=said, stderr=subprocess.STDOUT, start_new_session=True)
        while process.poll() is None:
            peak = max(peak, resident(process.pid))
            time.sleep(INTERVAL)
        seconds = time.perf_counter() - start
        if process.returncode:
            said.seek(0)
            raise subprocess.CalledProcessError(process.returncode, list(words), said.read())
    return Cost(seconds, processor_time() - before, peak / 2**20)


def processor_time() -> float:
    """Seconds of processor time of all commands that have ended so far."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def resident(session: int) -> float:
    """Bytes of resident memory of all processes of a session."""
    total = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if int((folder / "stat").read_text().rpartition(")")[2].split()[3]) == session:
                total += int((folder / "statm").read_text().split()[1]) * PAGE
        except (FileNotFoundError, ProcessLookupError):
            continue  # the process ended while we were looking
    return float(total)

"""Wall time and peak memory of a command with all its worker processes (Linux)."""

from __future__ import annotations

import os
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
    """Seconds of wall time, and the highest sum of resident memory (MiB) over the processes of the command.

    Pages that processes share count once for each, so that the sum is rather too high than too low.
    """

    seconds: float
    mebibytes: float


def command(*arguments: object) -> Cost:
    """Run `datareplicator` with these arguments in a process of its own; CalledProcessError where it fails."""
    return run([Path(sys.executable).parent / "datareplicator", *map(str, arguments)])


def run(words: Sequence[str | Path]) -> Cost:
    """Run a command to its end, quietly."""
    start, peak = time.perf_counter(), 0.0
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(words, stdout=said, stderr=subprocess.STDOUT, start_new_session=True)
        while process.poll() is None:
            peak = max(peak, resident(process.pid))
            time.sleep(INTERVAL)
        seconds = time.perf_counter() - start
        if process.returncode:
            said.seek(0)
            raise subprocess.CalledProcessError(process.returncode, list(words), said.read())
    return Cost(seconds, peak / 2**20)


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

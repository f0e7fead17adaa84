"""Where the outside data lie: beside the repository, in `../shared`. They are no part of it."""

from __future__ import annotations

import sys
from pathlib import Path

SHARED = (Path(__file__).resolve().parents[1] / "../shared").resolve()
PILOT = SHARED / "data/cdisc-pilot-sdtm.zip"
BENCH = SHARED / "bench"


def need(path: Path) -> Path:
    """The path, where it exists; else the program ends with a word."""
    if not path.exists():
        sys.exit(f"{path} is not here: this benchmark needs the data folder beside the repository.")
    return path

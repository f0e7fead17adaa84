"""Time as ratios within one run, so that machines can be compared: learning against reading, making against writing.

Usage: python -m benchmarks.speed [STUDY] [--subjects 1000]; the bundled sample study by default.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import datareplicator as dr

Result = TypeVar("Result")


def timed(work: Callable[[], Result]) -> tuple[Result, float]:
    """What the work gives, and its seconds of wall time."""
    start = time.perf_counter()
    result = work()
    return result, time.perf_counter() - start


def main() -> None:
    """Read, learn, make and write one study, and print seconds and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("study", nargs="?", type=Path, default=dr.sample_study_path())
    parser.add_argument("--subjects", type=int, default=1000)
    options = parser.parse_args()
    dr.read_study(options.study)  # the first call imports the number libraries and warms the file cache
    study, read = timed(lambda: dr.read_study(options.study))
    model, fit = timed(lambda: dr.fit(study))
    made, generate = timed(lambda: model.generate(options.subjects))
    with tempfile.TemporaryDirectory() as scratch:
        _, write = timed(lambda: made.write(Path(scratch) / "made", format="parquet"))
    print(f"source       {study.rows:>9,} rows in {len(study)} tables")
    print(f"synthetic    {made.rows:>9,} rows of {options.subjects:,} subjects")
    for step, seconds, rows in (("read", read, study.rows), ("fit", fit, study.rows)):
        print(f"{step:<12} {seconds:9.2f} s {rows / seconds:12,.0f} rows a second")
    for step, seconds in (("generate", generate), ("write", write)):
        print(f"{step:<12} {seconds:9.2f} s {made.rows / seconds:12,.0f} rows a second")
    print(
        f"fit takes {fit / read:.1f} times as long as reading, generate {generate / write:.1f} times as long as writing"
    )


if __name__ == "__main__":
    main()

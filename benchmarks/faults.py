"""What faults cost: making a study with faults in 1 % of its cells and rows, against making it without.

Usage: python -m benchmarks.faults [STUDY] [--subjects 500 2000] [--workers 1] [--checked ROWS]; the bundled sample
study by default. Each run is a process of its own, so that its peak of memory is its own. The output is checked up to
a fixed number of rows, which are held in memory: with `--checked` below those of the smallest study, what else grows
with the subjects shows.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq

import datareplicator as dr
from datareplicator import pipeline
from datareplicator.generate.request import Block
from datareplicator.model.store import load_model
from datareplicator.pipeline import replication
from datareplicator.run import Run

PLAN = {
    "faults": [
        {"kind": "missing-at-random", "rate": 0.01},
        {"kind": "decimal-shift", "rate": 0.01},
        {"kind": "misspelled", "rate": 0.01},
        {"kind": "partial-date", "rate": 0.01},
        {"kind": "exact-duplicate", "rate": 0.01},
    ]
}
"""One kind of each sort: gaps, numbers, texts, dates, rows; 1 % of the places of each."""


def make(model: Path, output: Path, subjects: int, workers: int, faults: bool) -> None:
    """Make one study and print its rows, answers, seconds and peak of memory as JSON."""
    plan = {"faults": PLAN} if faults else {}
    run = Run(
        model=str(model), subjects=subjects, seed=1, output=str(output), format="parquet", workers=workers, **plan
    )
    start, spent = time.perf_counter(), time.process_time()
    pipeline.produce(run, load_model(model), observe=_peaks())
    wall, processor = time.perf_counter() - start, time.process_time() - spent
    manifest = json.loads((output / "manifest.json").read_text(encoding="utf-8"))
    rows = sum(entry["rows"] or 0 for entry in manifest["files"].values() if entry.get("rows"))
    key = output / "answers/answers.parquet"
    answers = 0
    if key.is_file():
        answers = pq.ParquetFile(key).metadata.num_rows
    own, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    print(
        json.dumps(
            {
                "rows": rows,
                "answers": answers,
                "wall": wall,
                "processor": processor + children.ru_utime + children.ru_stime,
                "peak": max(own.ru_maxrss, children.ru_maxrss) / 1024,
            }
        )
    )


def _peaks() -> Callable[[Block, object], None]:
    """An observer that tells the peak of memory so far at every thousandth subject."""
    seen = 0

    def observe(block: Block, frames: object) -> None:
        nonlocal seen
        before, seen = seen, seen + block.keep
        if before // 1000 < seen // 1000:
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print(f"{seen:>7,} subjects made, {peak:7.0f} MiB peak so far", file=sys.stderr, flush=True)

    return observe


def main() -> None:
    """Learn once, make without and with faults, and print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("study", nargs="?", type=Path, default=dr.sample_study_path())
    parser.add_argument("--subjects", type=int, nargs="+", default=[500, 2000])
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--checked", type=int, default=replication.MOST_CHECKED_ROWS)
    parser.add_argument("--make", nargs=3, metavar=("MODEL", "OUTPUT", "FAULTS"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.make:
        model, output, faults = options.make
        replication.MOST_CHECKED_ROWS = options.checked
        make(Path(model), Path(output), options.subjects[0], options.workers, faults == "yes")
        return
    with tempfile.TemporaryDirectory() as scratch:
        model = Path(scratch) / "model.json"
        dr.fit(dr.read_study(options.study)).save(model)
        for subjects in options.subjects:
            held = {}
            for faults in ("no", "yes"):
                output = Path(scratch) / f"{subjects}-{faults}"
                command = [sys.executable, "-m", "benchmarks.faults", "--subjects", str(subjects)]
                command += [
                    "--workers",
                    str(options.workers),
                    "--checked",
                    str(options.checked),
                    "--make",
                    str(model),
                    str(output),
                    faults,
                ]
                done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
                held[faults] = it = json.loads(done.stdout.splitlines()[-1])
                name = "with faults" if faults == "yes" else "without"
                print(
                    f"{subjects:>7,} subjects {name:<12} {it['rows']:>10,} rows {it['answers']:>9,} answers "
                    f"{it['wall']:8.1f} s wall {it['processor']:8.1f} s processor {it['peak']:7.0f} MiB peak",
                    flush=True,
                )
            ratios = [held["yes"][which] / held["no"][which] for which in ("wall", "processor")]
            print(f"{subjects:>7,} subjects take {ratios[0]:.2f} times as long with faults ({ratios[1]:.2f} processor)")


if __name__ == "__main__":
    main()

"""Plain tables: the Training Replicator's time, memory and quality, side by side with SDV in one run.

SDV's GaussianCopulaSynthesizer and SDMetrics go into a virtual environment of their own, which is thrown away again
(`--environment DIR` keeps it there for the next run); where they cannot be installed, that side is left out with a
word. SDMetrics judges both. Usage: python -m benchmarks.tables [TABLE.parquet ...] [--rows 100000]
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from benchmarks.data import BENCH
from datareplicator.model.personal import personal_text
from datareplicator.training_replicator import DataProfiler, ModelSerializer, SyntheticGenerator

SIDE = Path(__file__).with_name("sdv_side.py")
ROWS = 50_000
REPEATS = 9
TYPES = {"numerical": "numerical", "categorical": "categorical", "datetime": "datetime", "pii": "pii"}
KINDS = {"email": "email", "name": "name", "phone": "phone_number"}
"""Kinds of personal data by the names that SDV has for them."""


def simulated(rows: int = ROWS) -> pd.DataFrame:
    """Invented customers: numbers with skew and zeros, categories, dates, personal data, missing values, correlated."""
    rng = np.random.default_rng(20_260_101)
    z = (
        rng.standard_normal((rows, 4))
        @ np.linalg.cholesky(np.array([[1, 0.5, 0.3, 0], [0.5, 1, 0.4, -0.2], [0.3, 0.4, 1, 0], [0, -0.2, 0, 1]])).T
    )
    city = np.array(["Berlin", "Lisbon", "London", "Madrid", "Oslo", "Paris", "Prague", "Rome"])
    share = np.cumsum([0.2, 0.05, 0.25, 0.15, 0.05, 0.15, 0.05, 0.1])
    frame = pd.DataFrame(
        {
            "age": np.clip(42 + 12 * z[:, 0], 18, 90).round(),
            "income": np.exp(10.3 + 0.5 * z[:, 1]).round(2),
            "city": pd.Series(city[np.minimum(np.searchsorted(share, rng.random(rows)), 7)]),
            "level": pd.Series(np.array(["junior", "senior", "lead"])[np.digitize(z[:, 2], [0.2, 1.3])]),
            "signup": pd.Timestamp("2019-01-01") + pd.to_timedelta(rng.integers(0, 1500 * 86_400, rows), unit="s"),
            "spend": np.where(z[:, 3] < -0.6, 0, np.exp(2 + 0.8 * z[:, 3])).round(2),
            "email": personal_text("email", rows, rng).to_pandas(),
        }
    )
    frame.loc[rng.random(rows) < np.where(z[:, 2] > 0.5, 0.08, 0.02), "income"] = np.nan
    return frame


def with_persons(frame: pd.DataFrame) -> pd.DataFrame:
    """The table with names and telephone numbers beside the addresses of electronic mail."""
    rng = np.random.default_rng(3)
    name, phone = (personal_text(kind, len(frame), rng).to_pandas() for kind in ("name", "phone"))
    return frame.assign(name=name, phone=phone)


class Time(NamedTuple):
    """Median seconds of some runs by the clock, and of the processor, the steadier figure on a busy machine."""

    wall: float
    processor: float

    def __str__(self) -> str:
        return f"{self.wall * 1e3:.1f} ms | {self.processor * 1e3:.1f} ms"


def timed(work: Callable[[], Any], repeats: int = REPEATS) -> tuple[Any, Time]:
    """The result and the time of a run, after one to warm up."""
    result, wall, processor = work(), [], []
    for _ in range(repeats):
        start, busy = time.perf_counter(), time.process_time()
        result = work()
        wall.append(time.perf_counter() - start)
        processor.append(time.process_time() - busy)
    return result, Time(statistics.median(wall), statistics.median(processor))


def beyond(model: str, rows: int) -> float:
    """Peak MiB of resident memory while `rows` are made, beyond what the result takes (Linux); for a fresh process,
    since freed memory may stay with the one that measures it."""
    generator = SyntheticGenerator(model)
    generator.generate(10)
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here
    before = _status("VmRSS")
    result = generator.generate(rows)
    return (_status("VmHWM") - before) / 1024 - float(result.memory_usage(deep=True).sum()) / 2**20


def memory(model: str, rows: int) -> str:
    """What `beyond` finds in a process of its own, in words."""
    words = [sys.executable, "-m", "benchmarks.tables", "--memory", model, "--rows", str(rows)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return "not told by this system" if done.returncode else f"{float(done.stdout):.0f} MiB"


def _status(name: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return float(next(line.split()[1] for line in lines if line.startswith(name + ":")))


def own_side(name: str, frame: pd.DataFrame, rows: int, folder: Path) -> dict[str, Any]:
    """Measure the Training Replicator; the table it made lies in the folder."""
    profile, learn = timed(lambda: DataProfiler(frame).profile())
    serializer = ModelSerializer(folder / "models")
    _, write = timed(lambda: serializer.serialize(profile, name))
    persons = DataProfiler(with_persons(frame)).profile()
    _, generate = timed(lambda: SyntheticGenerator(profile).generate(rows))
    _, all_columns = timed(lambda: SyntheticGenerator(persons).generate(rows))
    needed = memory(serializer.serialize(persons, f"{name}_persons"), rows)
    made = SyntheticGenerator(profile, seed=7).generate(len(frame))
    frame.to_parquet(folder / "source.parquet")
    made.to_parquet(folder / "made.parquet")
    types = {c["name"]: KINDS.get(c["params"].get("pii_type"), TYPES[c["type"]]) for c in profile["columns"]}
    (folder / "types.json").write_text(json.dumps(types))
    print(f"{name}: {len(frame):,} rows x {frame.shape[1]} columns\n")
    print("| step | wall | processor | target |\n|---|---|---|---|")
    print(f"| profile | {learn} | 100 ms |")
    print(f"| serialise | {write} | 10 ms |")
    print(f"| generate {rows:,} rows | {generate} | |")
    print(f"| the same with name and phone beside | {all_columns} | 250 ms |")
    print(f"| peak memory beyond the result | {needed} | | 50 MB |\n")
    return {"fit": learn, "sample": generate}


def environment(folder: Path) -> Path | None:
    """The interpreter of an environment with SDV and SDMetrics; None where they cannot be installed."""
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
        packages = ["sdv", "sdmetrics", "pyarrow"]
        done = subprocess.run([python, "-m", "pip", "install", "--quiet", *packages], capture_output=True, check=False)
        if done.returncode:
            return None
    return python


def compare(own: dict[str, Any], rows: int, folder: Path, python: Path) -> None:
    """Let SDV learn and make the same table, and SDMetrics judge both."""
    done = subprocess.run([python, SIDE, folder, str(rows)], capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"the side of SDV failed: {done.stderr.strip().splitlines()[-1:]}")
        return
    theirs = json.loads(done.stdout.splitlines()[-1])
    print(f"| against SDV {theirs['version']} | Training Replicator | SDV | ratio |\n|---|---|---|---|")
    for step, text in (("fit", "learn"), ("sample", f"make {rows:,} rows")):
        ours, other = own[step], theirs[step]
        print(f"| {text}, wall | {ours.wall:.3f} s | {other[0]:.2f} s | {other[0] / ours.wall:.0f} times as fast |")
        more = other[1] / ours.processor
        print(f"| {text}, processor | {ours.processor:.3f} s | {other[1]:.2f} s | {more:.0f} times as fast |")
    for score in ("Column Shapes", "Column Pair Trends", "Overall"):
        print(
            f"| SDMetrics {theirs['sdmetrics']}: {score} | {theirs['own'][score]:.4f} | {theirs['sdv'][score]:.4f} | |"
        )
    print()


def main() -> None:
    """Measure the simulated table, and those that are named (or the one of the bench folder, where it is there)."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tables", nargs="*", type=Path, metavar="TABLE.parquet")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--environment", type=Path, help="keep SDV's virtual environment here")
    parser.add_argument("--memory", metavar="MODEL", help="only print the memory that rows of a model take")
    options = parser.parse_args()
    if options.memory:
        print(beyond(options.memory, options.rows))
        return
    usual = [path for path in (BENCH / "mixed-50k.parquet",) if path.exists()]
    tables = {"simulated": simulated()}
    tables |= {path.stem: pd.read_parquet(path) for path in options.tables or usual}
    with tempfile.TemporaryDirectory() as scratch:
        python = environment(options.environment or Path(scratch) / "sdv")
        if python is None:
            print("SDV cannot be installed here: its side is skipped.\n", file=sys.stderr)
        for name, frame in tables.items():
            folder = Path(scratch) / name
            folder.mkdir()
            own = own_side(name, frame, options.rows, folder)
            if python is not None:
                compare(own, options.rows, folder, python)


if __name__ == "__main__":
    main()

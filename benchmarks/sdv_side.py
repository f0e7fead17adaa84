"""What `benchmarks.tables` runs inside the environment of SDV: fit, sample, and judge both tables with SDMetrics.

Usage: sdv_side.py FOLDER ROWS; the folder holds source.parquet, made.parquet and types.json. Prints one line of JSON.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
import time
import warnings
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd
from sdmetrics.reports.single_table import QualityReport
from sdv.metadata import Metadata
from sdv.single_table import GaussianCopulaSynthesizer


def judge(source: pd.DataFrame, made: pd.DataFrame, table: dict[str, Any]) -> dict[str, float]:
    """SDMetrics' scores."""
    report = QualityReport()
    report.real_correlation_threshold = report.real_association_threshold = 0  # all pairs count, not the strong only
    report.generate(source, made, table, verbose=False)
    scores = dict(report.get_properties().set_index("Property")["Score"])
    return {**{k: float(v) for k, v in scores.items()}, "Overall": float(report.get_score())}


def main() -> None:
    folder, rows = Path(sys.argv[1]), int(sys.argv[2])
    warnings.filterwarnings("ignore")
    source, made = (pd.read_parquet(folder / f"{name}.parquet") for name in ("source", "made"))
    # SDV takes microseconds for nanoseconds.
    source, made = (f.astype(dict.fromkeys(f.select_dtypes("datetime"), "datetime64[ns]")) for f in (source, made))
    types = json.loads((folder / "types.json").read_text())
    table = {"columns": {name: {"sdtype": kind} for name, kind in types.items()}}
    with contextlib.redirect_stdout(io.StringIO()):
        synthesizer = GaussianCopulaSynthesizer(
            Metadata.load_from_dict({"tables": {"table": table}, "relationships": []})
        )
        start, busy = time.perf_counter(), time.process_time()
        synthesizer.fit({"table": source})
        fit = time.perf_counter() - start, time.process_time() - busy
        start, busy = time.perf_counter(), time.process_time()
        sampled = synthesizer.sample(rows)["table"]
        sample = time.perf_counter() - start, time.process_time() - busy
        result = {
            "version": version("sdv"),
            "sdmetrics": version("sdmetrics"),
            "fit": fit,
            "sample": sample,
            "own": judge(source, made, table),
            "sdv": judge(source, sampled.head(len(source)), table),
        }
    print(json.dumps(result))


if __name__ == "__main__":
    main()

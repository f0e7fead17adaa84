"""How close synthetic subjects come to real ones: trained on all 254, on draws of 20, and on halves.

Learns the tables of `../shared/bench` through the public library, writes the new subjects to a temporary folder, and
lets the scorer that lies there compare them with the real ones; also with counts and constraints asked for. Usage:
python -m benchmarks.fidelity [254 20 halves asked]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

import datareplicator as dr
from benchmarks.data import BENCH, need

SEEDS = (0, 1, 2)
DRAWS = (100, 101, 102, 103)
SMALL = 20


class Trial(NamedTuple):
    """One measurement: learn `train`, make `subjects` with `seed` and what is `asked`, score against `real`."""

    name: str
    train: Path
    real: Path
    subjects: int
    seed: int = 0
    asked: dict[str, Any] | None = None


def whole(scratch: Path) -> Iterator[Trial]:
    """Trained on all subjects, three seeds."""
    pilot = BENCH / "pilot"
    for seed in SEEDS:
        yield Trial(f"seed {seed}", pilot, pilot, len(subjects(pilot)), seed)


def draws(scratch: Path) -> Iterator[Trial]:
    """Trained on 20 subjects: the published draw and four more."""
    pilot = BENCH / "pilot"
    everyone = subjects(pilot)
    yield Trial("pilot-20", BENCH / "pilot-20", pilot, len(everyone))
    for draw in DRAWS:
        folder = scratch / f"draw-{draw}"
        chosen = everyone[np.random.default_rng(draw).permutation(len(everyone))[:SMALL]]
        yield Trial(f"draw {draw}", take(pilot, chosen, folder), pilot, len(everyone))


def halves(scratch: Path) -> Iterator[Trial]:
    """Trained on one half, scored against the other."""
    for train, real in (("half-a", "half-b"), ("half-b", "half-a")):
        yield Trial(f"{train} to {real}", BENCH / train, BENCH / real, len(subjects(BENCH / real)))


def asked(scratch: Path) -> Iterator[Trial]:
    """Trained on all subjects; the arms and sexes in the numbers of the source, and rules that the source keeps."""
    pilot = BENCH / "pilot"
    people = pd.read_parquet(pilot / "DM.parquet")
    counts = {name: people[name].value_counts().astype(int).to_dict() for name in ("ARM", "SEX")}
    rules = [
        {"domain": "DM", "rule": f"AGE >= {people['AGE'].min():g} and AGE <= {people['AGE'].max():g}"},
        {"domain": "AE", "rule": "AEENDY >= AESTDY"},
        {"domain": "AE", "rule": "AESER = 'Y' implies AESEV != 'MILD'"},
        {"domain": "VS", "rule": "VSTESTCD = 'SYSBP' implies VSSTRESN > 60"},
        {"domain": "AE", "rule": "count() <= 40"},
    ]
    for seed in SEEDS:
        request = {"counts": counts, "constraints": rules}
        yield Trial(f"seed {seed}", pilot, pilot, len(people), seed, request)


SETS: dict[str, Callable[[Path], Iterator[Trial]]] = {"254": whole, "20": draws, "halves": halves, "asked": asked}


def subjects(folder: Path) -> np.ndarray:
    """The subjects of a folder, in the order of DM."""
    return pd.read_parquet(folder / "DM.parquet", columns=["USUBJID"])["USUBJID"].to_numpy()


def take(source: Path, chosen: np.ndarray, folder: Path) -> Path:
    """Write the rows of the chosen subjects to a folder."""
    folder.mkdir()
    for path in source.glob("*.parquet"):
        frame = pd.read_parquet(path)
        frame[frame["USUBJID"].isin(chosen)].reset_index(drop=True).to_parquet(folder / path.name)
    return folder


def measure(trial: Trial, folder: Path) -> dict:
    """What the scorer says of one trial."""
    study = dr.read_study(trial.train)
    made = dr.fit(study).generate(trial.subjects, seed=trial.seed, **(trial.asked or {}))
    made.write(folder, format="parquet")
    command = [sys.executable, BENCH / "fidelity.py", trial.real, folder, "--train", trial.train]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def line(result: dict) -> dict[str, float]:
    """The figures of one trial that are printed."""
    privacy, rules = result["privacy"], result["rules"]
    return {
        "score": result["score"],
        **result["score_parts"],
        "AUC": result["c2st"]["auc"],
        "rules broken": rules["n_violated"],
        "of": rules["n_rules"],
        "copied": privacy["copied_sequences"],
        "ids reused": privacy["real_ids_reused"],
    }


def main() -> None:
    """Run the sets of trials and print a table each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets", nargs="*", metavar="SET", help="254, 20, halves or asked; all by default")
    options = parser.parse_args()
    if unknown := set(options.sets) - SETS.keys():
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    need(BENCH)
    for name in options.sets or SETS:
        with tempfile.TemporaryDirectory() as scratch:
            trials = list(SETS[name](Path(scratch)))
            results = [line(measure(trial, Path(scratch) / f"made-{i}")) for i, trial in enumerate(trials)]
        table = pd.DataFrame(results, index=[trial.name for trial in trials]).T.astype(float)
        table["mean"] = table.mean(axis=1)
        print(f"trained on {name}\n{table.to_string(float_format=lambda x: f'{x:.3f}')}\n", flush=True)


if __name__ == "__main__":
    main()

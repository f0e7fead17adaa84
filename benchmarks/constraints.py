"""What constraints, rare events and scenarios cost: a study made with them against one made without, in one run.

Usage: python -m benchmarks.constraints [STUDY] [--subjects 1000] [--repeat 3]; the bundled sample study by default.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from statistics import median
from typing import Any

import datareplicator as dr
from datareplicator.data import sample_study_path
from datareplicator.errors import RequestError

SETS: dict[str, dict[str, Any]] = {
    "a range of the subjects": {"constraints": [{"domain": "DM", "rule": "AGE >= 60 and AGE <= 80"}]},
    "an ordinary set": {
        "constraints": [
            {"domain": "DM", "rule": "AGE >= 55 and AGE <= 80"},
            {"domain": "AE", "rule": "AESEV = 'SEVERE' implies AESER = 'Y'"},
            {"domain": "AE", "rule": "AESTDTC <= AEENDTC"},
            {"domain": "AE", "rule": "count() <= 10"},
            {"domain": "VS", "rule": "VSTESTCD = 'SYSBP' implies VSSTRESN between 90 and 180"},
            {"domain": "LB", "rule": "LBSTRESN <= 5 * LBSTNRHI"},
            {"domain": "SV", "rule": "previous(SVSTDTC by VISITNUM) <= SVSTDTC"},
        ]
    },
    "a rule that many subjects break": {"constraints": [{"domain": "DM", "rule": "any(AESEV = 'SEVERE' of AE)"}]},
    "serious events three times": {"rare_events": [{"domain": "AE", "where": "AESER = 'Y'", "times": 3}]},
    "scenarios in 2 % of the subjects": {
        "scenarios": [
            {"name": "fatal-adverse-event", "subjects": 0.01},
            {"name": "lost-to-follow-up", "subjects": 0.01},
        ]
    },
}
"""What is asked for; numbers of subjects below 1 are shares."""


def asked(given: dict[str, Any], subjects: int) -> dict[str, Any]:
    """What is asked for, with shares as numbers of subjects."""
    return {
        kind: [
            {**entry, "subjects": max(1, round(entry["subjects"] * subjects))} if "subjects" in entry else entry
            for entry in entries
        ]
        for kind, entries in given.items()
    }


def seconds(model: dr.Model, subjects: int, seed: int, **control: Any) -> tuple[float, dr.Study]:
    """Processor time of one study, and the study."""
    start = time.process_time()
    made = model.generate(subjects, seed=seed, **control)
    return time.process_time() - start, made


def main() -> None:
    """Print a line for each set: processor time and its ratio to that without, median over the repetitions."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("study", nargs="?", type=Path, default=sample_study_path())
    parser.add_argument("--subjects", type=int, default=1000)
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    model = dr.fit(dr.read_study(options.study))
    model.generate(10)
    plain = [seconds(model, options.subjects, seed)[0] for seed in range(options.repeat)]
    print(f"{'nothing asked for':<34}{median(plain):7.2f} s")
    for name, given in SETS.items():
        control = asked(given, options.subjects)
        try:
            runs = [seconds(model, options.subjects, seed, **control) for seed in range(options.repeat)]
        except RequestError as error:
            print(f"{name:<34}refused: {error}")
            continue
        ratio = median(took / base for (took, _), base in zip(runs, plain, strict=True))
        print(f"{name:<34}{median(took for took, _ in runs):7.2f} s {ratio:6.2f} times")
        for ended in runs[-1][1].conditions:
            print(f"    {ended.condition}: {ended.how}")


if __name__ == "__main__":
    main()

"""What learning again after a correction costs, with an earlier model of the study and without.

Usage: python -m benchmarks.corrections [STUDY]; the bundled sample study by default.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import datareplicator as dr
from datareplicator.data import sample_study_path

CORRECTIONS: tuple[dict[str, str], ...] = (
    {"deny": "derivation", "variable": "LB.LBNRIND"},
    {"kind": "text", "variable": "DS.DSTERM"},
    {"keep": "column", "variable": "AE.AETERM"},
    {"ignore": "column", "variable": "DM.RACE"},
)


def learned(study: dr.Study, **options: Any) -> tuple[float, dr.Model]:
    """Processor time of learning, and the model."""
    start = time.process_time()
    model = dr.fit(study, **options)
    return time.process_time() - start, model


def main() -> None:
    """Print a line for each correction."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("study", nargs="?", type=Path, default=sample_study_path())
    study = dr.read_study(parser.parse_args().study)
    took, model = learned(study)
    print(f"{'without corrections':<46}{took:7.2f} s")
    for correction in CORRECTIONS:
        whole, _ = learned(study, corrections=[correction])
        again, _ = learned(study, corrections=[correction], earlier=model)
        said = ", ".join(f"{name}: {value}" for name, value in correction.items())
        print(f"{said:<46}{whole:7.2f} s {again:7.2f} s {again / whole:6.2f} of it")


if __name__ == "__main__":
    main()

"""Run all benchmarks, or those named: `python -m benchmarks [NAME ...]`; `--list` says what there is.

Each runs in a process of its own, so that none starts with the memory or the warm caches of another.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from benchmarks.data import BENCH, PILOT

PARTS: dict[str, tuple[str, Path | None]] = {
    "speed": ("time of learning and making against reading and writing, on the bundled sample study", None),
    "faults": ("a study made with faults against one made without: time and memory", None),
    "constraints": ("a study made under constraints, rare events and scenarios against one made without: time", None),
    "tables": ("plain tables: time, memory and quality, side by side with SDV", None),
    "structure": ("precision and recall of what is found from 20 subjects", PILOT),
    "fidelity": ("score of synthetic subjects against real ones", BENCH),
    "pilot": ("time, memory, sameness, privacy and rules on a complete study", PILOT),
}
"""Name -> what it measures, and the outside data that it needs."""


def main() -> int:
    """Run the parts one after another; 1 when one of them fails."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="NAME", help=f"one of {', '.join(PARTS)}; all by default")
    parser.add_argument("--list", action="store_true", help="say what there is, and run nothing")
    options = parser.parse_args()
    if unknown := set(options.parts) - PARTS.keys():
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    if options.list:
        for name, (text, _) in PARTS.items():
            print(f"{name:<11} {text}")
        return 0
    failed = 0
    for name in options.parts or PARTS:
        text, needed = PARTS[name]
        print(f"\n## {name}: {text}\n", flush=True)
        if needed is not None and not needed.exists():
            print(f"skipped: {needed} is not here")
            continue
        failed |= subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=False).returncode != 0
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())

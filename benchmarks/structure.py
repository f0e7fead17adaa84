"""How well the structure is found from few subjects: learned from draws of 20, judged on the whole study.

Prints, a family, what was found in the draws (mean), how much of it is true in the whole study (precision), and how
much of what the whole study yields was found (recall). Usage: python benchmarks/structure.py [STUDY] [--subjects 20]
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from pathlib import Path

import numpy as np
import pandas as pd

from datareplicator.formats import read_study
from datareplicator.structure.derive import View, compute
from datareplicator.structure.derive.outcome import agreement
from datareplicator.structure.discover import discover
from datareplicator.structure.logical import to_logical
from datareplicator.structure.spec import Derivation, Layout, Structure
from datareplicator.study import Study, Table

PILOT = Path(__file__).resolve().parents[1] / "../shared/data/cdisc-pilot-sdtm.zip"
SEEDS = range(100, 105)
BROKEN = 0.002  # share of rows that may break a dependency called true
DUPLICATES = 0.005  # share of rows that may repeat a key called true
HOLDS = 0.98  # share of rows that a formula called true gives back
LARGE = 100  # rows of tables whose keys are judged
COPIED = (Layout.REFERENCE, Layout.SUPPLEMENT, Layout.RELATION, Layout.COMMENT)


def draw(study: Study, structure: Structure, subjects: int, seed: int) -> Study:
    """A random part of the subjects, all their rows, and the tables without subjects whole."""
    root = structure.tables[structure.root or ""]
    ids = np.sort(study[root.members[0]].frame[root.subject].dropna().astype(str).unique())
    keep = set(np.random.default_rng(seed).choice(ids, subjects, replace=False))
    columns = {m: spec.subject for spec in structure.tables.values() for m in spec.members}
    tables = {}
    for name, table in study.tables.items():
        column = columns.get(name)
        frame = table.frame if column is None else table.frame[table.frame[column].astype(str).isin(keep)]
        tables[name] = Table(name, frame.reset_index(drop=True), table.columns, table.label, table.origin)
    return Study(tables, study.name)


class Judge:
    """Holds the whole study and what was found in it."""

    def __init__(self, study: Study, structure: Structure) -> None:
        self.structure = structure
        self.view = View(to_logical(study, structure))
        self.known = {self._identity(d) for d in structure.derivations}

    @staticmethod
    def _identity(d: Derivation) -> tuple:
        return d.table, d.target, d.template, frozenset((s.table, s.column) for s in d.sources)

    def lookup(self, d: Derivation) -> bool:
        """Whether the determinants fix the target in the whole study, but for 0.2 % of the rows."""
        columns = [s.column for s in d.sources]
        frame = self.view.frames[d.table][[*columns, d.target]].dropna(subset=[d.target])
        frame = frame.dropna(subset=columns) if len(columns) == 1 else frame
        counts = frame.groupby([*columns, d.target], dropna=False, observed=True).size()
        best = counts.groupby(level=list(range(len(columns))), dropna=False).max().sum()
        return bool(len(frame)) and 1 - best / len(frame) <= BROKEN

    def key(self, table: str, columns: frozenset[str]) -> bool:
        """Whether a key names the rows of the whole study, but for 0.5 %."""
        return self.view.frames[table].duplicated(list(columns)).mean() <= DUPLICATES

    def formula(self, d: Derivation) -> bool:
        """Whether the whole study yields the same formula, or this one gives back its rows."""
        if self._identity(d) in self.known:
            return True
        share, _ = agreement(compute(d, self.view), self.view.values(d.table, d.target))
        return share >= HOLDS


def families(structure: Structure) -> dict[str, dict]:
    """What was found, by family, as identity -> item."""
    found: dict[str, dict] = {family: {} for family in ("lookups", "derivations", "keys", "foreign keys", "layouts")}
    for d in structure.derivations:
        if d.template != "constant" and structure.tables[d.table].layout not in COPIED:
            found["lookups" if d.template == "lookup" else "derivations"][d.table, d.target] = d
    for name, spec in structure.tables.items():
        if spec.layout not in COPIED:
            found["layouts"][name] = spec.layout
            if spec.rows > 0:
                found["keys"][name] = frozenset(spec.key)
    for key in structure.foreign_keys:
        found["foreign keys"][key.table, key.columns, key.parent] = key
    return found


def score(judge: Judge, whole: Structure, part: Structure) -> dict[str, tuple[int, int, int, int]]:
    """Per family: found, true, to be found, found again."""
    mine, theirs = families(part), families(whole)
    large = {name for name, spec in whole.tables.items() if spec.rows > LARGE}
    result = {}
    true_targets = set()
    for family, test in (("lookups", judge.lookup), ("derivations", judge.formula)):
        good = {target for target, d in mine[family].items() if test(d)}
        true_targets |= good
        result[family] = (len(mine[family]), len(good))
    for family in ("lookups", "derivations"):
        again = sum(target in true_targets for target in theirs[family])
        result[family] += (len(theirs[family]), again)
    names = [n for n in mine["layouts"] if n in theirs["layouts"]]
    same = sum(mine["layouts"][n] == theirs["layouts"][n] for n in names)
    result["layouts"] = (len(names), same, len(names), same)
    names = [n for n in mine["keys"] if n in large and n in theirs["keys"]]
    same = sum(mine["keys"][n] == theirs["keys"][n] for n in names)
    result["keys"] = (len(names), sum(judge.key(n, mine["keys"][n]) for n in names), len(names), same)
    same = len(mine["foreign keys"].keys() & theirs["foreign keys"].keys())
    result["foreign keys"] = (len(mine["foreign keys"]), same, len(theirs["foreign keys"]), same)
    return result


def main() -> None:
    """Run the draws and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("study", nargs="?", type=Path, default=PILOT)
    parser.add_argument("--subjects", type=int, default=20)
    parser.add_argument("--wrong", action="store_true", help="list what was found and is not true")
    options = parser.parse_args()
    study = read_study(options.study)
    start = time.perf_counter()
    whole = discover(study)
    print(f"whole study: {study.rows} rows, discovered in {time.perf_counter() - start:.1f} s")
    judge, totals, seconds = Judge(study, whole), defaultdict(list), []
    for seed in SEEDS:
        sample = draw(study, whole, options.subjects, seed)
        start = time.perf_counter()
        part = discover(sample)
        seconds.append(time.perf_counter() - start)
        for family, counts in score(judge, whole, part).items():
            totals[family].append(counts)
        if options.wrong:
            for family, test in (("lookups", judge.lookup), ("derivations", judge.formula)):
                for d in families(part)[family].values():
                    if not test(d):
                        print(seed, d.template, d.table, d.target, [f"{s.table}.{s.column}" for s in d.sources])
            mine, theirs = families(part), families(whole)
            for key in mine["foreign keys"].keys() - theirs["foreign keys"].keys():
                print(seed, "foreign key", *key)
            for name, key in mine["keys"].items():
                if key != theirs["keys"].get(name):
                    print(seed, "key", name, sorted(key), sorted(theirs["keys"].get(name, ())))
    print(f"draws of {options.subjects}: {np.mean(seconds):.1f} s each")
    rows = []
    for family, counts in totals.items():
        found, good, wanted, again = np.sum(counts, axis=0)
        rows.append((family, found / len(counts), good / max(found, 1), again / max(wanted, 1)))
    table = pd.DataFrame(rows, columns=["family", "found", "precision", "recall"])
    print(table.to_string(index=False, float_format=lambda x: f"{x:.3f}"))


if __name__ == "__main__":
    main()

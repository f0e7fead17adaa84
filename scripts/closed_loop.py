"""Injects every kind of fault into a study, validates, and writes what was found to the reference page.

Usage: python scripts/closed_loop.py [--study STUDY --name NAME]; the bundled sample study by default. The page has a
table a study: that of the sample is always there, that of another stays until it is measured anew.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

import pandas as pd

from datareplicator.data import sample_study_path
from datareplicator.faults import all_kinds
from datareplicator.faults.kind import Scope
from datareplicator.faults.loop import loop_rows
from datareplicator.formats import read_study
from datareplicator.structure.discover import discover

PAGE = Path(__file__).resolve().parent.parent / "docs" / "reference" / "fault-detection.md"
COUNT = 8
SAMPLE = "the sample study of 20 subjects"
HEAD = f"""# What the rules find of the faults

Made by `python scripts/closed_loop.py [--study STUDY --name NAME]`: up to {COUNT} faults of each [kind](faults.md) are
injected into a study, the study is validated against the clean one, and the findings are scored against the answer key.
*Named* are the faults that the rules named for the kind find, *any* those that any rule finds. *Precision* is the share
of the findings of the named rules that lie on a fault; findings in the clean study do not count. It is low where one
edit breaks what other rows say. *No rule* marks kinds that no rule can tell from right data. *Detector* marks kinds of
whole sites: only a statistical detector can see them, where a site has more than a few subjects.
"""
SECTION = """## In {name}

Of {faults} faults of kinds that a rule of single rows is named for, {named} ({recall:.1%}) are found by that rule.

| kind | faults | named | any | precision | rules that fired, the most frequent first |
|---|---|---|---|---|---|
{lines}
"""


def section(result: pd.DataFrame, name: str) -> str:
    """The table of one study, as Markdown."""
    kinds = {kind.name: kind for kind in all_kinds()}
    single = result[[kinds[name].detectable and not kinds[name].detector for name in result["kind"]]]
    rows = result.set_index("kind")
    lines = []
    for kind in (k for k in kinds.values() if k.scope != Scope.FILES):
        if kind.name not in rows.index:
            lines.append(f"| `{kind.name}` | 0 | | | | no place for it |")
            continue
        row = rows.loc[kind.name]
        named = str(row["named"]) if kind.detectable else "no rule"
        named += " (detector)" if kind.detector else ""
        precise = f"{row['precision']:.0%}" if pd.notna(row["precision"]) else ""
        said = row["rules"] if isinstance(row["rules"], str) else ""
        lines.append(f"| `{kind.name}` | {row['faults']} | {named} | {row['found']} | {precise} | {said} |")
    faults, named = int(single["faults"].sum()), int(single["named"].sum())
    return SECTION.format(name=name, faults=faults, named=named, recall=named / faults, lines="\n".join(lines))


def page(result: pd.DataFrame, name: str, before: str = "") -> str:
    """The page with this study's table, and those of other studies that it had before."""
    held = {
        part.partition("\n")[0]: f"## In {part}".rstrip() + "\n"
        for part in re.split(r"^## In ", before, flags=re.M)[1:]
    }
    held[name] = section(result, name)
    order = sorted(held, key=lambda n: (n != SAMPLE, n))
    return "\n".join([HEAD, *(held[n] for n in order)])


def main() -> None:
    """Measure one study, show what comes, write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--study", type=Path, default=sample_study_path())
    parser.add_argument("--name", default=SAMPLE, help="the study's name on the page")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if options.study != sample_study_path() and options.name == SAMPLE:
        parser.error("--study needs --name")
    study = read_study(options.study)
    rows = []
    for row in loop_rows(study, discover(study), all_kinds(), count=COUNT, seed=options.seed):
        print(*row.values(), file=sys.stderr, flush=True)
        rows.append(row)
    before = PAGE.read_text(encoding="utf-8") if PAGE.is_file() else ""
    PAGE.write_text(page(pd.DataFrame(rows), options.name, before), encoding="utf-8")
    print(PAGE)


if __name__ == "__main__":
    main()

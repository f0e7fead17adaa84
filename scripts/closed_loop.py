"""Injects every kind of fault into the sample study, validates, and writes what was found to the reference page."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from datareplicator.data import sample_study_path
from datareplicator.faults import all_kinds
from datareplicator.faults.kind import Scope
from datareplicator.faults.loop import closed_loop
from datareplicator.formats import read_study
from datareplicator.structure.discover import discover

PAGE = Path(__file__).resolve().parent.parent / "docs" / "reference" / "fault-detection.md"
COUNT = 8
HEAD = """# What the rules find of the faults

Made by `scripts/closed_loop.py`: up to {count} faults of each [kind](faults.md) are injected into the sample study of
20 subjects, the study is validated against the clean one, and the findings are scored against the answer key. *Named*
are the faults that the rules named for the kind find, *any* those that any rule finds. *Precision* is the share of the
findings of the named rules that lie on a fault; findings in the clean study do not count. It is low where one edit
breaks what other rows say. Kinds without rules are marked as such: no rule can tell them from right data, or detectors
of a whole study see them only where there are more than a few subjects at a site.

Of the faults of kinds that a rule of single rows is named for, {recall:.1%} are found by that rule.
"""


def page(result: pd.DataFrame) -> str:
    """The page, as Markdown."""
    kinds = {kind.name: kind for kind in all_kinds()}
    single = result[[kinds[name].detectable and not kinds[name].detector for name in result["kind"]]]
    rows = result.set_index("kind")
    lines = [
        "| kind | faults | named | any | precision | rules that fired, the most frequent first |",
        "|---|---|---|---|---|---|",
    ]
    for kind in (k for k in kinds.values() if k.scope != Scope.FILES):
        if kind.name not in rows.index:
            lines.append(f"| `{kind.name}` | 0 | | | | the sample study has no place for it |")
            continue
        row = rows.loc[kind.name]
        named = str(row["named"]) if kind.detectable else "no rule"
        precise = f"{row['precision']:.0%}" if pd.notna(row["precision"]) else ""
        said = row["rules"] if isinstance(row["rules"], str) else ""
        lines.append(f"| `{kind.name}` | {row['faults']} | {named} | {row['found']} | {precise} | {said} |")
    recall = single["named"].sum() / single["faults"].sum()
    return "\n".join([HEAD.format(count=COUNT, recall=recall), *lines]) + "\n"


def main() -> None:
    study = read_study(sample_study_path())
    result = closed_loop(study, discover(study), all_kinds(), count=COUNT)
    PAGE.write_text(page(result), encoding="utf-8")
    print(PAGE)


if __name__ == "__main__":
    main()

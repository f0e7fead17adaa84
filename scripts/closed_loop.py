"""Injects every kind of fault into a study, validates, and writes what was found to the reference page.

Usage: python scripts/closed_loop.py [--study STUDY --name NAME] [--kinds KIND ...]; by default the sample study. The
page has a table a study: that of the sample is always there, that of another stays until it is measured anew.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

from datareplicator import pipeline
from datareplicator.data import sample_study_path
from datareplicator.errors import DataReplicatorError
from datareplicator.faults import all_kinds
from datareplicator.faults.kind import Kind, Scope, kind_named
from datareplicator.faults.loop import loop_rows
from datareplicator.faults.score import match
from datareplicator.formats import read_study, write_study
from datareplicator.structure.discover import discover
from datareplicator.validate.running import every_finding
from datareplicator.validate.structural import StructuralView

PAGE = Path(__file__).resolve().parent.parent / "docs" / "reference" / "fault-detection.md"
COUNT = 8
SAMPLE = "the sample study of 20 subjects"
HEAD = f"""# What the rules find of the faults

Made by `python scripts/closed_loop.py [--study STUDY --name NAME]`: up to {COUNT} faults of each [kind](faults.md) are
injected into a study, the study is validated against the clean one, and the findings are scored against the answer key.
*Named* are the faults that the rules named for the kind find, *any* those that any rule finds. *Precision* is the share
of the findings of the named rules that lie on a fault; findings in the clean study do not count. It is low where one
edit breaks what other rows say. *No rule* marks kinds that no rule can tell from right data. *Detector* marks kinds of
whole sites: only a statistical detector can see them, by comparing a site with sound ones. They are injected in one of
four sites of ten subjects or more, where a study has such sites; [how large sites must
be](../how-to/validate-a-study.md#how-sure-a-detector-is) to be judged. A kind has *no place* where the study lacks what
it breaks, such as a date of birth.
"""
FILES = """## In files

One fault of each kind of finished files at a time, {tries} times, in the sample study as CSV; then the study is read
and validated. *Refused*: reading ends with a message that names the file. *Read rightly*: the study is that without
the fault, value by value.

| kind | refused | found by rules | read rightly | rules that fired, the most frequent first |
|---|---|---|---|---|
{lines}
"""
TRIES = 4
SECTION = """## In {name}

Of {faults} faults of kinds that a rule of single rows is named for, {named} ({recall:.1%}) are found by that rule.

| kind | faults | named | any | precision | rules that fired, the most frequent first |
|---|---|---|---|---|---|
{lines}
"""
LINE = re.compile(r"^\| `([a-z-]+)` \| (\d+) \| (\d+)?")


def section(rows: Iterable[dict[str, Any]], name: str, kinds: Collection[Kind], before: str = "") -> str:
    """The table of one study, as Markdown. `before`: the table as it was, whose lines stay for kinds that were not
    measured now (`kinds` were)."""
    held = {m[1]: line for line in before.splitlines() if (m := LINE.match(line))}
    measured = {str(row["kind"]): row for row in rows}
    found = {kind.name: _line(kind, measured.get(kind.name)) for kind in kinds}
    every = [kind for kind in all_kinds() if kind.scope != Scope.FILES]
    lines = [found.get(k.name) or held.get(k.name) or f"| `{k.name}` | | | | | not measured |" for k in every]
    single = {kind.name for kind in every if kind.detectable and not kind.detector}
    counts = [(int(m[2]), int(m[3] or 0)) for line in lines if (m := LINE.match(line)) and m[1] in single]
    faults, named = (sum(count[k] for count in counts) for k in (0, 1))
    return SECTION.format(name=name, faults=faults, named=named, recall=named / max(faults, 1), lines="\n".join(lines))


def _line(kind: Kind, row: dict[str, Any] | None) -> str:
    if row is None:
        return f"| `{kind.name}` | 0 | | | | no place for it |"
    named = str(row["named"]) if kind.detectable else "no rule"
    named += " (detector)" if kind.detector else ""
    precise = f"{row['precision']:.0%}" if row["precision"] == row["precision"] else ""
    return f"| `{kind.name}` | {row['faults']} | {named} | {row['found']} | {precise} | {row['rules']} |"


def file_section() -> str:
    """The table of the faults of files, as Markdown."""
    lines = []
    with tempfile.TemporaryDirectory() as scratch:
        clean = Path(scratch) / "clean"
        study = read_study(sample_study_path())
        write_study(study, clean, format="csv")
        known = read_study(clean)
        structure = discover(known)
        source = StructuralView(known, structure)
        usual = every_finding(known, structure, source)
        for kind in (k for k in all_kinds() if k.scope == Scope.FILES):
            outcomes, rules = Counter(), Counter()
            for seed in range(TRIES):
                dirty = Path(scratch) / f"{kind.name}-{seed}"
                plan = {"faults": [{"kind": kind.name, "count": 1}]}
                done = pipeline.corrupt(str(clean), plan, dirty, seed=seed)
                file = json.loads(done.answers.to_frame()["old"].iloc[0])["file"]
                try:
                    read = read_study(dirty)
                except DataReplicatorError as error:
                    outcomes["refused" if file in str(error) else "missed"] += 1
                    continue
                findings = match(every_finding(read, structure, source), done.answers, clean=usual)
                rules.update(findings.findings["rule"].iloc[findings.pairs["finding"].unique()])
                same = all(read[n].frame.equals(t.frame) for n, t in known.tables.items())
                outcomes["found" if len(findings.pairs) else "right" if same else "missed"] += 1
            fired = " ".join(rule for rule, _ in sorted(rules.items(), key=lambda one: (-one[1], one[0]))[:6])
            told = " | ".join(str(outcomes[name] or "") for name in ("refused", "found", "right"))
            lines.append(f"| `{kind.name}` | {told} | {fired} |")
    return FILES.format(tries=TRIES, lines="\n".join(lines))


def page(rows: Iterable[dict[str, Any]], name: str, kinds: Collection[Kind], before: str = "") -> str:
    """The page with this study's table, and those of other studies that it had before."""
    held = {
        part.partition("\n")[0]: f"## In {part}".rstrip() + "\n"
        for part in re.split(r"^## In ", before, flags=re.M)[1:]
    }
    held[name] = section(rows, name, kinds, held.get(name, ""))
    if any(kind.scope == Scope.FILES for kind in kinds):
        held["files"] = file_section()
    order = sorted(held, key=lambda n: (n == "files", n != SAMPLE, n))
    return "\n".join([HEAD, *(held[n] for n in order)])


def main() -> None:
    """Measure one study, show what comes, write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--study", type=Path, default=sample_study_path())
    parser.add_argument("--name", default=SAMPLE, help="the study's name on the page")
    parser.add_argument("--kinds", nargs="+", metavar="KIND", help="only these; the lines of others stay")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if options.study != sample_study_path() and options.name == SAMPLE:
        parser.error("--study needs --name")
    kinds = [kind_named(name) for name in options.kinds] if options.kinds else list(all_kinds())
    study = read_study(options.study)
    rows = []
    for row in loop_rows(study, discover(study), kinds, count=COUNT, seed=options.seed):
        print(*row.values(), file=sys.stderr, flush=True)
        rows.append(row)
    before = PAGE.read_text(encoding="utf-8") if PAGE.is_file() else ""
    PAGE.write_text(page(rows, options.name, kinds, before), encoding="utf-8")
    print(PAGE)


if __name__ == "__main__":
    main()

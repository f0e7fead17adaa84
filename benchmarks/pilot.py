"""A complete study, all domains: time and memory, the same bytes for any number of workers, privacy, and rules.

Learns a study (the CDISC pilot by default), makes new subjects with the command line, reads them back and holds them
against the source. A rule passes where the synthetic rows break it no more often than the source's own (by a tenth
and a row in a thousand; not at all where the source never does).
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import datareplicator as dr
from benchmarks.against import AGAINST, epochs, form
from benchmarks.data import PILOT, need
from benchmarks.processes import Cost, command
from benchmarks.rules import RULES, SUBJECT, Frames, Part
from benchmarks.speed import timed
from benchmarks.structure import draw
from datareplicator.manifest import read_manifest
from datareplicator.structure.discover import discover
from datareplicator.study import Study

FEW = 100
"""Subjects of the smaller request, which the larger one begins with."""
SOURCES = (1, 2, 5)
"""Subjects to learn from, where they are few."""
SECONDS, MEBIBYTES = 60, 2048
"""What the measured machine should stay within (2 cores)."""


class Line(NamedTuple):
    """One line of the result: what was measured, the figures, the verdict (None: none), and what went wrong."""

    name: str
    source: str
    made: str
    good: bool | None = None
    details: tuple[str, ...] = ()

    def show(self) -> None:
        """Print the line and, below it, its details."""
        verdict = {True: "PASS", False: "FAIL", None: ""}[self.good]
        print(f"{verdict:<5}{self.name:<45}{self.source:>20}{self.made:>30}", flush=True)
        for detail in self.details:
            print(f"        {detail}")


def costs(source: Path, model: Path, folder: Path, subjects: int) -> Iterator[Line]:
    """Seconds and memory of each step; leaves the model and what was made behind."""
    study, seconds = timed(lambda: dr.read_study(source))
    yield Line("read", f"{study.rows:,} rows", f"{seconds:.1f} s")
    structure, seconds = timed(lambda: discover(study))
    yield Line("discover", f"{len(structure.derivations)} derivations", f"{seconds:.1f} s")
    fitted, seconds = timed(lambda: dr.fit(study))
    yield Line("discover and fit", "", f"{seconds:.1f} s", seconds <= SECONDS)
    yield Line("save", "", f"{timed(lambda: fitted.save(model))[1]:.2f} s, {model.stat().st_size / 1e6:.1f} MB")
    yield Line("load", "", f"{timed(lambda: dr.load_model(model))[1]:.2f} s")
    yield _cost("command fit", command("fit", source, "-o", model, "--overwrite"))
    for workers in (2, 1):
        cost = command(*_generate(model, subjects, folder / f"workers-{workers}"), "--workers", workers)
        rows = read_manifest(folder / f"workers-{workers}").rows
        yield _cost(f"command generate -n {subjects} --workers {workers}", cost, f"{rows:,} rows")


def _cost(name: str, cost: Cost, rows: str = "") -> Line:
    good = cost.seconds <= SECONDS and cost.mebibytes <= MEBIBYTES
    return Line(name, rows, f"{cost.seconds:.1f} s ({cost.processor:.1f} CPU), {cost.mebibytes:.0f} MiB", good)


def _generate(model: Path, subjects: int, folder: Path, format: str = "parquet") -> tuple[object, ...]:
    return ("generate", model, "-n", subjects, "-o", folder, "--format", format, "--seed", 7)


def sameness(model: Path, folder: Path, made: Frames) -> Iterator[Line]:
    """The same bytes from one and two workers, and the first subjects of a larger request those of a smaller one."""
    files = [read_manifest(folder / f"workers-{workers}").files for workers in (1, 2)]
    different = tuple(name for name in files[0] if files[0][name] != files[1].get(name))
    yield Line("workers 1 and 2: same SHA-256", "", f"{len(files[0])} files", files[0] == files[1], different)
    command(*_generate(model, FEW, folder / "few"))
    few = dr.read_study(folder / "few").frames()
    ids = few["dm"][SUBJECT]
    first = {n: f[f[SUBJECT].isin(ids)].reset_index(drop=True) for n, f in made.items() if SUBJECT in f}
    different = tuple(name for name in first if not few[name].equals(first[name]))
    yield Line(f"first {FEW} subjects those of -n {FEW}", "", f"{len(few)} tables", not different, different)


def small(study: Study, model: Path) -> Iterator[Line]:
    """Few subjects asked for, and few to learn from."""
    for subjects in (1, 20):
        made = dr.load_model(model).generate(subjects)
        yield Line(f"-n {subjects}", "", f"{made.rows:,} rows", len(made["dm"]) == subjects)
    structure = discover(study)
    for subjects in SOURCES:
        try:
            made = dr.fit(draw(study, structure, subjects, seed=0)).generate(20)
            yield Line(f"20 from a source of {subjects}", "", f"{made.rows:,} rows", len(made["dm"]) == 20)
        except Exception as error:  # that it crashes is what this line is to find out
            yield Line(f"20 from a source of {subjects}", "", "", False, (repr(error),))


def judged(name: str, made: list[Part], source: list[Part] | None = None) -> Line:
    """A rule over all tables: rates, and the tables where the synthetic rows do worse than the source's."""
    before = {part.table: part for part in source or ()}
    worse = [part for part in made if part.bad > allowed(part, before.get(part.table))]
    details = [f"{p.table}: {p.bad:,} of {p.of:,}{_rate(before.get(p.table))} {p.examples[:1] or ''}" for p in worse]
    return Line(name, _sum(source) if source is not None else "", _sum(made), not worse, tuple(details))


def allowed(made: Part, source: Part | None) -> float:
    """How many rows may break a rule."""
    return (1.1 * source.bad / source.of + 0.001) * made.of if source is not None and source.bad else 0.0


def _rate(part: Part | None) -> str:
    return f" (source {part.bad:,} of {part.of:,})" if part is not None else ""


def _sum(parts: list[Part]) -> str:
    return f"{sum(p.bad for p in parts):,} of {sum(p.of for p in parts):,}"


def checked(source: Study, made: Study) -> Line:
    """What the library's own validation says."""
    findings = dr.validate(made, baseline=source)
    above = [t for t in findings.tallies if t.above_baseline]
    details = [
        f"{t.rule.id} {t.count:,} of {t.checked:,} ({t.baseline_rate or 0:.2%}): {t.rule.message}" for t in above
    ]
    errors = f"{sum(t.rule.severity == 'error' for t in above)} of them errors"
    return Line("validation: above the source's rate", "", f"{len(above)} rules, {errors}", findings.ok, tuple(details))


def measure(path: Path, folder: Path, subjects: int) -> Iterator[Line]:
    """All lines, in order; the files lie in `folder` afterwards."""
    model = folder / "model.json"
    yield from costs(path, model, folder, subjects)
    source, made = dr.read_study(path), dr.read_study(folder / "workers-2")
    real, new = source.frames(), made.frames()
    yield from sameness(model, folder, new)
    yield from small(source, model)
    command(*_generate(model, 20, folder / "same", "same"))
    yield judged("columns, types, labels, lengths (as it came)", list(form(source, dr.read_study(folder / "same"))))
    for name, compare in AGAINST.items():
        yield judged(name, list(compare(real, new)))
    for name, rule in RULES.items():
        yield judged(name, list(rule(new)), list(rule(real)))
    yield judged("EPOCH by the rule that the source keeps", list(epochs(real, new)), list(epochs(real, real)))
    yield checked(source, made)


def main() -> None:
    """Measure and print, line by line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("study", nargs="?", type=Path, default=PILOT)
    parser.add_argument("-n", "--subjects", type=int, default=1000)
    parser.add_argument("--keep", type=Path, help="a new folder for model and data; else they are removed")
    options = parser.parse_args()
    need(options.study)
    print(f"{'':<50}{'source':>20}{'synthetic':>30}")
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        lines = []
        for line in measure(options.study, folder, options.subjects):
            line.show()
            lines.append(line)
    verdicts = [line.good for line in lines if line.good is not None]
    print(f"\n{sum(verdicts)} of {len(verdicts)} lines pass")


if __name__ == "__main__":
    main()

"""From a source or a model to an output folder: tables, manifest, findings and report, all or nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from datareplicator.errors import RequestError
from datareplicator.faults import Plan, as_plan
from datareplicator.formats import open_writer
from datareplicator.generate.conditions.outcome import Outcome as Ending
from datareplicator.generate.conditions.outcome import Tally, in_all, outcomes
from datareplicator.generate.control.asked import Variation
from datareplicator.generate.control.settle import settle
from datareplicator.generate.request import Block
from datareplicator.manifest import FileEntry, Manifest, Request, digest, versions, write_manifest
from datareplicator.model.store import load_model
from datareplicator.model.study_model import StudyModel
from datareplicator.output import check_output
from datareplicator.pipeline.checkpoints import Checkpoints
from datareplicator.pipeline.corruption import ANSWERS, FORMS
from datareplicator.pipeline.generation import Collector, Frames, generate_frames, layouts
from datareplicator.pipeline.injection import finish_faults, injecting
from datareplicator.pipeline.learning import fit, model_digest, notes, read
from datareplicator.pipeline.progress import Progress, stage
from datareplicator.run import Run
from datareplicator.study import Study
from datareplicator.validate import Findings
from datareplicator.validate import validate as validate_study

if TYPE_CHECKING:
    from datareplicator.evaluate.results import Score

FINDINGS = "validation.json"
REPORT = "report.html"
CONTROL = ("constraints", "rare_events", "scenarios", "counts", "clones", "enrolment", "study", "identifiers")
MOST_CHECKED_ROWS = 2_000_000
"""Rows that are kept in memory for checks and report; beyond, they cover the first subjects and say so."""

EVIDENT = 20
"""Rows that must be expected in a table for none to be told."""
UNCHECKED = Findings((), pd.DataFrame({"rule": []}), pd.DataFrame(), notes=("nothing was checked.",))

Observer = Callable[[Block, Frames], None] | None


@dataclass(frozen=True)
class Outcome:
    """What a run wrote: the folder, its manifest, what the checks found, what the user should know; `key`:
    the answer key of injected faults; `conditions`: how constraints, rare events and scenarios ended; `scores`: the
    figures of the report by name; `in_all`: what was done for all conditions together."""

    folder: Path
    manifest: Manifest
    findings: Findings
    notes: tuple[str, ...] = ()
    report: Path | None = None
    key: Path | None = None
    conditions: tuple[Ending, ...] = ()
    scores: Mapping[str, Score] = field(default_factory=dict)
    in_all: str | None = None


def replicate(run: Run, *, progress: Progress = None) -> Outcome:
    """Learn `run.source` and write `run.subjects` new subjects to `run.output`.

    Raises RequestError when one of these is missing or the output must not be written, and the errors of reading,
    learning and writing; nothing is left behind then.
    """
    source = _needed(run.source, "source", "the study to learn from", "Name it first or as `source:`.")
    output = _output(run, Path(source))
    run.request()
    study = read(source, progress)
    model = fit(
        study,
        min_subjects=run.privacy.min_subjects,
        text_subjects=run.privacy.text_subjects,
        corrections=run.corrections,
        progress=progress,
    )
    return _write(run, output, model, study, progress)


def generate(run: Run, *, progress: Progress = None) -> Outcome:
    """Write `run.subjects` new subjects of the model document `run.model` to `run.output`. Raises as `replicate`."""
    path = _needed(run.model, "model", "the model document", "Name it first or as `model:`.")
    if run.corrections:
        raise RequestError("corrections act when a study is learned.", hint="Give them to `fit` or `replicate`.")
    if run.report:
        raise RequestError("a report compares with the source, which `generate` does not see.", hint="Use `replicate`.")
    output = _output(run, Path(path))
    run.request()
    return _write(run, output, load_model(path), None, progress)


def produce(
    run: Run,
    model: StudyModel,
    source: Study | None = None,
    *,
    observe: Observer = None,
    progress: Progress = None,
    check: bool = True,
    checkpoints: Checkpoints | None = None,
) -> Outcome:
    """Write `run.subjects` new subjects of a model at hand to `run.output`.

    With the study that the model was learned from, its own rates are the yardstick of the checks, and a report can be
    made. `observe` is called with each block as it is written. Without `check` nothing is validated, unless a report
    is asked for, which tells of it. `checkpoints` keeps blocks as they are made, and gives back those that it has.
    Raises as `replicate`.
    """
    if run.report and source is None:
        raise RequestError("a report compares with the source, which is not at hand.")
    run.request()
    output = Path(_needed(run.output, "output", "the folder to write", "Give it as `output:`."))
    check_output(output, overwrite=run.overwrite)
    return _write(run, output, model, source, progress, observe, check=check or run.report, checkpoints=checkpoints)


def _needed(value: str | None, key: str, what: str, hint: str) -> str:
    if not value:
        raise RequestError(f"{what} is missing ({key}).", hint=hint)
    return value


def _output(run: Run, source: Path) -> Path:
    output = Path(_needed(run.output, "output", "the folder to write", "Give it with -o or as `output:`."))
    check_output(output, overwrite=run.overwrite, source=source)
    return output


def _write(
    run: Run,
    output: Path,
    model: StudyModel,
    source: Study | None,
    progress: Progress,
    observe: Observer = None,
    *,
    check: bool = True,
    checkpoints: Checkpoints | None = None,
) -> Outcome:
    learned, (model, request) = model, settle(model, run.request())
    collector = Collector(model, MOST_CHECKED_ROWS)
    tallies: list[Tally] = []
    plan = as_plan(run.faults) if run.faults is not None else None
    with open_writer(output, layouts(model), run.format, overwrite=run.overwrite) as writer:
        told: tuple[str, ...] = ()
        with injecting(plan, model, run, writer.path) as injector:
            for block, frames in generate_frames(
                model, request, workers=run.workers, progress=progress, tallies=tallies, checkpoints=checkpoints
            ):
                dirty = frames if injector is None else injector.block(block.index, block.keep, frames)
                for table, frame in dirty.items():
                    writer.append(table, frame)
                collector.add(block, dirty)
                if observe is not None:
                    observe(block, dirty)
            files = {name: FileEntry(**entry) for name, entry in writer.finish().items()}
            rowless = without_rows(model, [entry.rows or 0 for entry in files.values()], request.subjects)
            if injector is not None:
                files, told = finish_faults(injector, files, writer.path, [source.name for source in model.sources])
        ended = outcomes(request.plan, tallies) if request.plan is not None else ()
        findings: Findings = UNCHECKED
        scores: dict[str, Score] = {}
        if check:
            findings, scores = _describe(collector, model, source, run, writer.path, progress, ended, request.new_texts)
        files |= {
            name: FileEntry(sha256=digest(writer.path / name))
            for name in (FINDINGS, REPORT)
            if (writer.path / name).exists()
        }
        manifest = _manifest(run, learned, files, plan, ended)
        write_manifest(writer.path, manifest)
        writer.commit()
    covered = (
        ()
        if collector.complete or not check
        else (f"checks and report cover the first {collector.subjects:,} subjects.",)
    )
    return Outcome(
        output,
        manifest,
        findings,
        notes(model) + covered + told + rowless,
        output / REPORT if run.report else None,
        output / ANSWERS / FORMS[0] if plan is not None else None,
        ended,
        scores,
        in_all(tallies) if ended else None,
    )


def without_rows(model: StudyModel, rows: Sequence[int], subjects: int) -> tuple[str, ...]:
    """Notes on tables in which no row was made although the source has some: `rows` by source table, in order."""
    made = dict(zip((source.name for source in model.sources), rows, strict=True))
    return tuple(
        f"{spec.name}: no row was made, though the source has {spec.rows:,}; see what was found in it (fit --explain)."
        for spec in model.structure.tables.values()
        if spec.rows * subjects >= EVIDENT * model.subjects_learned and not any(made.get(m, 1) for m in spec.members)
    )


def _describe(
    collector: Collector,
    model: StudyModel,
    source: Study | None,
    run: Run,
    folder: Path,
    progress: Progress,
    ended: tuple[Ending, ...],
    expected: frozenset[str],
) -> tuple[Findings, dict[str, Score]]:
    """Write the findings, and the report where asked for, beside the tables; the report's figures."""
    made = collector.study()
    scores: dict[str, Score] = {}
    with stage(progress, "check"):
        findings = validate_study(made, baseline=source, structure=model.structure, detectors=False, expected=expected)
        (folder / FINDINGS).write_text(findings.to_json() + "\n", encoding="utf-8")
    if run.report and source is not None:
        from datareplicator.evaluate import compare  # plots are slow to import: only where they are wanted

        with stage(progress, "report"):
            comparison = compare(
                source,
                made,
                structure=model.structure,
                findings=findings,
                notes=notes(model),
                made={"Request": _asked(run).model_dump(), "Versions": versions()}
                | ({"Conditions": {e.condition: e.how for e in ended}} if ended else {}),
            )
            comparison.to_html(folder / REPORT)
            scores = dict(comparison.scores)
    return findings, scores


def _manifest(
    run: Run, model: StudyModel, files: dict[str, FileEntry], plan: Plan | None, ended: tuple[Ending, ...]
) -> Manifest:
    faults = plan.model_dump(mode="json", exclude_defaults=True) if plan is not None else None
    request = _asked(run).model_copy(update={"faults": faults})
    return Manifest(request=request, model=model_digest(model), versions=versions(), conditions=ended, files=files)


def _asked(run: Run) -> Request:
    """The request as manifest and report state it."""
    request = run.request()
    return Request(
        source=Path(run.source or run.model or "").name,
        subjects=request.subjects,
        seed=request.seed,
        variation=request.variation,
        stratified=request.stratified,
        format=run.format,
        control=_control(run),
    )


def _control(run: Run) -> dict[str, Any] | None:
    """What else was asked of the subjects, in the form of the run document."""
    more = {"variation"} if isinstance(run.variation, Variation) else set()
    asked = run.model_dump(mode="json", exclude_defaults=True, include={*CONTROL, *more})
    return asked or None

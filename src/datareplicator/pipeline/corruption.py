"""Faults into files and out again: corrupt a study with an answer key, repair it, score what a system found."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from datareplicator.errors import Place, RequestError
from datareplicator.faults import Answers, Plan, as_plan, read_answers
from datareplicator.faults import corrupt as corrupt_study
from datareplicator.faults import repair as repair_study
from datareplicator.faults.answers import key_frame
from datareplicator.faults.applying import check_seed, kind_columns, named, streams
from datareplicator.faults.files import File, FileJob, restore_file
from datareplicator.faults.job import NoPlace
from datareplicator.faults.kind import Scope, kind_named
from datareplicator.faults.plan import PlanLike, check_parameters
from datareplicator.faults.score import Score, read_findings, score
from datareplicator.formats import FORMATS, TableLayout, open_writer
from datareplicator.formats.atomic import os_errors
from datareplicator.manifest import FileEntry, Manifest, WorkRequest, digest, versions, write_manifest
from datareplicator.output import check_output
from datareplicator.pipeline.learning import discover_structure, read
from datareplicator.pipeline.progress import Progress, stage

ANSWERS = "answers"
"""The folder of the answer key within the output: readers of studies do not look there."""
FORMS = ("answers.parquet", "answers.csv", "answers.json", "answers.core.csv")
MOST_IN_OTHER_FORMS = 100_000
"""Answers that are written as CSV and JSON too, which need them in memory at once."""
_CHUNK = 100_000


@dataclass(frozen=True)
class Corrupted:
    """What `corrupt` wrote: the folder of the dirty study, and the key."""

    folder: Path
    answers: Answers
    key: Path


def corrupt(
    source: str,
    plan: PlanLike,
    output: Path,
    *,
    seed: int = 0,
    format: str = "same",
    overwrite: bool = False,
    progress: Progress = None,
) -> Corrupted:
    """Write a study with faults and the answer key (in `output`/answers), whole or not at all.

    Raises RequestError for a plan that is not understood or finds no place, and the errors of reading and writing.
    """
    whole = as_plan(plan)
    check_seed(seed)
    check_output(output, overwrite=overwrite, source=Path(source))
    study = read(source, progress)
    formats = table_formats([TableLayout.of(table) for table in study.tables.values()], format)
    files_only = all(kind_named(fault.kind).scope == Scope.FILES for fault in whole.faults)
    if files_only:
        dirty, answers = study, Answers(key_frame([]), seed=seed)
    else:
        structure = discover_structure(study, progress)
        with stage(progress, "corrupt"):
            dirty, answers = corrupt_study(study, whole, seed=seed, structure=structure, formats=formats)
    with open_writer(output, [TableLayout.of(t) for t in dirty.tables.values()], format, overwrite=overwrite) as writer:
        with stage(progress, "write"):
            for table in dirty.tables.values():
                for start in range(0, len(table), _CHUNK):
                    writer.append(table.name, table.frame.iloc[start : start + _CHUNK])
            entries = {name: FileEntry(**entry) for name, entry in writer.finish().items()}
        parts, notes = corrupt_files(writer.path, dict(zip(entries, dirty.tables, strict=True)), whole, seed)
        answers = _joined(answers, parts, notes)
        entries = {n: FileEntry(rows=e.rows, sha256=digest(writer.path / n)) for n, e in entries.items()}
        entries |= write_key(answers, writer.path)
        request = WorkRequest(
            command="corrupt",
            source=Path(source).name,
            seed=seed,
            format=format,
            faults=whole.model_dump(mode="json", exclude_defaults=True),
        )
        write_manifest(writer.path, Manifest(request=request, versions=versions(), files=entries))
        writer.commit()
    return Corrupted(output, answers, output / ANSWERS / FORMS[0])


def table_formats(layouts: Sequence[TableLayout], format: str) -> dict[str, str]:
    """The format in which each table will be written."""
    result = {}
    for layout in layouts:
        own = FORMATS.get(layout.origin.format) if layout.origin is not None else None
        same = own.name if own is not None and own.open_writer is not None else "parquet"
        result[layout.name] = same if format == "same" else format
    return result


def corrupt_files(folder: Path, tables: Mapping[str, str], plan: Plan, seed: int) -> tuple[list[dict], list[str]]:
    """Change finished files as the plan's faults of files say; parts of the key, and notes.

    `tables`: the table of each file.
    """
    parts, notes, touched = [], [], set()
    for index, fault in enumerate(plan.faults):
        kind = kind_named(fault.kind)
        if kind.scope != Scope.FILES:
            continue
        files = [File(folder / name, table) for name, table in tables.items() if name not in touched]
        job = FileJob(files, kind, fault, index, streams(fault, index, seed))
        try:
            kind.inject(job, check_parameters(fault))  # type: ignore[arg-type]
        except NoPlace as error:
            if not fault.optional:
                raise named(error, fault, index) from error
            notes.append(f"fault {index + 1} ({fault.kind}) was left out: {error}")
        for answer in job.answers:
            touched.add(json.loads(answer["old"])["file"])
            parts.append(
                {
                    **kind_columns(kind),
                    **{name: answer[name] for name in ("table", "old", "new")},
                    **dict.fromkeys(("row_before", "row_after", "subject", "site", "key", "variable")),
                    "answer": 0,
                    "fault": index + 1,
                    "incident": [0],
                    "change": "file",
                    "severity": str(fault.severity or kind.severity),
                }
            )
    return parts, notes


def _joined(answers: Answers, parts: list[dict], notes: list[str]) -> Answers:
    """The key with the answers of files at its end."""
    told = tuple(note for note in answers.notes if "no part of tables in memory" not in note) + tuple(notes)
    if not parts:
        return replace(answers, notes=told)
    files = key_frame(parts)
    last = int(answers.frame["incident"].max()) if len(answers.frame) else 0
    files["incident"] = range(last + 1, last + 1 + len(files))
    frame = pd.concat([answers.frame, files], ignore_index=True) if len(answers.frame) else files
    frame["answer"] = range(1, len(frame) + 1)
    return replace(answers, frame=frame, notes=told)


def write_key(answers: Answers, folder: Path) -> dict[str, FileEntry]:
    """Write the key in all its forms into the folder's `answers`; entries for the manifest."""
    (folder / ANSWERS).mkdir(exist_ok=True)
    for name in FORMS[: None if len(answers) <= MOST_IN_OTHER_FORMS else 1]:
        answers.write(folder / ANSWERS / name)
    return key_entries(folder)


def key_entries(folder: Path) -> dict[str, FileEntry]:
    """Manifest entries of the key's files."""
    files = sorted((folder / ANSWERS).iterdir())
    return {f"{ANSWERS}/{path.name}": FileEntry(sha256=digest(path)) for path in files}


def repair(
    dirty: str, answers: Path, output: Path, *, format: str = "same", overwrite: bool = False, progress: Progress = None
) -> Path:
    """Write the clean study again from the dirty one and its key. Raises RequestError where they do not fit."""
    check_output(output, overwrite=overwrite, source=Path(dirty))
    key = read_answers(answers)
    if answers.suffix.lower() == ".csv":
        raise RequestError(
            "the CSV form of the key does not hold the types of the columns.",
            place=Place(file=str(answers)),
            hint="Give answers.parquet or answers.json.",
        )
    with tempfile.TemporaryDirectory(prefix="datareplicator-") as scratch:
        study = read(str(_with_clean_files(Path(dirty), key, Path(scratch))), progress)
        with stage(progress, "repair"):
            clean = repair_study(study, key)
    layouts = [TableLayout.of(table) for table in clean.tables.values()]
    with open_writer(output, layouts, format, overwrite=overwrite) as writer, stage(progress, "write"):
        for table in clean.tables.values():
            for start in range(0, len(table), _CHUNK):
                writer.append(table.name, table.frame.iloc[start : start + _CHUNK])
        entries = {name: FileEntry(**entry) for name, entry in writer.finish().items()}
        request = WorkRequest(command="repair", source=Path(dirty).name, format=format)
        write_manifest(writer.path, Manifest(request=request, versions=versions(), files=entries))
        writer.commit()
    return output


def _with_clean_files(dirty: Path, key: Answers, scratch: Path) -> Path:
    """The dirty study's path; a copy with the files restored where faults changed them."""
    changed = key.frame[key.frame["change"] == "file"]
    if not len(changed):
        return dirty
    if not dirty.is_dir():
        raise RequestError(
            "the key tells of changed files, which can be restored in a folder only.", place=Place(file=str(dirty))
        )
    for path in dirty.iterdir():
        if path.is_file():
            shutil.copy(path, scratch / path.name)
    for old in (json.loads(text) for text in changed["old"][::-1]):
        path = scratch / Path(old["file"]).name
        if not path.is_file():
            raise RequestError("the key tells of a file that is not there.", place=Place(file=str(dirty / path.name)))
        path.write_bytes(restore_file(path.read_bytes(), old))
    return scratch


def score_findings(findings: Path, answers: Path, *, clean: Path | None = None) -> Score:
    """Score the findings of a system under test against an answer key; `clean`: its findings in the clean study."""
    known = read_findings(clean) if clean is not None else None
    found = read_findings(findings)
    result = score(found, read_answers(answers), clean=known)
    return replace(result, notes=tuple(found.attrs.get("notes", ())))


def write_page(path: Path, text: str) -> None:
    """Write a page. Raises WriteError."""
    with os_errors(path):
        path.write_text(text, encoding="utf-8")

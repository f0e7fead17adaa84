"""Faults in what `replicate` and `generate` make, block by block."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from datareplicator.faults import Plan, read_answers
from datareplicator.faults.streaming import BlockInjector
from datareplicator.manifest import FileEntry, digest
from datareplicator.model.study_model import StudyModel
from datareplicator.pipeline.corruption import (
    ANSWERS,
    FORMS,
    MOST_IN_OTHER_FORMS,
    corrupt_files,
    key_entries,
    table_formats,
)
from datareplicator.pipeline.generation import layouts
from datareplicator.run import Run


@contextmanager
def injecting(plan: Plan | None, model: StudyModel, run: Run, folder: Path) -> Iterator[BlockInjector | None]:
    """The injector of a run with faults, writing the key into the output's folder; None for a run without."""
    if plan is None:
        yield None
        return
    (folder / ANSWERS).mkdir()
    tables = layouts(model)
    with BlockInjector(
        plan,
        model.structure,
        tables,
        run.request().subjects,
        folder / ANSWERS / FORMS[0],
        seed=run.seed,
        formats=table_formats(tables, run.format),
    ) as injector:
        yield injector


def finish_faults(
    injector: BlockInjector, files: dict[str, FileEntry], folder: Path, tables: Sequence[str]
) -> tuple[dict[str, FileEntry], tuple[str, ...]]:
    """Faults of the finished files, and the key in its other forms: the manifest's entries and notes."""
    parts, notes = corrupt_files(folder, dict(zip(files, tables, strict=True)), injector.plan, injector.seed)
    if parts:
        injector.add(parts)
    injector.finish()
    files = {name: FileEntry(rows=e.rows, sha256=digest(folder / name)) for name, e in files.items()}
    answers = read_answers(folder / ANSWERS / FORMS[0]) if injector.answers <= MOST_IN_OTHER_FORMS else None
    if answers is not None:
        for name in FORMS[1:]:
            answers.write(folder / ANSWERS / name)
    return files | key_entries(folder), (*injector.notes, *notes)

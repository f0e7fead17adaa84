"""Checks of a study, alone and against its source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from datareplicator.errors import SourceError
from datareplicator.formats.archive import unpacked
from datareplicator.pipeline.findings_files import COMPLETE, check_target, write_findings
from datareplicator.pipeline.learning import read
from datareplicator.pipeline.progress import Progress, stage
from datareplicator.standards.define import Define, read_define
from datareplicator.validate import Findings
from datareplicator.validate import validate as validate_study
from datareplicator.validate.running import EVERY, LIMIT

DEFINE = "define.xml"


def validate(
    study: str,
    baseline: str | None = None,
    *,
    define: Path | None = None,
    detectors: bool = True,
    outputs: Sequence[Path] = (),
    every: bool = False,
    overwrite: bool = False,
    progress: Progress = None,
) -> Findings:
    """Check the study at a path against its own rules, or against those of the baseline at another path.

    `define`: the study's Define-XML; without one, a `define.xml` beside the tables is taken. `detectors`: also run the
    statistical detectors. `outputs`: files to write, by their suffix JSON, CSV, Excel or HTML; JSON and CSV hold all
    findings, the others the first 1,000 of each rule. `every`: keep all in the result, too.

    Raises RequestError, SourceError, StructureError and WriteError.
    """
    for path in outputs:
        check_target(path, overwrite=overwrite)
    every = every or any(path.suffix.lower() in COMPLETE for path in outputs)
    checked = read(study, progress)
    source = read(baseline, progress) if baseline is not None else None
    named, notes = (read_define(define), ()) if define is not None else _define_beside(Path(study))
    with stage(progress, "check"):
        found = validate_study(
            checked, baseline=source, define=named, detectors=detectors, limit=EVERY if every else LIMIT
        )
        found = replace(found, notes=found.notes + notes)
    for path in outputs:
        write_findings(found, path, checked.name)
    return found


def _define_beside(study: Path) -> tuple[Define | None, tuple[str, ...]]:
    """The Define-XML that lies with the tables, if any; a note where one cannot be read."""
    try:
        if study.suffix.lower() == ".zip" and study.is_file():
            with unpacked(study, study.name, lambda name: name.lower() == DEFINE) as folder:
                found = [path for path in sorted(folder.rglob("*")) if path.is_file()]
                return (read_define(found[0]), ()) if len(found) == 1 else (None, ())
        folder = study if study.is_dir() else study.parent
        found = [path for path in sorted(folder.iterdir()) if path.name.lower() == DEFINE]
        return (read_define(found[0]), ()) if found else (None, ())
    except (SourceError, OSError) as error:
        return None, (f"the study's Define-XML was not used: {error}",)

"""From files to a profile or a model."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from datareplicator.errors import Place, RequestError
from datareplicator.formats import read_study
from datareplicator.model.fit import fit as fit_model
from datareplicator.model.store import model_text, parse_model, save_model
from datareplicator.model.study_model import StudyModel
from datareplicator.pipeline.progress import Progress, Step, stage, tell
from datareplicator.structure.discover import discover
from datareplicator.structure.spec import Structure
from datareplicator.study import Study

if TYPE_CHECKING:
    from datareplicator.profile import Profile


def read(source: str | Path, progress: Progress = None) -> Study:
    """Read the study at a path."""
    with stage(progress, "read"):
        return read_study(source)


def _discover(study: Study, progress: Progress) -> Structure:
    with stage(progress, "discover"):
        return discover(study, progress=lambda part: tell(progress, Step("discover", unit=part)))


def fit(study: Study, *, min_subjects: int = 1, progress: Progress = None) -> StudyModel:
    """Learn a study; what fewer than `min_subjects` subjects show is left out.

    The model is the one that its JSON document gives: numbers are rounded there, and what is generated must not
    depend on whether the model was on disk in between.
    """
    structure = _discover(study, progress)
    with stage(progress, "learn"):
        model = fit_model(
            study,
            structure=structure,
            min_subjects=min_subjects,
            progress=lambda part, done, total: tell(progress, Step("learn", unit=part)),
        )
        return parse_model(model_text(model))


def model_digest(model: StudyModel) -> str:
    """SHA-256 of the model document, in hexadecimal."""
    return hashlib.sha256(model_text(model).encode()).hexdigest()


def fit_to_file(
    source: str, output: Path, *, min_subjects: int = 1, overwrite: bool = False, progress: Progress = None
) -> StudyModel:
    """Learn the study at a path and write its model document, whole or not at all."""
    if output.exists() and not (overwrite and output.is_file()):
        raise RequestError(
            "exists already.", place=Place(file=str(output)), hint="Choose another name, or add --overwrite."
        )
    model = fit(read(source, progress), min_subjects=min_subjects, progress=progress)
    save_model(model, output)
    return model


def notes(model: StudyModel) -> tuple[str, ...]:
    """What the user should know of what was learned and what could not be; the same said of several tables once."""
    sources = {source.name for source in model.sources} | set(model.structure.tables)
    tables: dict[str, list[str]] = {}
    for note in model.notes:
        table, _, said = note.partition(": ")
        if said and table in sources:
            tables.setdefault(said, []).append(table)
        else:
            tables[note] = []
    return tuple(f"{', '.join(names)}: {text}" if names else text for text, names in tables.items())


def describe(study: Study, progress: Progress = None) -> Profile:
    """Describe a study."""
    from datareplicator.profile import profile as profile_study

    structure = _discover(study, progress)
    with stage(progress, "profile"):
        return profile_study(study, structure)


def profile(source: str, progress: Progress = None) -> Profile:
    """Describe the study at a path."""
    return describe(read(source, progress), progress)

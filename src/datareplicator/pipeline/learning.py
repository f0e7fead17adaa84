"""From files to a profile or a model."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from datareplicator.errors import Place, RequestError
from datareplicator.formats import read_study
from datareplicator.model.fit import TEXT_SUBJECTS
from datareplicator.model.fit import fit as fit_model
from datareplicator.model.store import load_model, model_text, parse_model, save_model
from datareplicator.model.study_model import StudyModel
from datareplicator.pipeline.progress import Progress, Step, stage, tell
from datareplicator.structure.correction import Correction
from datareplicator.structure.discover import discover
from datareplicator.structure.logical import to_logical
from datareplicator.structure.spec import Kind, Layout, Structure
from datareplicator.study import Study

if TYPE_CHECKING:
    from datareplicator.profile import Explanation, Profile


def read(source: str | Path, progress: Progress = None) -> Study:
    """Read the study at a path."""
    with stage(progress, "read"):
        return read_study(source)


def _discover(
    study: Study, progress: Progress, corrections: Sequence[Correction] = (), earlier: Structure | None = None
) -> Structure:
    with stage(progress, "discover"):
        return discover(
            study,
            corrections=corrections,
            earlier=earlier,
            progress=lambda part: tell(progress, Step("discover", unit=part)),
        )


def discover_structure(study: Study, progress: Progress = None) -> Structure:
    """What discovery finds in a study."""
    return _discover(study, progress)


def fit(
    study: Study,
    *,
    min_subjects: int = 1,
    text_subjects: int = TEXT_SUBJECTS,
    corrections: Sequence[Correction] = (),
    earlier: StudyModel | None = None,
    progress: Progress = None,
) -> StudyModel:
    """Learn a study; what fewer than `min_subjects` subjects show is left out, verbatim terms and free texts of fewer
    than `text_subjects` give way to coded terms and stand-ins, and what discovery finds is set right by `corrections`.
    With an `earlier` model of the study, only what a correction (or other data) changed is learned again; the model is
    the one that learning all of it gives.

    The model is the one that its JSON document gives: numbers are rounded there, and what is generated must not
    depend on whether the model was on disk in between.
    """
    if earlier is not None and earlier.software != version("datareplicator"):
        earlier = None  # other software may have learned otherwise
    asked = {"corrections": corrections, "earlier": earlier.structure if earlier is not None else None}
    structure = _discover(study, progress, **{name: given for name, given in asked.items() if given})
    with stage(progress, "learn"):
        model = fit_model(
            study,
            structure=structure,
            min_subjects=min_subjects,
            text_subjects=text_subjects,
            earlier=earlier,
            progress=lambda part, done, total: tell(progress, Step("learn", unit=part)),
        )
        hidden = _suppressed(study, structure, min_subjects)
        model = model.model_copy(update={"min_subjects": min_subjects, "suppressed": hidden})
        return parse_model(model_text(model))


def learned_again(model: StudyModel, earlier: StudyModel) -> tuple[list[str], list[str]]:
    """Which parts of a model that was learned with an `earlier` one were learned again, and which were taken over."""
    same = earlier.parts if earlier.software == model.software else {}
    kept = [name for name, digest in model.parts.items() if same.get(name) == digest]
    return [name for name in model.parts if name not in kept], kept


def _suppressed(study: Study, structure: Structure, min_subjects: int) -> dict[str, int]:
    """By drawn column, how many of its values fewer than `min_subjects` subjects show. The values are not named."""
    found: dict[str, int] = {}
    frames = to_logical(study, structure) if min_subjects > 1 else {}
    for name, frame in frames.items():
        spec = structure.tables[name]
        if spec.subject is None or spec.layout in (Layout.REFERENCE, Layout.RELATION):
            continue
        for column in structure.free(name):
            own = spec.column(column)
            if own.kind in (Kind.CATEGORY, Kind.FLAG, Kind.TEXT) and not own.numeric_text:
                held = frame.groupby(column, observed=True)[spec.subject].nunique()
                if (rare := int((held < min_subjects).sum())) > 0:
                    found[f"{name}.{column}"] = rare
    return found


def explain(model: StudyModel) -> Explanation:
    """What a model holds of its study's structure, and what could not be learned."""
    from datareplicator.profile import explain as explain_structure

    return explain_structure(
        model.structure,
        name=model.name,
        subjects=model.subjects_learned,
        notes=notes(model),
        min_subjects=model.min_subjects,
        suppressed=model.suppressed,
        replaced=model.replaced,
    )


def model_digest(model: StudyModel) -> str:
    """SHA-256 of the model document, in hexadecimal."""
    return hashlib.sha256(model_text(model).encode()).hexdigest()


def fit_to_file(
    source: str,
    output: Path | None,
    *,
    min_subjects: int = 1,
    text_subjects: int = TEXT_SUBJECTS,
    corrections: Sequence[Correction] = (),
    earlier: Path | None = None,
    overwrite: bool = False,
    progress: Progress = None,
) -> StudyModel:
    """Learn the study at a path and write its model document, whole or not at all; to None it is not written.
    `earlier`: the document of an earlier model of it, of which all is taken over that has not changed."""
    if output is not None and output.exists() and not (overwrite and output.is_file()):
        raise RequestError(
            "exists already.", place=Place(file=str(output)), hint="Choose another name, or add --overwrite."
        )
    before = load_model(earlier) if earlier is not None else None
    study = read(source, progress)
    model = fit(
        study,
        min_subjects=min_subjects,
        text_subjects=text_subjects,
        corrections=corrections,
        earlier=before,
        progress=progress,
    )
    if output is not None:
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

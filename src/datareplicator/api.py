"""The public face: the use cases as objects that a notebook or a program works with."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datareplicator import faults, formats, pipeline, study
from datareplicator.faults import Answers
from datareplicator.faults.plan import PlanLike
from datareplicator.generate.conditions.outcome import Outcome, Tally, outcomes
from datareplicator.model.fit import TEXT_SUBJECTS
from datareplicator.model.store import load_model as load_document
from datareplicator.model.store import save_model
from datareplicator.model.study_model import StudyModel
from datareplicator.run import parse_corrections, parse_request
from datareplicator.structure.spec import Structure

if TYPE_CHECKING:
    from datareplicator.profile import Explanation, Profile
    from datareplicator.structure.correction import Correction


class Study(study.Study):
    """A study that can be written: named tables and what is known of their columns.

    `conditions`: of a generated study, how each constraint, rare event and scenario ended.
    """

    conditions: tuple[Outcome, ...] = ()

    def write(self, folder: str | os.PathLike[str], format: str = "same", *, overwrite: bool = False) -> Path:
        """Write one file a table into a new or empty folder, which appears whole or not at all.

        `format`: parquet, csv, tsv, xpt, json, ndjson, dataset-json, xlsx, or same (each table as it came). Raises
        RequestError for an unknown format, WriteError where the folder cannot be written or the format cannot hold
        the data.
        """
        formats.write_study(self, Path(folder), format=format, overwrite=overwrite)
        return Path(folder)

    def profile(self) -> Profile:
        """Describe the study: tables, columns, keys, relations, what is computed from what."""
        return pipeline.describe(self)


class Model:
    """A learned study: its structure and its statistics, none of its rows."""

    def __init__(self, document: StudyModel) -> None:
        self._document = document

    @property
    def structure(self) -> Structure:
        """What was found: keys, layouts, derivations, links."""
        return self._document.structure

    @property
    def notes(self) -> tuple[str, ...]:
        """What could not be learned or was copied, in plain words."""
        return pipeline.notes(self._document)

    def explain(self) -> Explanation:
        """What was found in the study, and what could not be learned: for people by `to_text`, for programs by
        `to_json`."""
        return pipeline.explain(self._document)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model as one JSON document. Raises WriteError."""
        save_model(self._document, path)

    def generate(
        self,
        subjects: int | None = None,
        *,
        seed: int = 0,
        variation: Any = 1.0,
        stratified: bool = True,
        workers: int = 1,
        **control: Any,
    ) -> Study:
        """New subjects as a study in memory.

        `variation` scales the spread: 0 central subjects, 1 as learned, 2 twice. `stratified` spreads the subjects
        evenly over what was learned; False draws as freely as a trial does. `workers` are processes: with more than
        one, a script needs the usual ``if __name__ == "__main__":``. `control` is what else a run document can ask of
        the subjects, in its form: ``counts``, ``clones``, ``enrolment``, ``study``, ``identifiers``, ``constraints``,
        ``rare_events``, ``scenarios``; how the last three ended is the study's ``conditions``.

        The same arguments give the same study; without `control`, the first subjects of a larger one are those of a
        smaller one. Raises RequestError.
        """
        asked = {"subjects": subjects, "seed": seed, "variation": variation, "stratified": stratified, **control}
        settled = pipeline.settled(self._document, parse_request(asked))
        tallies: list[Tally] = []
        made = _writable(pipeline.generate_settled(*settled, workers=workers, tallies=tallies))
        made.conditions = outcomes(settled[1].plan, tallies) if settled[1].plan is not None else ()
        return made

    def __repr__(self) -> str:
        return f"<Model of {self._document.name or 'a study'}: {len(self._document.sources)} tables>"


def read_study(source: str | os.PathLike[str] | Mapping[str, Any], *, format: str | None = None) -> Study:
    """Read a study from a folder, a file, a zip, or a mapping of table names to pandas, polars or Arrow frames.

    Raises SourceError, naming file, table, column and row, where something cannot be read.
    """
    return _writable(formats.read_study(source, format=format))


def fit(
    study: study.Study,
    *,
    min_subjects: int = 1,
    text_subjects: int = TEXT_SUBJECTS,
    corrections: Iterable[Mapping[str, Any] | Correction] = (),
    earlier: Model | None = None,
) -> Model:
    """Learn a study.

    Categories, terms and patterns that fewer than `min_subjects` subjects show are not learned; verbatim
    terms and free texts of fewer than `text_subjects` give way to the coded term or a stand-in. `corrections` set right
    what is found in the study, as in the run document: ``[{"deny": "derivation", "variable": "LB.LBNRIND"}]``;
    `Model.explain` says what was found. With an `earlier` model of the same study only what a correction changes is
    learned again; the result is the same. Raises StructureError where nothing can be learned, RequestError for a
    correction that does not fit the study.
    """
    return Model(
        pipeline.fit(
            study,
            min_subjects=min_subjects,
            text_subjects=text_subjects,
            corrections=parse_corrections(corrections),
            earlier=None if earlier is None else earlier._document,
        )
    )


def load_model(path: str | os.PathLike[str]) -> Model:
    """Read a model document; safe for documents of strangers. Raises ModelError."""
    return Model(load_document(Path(path)))


def corrupt(study: study.Study, plan: PlanLike, *, seed: int = 0) -> tuple[Study, Answers]:
    """A copy of the study with faults, and the answer key.

    `plan`: the name of a profile ("light", "messy-site", "uat", ...), a path, a `Plan` or a mapping of the same form,
    or several of these. The same arguments give the same faults. Faults of files need files: use the command.
    Raises RequestError for a plan that is not understood, a target that matches nothing, faults without a place.
    """
    dirty, answers = faults.corrupt(study, plan, seed=seed)
    return _writable(dirty), answers


def repair(dirty: study.Study, answers: Answers) -> Study:
    """The clean study again, from the dirty one and its key: values, types, order and labels.

    Raises RequestError where the key does not belong to the study.
    """
    return _writable(faults.repair(dirty, answers))


def _writable(plain: study.Study) -> Study:
    return Study(plain.tables, plain.name, plain.notes)

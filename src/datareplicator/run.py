"""The run document: everything that can be asked of a run, as one YAML file with one schema.

Command line and library fill the same document; what is given there overrides what the file says.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, get_args

import yaml
from pydantic import ConfigDict, Field, ValidationError

from datareplicator.document import Document, PlainLoader
from datareplicator.errors import Place, RequestError
from datareplicator.faults.plan import Plan, problem
from datareplicator.generate.conditions.asked import Conditions, Constraint, RareEvent, Scenario
from datareplicator.generate.conditions.units import wanted
from datareplicator.generate.control.asked import (
    MAPPING,
    NUMBER,
    Change,
    Clone,
    Counts,
    Enrolment,
    FollowUp,
    Pattern,
    Spread,
    Variation,
    number_of_subjects,
)
from datareplicator.generate.request import MOST_SUBJECTS, GenerateRequest
from datareplicator.model.fit import TEXT_SUBJECTS
from datareplicator.structure.correction import Correction

MOST_BYTES = 1_000_000
CONDITIONS = {"constraints": Constraint, "rare_events": RareEvent, "scenarios": Scenario}
OF_SUBJECTS = (
    *("subjects", "seed", "variation", "stratified", "counts", "clones", "enrolment", "study", "identifiers"),
    *CONDITIONS,
)
"""The keys that say what subjects are made."""
OutputFormat = Literal["same", "parquet", "csv", "tsv", "xpt", "json", "ndjson", "dataset-json", "xlsx"]
OUTPUT_FORMATS: tuple[str, ...] = get_args(OutputFormat)
SCHEMA_ID = "https://json-schema.org/draft/2020-12/schema"


class Privacy(Document):
    """What must not be learned."""

    model_config = ConfigDict(strict=True)

    min_subjects: int = Field(
        1, ge=1, description="Categories, terms and patterns that fewer subjects show are not learned."
    )
    text_subjects: int = Field(
        TEXT_SUBJECTS,
        ge=1,
        description="Verbatim terms and free texts that fewer subjects show give way to the coded term or a stand-in.",
    )


class Run(Document):
    """What is to be done. Paths in a file are relative to the file's folder.

    >>> Run(subjects=100).updated(seed=7, format=None).seed
    7
    """

    model_config = ConfigDict(strict=True, title="DataReplicator run document")

    source: str | None = Field(None, description="The study to learn from: a folder, a file or a zip.")
    model: str | None = Field(None, description="The model document to generate from (command `generate`).")
    subjects: int | None = Field(
        None, ge=1, le=MOST_SUBJECTS, description="How many new subjects; not needed where counts say it."
    )
    seed: int = Field(0, ge=0, description="The same seed gives the same bytes.")
    variation: Spread = Field(
        1.0,
        description="Spread: 0 central subjects, 1 as learned, 2 twice as wide; or a mapping with this as `dial` and "
        "changes of variables and tables of events.",
    )
    stratified: bool = Field(
        True,
        description="Spread the subjects evenly over the learned distributions; false to simulate trials, "
        "which differ more from seed to seed.",
    )
    counts: Counts = Field(
        {},
        description="Exact numbers of subjects: by variable of the subjects' table a mapping from categories to "
        "numbers, or {ratio: {category: part}}; under `combinations` {where: {variable: category}, subjects: number}.",
    )
    clones: list[Clone] = Field([], description="New sites and arms whose subjects are like those of existing ones.")
    enrolment: Enrolment | None = Field(None, description="The days between which subjects enter.")
    study: str | None = Field(None, min_length=1, description="The study identifier.")
    identifiers: dict[str, Pattern] = Field(
        {}, description="Patterns of identifiers of subjects by column: `{SITEID}-####`; # are digits of a number."
    )
    constraints: list[Constraint] = Field([], description="Conditions that no row of a table breaks.")
    rare_events: list[RareEvent] = Field([], description="Events that are more frequent than in the source.")
    scenarios: list[Scenario] = Field([], description="Courses of subjects, bundled ones by name or own ones by path.")
    output: str | None = Field(None, description="The folder to write.")
    format: OutputFormat = Field("same", description="The format of the tables; `same` is the source's.")
    workers: int | None = Field(None, ge=1, description="Processes; by default as many as there are cores.")
    report: bool = Field(False, description="Write report.html, source against synthetic.")
    privacy: Privacy = Field(Privacy(), description="Limits on what is learned.")
    corrections: list[Correction] = Field([], description="What discovery found, set right; see `fit --explain`.")
    faults: Plan | None = Field(
        None, description="Faults to inject, with an answer key: profiles by `include`, or own."
    )
    overwrite: bool = Field(False, description="Replace the output of an earlier run.")

    def updated(self, **options: Any) -> Run:
        """A copy with the options that are not None. Raises RequestError."""
        given = {name: value for name, value in options.items() if value is not None}
        return _checked({**self.model_dump(exclude_unset=True), **given}, place=None)

    def request(self) -> GenerateRequest:
        """What the generator is asked for. Raises RequestError when the number of subjects is missing, or is another
        one than the counts sum to."""
        subjects = number_of_subjects(self.counts, self.subjects)
        if subjects is None:
            raise RequestError("the number of subjects is missing.", hint="Give it with -n or as `subjects:`.")
        return GenerateRequest(
            subjects,
            self.seed,
            float(self.variation.dial if isinstance(self.variation, Variation) else self.variation),
            self.stratified,
            counts=self.counts,
            clones=tuple(self.clones),
            enrolment=self.enrolment,
            study=self.study,
            identifiers=self.identifiers,
            conditions=Conditions(
                constraints=tuple(self.constraints),
                rare_events=tuple(self.rare_events),
                scenarios=tuple(wanted(scenario) for scenario in self.scenarios),
            ),
            changes=tuple(self.variation.changes) if isinstance(self.variation, Variation) else (),
            follow_up=self.variation.follow_up if isinstance(self.variation, Variation) else None,
        )


def read_run(path: str | Path) -> Run:
    """Read a run document. Raises RequestError, naming the line and near names of what is not understood."""
    file = Path(path)
    try:
        data = file.read_bytes()
    except OSError as error:
        raise RequestError(f"cannot be read ({error.strerror}).", place=Place(file=str(file))) from error
    if len(data) > MOST_BYTES:
        raise RequestError(f"is larger than {MOST_BYTES:,} bytes: no run document.", place=Place(file=str(file)))
    run = parse_run(data, str(file))
    paths = {name: str(file.parent / value) for name in ("source", "model", "output") if (value := getattr(run, name))}
    found = [
        s.model_copy(update={"name": str(file.parent / s.name)}) if (file.parent / s.name).is_file() else s
        for s in run.scenarios
    ]
    plain = [s.model_dump(by_alias=True, exclude_unset=True) for s in found] if found else None
    return run.updated(**paths, faults=_with_paths(run.faults, file.parent), scenarios=plain)


def _with_paths(plan: Plan | None, folder: Path) -> Plan | None:
    """The plan with the paths of its profiles taken from a folder, where files lie there."""
    if plan is None:
        return None
    included = tuple(str(folder / name) if (folder / name).is_file() else name for name in plan.include)
    return plan.model_copy(update={"include": included})


def parse_run(text: str | bytes, file: str | None = None) -> Run:
    """A run document from its text.

    >>> parse_run("subjects: 300\\nseed: 7").subjects
    300
    >>> parse_run("subjcts: 300")
    Traceback (most recent call last):
    ...
    datareplicator.errors.RequestError: line 1: unknown key 'subjcts'. Did you mean 'subjects'?
    """
    place = Place(file=file)
    try:
        content = yaml.load(text, Loader=PlainLoader)
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise RequestError(f"{line}{error.problem}.", place=place, hint="The run document must be YAML.") from error
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise RequestError("is not readable as YAML.", place=place) from error
    if content is None:
        content = {}
    if not isinstance(content, dict):
        raise RequestError("must be a YAML mapping such as `subjects: 300`.", place=place)
    return _checked(content, place, _lines(text))


def _lines(text: str | bytes) -> dict[str, int]:
    """The line of each key at the top, from 1."""
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    return {key.value: key.start_mark.line + 1 for key, _ in node.value} if isinstance(node, yaml.MappingNode) else {}


def _checked(content: dict[Any, Any], place: Place | None, lines: dict[str, int] | None = None) -> Run:
    try:
        return Run.model_validate(content)
    except ValidationError as error:
        problems = [_problem(detail, lines or {}) for detail in error.errors()]
        raise RequestError(" ".join(problems), place=place) from error


def _problem(detail: Any, lines: dict[str, int]) -> str:
    """One line of what pydantic found, in our words."""
    path = [str(part) for part in detail["loc"] if part not in (NUMBER, MAPPING)]
    if detail["type"] == "extra_forbidden" and path[0] != "faults":
        parts = {"privacy": Privacy, "corrections": Correction, **CONDITIONS, "clones": Clone, "enrolment": Enrolment}
        inner = {"changes": Change, "follow_up": FollowUp}
        parts["variation"] = next((inner[part] for part in path[:-1] if part in inner), Variation)
        known = parts.get(path[0], Run).model_fields
        near = difflib.get_close_matches(path[-1], known, n=1)
        rest = f"Did you mean {near[0]!r}?" if near else f"Known are {', '.join(known)}."
        text = f"unknown key {path[-1]!r}. {rest}"
    elif path[0] == "faults" and len(path) > 1:
        text = f"faults: {problem({**detail, 'loc': detail['loc'][1:]}, Plan)}"
    elif path[0] == "corrections" and detail["type"] == "value_error":
        text = f"correction {int(path[1]) + 1} {detail['msg'].removeprefix('Value error, ')}."
    elif path[0] in CONDITIONS and len(path) > 1:
        entry = f"{path[0]}, entry {int(path[1]) + 1}"
        problem_text = detail["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
        name = f": {'.'.join(path[2:])}" if len(path) > 2 else ""
        text = f"{entry}{name}: {problem_text}."
    elif detail["type"] == "value_error":
        text = f"{'.'.join(path)}: {detail['msg'].removeprefix('Value error, ')}."
    elif detail["type"] == "invalid_key":
        text = f"key {path[0]} must be text."
    else:
        text = f"{'.'.join(path)} must be {_expected(detail)}, not {detail['input']!r}."
    return f"line {lines[path[0]]}: {text}" if path[0] in lines else text


def _expected(detail: Any) -> str:
    return "a mapping" if detail["type"] == "model_type" else detail["msg"].removeprefix("Input should be ")


def parse_corrections(given: Iterable[Mapping[str, Any] | Correction]) -> list[Correction]:
    """Corrections as a run document has them, from mappings of the same form. Raises RequestError."""
    plain = [c if isinstance(c, Correction) else dict(c) for c in given]
    return _checked({"corrections": plain}, None).corrections


def parse_request(given: Mapping[str, Any]) -> GenerateRequest:
    """A request from the keys of a run document that speak of subjects. Raises RequestError, also for other keys."""
    for name in given:
        if name not in OF_SUBJECTS:
            near = difflib.get_close_matches(name, OF_SUBJECTS, n=1)
            hint = f"Did you mean {near[0]!r}?" if near else f"Known are {', '.join(OF_SUBJECTS)}."
            raise RequestError(f"nothing called {name!r} can be asked of the subjects.", hint=hint)
    return _checked({name: value for name, value in given.items() if value is not None}, None).request()


def run_schema() -> dict[str, Any]:
    """The JSON Schema of the run document."""
    return {"$schema": SCHEMA_ID, **Run.model_json_schema()}

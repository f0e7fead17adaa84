"""The plan of faults: which kinds, how many, where, how chosen. A YAML document or objects of these classes."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BeforeValidator, ConfigDict, Field, ValidationError, WithJsonSchema, model_validator

from datareplicator.document import Document, PlainLoader
from datareplicator.errors import Place, RequestError
from datareplicator.faults.kind import Severity, kind_named, nearest

MOST_BYTES = 1_000_000
PROFILE_FOLDER = files("datareplicator.faults") / "profiles"


def _listed(value: Any) -> Any:
    """One name, or a list of names; numbers (visits, sites) as their text."""
    items = value if isinstance(value, list | tuple) else [value]
    return tuple(f"{v:g}" if isinstance(v, float) else str(v) if isinstance(v, int) else v for v in items)


_ONE_OR_MORE = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": ["string", "number"]}}]}
Names = Annotated[tuple[str, ...], BeforeValidator(_listed), WithJsonSchema(_ONE_OR_MORE)]


class Mechanism(Document):
    """How the places are chosen among those that the target leaves.

    `random`: all alike. `observed`: the more likely the higher `variable` is, a column of the same table or of the
    table of subjects. `value`: the more likely the higher the value itself is. From the lowest to the highest value
    the odds change by the factor exp(strength); a negative strength prefers low values.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)

    type: Literal["random", "observed", "value"] = Field("random", description="What the choice depends on.")
    variable: str | None = Field(None, description="The column that the choice depends on, for `observed`.")
    strength: float = Field(3.0, ge=-20, le=20, description="Log odds between the highest and the lowest value.")

    @model_validator(mode="after")
    def _complete(self) -> Mechanism:
        if (self.type == "observed") != (self.variable is not None):
            raise ValueError("`variable` belongs to the mechanism `observed`, and to no other")
        return self


class Target(Document):
    """Where a fault may be. What is left out does not restrict; names are compared without regard to case."""

    domain: Names = Field((), description="Tables or domains, one or a list; `*` and `?` stand for other characters.")
    variable: Names = Field((), description="Columns, one or a list; `*` and `?` stand for other characters.")
    subjects: Names = Field((), description="Subjects by their key.")
    sites: Names = Field((), description="Sites as the table of subjects names them.")
    visits: Names = Field((), description="Visits by number or name.")
    arm: Names = Field((), description="Planned arms as the table of subjects names them.")
    where: str | None = Field(None, description="A condition on the rows, such as LBTESTCD = 'ALT' and LBSTRESN > 40.")


class Fault(Document):
    """One fault of a plan: a kind, how often, where."""

    kind: str = Field(description="The kind's name.")
    rate: float | None = Field(None, gt=0, le=1, description="Share of the places that the kind and the target allow.")
    count: int | None = Field(None, ge=1, strict=True, description="How many, instead of a rate.")
    target: Target = Field(Target(), description="Where.")
    severity: Severity | None = Field(None, description="By default the kind's own.")
    mechanism: Mechanism = Field(Mechanism(), description="How the places are chosen.")
    parameters: dict[str, Any] = Field({}, description="The kind's own parameters.")
    seed: int | None = Field(None, ge=0, strict=True, description="By default that of the whole plan.")
    optional: bool = Field(False, description="Leave the fault out, with a note, where there is no place for it.")

    @model_validator(mode="after")
    def _one_amount(self) -> Fault:
        if (self.rate is None) == (self.count is None):
            raise ValueError("give either `rate` or `count`")
        return self


class Plan(Document):
    """Faults in the order in which they are injected; those of the included profiles come first.

    `apart`: no subject gets faults of two entries, so that a fault that spreads hides no other.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", title="DataReplicator plan of faults")

    name: str = Field("", description="The profile's name.")
    summary: str = Field("", description="What the profile stands for.")
    include: Names = Field((), description="Profiles that come before: names of bundled ones, or paths of files.")
    apart: bool = Field(False, description="Keep the subjects of different entries apart.")
    faults: tuple[Fault, ...] = Field((), description="The faults.")


def profile_names() -> list[str]:
    """The bundled profiles.

    >>> "messy-site" in profile_names()
    True
    """
    return sorted(entry.name.removesuffix(".yaml") for entry in PROFILE_FOLDER.iterdir() if entry.name.endswith("yaml"))


PlanLike = Plan | str | Path | Sequence["Plan | str | Path"] | dict[str, Any]


def as_plan(plan: PlanLike) -> Plan:
    """A plan from a profile's name, a path, a mapping, or several of these one after another; includes resolved.

    Raises RequestError for what is unknown or contradicts itself.
    """
    if isinstance(plan, list | tuple):
        parts = [as_plan(one) for one in plan]
        whole = Plan(
            name=" + ".join(part.name for part in parts if part.name),
            summary=" ".join(part.summary for part in parts if part.summary),
            apart=any(part.apart for part in parts),
            faults=tuple(fault for part in parts for fault in part.faults),
        )
    elif isinstance(plan, Plan):
        whole = _resolved(plan, Path(), ())
    elif isinstance(plan, dict):
        whole = _resolved(_checked(plan, Place()), Path(), ())
    else:
        whole = _read(str(plan), Path(), ())
    if not whole.faults:
        raise RequestError("the plan names no fault.", hint=f"Bundled profiles are {', '.join(profile_names())}.")
    for fault in whole.faults:
        check_parameters(fault)
    return whole


def check_parameters(fault: Fault) -> Document:
    """The parameters of a fault as its kind wants them. Raises RequestError for an unknown kind or parameter."""
    kind = kind_named(fault.kind)
    try:
        return kind.parameters.model_validate(fault.parameters)
    except ValidationError as error:
        problems = " ".join(problem(detail, kind.parameters) for detail in error.errors())
        raise RequestError(f"parameters of {fault.kind}: {problems}") from error


def _read(name: str, folder: Path, above: tuple[str, ...]) -> Plan:
    if name in above:
        raise RequestError(f"the profile {name!r} includes itself.")
    bundled = PROFILE_FOLDER / f"{name}.yaml"
    path = folder / name
    if bundled.is_file():
        text, place = bundled.read_bytes(), Place(file=f"{name}.yaml")
    elif path.is_file():
        if path.stat().st_size > MOST_BYTES:
            raise RequestError(f"is larger than {MOST_BYTES:,} bytes: no plan of faults.", place=Place(file=str(path)))
        text, place = path.read_bytes(), Place(file=str(path))
    else:
        raise RequestError(
            f"there is no profile {name!r} and no file of that name.", hint=nearest(name, profile_names())
        )
    try:
        content = yaml.load(text, Loader=PlainLoader)
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise RequestError(f"{line}{error.problem}.", place=place, hint="The plan must be YAML.") from error
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise RequestError("is not readable as YAML.", place=place) from error
    if not isinstance(content, dict):
        raise RequestError("must be a YAML mapping with the key `faults`.", place=place)
    return _resolved(_checked(content, place), path.parent, (*above, name))


def _resolved(plan: Plan, folder: Path, above: tuple[str, ...]) -> Plan:
    included = [_read(name, folder, above) for name in plan.include]
    faults = tuple(fault for part in included for fault in part.faults) + plan.faults
    apart = plan.apart or any(part.apart for part in included)
    return plan.model_copy(update={"include": (), "faults": faults, "apart": apart})


def _checked(content: dict[str, Any], place: Place) -> Plan:
    try:
        return Plan.model_validate(content)
    except ValidationError as error:
        raise RequestError(" ".join(problem(d, Plan) for d in error.errors()), place=place) from error


def problem(detail: Any, model: type[Document]) -> str:
    """One line of what pydantic found in a plan, with the near names of an unknown key."""
    path = [str(int(part) + 1) if isinstance(part, int) else str(part) for part in detail["loc"]]
    where = ".".join(path)
    if detail["type"] == "extra_forbidden":
        return f"unknown key {where!r}. {nearest(path[-1], _keys_at(model, detail['loc'][:-1]))}"
    if detail["type"] == "missing":
        return f"{where} is missing."
    if detail["type"] == "value_error":
        return f"{where}: {detail['msg'].removeprefix('Value error, ')}.".removeprefix(": ")
    return f"{where} must be {detail['msg'].removeprefix('Input should be ')}, not {detail['input']!r}."


def _keys_at(model: type[Document], path: Sequence[str | int]) -> list[str]:
    """The keys that a plan knows at a place."""
    inner = {"faults": Fault, "target": Target, "mechanism": Mechanism}
    for part in path:
        model = inner.get(str(part), model)
    return list(model.model_fields)


def plan_schema() -> dict[str, Any]:
    """The JSON Schema of a plan."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Plan.model_json_schema()}

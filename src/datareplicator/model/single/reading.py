"""Checking a model document of plain tables: older forms are brought up to date, mistakes are named with their path."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any

from pydantic import BaseModel, ValidationError

from datareplicator.errors import ModelError, Place
from datareplicator.model.single import document as parts
from datareplicator.model.single.document import VERSION, SingleModel

_TAGS = frozenset({"numerical", "categorical", "pii", "datetime"})
_SIMILAR = 0.85
_ALIASES = {
    "credit card": "credit_card",
    "creditcard": "credit_card",
    "card": "credit_card",
    "mail": "email",
    "telephone": "phone",
    "phone_number": "phone",
    "names": "name",
    "full_name": "name",
    "person_name": "name",
    "ip_address": "ip",
    "social_security": "ssn",
    "zip": "postcode",
    "birth_date": "date_of_birth",
    "dob": "date_of_birth",
}
_COLUMN_PARTS: dict[str, tuple[type[BaseModel], type[BaseModel] | None]] = {
    "numerical": (parts.NumericalParams, parts.NumericalBounds),
    "categorical": (parts.CategoricalParams, None),
    "pii": (parts.PiiParams, None),
    "datetime": (parts.DatetimeParams, parts.DatetimeBounds),
}


def read_document(content: Any, place: Place | None = None) -> SingleModel:
    """The checked model of a document, brought to the present version.

    Raises ModelError with the path of what is wrong, such as ``columns[2].params.std``.
    """
    if isinstance(content, SingleModel):
        return content
    if not isinstance(content, Mapping):
        raise ModelError(
            f"a model is a JSON object with metadata and columns, not a {type(content).__name__}.", place=place
        )
    if "metadata" not in content and "columns" not in content and "tables" not in content:
        raise ModelError("the document is no model: it has neither metadata nor columns.", place=place)
    upgraded = migrate(content, place)
    _check_spelling(upgraded, place)
    try:
        return SingleModel.model_validate(upgraded)
    except ValidationError as error:
        raise ModelError(problems(error), place=place) from error


def problems(error: ValidationError) -> str:
    """What pydantic found, each with its path in the document; at most three."""
    said = []
    for detail in error.errors()[:3]:
        path = path_text(detail["loc"]) or "the document"
        text = detail["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
        must = "" if detail["type"] == "value_error" else "must be "
        must = "" if detail["type"] in ("missing", "union_tag_invalid", "union_tag_not_found") else must
        said.append(f"{path}: {must}{text}.")
    rest = len(error.errors()) - len(said)
    return " ".join(said) + (f" And {rest} more." if rest > 0 else "")


def path_text(path: tuple[int | str, ...]) -> str:
    """A path as people write it.

    >>> path_text(("columns", 2, "numerical", "params", "std"))
    'columns[2].params.std'
    """
    out = ""
    for k, part in enumerate(path):
        if part in _TAGS and k and isinstance(path[k - 1], int):
            continue
        out += f"[{part}]" if isinstance(part, int) else f".{part}" if out else str(part)
    return out


def _columns(content: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """All columns that are objects, with their paths."""
    tables = content.get("tables")
    owners = [("", content)]
    if isinstance(tables, Mapping):
        owners += [(f"tables.{name}.", table) for name, table in tables.items() if isinstance(table, Mapping)]
    return [
        (f"{path}columns[{k}]", column)
        for path, owner in owners
        if isinstance(owner.get("columns"), list | tuple)
        for k, column in enumerate(owner["columns"])
        if isinstance(column, dict)
    ]


def _check_spelling(content: Mapping[str, Any], place: Place | None) -> None:
    """Refuse names that are nearly ones we know: a misspelt field would be passed over in silence."""
    for path, column in _columns(content):
        known = _COLUMN_PARTS.get(str(column.get("type")))
        if known is None:
            continue
        groups = [(path, column, ("name", "type", "params", "constraints"))]
        for name, model in zip(("params", "constraints"), known, strict=True):
            if model is not None and isinstance(column.get(name), Mapping):
                groups.append((f"{path}.{name}", column[name], tuple(model.model_fields)))
        for where, mapping, fields in groups:
            for key in mapping:
                near = difflib.get_close_matches(str(key), fields, n=1, cutoff=_SIMILAR)
                if key not in fields and near and near[0] not in mapping:
                    raise ModelError(f"{where}.{key}: unknown; did you mean {near[0]}?", place=place)


def _usual_names(content: dict[str, Any]) -> None:
    """Documents from before the version: other names of kinds of personal data and of the bounds of dates."""
    for _, column in _columns(content):
        params, bounds = column.get("params"), column.setdefault("constraints", {})
        if not isinstance(params, dict) or not isinstance(bounds, dict):
            continue
        kind = params.get("pii_type")
        if isinstance(kind, str) and kind not in parts.PII_TYPES:
            params["pii_type"] = _ALIASES.get(kind.lower(), kind)
        if column.get("type") == "datetime":
            for name, others in _OLD_BOUNDS.items():
                found = [params.pop(n) for n in (name, *others) if n in params]
                found += [bounds.pop(n) for n in others if n in bounds]
                if found:
                    bounds.setdefault(name, found[0])


_OLD_BOUNDS = {"min": ("min_date", "start"), "max": ("max_date", "end")}
MIGRATIONS: dict[str | None, tuple[str, Callable[[dict[str, Any]], None]]] = {None: (VERSION, _usual_names)}
"""From a version (None: written before there were any) to the next, and what has to be done to the document."""


def migrate(content: Mapping[str, Any], place: Place | None = None) -> dict[str, Any]:
    """A copy of a document in the present version; the original is not changed. Raises ModelError."""
    metadata = content.get("metadata", {})
    if not isinstance(metadata, Mapping):
        raise ModelError("metadata: must be an object.", place=place)
    version = metadata.get("version")
    if isinstance(version, bool) or not isinstance(version, str | int | float | None):
        raise ModelError('metadata.version: must be a text such as "1.0".', place=place)
    version = "1.0" if version in (1, "1") else None if version is None else str(version)
    if version == VERSION and _has_old_names(content):
        version = None  # written by hand after an old example, whatever it calls itself
    upgraded: dict[str, Any] = {**content, "metadata": {**metadata, "version": version or VERSION}}
    if version in MIGRATIONS:
        upgraded = deepcopy(upgraded)
    while version in MIGRATIONS:
        version, step = MIGRATIONS[version]
        step(upgraded)
        upgraded["metadata"]["version"] = version
    if not str(version).startswith("1."):
        raise ModelError(
            f"metadata.version: this software reads version {VERSION}, not {version}.",
            place=place,
            hint="Use the software that made it, or profile the data again.",
        )
    return upgraded


def _has_old_names(content: Mapping[str, Any]) -> bool:
    old = {name for names in _OLD_BOUNDS.values() for name in names}
    for _, column in _columns(content):
        params, kind = column.get("params"), column.get("type")
        if not isinstance(params, Mapping):
            continue
        if kind == "datetime" and (
            (old | set(_OLD_BOUNDS)) & set(params) or old & set(column.get("constraints") or ())
        ):
            return True
        if kind == "pii" and params.get("pii_type") not in parts.PII_TYPES:
            return True
    return False


def document_schema() -> dict[str, Any]:
    """The JSON Schema of a Synthetic Model Definition."""
    schema = SingleModel.model_json_schema(mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}

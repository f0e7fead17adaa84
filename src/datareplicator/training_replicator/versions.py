"""Versions of models in a folder: which there are, how they differ, which one is in use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from datareplicator.errors import ModelError, Place, RequestError
from datareplicator.formats.atomic import os_errors
from datareplicator.training_replicator.files import NAME, read_model

MARK = ".promoted"
"""What the file that names the promoted version ends in."""
_ABSENT = "(absent)"


@dataclass(frozen=True)
class Version:
    """One stored model: its `name`, when it was stored, where, and whether it is the promoted one of its name."""

    name: str
    date: datetime
    path: str
    promoted: bool


@dataclass(frozen=True)
class Change:
    """One difference of two models: the `path` in the document, what stands there in the first and in the second."""

    path: str
    before: Any
    after: Any


def list_versions(folder: Path, name: str | None) -> list[Version]:
    """The models in a folder, by name, oldest first."""
    found = []
    for path in folder.glob("*_model.json*") if folder.is_dir() else ():
        named = NAME.fullmatch(path.name)
        if named is None or name not in (None, named["name"]):
            continue
        date = datetime.strptime(named["stamp"], "%Y%m%d_%H%M%S")
        found.append(Version(named["name"], date, str(path), _promoted_file(folder, named["name"]) == path.name))
    return sorted(found, key=lambda v: (v.name, v.date))


def _promoted_file(folder: Path, name: str) -> str | None:
    try:
        return (folder / (name + MARK)).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return None


def promoted_path(folder: Path, name: str) -> Path:
    """The promoted model of a name. Raises ModelError where there is none."""
    file = _promoted_file(folder, name)
    if file is None:
        raise ModelError(f"no version of {name!r} is promoted.", place=Place(file=str(folder)))
    path = folder / Path(file).name
    if not path.is_file():
        raise ModelError("the promoted version is not there.", place=Place(file=str(path)), hint="Promote another.")
    return path


def promote(folder: Path, path: Path) -> None:
    """Make a stored model the one in use. Raises RequestError where it is none of this folder, ModelError where it
    cannot be read."""
    named = NAME.fullmatch(path.name)
    if named is None or path.resolve().parent != folder.resolve():
        raise RequestError(f"{path} is no version of a model in {folder}.", hint="Name a file that list() shows.")
    read_model(path)
    target = folder / (named["name"] + MARK)
    partial = target.with_name(f".{target.name}.part")
    with os_errors(target):
        partial.write_text(path.name + "\n", encoding="utf-8")
        partial.replace(target)


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """Where two models differ, columns matched by their names; the dates of the models do not count."""
    first, second = _by_name(before), _by_name(after)
    for model in (first, second):
        model["metadata"] = {k: v for k, v in model.get("metadata", {}).items() if k != "date"}
    return list(_walk("", first, second))


def _by_name(model: Mapping[str, Any]) -> dict[str, Any]:
    out = dict(model)
    if isinstance(out.get("columns"), list | tuple):
        out["columns"] = {column["name"]: column for column in out["columns"]}
    if isinstance(out.get("tables"), Mapping):
        out["tables"] = {name: _by_name(table) for name, table in out["tables"].items()}
    return out


def _walk(path: str, before: Any, after: Any) -> Iterator[Change]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in [*before, *(k for k in after if k not in before)]:
            step = f"{path}.{key}" if path else str(key)
            if key not in before or key not in after:
                yield Change(step, before.get(key, _ABSENT), after.get(key, _ABSENT))
            else:
                yield from _walk(step, before[key], after[key])
    elif before != after:
        yield Change(path, before, after)

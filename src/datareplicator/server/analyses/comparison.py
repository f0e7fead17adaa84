"""Documents of the same kind side by side: where they differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from datareplicator.server.analyses.schemas import Difference

MOST = 2000
HEAD = ("standard", "subjects", "rows", "subject_key", "root", "reference_start", "arm", "site", "visit")
LISTS = (
    "derivations",
    "dependencies",
    "references",
    "links",
    "orders",
    "supplements",
    "notes",
    "not_learned",
    "corrections",
)


def compare(documents: Sequence[Mapping[str, Any]]) -> tuple[list[Difference], int, bool]:
    """Differences of profiles or explanations, how many aspects are alike, and whether there are more than shown."""
    differences, same = [], 0
    for place, aspect, values in _aspects(documents):
        if all(value == values[0] for value in values[1:]):
            same += 1
        else:
            differences.append(Difference(place=place, aspect=aspect, values=values))
    return differences[:MOST], same, len(differences) > MOST


def _aspects(documents: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str, list[Any]]]:
    for name in HEAD:
        values = [document.get(name) for document in documents]
        if any(value is not None for value in values):
            yield "study", name, values
    for name in LISTS:
        yield from _lists(name, [document.get(name) or [] for document in documents])
    tables = [{t["name"]: t for t in document.get("tables", ())} for document in documents]
    for table in _names(tables):
        own = [found.get(table) for found in tables]
        if any(one is None for one in own):
            yield table, "table", [None if one is None else "present" for one in own]
            continue
        present = [one for one in own if one is not None]
        for aspect in ("rows", "subjects", "layout", "key"):
            yield table, aspect, [one.get(aspect) for one in present]
        yield from _columns(table, [_by_name(one["columns"]) for one in present])


def _lists(name: str, found: Sequence[Sequence[Any]]) -> Iterator[tuple[str, str, list[Any]]]:
    """Sayings that only some have."""
    said = [[_said(one) for one in each] for each in found]
    for one in dict.fromkeys(text for each in said for text in each):
        yield "study", f"{name}: {one}", [one in each for each in said]


def _said(one: Any) -> str:
    return f"{one['table']}.{one['said']}" if isinstance(one, Mapping) else str(one)


def _by_name(columns: Any) -> dict[str, Mapping[str, Any]]:
    """Columns of a profile (a list) or of an explanation (names and kinds)."""
    if isinstance(columns, Mapping):
        return {name: {"kind": kind} for name, kind in columns.items()}
    return {column["name"]: column for column in columns}


def _columns(table: str, found: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str, list[Any]]]:
    for column in _names(found):
        place = f"{table}.{column}"
        own = [each.get(column) for each in found]
        if any(one is None for one in own):
            yield place, "column", [None if one is None else "present" for one in own]
            continue
        for aspect in ("kind", "type", "label", "missing", "distinct", "computed", "pii", "quantiles", "categories"):
            values = [one.get(aspect) for one in own if one is not None]
            if any(value is not None for value in values):
                yield place, aspect, values


def _names(found: Sequence[Mapping[str, Any]]) -> list[str]:
    return list(dict.fromkeys(name for each in found for name in each))

"""CDISC Dataset-JSON 1.1: metadata and rows of one data set, as JSON, as NDJSON, or as a note beside another file.

Source: CDISC, "Dataset-JSON Version 1.1". A ``date`` with ``targetDataType: integer`` is a number of SAS that the file
writes as ISO 8601; without a target it is ISO 8601 text and stays so.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from datareplicator.errors import Place, SourceError
from datareplicator.formats.layout import TableLayout
from datareplicator.formats.normalise import arrow_from_values, check_names, column_from_arrow
from datareplicator.formats.options import ItemOptions, JsonOptions
from datareplicator.study import Column, ColumnType, Origin, Table

_STAMP = "1970-01-01T00:00:00"
_KEPT = (
    "studyOID",
    "metaDataVersionOID",
    "fileOID",
    "originator",
    "sourceSystem",
    "metaDataRef",
    "itemGroupOID",
    "name",
    "dbLastModifiedDateTime",
)
_DATA_TYPES: dict[ColumnType, tuple[str, str | None]] = {
    "text": ("string", None),
    "integer": ("integer", None),
    "float": ("float", None),
    "boolean": ("boolean", None),
    "date": ("date", "integer"),
    "datetime": ("datetime", "integer"),
    "time": ("time", "integer"),
}
_COUNT_WIDTH = 12


def quote(text: str) -> str:
    """A JSON string."""
    return json.dumps(text, ensure_ascii=False)


def is_dataset(value: Mapping[str, Any]) -> bool:
    """Whether a JSON object is Dataset-JSON, with or without rows."""
    return "datasetJSONVersion" in value and isinstance(value.get("columns"), list)


def table(meta: Mapping[str, Any], rows: Sequence[Any], name: str, shown: str, kind: str) -> Table:
    """A normalised table of Dataset-JSON metadata and rows.

    Raises `SourceError` where a row has too few or too many values, or a value is not of the declared type.
    """
    place = Place(shown, name)
    described = _described(meta, place)
    check_names([str(item["name"]) for item in described], place)
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, list) or len(row) != len(described):
            size = f"{len(row)} values" if isinstance(row, list) else f"a {type(row).__name__}"
            raise SourceError(
                f"the row has {size} instead of {len(described)} values.",
                place=Place(shown, name, row=number),
                hint="Export it again.",
            )
    if kind == "json" and isinstance(meta.get("records"), int) and meta["records"] != len(rows):
        raise SourceError(
            f"the file announces {meta['records']} rows and holds {len(rows)}.", place=place, hint="The file was cut."
        )
    series: dict[str, pd.Series] = {}
    columns: dict[str, Column] = {}
    for at, item in enumerate(described):
        column = str(item["name"])
        values = _values([row[at] for row in rows], item, Place(shown, name, column))
        series[column], found, blank = column_from_arrow(values, Place(shown, name, column))
        columns[column] = Column(column, found, blank=blank, **_metadata(item))
    kept = {key: meta[key] for key in _KEPT if key in meta}
    types = {str(item["name"]): [item.get("dataType"), item.get("targetDataType")] for item in described}
    items = {str(item["name"]): {k: item[k] for k in ("itemOID", "keySequence") if k in item} for item in described}
    options = {"shape": "dataset-json", "dataset": kept, "types": types, "items": items}
    frame = pd.DataFrame(series, copy=False)
    return Table(name, frame, columns, str(meta.get("label") or ""), Origin(kind, Path(shown).name, options))


def _described(meta: Mapping[str, Any], place: Place) -> list[Mapping[str, Any]]:
    items = meta["columns"]
    if not all(isinstance(item, dict) and isinstance(item.get("name"), str) for item in items):
        raise SourceError("a column has no name.", place=place, hint="Export it again.")
    return items


def _metadata(item: Mapping[str, Any]) -> dict[str, Any]:
    length = item.get("length")
    return {
        "label": str(item.get("label") or ""),
        "length": length if isinstance(length, int) else None,
        "format": str(item.get("displayFormat") or ""),
    }


def _values(values: list[Any], item: Mapping[str, Any], place: Place) -> pa.ChunkedArray:
    """The values of a column in the type that the metadata declares."""
    kind, target = item.get("dataType"), item.get("targetDataType")
    data = arrow_from_values([None if value == "" and kind != "string" else value for value in values], place)
    try:
        if kind in ("float", "double", "decimal"):
            return data.cast(pa.float64())
        if kind == "integer":
            return data.cast(pa.int64())
        if kind == "boolean":
            return data.cast(pa.bool_())
        if target in ("integer", "decimal") and kind in ("date", "datetime"):
            stamp = _stamps(data.cast(pa.string()))
            return stamp.cast(pa.date32()) if kind == "date" else stamp
        if target in ("integer", "decimal") and kind == "time":
            spans = pd.to_timedelta(pd.Series(data.cast(pa.string()).to_pylist(), dtype="str"))
            return pa.chunked_array([pa.array(spans.astype("timedelta64[us]"), pa.duration("us"))])
        return data.cast(pa.string())
    except (pa.ArrowException, ValueError) as error:
        raise SourceError(
            f"a value is not of the declared type {kind} ({str(error).splitlines()[0]}).",
            place=place,
            hint="Export it again.",
        ) from error


def _stamps(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """ISO 8601 text as moments, of UTC where the text carries an offset."""
    try:
        return texts.cast(pa.timestamp("us"))
    except pa.ArrowInvalid:
        return texts.cast(pa.timestamp("us", "UTC"))


def head(layout: TableLayout, records: int | None) -> str:
    """The metadata of a data set as JSON. `records` is written at a fixed width, so that it can be filled in later."""
    kind = "ndjson" if layout.came_from("ndjson") else "json"
    own, name = layout.own_options(kind, JsonOptions), layout.name.upper()
    kept = {key: own.dataset[key] for key in _KEPT if key in own.dataset}
    meta = {
        "datasetJSONCreationDateTime": _STAMP,
        "datasetJSONVersion": "1.1.0",
        "itemGroupOID": f"IG.{name}",
        "name": name,
        **kept,
        "label": layout.label,
        "columns": [_item(column, name, own) for column in layout.columns.values()],
    }
    text = json.dumps(meta, ensure_ascii=False, separators=(",", ":"))
    count = f"{0 if records is None else records:<{_COUNT_WIDTH}}"
    return f'{text[:-1]},"records":{count}}}'


def _item(column: Column, table_name: str, own: JsonOptions) -> dict[str, Any]:
    kind, target = own.types.get(column.name, (None, None))
    if _column_type(kind, target) != column.type:
        kind, target = _DATA_TYPES[column.type]
    item: dict[str, Any] = {"itemOID": f"IT.{table_name}.{column.name}", "name": column.name, "label": column.label}
    item |= {"dataType": kind, "targetDataType": target, "length": column.length, "displayFormat": column.format}
    kept = own.items.get(column.name, ItemOptions()).model_dump(exclude_none=True)
    return {key: value for key, value in (item | kept).items() if value or key == "label"}


def decimals(layout: TableLayout, kind: str) -> frozenset[str]:
    """The float columns that a Dataset-JSON source wrote as text, to keep every digit."""
    own = layout.own_options(kind, JsonOptions)
    floats = {name for name, column in layout.columns.items() if column.type == "float"}
    return frozenset(name for name in floats if own.types.get(name) == ("decimal", "decimal"))


def _column_type(kind: str | None, target: str | None) -> ColumnType | None:
    """The type of a column that Dataset-JSON declares so, or None for what the standard does not know."""
    if kind in ("date", "datetime", "time"):
        return "text" if target is None else kind
    if kind == target == "decimal":
        return "float"
    known: dict[str, ColumnType] = {"string": "text", "URI": "text", "integer": "integer", "boolean": "boolean"}
    return known.get(kind or "", "float" if kind in ("float", "double", "decimal") and target is None else None)


def with_note(found: Table, path: Path) -> Table:
    """The table with label, lengths and formats from a ``NAME.meta.json`` beside its file, where it has none itself."""
    try:
        meta = json.loads(path.read_text(encoding="utf-8-sig"))
    except ValueError as error:
        raise SourceError(f"this is no JSON ({error}).", place=Place(path.name), hint="Export it again.") from error
    if not isinstance(meta, dict) or not is_dataset(meta):
        return found
    notes = {str(item["name"]): _metadata(item) for item in _described(meta, Place(path.name))}
    columns = {}
    for name, column in found.columns.items():
        missing = {key: value for key, value in notes.get(name, {}).items() if value and not getattr(column, key)}
        columns[name] = dataclasses.replace(column, **missing)
    return Table(found.name, found.frame, columns, found.label or str(meta.get("label") or ""), found.origin)

"""JSON and NDJSON: a list of records, an object of such lists, or CDISC Dataset-JSON (`dataset_json`).

Text stays text: JSON says itself what is a number.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from datareplicator.errors import Place, SourceError
from datareplicator.formats import dataset_json
from datareplicator.formats.dialect import decode_text
from datareplicator.formats.json_tokens import join, tokens
from datareplicator.formats.layout import TableLayout, let_go
from datareplicator.formats.normalise import arrow_from_values, table_from_arrow
from datareplicator.formats.options import JsonOptions
from datareplicator.study import Origin, Table

_COMPRESSED_LIMIT = 4 << 30


def read_json(path: Path, shown: str) -> list[Table]:
    """The tables of a JSON file.

    Raises `SourceError` where the file is no JSON, or its shape is none of those above.
    """
    return _tables(_load(_text(path.read_bytes(), shown), shown), path.stem, shown)


def read_compressed(path: Path, shown: str) -> list[Table]:
    """The table of a compressed Dataset-JSON file (``.dsjc``): zlib as the standard says, or gzip as found.

    Raises `SourceError` as `read_ndjson`.
    """
    raw = path.read_bytes()
    engine = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
    try:
        plain = engine.decompress(raw, _COMPRESSED_LIMIT)
    except (zlib.error, gzip.BadGzipFile) as error:
        raise SourceError(
            f"the file cannot be unpacked ({error}).", place=Place(shown), hint="Export it again."
        ) from error
    if not engine.eof:
        raise SourceError(
            "the file was cut, or unpacks to more than 4 GiB.",
            place=Place(shown),
            hint="Export it again, uncompressed.",
        )
    return _lines(_text(plain, shown), path.stem, shown, "dsjc")


def read_ndjson(path: Path, shown: str) -> list[Table]:
    """The table of a file with one JSON value a line.

    Raises `SourceError` naming the line that is no JSON record.
    """
    return _lines(_text(path.read_bytes(), shown), path.stem, shown, "ndjson")


def _text(raw: bytes, shown: str) -> str:
    return decode_text(raw, Place(shown))[0].removeprefix("\ufeff")


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise KeyError(next(name for name in names if names.count(name) > 1))
    return found


def _load(text: str, shown: str, row: int | None = None) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_pairs)
    except KeyError as error:
        raise SourceError(
            "the column name occurs more than once in a record.",
            place=Place(shown, column=str(error.args[0]), row=row),
            hint="Give every column a name of its own.",
        ) from error
    except (ValueError, RecursionError) as error:
        raise SourceError(
            f"this is no JSON ({error}).", place=Place(shown, row=row), hint="Export it again."
        ) from error


def _tables(value: Any, stem: str, shown: str) -> list[Table]:
    if isinstance(value, list):
        return [_records(value, stem, shown, "records")]
    if isinstance(value, dict) and dataset_json.is_dataset(value):
        return [dataset_json.table(value, value.get("rows") or [], stem, shown, "json")]
    if isinstance(value, dict) and value and all(isinstance(part, list) for part in value.values()):
        return [_records(part, name, shown, "tables") for name, part in value.items()]
    raise SourceError(
        "the JSON is no list of records, no object of such lists and no Dataset-JSON.",
        place=Place(shown),
        hint='Write [{"column": value, ...}, ...].',
    )


def _lines(text: str, stem: str, shown: str, kind: str) -> list[Table]:
    values = [_load(line, shown, row) for row, line in enumerate(text.split("\n"), start=1) if line.strip()]
    if len(values) == 1 and kind == "dsjc":
        return _tables(values[0], stem, shown)
    if values and isinstance(values[0], dict) and dataset_json.is_dataset(values[0]):
        return [dataset_json.table(values[0], values[1:], stem, shown, "ndjson")]
    return [_records(values, stem, shown, "records", "ndjson")]


def _records(records: Iterable[Any], name: str, shown: str, shape: str, kind: str = "json") -> Table:
    rows = list(records)
    names: dict[str, None] = {}
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, dict):
            raise SourceError(
                f"expected a record, found a {type(row).__name__}.",
                place=Place(shown, name, row=number),
                hint='Write {"column": value, ...}.',
            )
        names.update(dict.fromkeys(row))
    columns = {
        column: arrow_from_values([row.get(column) for row in rows], Place(shown, name, column)) for column in names
    }
    return table_from_arrow(name, columns, Origin(kind, Path(shown).name, {"shape": shape}))


class LineWriter:
    """Writes one NDJSON file, a record a line; Dataset-NDJSON where the source was."""

    kind = "ndjson"
    opening, separator, closing = "", "\n", "\n"

    def __init__(self, path: Path, layout: TableLayout) -> None:
        self._layout, self._path = layout, path
        self._dataset = layout.own_options(self.kind, JsonOptions).shape == "dataset-json"
        self._decimals = dataset_json.decimals(layout, self.kind)
        self._rows = 0
        self._stream = path.open("w", encoding="utf-8", newline="")
        self._stream.write(self._head())

    def _head(self) -> str:
        return dataset_json.head(self._layout, None) + "\n" if self._dataset else ""

    def append(self, frame: pd.DataFrame) -> None:
        """Add rows, columns in the layout's order."""
        if not len(frame):
            return
        place = Place(self._path.name, self._layout.name)
        parts: list[Any] = ["[" if self._dataset else "{"]
        for column in self._layout.columns.values():
            comma = "," if len(parts) > 1 else ""
            parts.append(comma if self._dataset else f"{comma}{dataset_json.quote(column.name)}:")
            as_text = column.name in self._decimals
            parts.append(tokens(frame[column.name], column, place, self._rows + 1, quoted=as_text))
        lines = join([*parts, "]" if self._dataset else "}"])
        self._stream.write((self.separator if self._rows else self.opening) + self.separator.join(lines))
        self._rows += len(frame)

    def close(self) -> None:
        """Finish the file."""
        self._stream.write(self.closing)
        self._stream.close()

    def abort(self) -> None:
        """Let go of the file."""
        let_go(self._stream)


class ArrayWriter(LineWriter):
    """Writes one JSON file, a list of records."""

    kind = "json"
    separator = ",\n"

    def _head(self) -> str:
        self.closing = "\n]\n"
        return "[\n"


class DatasetWriter(LineWriter):
    """Writes one CDISC Dataset-JSON 1.1 file.

    The number of records stands before the rows, so its place is kept free and filled in at the end.
    """

    kind = "json"
    separator = ",\n"

    def _head(self) -> str:
        self._dataset = True
        self.closing = "\n]}\n"
        return dataset_json.head(self._layout, 0)[:-1] + ',"rows":[\n'

    def close(self) -> None:
        """Finish the file."""
        self._stream.write(self.closing)
        self._stream.seek(0)
        self._stream.write(dataset_json.head(self._layout, self._rows)[:-1])
        self._stream.close()


def open_json(path: Path, layout: TableLayout) -> LineWriter:
    """The writer of a ``.json`` file: Dataset-JSON where the table came so, else a list of records."""
    shape = layout.own_options("json", JsonOptions).shape
    return DatasetWriter(path, layout) if shape == "dataset-json" else ArrayWriter(path, layout)

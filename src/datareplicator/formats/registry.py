"""The formats by name and file suffix: the one place that knows them all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from datareplicator.errors import RequestError
from datareplicator.formats import delimited, excel, parquet, records, sas7bdat, xport, xport_writer
from datareplicator.formats.layout import TableLayout, TableWriter
from datareplicator.study import Table

WriterFactory = Callable[[Path, TableLayout], TableWriter]


@dataclass(frozen=True)
class Format:
    """A file format: how to read a file of it, and how to write one where we can."""

    name: str
    suffixes: tuple[str, ...]
    read: Callable[[Path, str], list[Table]]
    open_writer: WriterFactory | None = None


FORMATS: dict[str, Format] = {
    entry.name: entry
    for entry in (
        Format("parquet", (".parquet", ".pq"), parquet.read, parquet.Writer),
        Format("csv", (".csv",), delimited.read, delimited.Writer),
        Format("tsv", (".tsv", ".tab"), delimited.read, delimited.TabWriter),
        Format("xpt", (".xpt", ".xport"), xport.read, xport_writer.Writer),
        Format("sas7bdat", (".sas7bdat",), sas7bdat.read),
        Format("json", (".json",), records.read_json, records.open_json),
        Format("ndjson", (".ndjson", ".jsonl"), records.read_ndjson, records.LineWriter),
        Format("dataset-json", (".json",), records.read_json, records.DatasetWriter),
        Format("dsjc", (".dsjc",), records.read_compressed),
        Format("xlsx", (".xlsx", ".xlsm"), excel.read, excel.Writer),
    )
}

BY_SUFFIX: dict[str, Format] = {}
for _entry in FORMATS.values():
    for _suffix in _entry.suffixes:
        BY_SUFFIX.setdefault(_suffix, _entry)  # the first format of a suffix reads it


def format_named(name: str) -> Format:
    """The format of that name.

    Raises `RequestError` where there is none.
    """
    entry = FORMATS.get(name.lower())
    if entry is None:
        raise RequestError(f"the format {name} is unknown; known are {', '.join(FORMATS)}.")
    return entry


def writable(name: str) -> tuple[Format, WriterFactory]:
    """The format of that name and its writer.

    Raises `RequestError` where there is none, or it is only read.
    """
    entry = FORMATS.get(name.lower())
    if entry is None or entry.open_writer is None:
        known = [kind.name for kind in FORMATS.values() if kind.open_writer is not None]
        raise RequestError(f"the format {name} cannot be written; known are {', '.join(known)} and same.")
    return entry, entry.open_writer

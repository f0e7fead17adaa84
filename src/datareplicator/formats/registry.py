"""The formats by name and file suffix: the one place that knows them all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from datareplicator.errors import RequestError
from datareplicator.formats import delimited, excel, parquet, records, sas7bdat, xport, xport_writer
from datareplicator.formats.layout import TableLayout, TableWriter
from datareplicator.study import Table


@dataclass(frozen=True)
class Format:
    """A file format: how to read a file of it, and how to write one where we can."""

    name: str
    suffixes: tuple[str, ...]
    read: Callable[[Path, str], list[Table]]
    open_writer: Callable[[Path, TableLayout], TableWriter] | None = None


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

BY_SUFFIX: dict[str, Format] = {suffix: entry for entry in reversed(FORMATS.values()) for suffix in entry.suffixes}


def format_named(name: str, *, writing: bool = False) -> Format:
    """The format of that name.

    Raises `RequestError` where there is none, or none that can be written.
    """
    entry = FORMATS.get(name.lower())
    if entry is None or (writing and entry.open_writer is None):
        known = [entry.name for entry in FORMATS.values() if entry.open_writer is not None or not writing]
        raise RequestError(f"the format {name} is unknown; known are {', '.join(known)}.")
    return entry

"""Tables beside the results, as Parquet with a list of their columns: what previews and exports read."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from datareplicator.errors import WriteError
from datareplicator.formats import TableLayout
from datareplicator.formats.parquet import Writer
from datareplicator.study import Column, Origin, Study

FOLDER = "tables"
INDEX = "tables.json"


def described(layout: TableLayout, rows: int, file: str) -> dict[str, Any]:
    """One table for the index: enough to show it and to write it in another format."""
    columns = [
        {k: v for k, v in vars(column).items() if v not in ("", None, False)} for column in layout.columns.values()
    ]
    origin = layout.origin
    return {
        "table": layout.name,
        "label": layout.label,
        "rows": rows,
        "file": file,
        "columns": columns,
        "origin": {"format": origin.format, "file": origin.file, "options": dict(origin.options)} if origin else None,
    }


def layout_of(entry: Mapping[str, Any]) -> TableLayout:
    """The layout that an entry of the index describes."""
    origin = Origin(**entry["origin"]) if entry["origin"] else None
    columns = {column["name"]: Column(**column) for column in entry["columns"]}
    return TableLayout(entry["table"], columns, entry["label"], origin)


def write_index(folder: Path, entries: Sequence[Mapping[str, Any]]) -> None:
    """Write the list of tables."""
    (folder / INDEX).write_text(json.dumps(list(entries)), encoding="utf-8")


def write_tables(study: Study, folder: Path) -> list[dict[str, Any]]:
    """Write all tables of a study and their index; its entries."""
    layouts = [TableLayout.of(table) for table in study.tables.values()]
    tables = BesideTables(layouts, folder)
    for table in study.tables.values():
        for start in range(0, len(table), 100_000):
            tables.append(table.name, table.frame.iloc[start : start + 100_000])
    return tables.close()


class BesideTables:
    """Parquet files that grow block by block. A table that takes values which its columns cannot hold (faults put
    them there) is given up, and said to be without preview, rather than the work."""

    def __init__(self, layouts: Sequence[TableLayout], folder: Path) -> None:
        self._folder = folder
        self._layouts = {layout.name: layout for layout in layouts}
        self._rows = dict.fromkeys(self._layouts, 0)
        self._writers: dict[str, Writer] = {}
        (folder / FOLDER).mkdir(parents=True)
        for number, layout in enumerate(layouts):
            plain = TableLayout(layout.name, layout.columns, layout.label)
            self._writers[layout.name] = Writer(folder / FOLDER / f"{number}.parquet", plain)
        self._files = {layout.name: f"{FOLDER}/{number}.parquet" for number, layout in enumerate(layouts)}
        self.lost: list[str] = []

    def append(self, table: str, frame: pd.DataFrame) -> None:
        """Add rows."""
        self._rows[table] += len(frame)
        if table in self.lost:
            return
        try:
            self._writers[table].append(frame[list(self._layouts[table].columns)])
        except WriteError:
            self._writers[table].abort()
            self.lost.append(table)

    def close(self) -> list[dict[str, Any]]:
        """Finish the files and write the index; its entries."""
        entries = []
        for name, layout in self._layouts.items():
            if name in self.lost:
                (self._folder / self._files[name]).unlink(missing_ok=True)
            else:
                self._writers[name].close()
            file = "" if name in self.lost else self._files[name]
            entries.append(described(layout, self._rows[name], file))
        write_index(self._folder, entries)
        return entries


def brief(entries: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The entries without their columns: for summaries."""
    return [
        {"table": e["table"], "label": e["label"], "rows": e["rows"], "columns": len(e["columns"])} for e in entries
    ]

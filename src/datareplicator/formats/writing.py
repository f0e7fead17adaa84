"""Writing studies: whole ones, and streams of blocks with bounded memory. The folder appears whole or not at all."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any

import pandas as pd

from datareplicator.errors import Place, RequestError, WriteError
from datareplicator.formats.atomic import AtomicFolder, os_errors
from datareplicator.formats.layout import TableLayout, TableWriter
from datareplicator.formats.localise import as_written, write_back
from datareplicator.formats.registry import FORMATS, WriterFactory, writable
from datareplicator.study import Column, Origin, Study

_CHUNK_ROWS = 100_000


class StudyWriter:
    """Writes the tables of a study into a folder, block by block.

    A context manager: leaving normally closes and moves the folder into place, leaving by an error (KeyboardInterrupt
    included) removes everything. Further files of your own may be put into `path` before closing.
    """

    def __init__(
        self, folder: Path | str, layouts: Iterable[TableLayout], format: str, *, overwrite: bool = False
    ) -> None:
        self._layouts = {layout.name: layout for layout in layouts}
        files = {name: replace(layout, columns=as_written(layout.columns)) for name, layout in self._layouts.items()}
        plan = {name: _plan(layout, format) for name, layout in files.items()}
        self._files = {name: f"{_file_stem(name)}{suffix}" for name, (suffix, _) in plan.items()}
        _check_files(self._files)
        self._folder = AtomicFolder(folder, overwrite=overwrite).open()
        self._rows = dict.fromkeys(self._layouts, 0)
        self._writers: dict[str, TableWriter] = {}
        self._open = True
        try:
            with os_errors(self._folder.target):
                for name, (_, opener) in plan.items():
                    self._writers[name] = opener(self.path / self._files[name], files[name])
        except BaseException:
            self.abort()
            raise

    @property
    def path(self) -> Path:
        """The hidden folder that is being filled."""
        return self._folder.path

    def append(self, table: str, frame: pd.DataFrame) -> None:
        """Add rows to a table. The frame has the layout's columns in any order; text may be Categorical.

        Raises `WriteError` where the format cannot hold a value or the disk is full; nothing is left then.
        """
        layout = self._layouts.get(table)
        if layout is None:
            raise RequestError(f"no table {table} was announced; known are {', '.join(self._layouts)}.")
        missing = [name for name in layout.columns if name not in frame.columns]
        if missing:
            raise RequestError(f"the rows lack the columns {', '.join(missing)}.", place=Place(table=table))
        try:
            with os_errors(self._folder.target):
                self._writers[table].append(write_back(frame[list(layout.columns)], layout.columns, table))
        except BaseException:
            self.abort()
            raise
        self._rows[table] += len(frame)

    def close(self) -> dict[str, dict[str, Any]]:
        """Finish all files and move the folder into place. Returns ``{file: {"rows": int, "sha256": str}}``."""
        summary = self.finish()
        self.commit()
        return summary

    def finish(self) -> dict[str, dict[str, Any]]:
        """Finish all files but leave the folder hidden, so that a manifest can still be put beside them."""
        try:
            with os_errors(self._folder.target):
                for writer in self._writers.values():
                    writer.close()
                return {
                    file: {"rows": self._rows[name], "sha256": _sha256(self.path / file)}
                    for name, file in self._files.items()
                }
        except BaseException:
            self.abort()
            raise

    def commit(self) -> None:
        """Move the finished folder into place."""
        try:
            self._folder.commit()
        except BaseException:
            self.abort()
            raise
        self._open = False

    def abort(self) -> None:
        """Stop, and leave nothing behind."""
        if not self._open:
            return
        self._open = False
        for writer in self._writers.values():
            writer.abort()
        self._folder.discard()

    def __enter__(self) -> StudyWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self.abort()
        elif self._open:
            self.close()


def open_writer(
    folder: Path | str,
    tables: Iterable[TableLayout | tuple[str, Mapping[str, Column], str, Origin | None]],
    format: str = "parquet",
    *,
    overwrite: bool = False,
) -> StudyWriter:
    """Open a writer for blocks. `tables`: layouts, or tuples of name, columns, label and origin.

    Raises `RequestError` for an unknown format, `WriteError` where the format cannot hold such tables or the folder
    cannot be written.
    """
    layouts = [table if isinstance(table, TableLayout) else TableLayout(*table) for table in tables]
    return StudyWriter(folder, layouts, format, overwrite=overwrite)


def write_study(
    study: Study, folder: Path | str, *, format: str = "parquet", overwrite: bool = False
) -> dict[str, dict[str, Any]]:
    """Write all tables of a study, one file a table, named after the table. Returns as `StudyWriter.close`.

    `format`: parquet, csv, tsv, xpt, json, ndjson, xlsx, or same (each table as it came).

    Raises as `open_writer` and `StudyWriter.append`.
    """
    writer = open_writer(
        folder, [TableLayout.of(table) for table in study.tables.values()], format, overwrite=overwrite
    )
    with writer:
        for table in study.tables.values():
            for start in range(0, len(table), _CHUNK_ROWS):
                writer.append(table.name, table.frame.iloc[start : start + _CHUNK_ROWS])
        return writer.close()


def _plan(layout: TableLayout, name: str) -> tuple[str, WriterFactory]:
    """Suffix and writer of a table; ``same`` falls back to Parquet where the source's format is only read."""
    source = FORMATS.get(layout.origin.format) if layout.origin is not None else None
    if name == "same":
        name = source.name if source is not None and source.open_writer is not None else "parquet"
    kind, opener = writable(name)
    return kind.suffixes[0], opener


def _file_stem(table: str) -> str:
    """The table's name as a file name.

    Raises `WriteError` where it would lead out of the folder or is no file name.
    """
    if not table or table in (".", "..") or any(mark in table for mark in '/\\\0:*?"<>|') or table.startswith("."):
        raise WriteError("the table's name cannot be a file name.", place=Place(table=table), hint="Rename the table.")
    return table


def _check_files(files: Mapping[str, str]) -> None:
    seen: dict[str, str] = {}
    for table, file in files.items():
        other = seen.setdefault(file.lower(), table)
        if other != table:
            raise WriteError(
                f"the tables {other} and {table} would share one file.", place=Place(file), hint="Rename one of them."
            )


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()

"""New rows as files: Parquet, Arrow IPC, CSV."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pyarrow as pa
from pyarrow import csv, feather, parquet

from datareplicator.errors import RequestError
from datareplicator.formats.atomic import AtomicFolder, os_errors


def _arrow(table: pa.Table, path: Path) -> None:
    feather.write_feather(table, path, compression="zstd")


def _parquet(table: pa.Table, path: Path) -> None:
    parquet.write_table(table, path, compression="zstd")


def _csv(table: pa.Table, path: Path) -> None:
    plain = [c.cast(c.type.value_type) if pa.types.is_dictionary(c.type) else c for c in table.columns]
    csv.write_csv(pa.table(plain, names=table.column_names), path)


WRITERS: dict[str, Callable[[pa.Table, Path], None]] = {
    ".parquet": _parquet,
    ".arrow": _arrow,
    ".feather": _arrow,
    ".csv": _csv,
}


def export(data: pa.Table | Mapping[str, pa.Table], path: str | os.PathLike[str]) -> str:
    """Write a table to a file, or several into a folder that appears whole or not at all; the path."""
    target = Path(path)
    if isinstance(data, Mapping):
        folder, suffix = (target.parent, target.suffix) if target.stem == "*" else (target, ".parquet")
        write = _writer(suffix)
        with AtomicFolder(folder) as made:
            for name, table in data.items():
                with os_errors(folder):
                    write(table, made.path / f"{name}{suffix}")
        return str(folder)
    write = _writer(target.suffix)
    partial = target.with_name(f".{target.name}.part")
    with os_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            write(data, partial)
            os.replace(partial, target)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
    return str(target)


def _writer(suffix: str) -> Callable[[pa.Table, Path], None]:
    if suffix not in WRITERS:
        raise RequestError(f"{suffix!r} is no format to write.", hint=f"Choose one of {', '.join(WRITERS)}.")
    return WRITERS[suffix]

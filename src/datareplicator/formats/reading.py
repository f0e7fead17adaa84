"""Reading a study from wherever it lies: a folder, a file, a zip, or frames in memory."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from datareplicator.errors import Place, SourceError
from datareplicator.formats.archive import unpacked
from datareplicator.formats.dataset_json import with_note
from datareplicator.formats.frames import read_frames
from datareplicator.formats.localise import localise
from datareplicator.formats.registry import BY_SUFFIX, FORMATS, Format, format_named
from datareplicator.formats.twins import one_of_each
from datareplicator.study import Study, Table

_IGNORED = {"define.xml", "manifest.json", "report.html", "model.json", "validation.json"}
_NOTE = ".meta.json"
_IGNORED_STARTS = (".", "readme", "~$")


def read_study(source: str | os.PathLike[str] | Mapping[str, Any], *, format: str | None = None) -> Study:
    """Read a study.

    `source`: a folder, a file of one table, a zip, or a mapping of table names to pandas, polars or Arrow frames.
    `format`: read only files of this format (a folder), or read the file as this format whatever its suffix.

    Raises `SourceError`, naming file, table, column and row, where something cannot be read; `RequestError` for an
    unknown format.
    """
    if isinstance(source, Mapping):
        return _study(read_frames(source), "", "frames")
    path = Path(source)
    wanted = format_named(format) if format else None
    if not path.exists():
        raise SourceError("there is no such file or folder.", place=Place(str(path)), hint="Check the path.")
    return _study(_read_path(path, wanted), path.stem, str(path))


def _read_path(path: Path, wanted: Format | None) -> list[Table]:
    if path.is_dir():
        return _read_folder(path, "", wanted)
    if path.suffix.lower() != ".zip":
        return read_file(path, path.name, wanted)
    with _system_errors(path.name), unpacked(path, path.name, lambda name: is_data(name, wanted)) as folder:
        return _read_folder(folder, f"{path.name}/", wanted)


def _study(tables: list[Table], stem: str, shown: str) -> Study:
    by_name, twins = one_of_each(tables, shown)
    if not any(len(table) for table in tables):
        raise SourceError(
            "there are column names at most, but no row.",
            place=Place(shown),
            hint="A study is learned from rows; give files that hold some.",
        )
    local, notes = localise(by_name)
    return Study(local, _study_name(by_name) or stem, (*twins, *notes))


def _study_name(tables: Mapping[str, Table]) -> str:
    """The value of STUDYID where all rows of all tables agree on it."""
    found: set[str] = set()
    for table in tables.values():
        if "STUDYID" in table.columns:
            found.update(str(value) for value in table.frame["STUDYID"].dropna().unique())
    return found.pop() if len(found) == 1 else ""


def _read_folder(folder: Path, prefix: str, wanted: Format | None) -> list[Table]:
    try:
        entries = sorted(
            (e for e in folder.iterdir() if not _is_ignored(e.name)), key=lambda e: (e.name.lower(), e.name)
        )
    except OSError as error:
        raise SourceError(
            f"the folder cannot be listed ({error.strerror}).", place=Place(str(folder)), hint="Check its permissions."
        ) from error
    files = [entry for entry in entries if entry.is_file() and _readable(entry.name, wanted)]
    folders = [entry for entry in entries if entry.is_dir()]
    if not files and len(folders) == 1:
        return _read_folder(folders[0], f"{prefix}{folders[0].name}/", wanted)
    if not files:
        kinds = wanted.suffixes if wanted else tuple(BY_SUFFIX)
        raise SourceError(
            "the folder holds no file that can be read.",
            place=Place(prefix or str(folder)),
            hint=f"Known are {', '.join(kinds)}.",
        )
    return [table for file in files for table in _read_with_note(file, prefix + file.name, wanted)]


def _read_with_note(file: Path, shown: str, wanted: Format | None) -> list[Table]:
    note = file.with_name(file.stem + _NOTE)
    tables = read_file(file, shown, wanted)
    return [with_note(table, note) for table in tables] if note.is_file() else tables


def _is_ignored(name: str) -> bool:
    return name.lower() in _IGNORED or name.lower().startswith(_IGNORED_STARTS) or name == "__MACOSX"


def _readable(name: str, wanted: Format | None) -> bool:
    kind = BY_SUFFIX.get(Path(name).suffix.lower())
    return kind is not None and not name.lower().endswith(_NOTE) and (wanted is None or kind.read == wanted.read)


def is_data(name: str, wanted: Format | None = None) -> bool:
    """Whether a file of an archive is worth unpacking: data, or a note beside data."""
    return not _is_ignored(name) and (_readable(name, wanted) or name.lower().endswith(_NOTE))


@contextlib.contextmanager
def _system_errors(shown: str) -> Iterator[None]:
    """Turn the operating system's refusals into `SourceError`."""
    try:
        yield
    except PermissionError as error:
        raise SourceError(
            "no permission to read the file.", place=Place(shown), hint="Change its permissions."
        ) from error
    except OSError as error:
        raise SourceError(f"the file cannot be read ({error.strerror or error}).", place=Place(shown)) from error


def read_file(path: Path, shown: str, wanted: Format | None = None) -> list[Table]:
    """The tables of one file; `shown` is its name for messages.

    Raises `SourceError` where the suffix is unknown, or the file is empty, unreadable or damaged.
    """
    kind = wanted or BY_SUFFIX.get(path.suffix.lower())
    if kind is None:
        raise SourceError(
            f"files of the suffix {path.suffix or '(none)'} are unknown.",
            place=Place(shown),
            hint=f"Known are {', '.join(BY_SUFFIX)}; or name the format ({', '.join(FORMATS)}).",
        )
    with _system_errors(shown):
        if path.stat().st_size == 0:
            raise SourceError("the file is empty.", place=Place(shown), hint="Export it again, or leave it out.")
        return kind.read(path, shown)

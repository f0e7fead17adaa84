"""Zip files from strangers: checked before anything is unpacked, and unpacked into a folder that goes away again."""

from __future__ import annotations

import contextlib
import shutil
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

from datareplicator.errors import Place, SourceError

MAX_FILES = 10_000
MAX_BYTES = 16 << 30
MAX_RATIO = 300
_SMALL = 10 << 20  # below this many unpacked bytes a high ratio does no harm
_NESTED = {".zip", ".gz", ".tgz", ".tar", ".bz2", ".xz", ".7z", ".rar", ".zst"}


def check_archive(archive: zipfile.ZipFile, shown: str) -> None:
    """Refuse archives that are too large, or whose ratio shows that they were made to fill a disk.

    Raises `SourceError`.
    """
    members = archive.infolist()
    if len(members) > MAX_FILES:
        raise SourceError(
            f"the archive holds {len(members)} files.", place=Place(shown), hint=f"Up to {MAX_FILES} are read."
        )
    unpacked = sum(member.file_size for member in members)
    packed = sum(member.compress_size for member in members)
    worst = max((m.file_size / max(m.compress_size, 1) for m in members if m.file_size > _SMALL), default=0.0)
    ratio = max(worst, unpacked / max(packed, 1) if unpacked > _SMALL else 0.0)
    if unpacked > MAX_BYTES or ratio > MAX_RATIO:
        raise SourceError(
            f"the archive would unpack to {unpacked:,} bytes from {packed:,}; it may be a zip bomb.",
            place=Place(shown),
            hint="Unpack it yourself and give the folder.",
        )


@contextlib.contextmanager
def unpacked(path: Path, shown: str, wanted: Callable[[str], bool]) -> Iterator[Path]:
    """A temporary folder with the archive's files for whose name `wanted` says yes.

    Raises `SourceError` for damaged or encrypted archives, bombs, archives within, links, and paths that lead out.
    """
    with tempfile.TemporaryDirectory(prefix="datareplicator-") as folder:
        try:
            with zipfile.ZipFile(path) as archive:
                check_archive(archive, shown)
                for member in _members(archive, shown):
                    if wanted(PurePosixPath(member.filename).name):
                        _unpack(archive, member, Path(folder))
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
            raise SourceError(
                f"the zip file cannot be read ({error}).",
                place=Place(shown),
                hint="It is damaged or was cut; zip it again.",
            ) from error
        yield Path(folder)


def _members(archive: zipfile.ZipFile, shown: str) -> list[zipfile.ZipInfo]:
    """The files to consider, each checked."""
    found: dict[str, zipfile.ZipInfo] = {}
    for member in archive.infolist():
        name = member.filename
        parts = PurePosixPath(name.replace("\\", "/")).parts
        problem = _problem(member, parts)
        if not problem and name.lower() in found:
            problem = "occurs twice in the archive"
        if problem:
            raise SourceError(f"the file {name} {problem}.", place=Place(shown), hint="Zip the data files alone.")
        if not member.is_dir() and "__MACOSX" not in parts:
            found[name.lower()] = member
    return list(found.values())


def _problem(member: zipfile.ZipInfo, parts: tuple[str, ...]) -> str:
    if member.filename.startswith(("/", "\\")) or ".." in parts or (parts and ":" in parts[0]):
        return "leads out of the archive"
    if stat.S_ISLNK(member.external_attr >> 16):
        return "is a link"
    if member.flag_bits & 1:
        return "is encrypted"
    if parts and PurePosixPath(parts[-1]).suffix.lower() in _NESTED:
        return "is an archive within the archive"
    return ""


def _unpack(archive: zipfile.ZipFile, member: zipfile.ZipInfo, folder: Path) -> None:
    target = folder.joinpath(*PurePosixPath(member.filename.replace("\\", "/")).parts)
    target.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(member) as source, target.open("wb") as sink:
        shutil.copyfileobj(source, sink, 1 << 20)

"""Files on their way in: streamed to disk, counted, named safely, zips unpacked under guard."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect

from datareplicator.formats.archive import unpacked
from datareplicator.formats.reading import is_data
from datareplicator.server.datasets.sniffing import kind_of
from datareplicator.server.problems import Problem

MOST_FILES = 2000
CHUNK = 1 << 20
DEFINE = "define.xml"


@dataclass(frozen=True)
class Received:
    """A file that is here and looked at, but not yet stored."""

    name: str
    path: Path
    format: str
    size: int
    sha256: str


def safe_name(given: str | None) -> str:
    """The file's own name out of what a client calls it. Raises a 422 for names that lead elsewhere.

    >>> safe_name("study/dm.xpt")
    'dm.xpt'
    """
    text = (given or "").replace("\\", "/")
    parts = PurePosixPath(text).parts
    name = parts[-1] if parts else ""
    bad = text.startswith("/") or ".." in parts or (parts and ":" in parts[0]) or name.startswith(".")
    if bad or not name or len(name.encode()) > 200 or any(ord(mark) < 32 for mark in name):
        raise Problem(422, f"{name or given!r} is no name of a file.", hint="Name files by letters and digits.")
    return name


@contextmanager
def staging(data_dir: Path) -> Iterator[Path]:
    """A folder for what comes in; it goes away whatever happens."""
    home = data_dir / "staging"
    home.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=home))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@asynccontextmanager
async def form_files(request: Request, most_bytes: int) -> AsyncIterator[list[UploadFile]]:
    """The files of a multipart request, on disk beyond a megabyte each. Raises 413, 415 and 400."""
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        raise Problem(415, "Files come as multipart/form-data, in one or several fields.")
    parser = MultiPartParser(
        request.headers, counted(request, most_bytes), max_files=MOST_FILES, max_fields=20, max_part_size=1 << 20
    )
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise Problem(400, f"The upload cannot be read: {error.message}") from error
    except ClientDisconnect as error:
        raise Problem(400, "The connection was cut before the upload was complete.") from error
    try:
        files = [value for _, value in form.multi_items() if isinstance(value, UploadFile)]
        if not files:
            raise Problem(422, "There is no file in the request.")
        yield files
    finally:
        await form.close()


async def counted(request: Request, most_bytes: int) -> AsyncIterator[bytes]:
    """The body, refused as soon as it is too long."""
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > most_bytes:
        raise too_large(most_bytes)
    seen = 0
    async for piece in request.stream():
        seen += len(piece)
        if seen > most_bytes:
            raise too_large(most_bytes)
        yield piece


def too_large(most_bytes: int) -> Problem:
    """The answer to more bytes than allowed."""
    return Problem(413, f"At most {most_bytes:,} bytes are taken at once.", hint="Zip the files, or upload fewer.")


async def receive(files: list[UploadFile], folder: Path, most_bytes: int) -> list[Received]:
    """Write uploaded files into a folder and look at them."""
    found = []
    for number, file in enumerate(files):
        name = safe_name(file.filename)
        home = folder / str(number)
        home.mkdir()
        with (home / name).open("wb") as target:
            while piece := await file.read(CHUNK):
                target.write(piece)
        found += await asyncio.to_thread(looked_at, home / name, name, most_bytes)
    return found


def looked_at(path: Path, name: str, most_bytes: int) -> list[Received]:
    """A file with its format and digest; of a zip, its files of data. Raises problems and SourceError."""
    kind = kind_of(path, name)
    if kind != "zip":
        return [_measured(path, name, kind)]
    found = []
    with unpacked(path, name, lambda member: is_data(member) or member.lower() == DEFINE) as inside:
        members = sorted(p for p in inside.rglob("*") if p.is_file())
        if sum(p.stat().st_size for p in members) > most_bytes:
            raise too_large(most_bytes)
        if not members:
            raise Problem(422, f"{name}: the archive holds no file of data.", code="source", place={"file": name})
        home = path.parent / "unpacked"
        home.mkdir()
        for number, member in enumerate(members):
            own = safe_name(member.name)
            target = home / str(number) / own
            target.parent.mkdir()
            shutil.move(member, target)
            found.append(_measured(target, own, kind_of(target, own)))
    return found


def _measured(path: Path, name: str, kind: str) -> Received:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Received(name, path, kind, path.stat().st_size, digest)

"""Answers that are files: with ranges, so that a cut download goes on; folders as a zip made while it is sent."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import AsyncIterator, Sequence
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import Response, StreamingResponse

from datareplicator.server.problems import Problem, not_found
from datareplicator.server.storage import Missing, Storage

TYPES = {
    "json": "application/json",
    "csv": "text/csv; charset=utf-8",
    "tsv": "text/tab-separated-values; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "zip": "application/zip",
}
RANGE = re.compile(r"bytes=(\d*)-(\d*)")
PAGE = (
    "sandbox allow-scripts allow-downloads; default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
    "font-src data:; script-src 'unsafe-inline'"
)
"""A report is a page of its own: it runs without our origin, and loads nothing."""


def type_of(name: str) -> str:
    """The media type of a file's name."""
    return TYPES.get(name.rpartition(".")[2].lower(), "application/octet-stream")


def disposition(name: str, kind: str = "attachment") -> str:
    """The header that names a download (RFC 6266)."""
    plain = re.sub(r"[^\w. -]", "_", name, flags=re.ASCII)
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(name)}"


async def file_answer(
    request: Request, storage: Storage, key: str, name: str, *, sha256: str = "", inline: bool = False
) -> Response:
    """One stored file, or the range of it that was asked for. Raises 404 and 416."""
    try:
        size = await storage.size(key)
    except Missing as error:
        raise not_found("file") from error
    headers = {
        "Accept-Ranges": "bytes",
        "Content-Disposition": disposition(name, "inline" if inline else "attachment"),
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, no-cache",
    }
    if sha256:
        headers["ETag"] = f'"{sha256}"'
    if inline:
        headers["Content-Security-Policy"] = PAGE
    if sha256 and request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    start, stop, status = 0, size, 200
    wanted = _range(request, size, headers.get("ETag"))
    if wanted is not None:
        (start, stop), status = wanted, 206
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
    headers["Content-Length"] = str(stop - start)
    body = storage.stream(key, start, stop)
    return StreamingResponse(body, status, headers=headers, media_type=type_of(name))


def _range(request: Request, size: int, tag: str | None) -> tuple[int, int] | None:
    """First byte and the one after the last; None for the whole. One range is understood, as clients send."""
    found = RANGE.fullmatch(request.headers.get("range", "").strip())
    condition = request.headers.get("if-range")
    if found is None or not any(found.groups()) or (condition is not None and condition != tag):
        return None
    first, last = found.groups()
    start = max(size - int(last), 0) if not first else int(first)
    stop = size if not first or not last else min(int(last) + 1, size)
    if start >= stop:
        headers = {"Content-Range": f"bytes */{size}"}
        raise Problem(416, f"The file has {size:,} bytes.", code="range", headers=headers)
    return start, stop


class _Pipe(io.RawIOBase):
    """What a zip is written into; it is taken away piece by piece."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self._pieces.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)


PACKED = {"parquet", "xlsx", "zip", "gz", "dsjc", "duckdb"}


async def zipped(storage: Storage, files: Sequence[tuple[str, str]]) -> AsyncIterator[bytes]:
    """A zip of (name, key), made while it is sent: memory does not grow with it."""
    pipe = _Pipe()
    with zipfile.ZipFile(pipe, "w") as archive:  # type: ignore[arg-type]
        for name, key in files:
            entry = zipfile.ZipInfo(name)
            entry.external_attr = 0o644 << 16
            packed = name.rpartition(".")[2].lower() in PACKED
            entry.compress_type = zipfile.ZIP_STORED if packed else zipfile.ZIP_DEFLATED
            entry.file_size = await storage.size(key)
            with archive.open(entry, "w", force_zip64=entry.file_size > 1 << 31) as target:
                async for piece in storage.stream(key):
                    target.write(piece)
                    yield pipe.take()
    yield pipe.take()


def zip_answer(storage: Storage, files: Sequence[tuple[str, str]], name: str) -> StreamingResponse:
    """A folder as a zip."""
    headers = {"Content-Disposition": disposition(f"{name}.zip"), "X-Content-Type-Options": "nosniff"}
    return StreamingResponse(zipped(storage, files), headers=headers, media_type="application/zip")

"""The web interface: the files that `make ui` built into the package, and its first page for every other path.

Files under `assets/` carry a digest in their names, so browsers keep them for a year; the first page is asked for anew
each time, so that a new version is there at the next load.
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from datareplicator.server.problems import not_found

FOLDER = Path(__file__).parent / "ui"
START = "index.html"
_PACKED = {"text/html", "text/css", "text/javascript", "image/svg+xml", "application/json"}
_NOT_OURS = ("api/", "healthz", "readyz", "metrics")


@dataclass(frozen=True)
class _File:
    content: bytes
    packed: bytes | None
    kind: str
    tag: str


def install(app: FastAPI, folder: Path = FOLDER) -> bool:
    """Serve the interface where it was built; whether it was. To be called after all other routes are there."""
    if not (folder / START).is_file():
        return False
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}

    async def page(request: Request) -> Response:
        """A file by its exact name, else the first page: the address is the interface's to read."""
        name = request.path_params["path"]
        if name.startswith(_NOT_OURS) or (name not in files and name.startswith("assets/")):
            raise not_found("address")
        return _answer(request, files.get(name, files[START]), keep=name in files and name.startswith("assets/"))

    app.router.routes.append(Route("/{path:path}", page, methods=["GET", "HEAD"], include_in_schema=False))
    return True


def _answer(request: Request, path: Path, *, keep: bool) -> Response:
    file = _load(path, path.stat().st_mtime_ns)
    headers = {
        "Cache-Control": "public, max-age=31536000, immutable" if keep else "no-cache",
        "ETag": file.tag,
        "Vary": "Accept-Encoding",
    }
    if request.headers.get("if-none-match") == file.tag:
        return Response(status_code=304, headers=headers)
    if file.packed is not None and "gzip" in request.headers.get("accept-encoding", ""):
        return Response(file.packed, headers={**headers, "Content-Encoding": "gzip"}, media_type=file.kind)
    return Response(file.content, headers=headers, media_type=file.kind)


@lru_cache(maxsize=512)
def _load(path: Path, changed: int) -> _File:
    """A file, packed once; `changed` makes another entry of another build."""
    content = path.read_bytes()
    kind = "text/javascript" if path.suffix == ".js" else mimetypes.guess_type(path.name)[0]
    kind = kind or "application/octet-stream"
    packed = gzip.compress(content, 9, mtime=0) if kind in _PACKED else None
    return _File(content, packed, kind, f'"{hashlib.sha256(content).hexdigest()[:32]}"')

"""Requests to the service: answers as JSON, problems as errors of the library, files as streams."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from datareplicator.errors import (
    DataReplicatorError,
    EngineError,
    ModelError,
    Place,
    RequestError,
    SourceError,
    StructureError,
    WriteError,
)

if TYPE_CHECKING:
    import httpx

FAMILY = {kind.code: kind for kind in (RequestError, SourceError, StructureError, ModelError, WriteError, EngineError)}
ATTEMPTS = 4
LONGEST_WAIT = 60.0
"""Seconds that the service may ask us to wait; when it asks for more, the caller is told instead."""
PART = 8 << 20
"""Bytes of one part of a file on its way in."""


class ServiceError(DataReplicatorError):
    """The service refuses, or cannot be reached. `status` is that of HTTP, None where there was no answer;
    `retry_after`: seconds after which asking again may help."""

    code = "service"
    exit_code = 7

    def __init__(
        self, message: str, *, status: int | None = None, retry_after: float | None = None, hint: str | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.retry_after = retry_after


def raised(problem: dict[str, Any], status: int | None = None, retry_after: float | None = None) -> DataReplicatorError:
    """The error that a problem detail, or the error of a job, stands for.

    >>> raised({"code": "source", "detail": "the file is empty.", "place": {"file": "dm.xpt"}})
    SourceError('the file is empty.')
    """
    message = problem.get("detail") or problem.get("message") or f"the service answers with status {status}."
    hint, kind = problem.get("hint"), FAMILY.get(problem.get("code", ""))
    if kind is None or status in (429, 503):
        return ServiceError(message, status=status, retry_after=retry_after, hint=hint)
    place = problem.get("place")
    known = {name: value for name, value in place.items() if name in vars(Place())} if isinstance(place, dict) else {}
    if known and message.startswith(f"{Place(**known)}: "):
        message = message.partition(": ")[2]
    if hint and message.endswith(hint):
        message = message.removesuffix(hint).rstrip()
    return kind(message, place=Place(**known), hint=hint)


class Wire:
    """A connection to one service."""

    def __init__(self, url: str, key: str, timeout: float) -> None:
        try:
            import httpx
        except ImportError as error:
            raise RequestError("the client needs httpx.", hint="pip install 'datareplicator[client]'") from error
        headers = {"Authorization": f"Bearer {key}", "User-Agent": "datareplicator"}
        self._http: httpx.Client = httpx.Client(base_url=f"{url.rstrip('/')}/api", headers=headers, timeout=timeout)
        self._broken = httpx.TransportError
        self._host = self._http.base_url.host

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def call(self, method: str, path: str, content: Any = None, **options: Any) -> Any:
        """A request; its answer as JSON. Raises the errors of the library."""
        if content is not None:
            options["json"] = content
        answer = self.send(method, path, **options)
        return answer.json() if answer.content else None

    def send(self, method: str, path: str, **options: Any) -> httpx.Response:
        """A request, again where the service asks us to wait; what only reads also when the connection is cut."""
        for attempt in range(1, ATTEMPTS + 1):
            last = attempt == ATTEMPTS
            try:
                answer = self._http.request(method, path, **options)
            except self._broken as error:
                if last or method not in ("GET", "HEAD"):
                    raise self._away(error) from error
                time.sleep(0.5 * attempt)
                continue
            wait = _asked_wait(answer)
            if answer.status_code != 429 or last or wait is None or wait > LONGEST_WAIT:
                if answer.is_success:
                    return answer
                raise raised(_problem(answer), answer.status_code, wait)
            time.sleep(wait)
        raise AssertionError("unreachable")

    def upload(self, path: str, file: BinaryIO, size: int) -> None:
        """Send a file in parts to an announced upload; after a cut it goes on where the service stands."""
        offset = cuts = 0
        while offset < size:
            file.seek(offset)
            headers = {"Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
            try:
                answer = self._http.patch(path, content=file.read(PART), headers=headers)
                if answer.status_code != 409 and not answer.is_success:
                    raise raised(_problem(answer), answer.status_code, _asked_wait(answer))
                if answer.status_code == 409:
                    answer = self.send("HEAD", path)
            except self._broken as error:
                cuts += 1
                if cuts == ATTEMPTS:
                    raise self._away(error) from error
                answer = self.send("HEAD", path)
            offset = int(answer.headers["Upload-Offset"])

    def download(self, path: str, to: Path) -> None:
        """Stream a file of the service into one of ours; after a cut it goes on where it stood."""
        to.parent.mkdir(parents=True, exist_ok=True)
        with to.open("wb") as file:
            for attempt in range(1, ATTEMPTS + 1):
                try:
                    with self._streamed(path, file.tell()) as pieces:
                        for piece in pieces:
                            file.write(piece)
                    return
                except self._broken as error:
                    if attempt == ATTEMPTS:
                        raise self._away(error) from error

    @contextmanager
    def _streamed(self, path: str, start: int) -> Iterator[Iterator[bytes]]:
        headers = {"Range": f"bytes={start}-"} if start else {}
        with self._http.stream("GET", path, headers=headers) as answer:
            if not answer.is_success or (start and answer.status_code != 206):
                answer.read()
                raise raised(_problem(answer), answer.status_code, _asked_wait(answer))
            yield answer.iter_bytes()

    def _away(self, error: Exception) -> ServiceError:
        return ServiceError(f"{self._host} cannot be reached ({type(error).__name__}).")


def _problem(answer: httpx.Response) -> dict[str, Any]:
    """The problem detail of an answer; nothing where something else than the service answered."""
    if "json" not in answer.headers.get("content-type", ""):
        return {}
    content = answer.json()
    return content if isinstance(content, dict) else {}


def _asked_wait(answer: httpx.Response) -> float | None:
    value = answer.headers.get("retry-after", "")
    return float(value) if value.isdigit() else None

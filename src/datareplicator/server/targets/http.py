"""Requests to systems of others: again when they are busy, never twice the same, and not into our own network."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import httpx

from datareplicator.server.targets.network import TargetError, place_of

ATTEMPTS = 5
FIRST_WAIT = 0.5
LONGEST_WAIT = 60.0
BUSY = {408, 425, 429, 500, 502, 503, 504}


class Sender:
    """Sends to one address. With `private` also to addresses of private networks and this machine.

    The name is looked up once and the connection made to what was checked, so that a name which means something else
    a moment later leads nowhere. Redirects are not followed.
    """

    def __init__(self, url: str, headers: Mapping[str, str], *, private: bool, timeout: float = 60.0) -> None:
        self._url = httpx.URL(url)
        self._headers = dict(headers)
        self._private = private
        self._client = httpx.AsyncClient(timeout=timeout, follow_redirects=False, trust_env=False)
        self._place: str | None = None

    async def __aenter__(self) -> Sender:
        return self

    async def __aexit__(self, *args: object) -> None:
        await self._client.aclose()

    async def send(self, content: bytes, kind: str, key: str, headers: Mapping[str, str]) -> int:
        """POST a body under an idempotency key, the same in every attempt; the status. Raises TargetError."""
        own = {"Content-Type": kind, "Idempotency-Key": key, **headers}
        return (await self.ask("POST", "", content, own)).status_code

    async def ask(self, method: str, path: str, content: bytes, headers: Mapping[str, str]) -> httpx.Response:
        """A request below our address, again while the other side is busy; its answer. Raises TargetError."""
        wait = FIRST_WAIT
        for attempt in range(1, ATTEMPTS + 1):
            try:
                answer = await self.once(method, path, content, headers)
            except httpx.TransportError as error:
                if attempt == ATTEMPTS:
                    raise TargetError(f"{self._url.host} cannot be reached ({type(error).__name__}).") from error
            else:
                if answer.status_code < 300:
                    return answer
                if answer.status_code not in BUSY or attempt == ATTEMPTS:
                    raise TargetError(f"{self._url.host} answers with status {answer.status_code}.")
                wait = max(wait, _asked_wait(answer))
            await asyncio.sleep(min(wait, LONGEST_WAIT))
            wait *= 2
        raise AssertionError("unreachable")

    async def probe(
        self, method: str = "HEAD", path: str = "", content: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> tuple[bool, str]:
        """Whether somebody answers, and lets us in."""
        try:
            answer = await self.once(method, path, content, headers or {})
        except httpx.TransportError as error:
            return False, f"{self._url.host} cannot be reached ({type(error).__name__})."
        if answer.status_code in (401, 403):
            return False, f"{self._url.host} refuses the credentials (status {answer.status_code})."
        most = 500 if method == "HEAD" and not path else 300
        return answer.status_code < most, f"{self._url.host} answers with status {answer.status_code}."

    async def once(self, method: str, path: str, content: bytes, headers: Mapping[str, str]) -> httpx.Response:
        """One request. `path` is added to our address as it stands. Raises httpx.TransportError, TargetError."""
        if self._place is None:
            port = self._url.port or (80 if self._url.scheme == "http" else 443)
            self._place = await place_of(self._url.host, port, private=self._private)
        url = self._url.copy_with(host=self._place)
        return await self._client.request(
            method,
            url if not path else httpx.URL(f"{str(url).rstrip('/')}/{path}"),
            content=content,
            headers={**self._headers, **headers, "Host": self.host},
            extensions={"sni_hostname": self._url.host},
        )

    @property
    def host(self) -> str:
        """What the header Host says."""
        return self._url.host if self._url.port is None else f"{self._url.host}:{self._url.port}"


def _asked_wait(answer: httpx.Response) -> float:
    """Seconds that the other side asks us to wait."""
    value = answer.headers.get("retry-after", "")
    return float(value) if value.isdigit() else 0.0

"""Requests to systems of others: again when they are busy, never twice the same, and not into our own network."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Mapping

import httpx

from datareplicator.errors import DataReplicatorError

ATTEMPTS = 5
FIRST_WAIT = 0.5
LONGEST_WAIT = 60.0
BUSY = {408, 425, 429, 500, 502, 503, 504}


class TargetError(DataReplicatorError):
    """A system that data were pushed to does not take them."""

    code = "target"


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
        wait = FIRST_WAIT
        for attempt in range(1, ATTEMPTS + 1):
            try:
                answer = await self._request("POST", content, own)
            except httpx.TransportError as error:
                if attempt == ATTEMPTS:
                    raise TargetError(f"{self._url.host} cannot be reached ({type(error).__name__}).") from error
            else:
                if answer.status_code < 300:
                    return answer.status_code
                if answer.status_code not in BUSY or attempt == ATTEMPTS:
                    raise TargetError(f"{self._url.host} answers with status {answer.status_code}.")
                wait = max(wait, _asked_wait(answer))
            await asyncio.sleep(min(wait, LONGEST_WAIT))
            wait *= 2
        raise AssertionError("unreachable")

    async def probe(self) -> tuple[bool, str]:
        """Whether somebody answers, and lets us in."""
        try:
            answer = await self._request("HEAD", b"", {})
        except httpx.TransportError as error:
            return False, f"{self._url.host} cannot be reached ({type(error).__name__})."
        if answer.status_code in (401, 403):
            return False, f"{self._url.host} refuses the credentials (status {answer.status_code})."
        return answer.status_code < 500, f"{self._url.host} answers with status {answer.status_code}."

    async def _request(self, method: str, content: bytes, headers: Mapping[str, str]) -> httpx.Response:
        place = self._place or await self._looked_up()
        host = self._url.host if self._url.port is None else f"{self._url.host}:{self._url.port}"
        return await self._client.request(
            method,
            self._url.copy_with(host=place),
            content=content,
            headers={**self._headers, **headers, "Host": host},
            extensions={"sni_hostname": self._url.host},
        )

    async def _looked_up(self) -> str:
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(self._url.host, self._url.port or 443, type=socket.SOCK_STREAM)
        except OSError as error:
            raise TargetError(f"the name {self._url.host} is unknown.") from error
        places = [str(entry[4][0]) for entry in found]
        if not self._private and not all(ipaddress.ip_address(place).is_global for place in places):
            raise TargetError(
                f"{self._url.host} lies in a private network.",
                hint="An administrator may allow that: DATAREPLICATOR_ALLOW_PRIVATE_TARGETS.",
            )
        self._place = places[0]
        return self._place


def _asked_wait(answer: httpx.Response) -> float:
    """Seconds that the other side asks us to wait."""
    value = answer.headers.get("retry-after", "")
    return float(value) if value.isdigit() else 0.0

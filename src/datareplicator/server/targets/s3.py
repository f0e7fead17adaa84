"""Object storage that speaks S3: files are put into a bucket, signed by AWS Signature Version 4.

Source: Amazon S3, "Authenticating Requests: Using the Authorization Header (AWS Signature Version 4)".
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlsplit

from datareplicator.server.downloads.service import type_of
from datareplicator.server.targets.errand import Errand
from datareplicator.server.targets.http import Sender
from datareplicator.server.targets.network import TargetError
from datareplicator.server.targets.schemas import S3Options

ALGORITHM = "AWS4-HMAC-SHA256"


def signed(
    method: str, path: str, headers: Mapping[str, str], content: bytes, region: str, key: str, secret: str, at: datetime
) -> dict[str, str]:
    """The headers of a request with its signature. `path` is quoted already and begins with a slash; `headers` has
    the host."""
    moment, day = at.strftime("%Y%m%dT%H%M%SZ"), at.strftime("%Y%m%d")
    digest = hashlib.sha256(content).hexdigest()
    whole = {**headers, "x-amz-content-sha256": digest, "x-amz-date": moment}
    ordered = sorted((name.lower(), value.strip()) for name, value in whole.items())
    names = ";".join(name for name, _ in ordered)
    canonical = "\n".join([method, path, "", *(f"{name}:{value}" for name, value in ordered), "", names, digest])
    scope = f"{day}/{region}/s3/aws4_request"
    text = "\n".join([ALGORITHM, moment, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    derived = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        derived = hmac.digest(derived, part.encode(), "sha256")
    signature = hmac.digest(derived, text.encode(), "sha256").hex()
    return {
        **whole,
        "Authorization": f"{ALGORITHM} Credential={key}/{scope}, SignedHeaders={names}, Signature={signature}",
    }


class _Bucket:
    """A bucket, addressed by path, which every server of S3's kind understands."""

    def __init__(self, options: S3Options, secret: str | None, *, private: bool, timeout: float = 120.0) -> None:
        if secret is None:
            raise TargetError("the target has no secret: it is the secret access key.")
        self._options, self._secret = options, secret
        self.sender = Sender(options.endpoint, {}, private=private, timeout=timeout)
        self._base = urlsplit(options.endpoint).path.rstrip("/")

    def request(
        self, method: str, key: str, content: bytes = b"", kind: str = ""
    ) -> tuple[str, str, bytes, dict[str, str]]:
        """The arguments of a request of the sender."""
        path = quote(f"{self._options.bucket}/{key}" if key else self._options.bucket, safe="/-_.~")
        headers = {"host": self.sender.host} | ({"content-type": kind} if kind else {})
        own = self._options
        made = signed(
            method,
            f"{self._base}/{path}",
            headers,
            content,
            own.region,
            own.access_key_id,
            self._secret,
            datetime.now(UTC),
        )
        return method, path, content, {name: value for name, value in made.items() if name != "host"}


async def probe(options: S3Options, secret: str | None, *, private: bool) -> tuple[bool, str]:
    """Whether the bucket is there and lets us in."""
    bucket = _Bucket(options, secret, private=private, timeout=10.0)
    async with bucket.sender:
        return await bucket.sender.probe(*bucket.request("HEAD", ""))


async def push(errand: Errand, options: S3Options, secret: str | None, *, private: bool) -> dict[str, Any]:
    """Put the files of the output folder below the prefix; doing it twice leaves the same objects."""
    bucket = _Bucket(options, secret, private=private)
    prefix = f"{options.prefix.strip('/')}/" if options.prefix.strip("/") else ""
    size = requests = 0
    async with bucket.sender:
        async for name, content in errand.files():
            await bucket.sender.ask(*bucket.request("PUT", f"{prefix}{name}", content, type_of(name)))
            size, requests = size + len(content), requests + 1
    return {"requests": requests, "rows": 0, "bytes": size}

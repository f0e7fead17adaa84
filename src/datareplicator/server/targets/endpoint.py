"""HTTP endpoints that take files, or rows as JSON or NDJSON."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pyarrow as pa

from datareplicator.server.downloads.service import type_of
from datareplicator.server.targets.errand import Errand, rows_of
from datareplicator.server.targets.http import Sender
from datareplicator.server.targets.schemas import HttpOptions

TYPES = {"json": "application/json", "ndjson": "application/x-ndjson"}


def _sender(options: HttpOptions, secret: str | None, *, private: bool, timeout: float = 60.0) -> Sender:
    headers = {} if secret is None else {options.auth_header: secret}
    return Sender(options.url, headers, private=private, timeout=timeout)


async def probe(options: HttpOptions, secret: str | None, *, private: bool) -> tuple[bool, str]:
    """Whether the endpoint answers and lets us in."""
    async with _sender(options, secret, private=private, timeout=10.0) as sender:
        return await sender.probe()


async def push(errand: Errand, options: HttpOptions, secret: str | None, *, private: bool) -> dict[str, Any]:
    """Send files or rows, each request under a key that stays the same."""
    async with _sender(options, secret, private=private) as sender:
        return await (_files(errand, sender) if options.form == "files" else _rows(errand, sender, options))


async def _files(errand: Errand, sender: Sender) -> dict[str, Any]:
    size = requests = 0
    async for name, content in errand.files():
        await sender.send(content, type_of(name), f"{errand.key}:{name}", {"X-File-Name": quote(name)})
        size, requests = size + len(content), requests + 1
    return {"requests": requests, "rows": 0, "bytes": size}


async def _rows(errand: Errand, sender: Sender, options: HttpOptions) -> dict[str, Any]:
    chosen = await errand.tables()
    total, done, requests, size = sum(entry["rows"] for entry in chosen), 0, 0, 0
    for entry in chosen:
        number = 0
        async for batch in errand.batches(await errand.fetched(entry), options.batch_rows):
            number += 1
            content = _body(batch, entry["table"], options)
            headers = {"X-Table-Name": quote(entry["table"]), "X-Batch-Number": str(number)}
            await sender.send(content, TYPES[options.form], f"{errand.key}:{entry['table']}:{number}", headers)
            requests, done, size = requests + 1, done + batch.num_rows, size + len(content)
            errand.told(done, total)
    return {"requests": requests, "rows": done, "bytes": size}


def _body(batch: pa.RecordBatch, table: str, options: HttpOptions) -> bytes:
    rows = rows_of(batch)
    if options.form == "ndjson":
        return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
    return json.dumps({"table": table, "rows": rows}, ensure_ascii=False).encode()

"""The job that pushes a run: in the worker itself, which has the network and the secret."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyarrow.parquet as pq
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from datareplicator.errors import RequestError
from datareplicator.server.cache.tables import Result, ResultFile
from datareplicator.server.downloads.service import type_of
from datareplicator.server.jobs.inputs import identity
from datareplicator.server.jobs.kind import Desk, Kind, Outcome
from datareplicator.server.jobs.tables import Job
from datareplicator.server.jobs.tablesout import INDEX
from datareplicator.server.previews.service import plain
from datareplicator.server.runs.tables import Run
from datareplicator.server.runs.work import FILES
from datareplicator.server.secrets import unseal
from datareplicator.server.targets.http import Sender
from datareplicator.server.targets.tables import Target

PURPOSE = "target"
TYPES = {"json": "application/json", "ndjson": "application/x-ndjson"}
Tell = Callable[[dict[str, Any]], None]


async def _perform(desk: Desk, job: Job, folder: Path, tell: Tell) -> dict[str, Any]:
    async with desk.database.session() as session:
        target = await session.scalar(
            select(Target).where(Target.id == identity(job.request["target_id"]), Target.project_id == job.project_id)
        )
        found = select(Result).join(Run, Run.result_id == Result.id)
        run = (Run.id == identity(job.request["run_id"])) & (Run.project_id == job.project_id)
        result = await session.scalar(found.where(run))
        if target is None or result is None:
            raise RequestError("the target or the run was deleted meanwhile.")
        query = select(ResultFile.name).where(ResultFile.result_id == result.id).order_by(ResultFile.name)
        names = list(await session.scalars(query))
    options = target.options
    secret = {} if target.secret is None else {options["auth_header"]: unseal(desk.settings, PURPOSE, target.secret)}
    async with Sender(options["url"], secret, private=desk.settings.allow_private_targets) as sender:
        if options["form"] == "files":
            wanted = [name for name in names if name.startswith(f"{FILES}/")]
            return await _push_files(desk, sender, result, wanted, job, tell)
        return await _push_rows(desk, sender, result, options, job, folder, tell)


async def _push_files(
    desk: Desk, sender: Sender, result: Result, names: list[str], job: Job, tell: Tell
) -> dict[str, Any]:
    size = 0
    for number, name in enumerate(names):
        tell({"step": "push", "done": number, "total": len(names), "unit": "files"})
        content = await desk.storage.read(f"{result.prefix}/{name}")
        short = name.removeprefix(f"{FILES}/")
        await sender.send(content, type_of(short), f"{job.subject_id}:{short}", {"X-File-Name": quote(short)})
        size += len(content)
    return {"requests": len(names), "rows": 0, "bytes": size}


async def _push_rows(
    desk: Desk, sender: Sender, result: Result, options: dict[str, Any], job: Job, folder: Path, tell: Tell
) -> dict[str, Any]:
    index = json.loads(await desk.storage.read(f"{result.prefix}/{INDEX}"))
    wanted = job.request["tables"] or [entry["table"] for entry in index]
    chosen = [entry for entry in index if entry["table"] in wanted and entry["file"]]
    total, done, requests, size = sum(entry["rows"] for entry in chosen), 0, 0, 0
    for entry in chosen:
        path = folder / entry["file"]
        await desk.storage.fetch(f"{result.prefix}/{entry['file']}", path)
        batches = _batches(path, entry["table"], options)
        number = 0
        while (batch := await asyncio.to_thread(next, batches, None)) is not None:
            content, rows = batch
            number += 1
            headers = {"X-Table-Name": quote(entry["table"]), "X-Batch-Number": str(number)}
            key = f"{job.subject_id}:{entry['table']}:{number}"
            await sender.send(content, TYPES[options["form"]], key, headers)
            requests, done, size = requests + 1, done + rows, size + len(content)
            tell({"step": "push", "done": done, "total": total, "unit": "rows"})
    return {"requests": requests, "rows": done, "bytes": size}


def _batches(path: Path, table: str, options: dict[str, Any]) -> Iterator[tuple[bytes, int]]:
    """Bodies of requests with their rows."""
    for batch in pq.ParquetFile(path).iter_batches(options["batch_rows"]):
        rows = [{name: plain(value) for name, value in row.items()} for row in batch.to_pylist()]
        if options["form"] == "ndjson":
            text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        else:
            text = json.dumps({"table": table, "rows": rows}, ensure_ascii=False)
        yield text.encode(), len(rows)


async def _publish(session: AsyncSession, job: Job, outcome: Outcome) -> dict[str, Any]:
    return outcome.result


KINDS = (Kind("push", "generation", perform=_perform, publish=_publish),)

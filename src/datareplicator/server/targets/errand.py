"""What a push has at hand: the output of a run, file by file or table by table."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from datareplicator.server.cache.tables import Result
from datareplicator.server.jobs.kind import Desk
from datareplicator.server.jobs.tables import Job
from datareplicator.server.jobs.tablesout import INDEX
from datareplicator.server.previews.service import plain
from datareplicator.server.runs.work import FILES


@dataclass(frozen=True)
class Errand:
    """One push."""

    desk: Desk
    job: Job
    result: Result
    names: list[str]
    folder: Path
    tell: Callable[[dict[str, Any]], None]

    @property
    def key(self) -> str:
        """The same in every attempt, and in no other push."""
        return str(self.job.subject_id)

    async def files(self) -> AsyncIterator[tuple[str, bytes]]:
        """The files of the output folder by name. Each is told as done when the next is asked for."""
        wanted = [name for name in self.names if name.startswith(f"{FILES}/")]
        for number, name in enumerate(wanted):
            self.tell({"step": "push", "done": number, "total": len(wanted), "unit": "files"})
            content = await self.desk.storage.read(f"{self.result.prefix}/{name}")
            yield name.removeprefix(f"{FILES}/"), content

    async def tables(self) -> list[dict[str, Any]]:
        """The entries of the tables that are wanted."""
        index = json.loads(await self.desk.storage.read(f"{self.result.prefix}/{INDEX}"))
        wanted = self.job.request["tables"] or [entry["table"] for entry in index]
        return [entry for entry in index if entry["table"] in wanted and entry["file"]]

    async def fetched(self, entry: dict[str, Any]) -> pq.ParquetFile:
        """A table as a local file."""
        path = self.folder / entry["file"]
        await self.desk.storage.fetch(f"{self.result.prefix}/{entry['file']}", path)
        return await asyncio.to_thread(pq.ParquetFile, path)

    async def batches(self, table: pq.ParquetFile, rows: int) -> AsyncIterator[pa.RecordBatch]:
        """The rows of a table, at most so many at a time."""
        batches = table.iter_batches(rows)
        while (batch := await asyncio.to_thread(next, batches, None)) is not None:
            yield batch

    def told(self, done: int, total: int) -> None:
        """How many rows are pushed."""
        self.tell({"step": "push", "done": done, "total": total, "unit": "rows"})


def rows_of(batch: pa.RecordBatch) -> list[dict[str, Any]]:
    """The rows as JSON has them."""
    return [{name: plain(value) for name, value in row.items()} for row in batch.to_pylist()]

"""The worker: claims jobs, has children do them, keeps their leases, publishes their results."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import shutil
import socket
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from datareplicator.errors import DataReplicatorError
from datareplicator.server.jobs import queue
from datareplicator.server.jobs.child import problem
from datareplicator.server.jobs.children import nursery
from datareplicator.server.jobs.kind import Desk, Kind, Outcome, kinds
from datareplicator.server.jobs.notes import Notes
from datareplicator.server.jobs.service import OPERATION
from datareplicator.server.jobs.tables import OPEN, Job
from datareplicator.server.oplog.service import log_operation
from datareplicator.server.policies.service import PolicyHolder
from datareplicator.server.storage import publish_folder

log = structlog.get_logger("datareplicator.worker")

POLL = 0.3
"""Seconds between two looks for work."""
TICK = 0.5
"""Seconds between two looks whether the job is still ours: the time that a cancel takes to reach the child."""
KEEP = 2.5
"""Seconds between two signs of life."""


class Stopping(Exception):
    """The worker is asked to end: the job goes back."""


class Worker:
    """Works on jobs of some queues, `slots` of each at a time, until it is stopped."""

    def __init__(self, desk: Desk, queues: Sequence[str], *, slots: int = 1) -> None:
        self._desk = desk
        self._queues = tuple(queues)
        self._slots = slots
        self._stop = asyncio.Event()
        self._policies = PolicyHolder(desk.database)
        self.name = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"

    def stop(self) -> None:
        """End soon: jobs under way are given back, and another worker goes on with them at once."""
        self._stop.set()

    async def run(self) -> None:
        """Work until stopped."""
        self._desk.scratch.mkdir(parents=True, exist_ok=True)
        log.info("worker started", worker=self.name, queues=list(self._queues), slots=self._slots)
        nursery().open()
        try:
            async with asyncio.TaskGroup() as slots:
                for each in self._queues:
                    for _ in range(self._slots):
                        slots.create_task(self._slot(each))
        finally:
            log.info("worker stopped", worker=self.name)

    async def _slot(self, name: str) -> None:
        while not self._stop.is_set():
            try:
                overall = (await self._policies.current()).overall.concurrent_runs
                job = await queue.claim(self._desk.database, [name], self.name, overall=overall)
                if job is not None:
                    await self._perform(job)
            except Exception as error:  # the database or the store is away: it may come back
                log.error("worker cannot work", worker=self.name, queue=name, problem=type(error).__name__)
                await self._wait(2.0)
            else:
                if job is None:
                    await self._wait(POLL)

    async def _wait(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), seconds)

    async def _perform(self, job: Job) -> None:
        """One attempt, and what follows from its end."""
        attempt = _Attempt(self._desk, job, kinds()[job.kind], self._stop)
        started = time.monotonic()
        log.info("job started", job=str(job.id), kind=job.kind, attempt=job.attempt, project=str(job.project_id))
        try:
            state = await attempt.run()
        except queue.Lost:
            state = "lost"
        log.info("job ended", job=str(job.id), kind=job.kind, end=state, seconds=round(time.monotonic() - started, 3))


class _Attempt:
    """One attempt at one job."""

    def __init__(self, desk: Desk, job: Job, kind: Kind, stop: asyncio.Event) -> None:
        self._desk, self._job, self._kind = desk, job, kind
        self._stop = stop
        self._notes = Notes()
        self._publishing = asyncio.Event()
        self._folder = desk.scratch / f"{job.id}-{job.attempt}"
        self._used: dict[str, Any] = {}

    async def run(self) -> str:
        """Do it; the state it ends with. Raises Lost where it is not ours any more: then nothing is left of it."""
        job = self._job
        try:
            if job.failures >= queue.MOST_FAILURES:
                return await self._fail({"code": "engine", "message": "the work ended without a word several times."})
            await self._remove_earlier()
            self._folder.mkdir(parents=True)
            return await self._minded()
        except Stopping:
            async with self._desk.database.session(write=True) as session:
                await queue.give_back(session, job, None)
            return "given back"
        finally:
            await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)
            if await self._is_over():
                await asyncio.to_thread(self._remove_all)

    def _remove_all(self) -> None:
        """What the attempts at the job left on this machine."""
        for folder in self._desk.scratch.glob(f"{self._job.id}-*"):
            shutil.rmtree(folder, ignore_errors=True)

    async def _is_over(self) -> bool:
        """Whether nobody will go on with the job: it has ended, or is deleted."""
        async with self._desk.database.session() as session:
            return await session.scalar(select(Job.state).where(Job.id == self._job.id)) not in OPEN

    async def _minded(self) -> str:
        """The work, broken off as soon as the job is lost or the worker is to stop."""
        work = asyncio.create_task(self._work())
        mind = asyncio.create_task(self._mind())
        try:
            await asyncio.wait({work, mind}, return_when=asyncio.FIRST_COMPLETED)
            if not work.done() and not self._publishing.is_set():
                work.cancel()
                await asyncio.wait({work})
                mind.result()
            return await work
        finally:
            mind.cancel()
            await asyncio.wait({mind})

    async def _mind(self) -> None:
        """Write progress, keep the lease; ends with Lost or Stopping, or quietly when the result is published."""
        last = time.monotonic()
        while not self._publishing.is_set():
            if self._stop.is_set():
                raise Stopping
            notes = self._notes.take()
            quiet = time.monotonic() - last < KEEP
            if not notes and quiet:
                async with self._desk.database.session() as session:
                    if not await queue.is_held(session, self._job):
                        raise queue.Lost
            else:
                last = time.monotonic()
                await self._write(notes)
            await asyncio.sleep(TICK)

    async def _write(self, notes: list[dict[str, Any]]) -> None:
        async with self._desk.database.session(write=True) as session:
            await queue.keep(session, self._job)
            for note in notes:
                await queue.note_progress(session, self._job, note)

    async def _work(self) -> str:
        kind, started = self._kind, time.monotonic()
        try:
            if kind.perform is not None:
                try:
                    result = await kind.perform(self._desk, self._job, self._folder, self._notes.add)
                except (TypeError, ValueError, LookupError, OSError) as error:
                    return await self._crashed({"crash": type(error).__name__})
                self._used = _measured({"seconds": round(time.monotonic() - started, 3)})
                return await self._publish(result)
            assert kind.prepare is not None
            spec = await kind.prepare(self._desk, self._job, self._folder)
        except DataReplicatorError as error:
            return await self._fail(problem(error))
        end = await self._child(spec)
        self._used = _measured(end.get("used", {}))
        if "error" in end:
            return await self._fail(end["error"])
        if "crash" in end:
            return await self._crashed(end)
        return await self._publish(end["result"])

    async def _child(self, spec: dict[str, Any]) -> dict[str, Any]:
        """Have a child work; its last message."""
        child = await nursery().child()
        end: dict[str, Any] = {"crash": "the process ended without a word", "retry": True}
        try:
            async for message in child.work(self._kind.work, spec, self._folder):
                if "step" in message:
                    self._notes.add(message)
                elif "ready" not in message:
                    end = message
        finally:
            await child.end()
        return end

    async def _publish(self, result: dict[str, Any]) -> str:
        """Files into the store, then all rows in one transaction, or nothing."""
        prefix = self._prefix(self._job.attempt)
        try:
            files = await publish_folder(self._desk.storage, self._folder / "out", prefix)
            self._publishing.set()
            async with self._desk.database.session(write=True) as session:
                await queue.keep(session, self._job)
                told = await self._kind.publish(session, self._job, Outcome(result, prefix, files))
                await queue.finish(session, self._job, told, {**self._used, "rows": int(told.get("rows", 0))})
                await self._log(session, "ok", told)
        except BaseException:
            await asyncio.shield(self._desk.storage.delete(prefix))
            raise
        return "done"

    async def _fail(self, error: dict[str, Any]) -> str:
        async with self._desk.database.session(write=True) as session:
            await queue.fail(session, self._job, error, self._used)
            await self._log(session, "error", error)
        return "failed"

    async def _crashed(self, end: dict[str, Any]) -> str:
        """The work ended by a defect of ours, or was ended from outside: only the latter is worth another attempt."""
        log.error("job crashed", job=str(self._job.id), kind=self._job.kind, crash=end["crash"], trace=end.get("trace"))
        error = {"code": "engine" if end.get("retry") else "internal", "message": f"{end['crash']}."}
        if not end.get("retry") or self._job.failures + 1 >= queue.MOST_FAILURES:
            return await self._fail(error)
        async with self._desk.database.session(write=True) as session:
            await queue.give_back(session, self._job, error, wait=2.0**self._job.failures)
        return "given back"

    async def _log(self, session: AsyncSession, outcome: Literal["ok", "error"], told: dict[str, Any]) -> None:
        job, used = self._job, self._used
        await log_operation(
            session,
            OPERATION.get(job.kind, job.kind),
            outcome,
            user_id=job.user_id,
            project_id=job.project_id,
            job_id=str(job.id),
            error=told.get("code"),
            cache="miss",
            seconds=used.get("seconds"),
            cpu_seconds=used.get("cpu_seconds"),
            peak_bytes=round(used.get("peak_mb", 0) * 2**20),
            subjects=told.get("subjects"),
            rows=told.get("rows"),
        )

    def _prefix(self, attempt: int) -> str:
        return f"projects/{self._job.project_id}/results/{self._job.id}-{attempt}"

    async def _remove_earlier(self) -> None:
        """What earlier attempts stored and could not publish."""
        for attempt in range(1, self._job.attempt):
            await self._desk.storage.delete(self._prefix(attempt))


def _measured(used: dict[str, Any]) -> dict[str, float]:
    return {name: float(used.get(name, 0.0)) for name in ("seconds", "cpu_seconds", "peak_mb")}


def clean_scratch(scratch: Path, older_than: float) -> int:
    """Remove folders that a killed worker left; how many. `older_than`: seconds since they changed."""
    removed = 0
    for folder in scratch.iterdir() if scratch.is_dir() else ():
        if time.time() - folder.stat().st_mtime > older_than:
            shutil.rmtree(folder, ignore_errors=True)
            removed += 1
    return removed

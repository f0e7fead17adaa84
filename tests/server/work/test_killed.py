"""`kill -9` in the midst of a run: on SQLite of the server, which takes its worker with it, and both are started again;
on PostgreSQL of the server and of that of two workers which has the job. It is done all the same, with exactly one
result; how many seconds that took is noted beside the test (30 are promised on a machine that is not busy)."""

from __future__ import annotations

import asyncio
import os
import signal
import time
import uuid
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select
from support.processes import command, served, token_of

from datareplicator import sample_study_path
from datareplicator.server.cache.tables import Result
from datareplicator.server.database import make_database
from datareplicator.server.jobs.tables import Job
from datareplicator.server.settings import Settings

SUBJECTS = 1_000


async def _worker_of(settings: Settings, job: str) -> int:
    """The process that has the job."""
    database = make_database(settings)
    async with database.session() as session:
        name = await session.scalar(select(Job.worker).where(Job.id == uuid.UUID(job.rpartition("/")[2])))
    await database.close()
    assert name is not None
    return int(name.split(":")[1])


async def _counted(settings: Settings, path: Path) -> dict[str, Any]:
    """What the database and the disk hold at the end."""
    database = make_database(settings)
    async with database.session() as session:
        results = await session.scalar(select(func.count()).select_from(Result).where(Result.kind == "run"))
        jobs = list(await session.scalars(select(Job).where(Job.kind == "run")))
    await database.close()
    kept = {folder.name.rsplit("-", 1)[0] for folder in (path / "files/projects").glob("*/results/*")}
    left = [folder.name for folder in (path / "scratch").iterdir() if str(jobs[0].id) in folder.name]
    return {"results": results, "jobs": len(jobs), "stored": str(jobs[0].id) in kept, "left": left}


def _answer(client: httpx.Client, method: str, path: str, **content: Any) -> Any:
    answer = client.request(method, path, **content)
    assert answer.is_success, answer.text
    return answer.json()


def _until(seconds: float, check: Any) -> None:
    limit = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < limit
        time.sleep(0.1)


def _begun(client: httpx.Client) -> tuple[str, str]:
    """A run that is generating: its path, and that of its job."""
    home = "/projects/" + _answer(client, "POST", "/projects", json={"name": "Study"})["id"]
    dataset = _answer(client, "POST", f"{home}/datasets", json={"name": "Small"})["id"]
    files = [("files", (name, (sample_study_path() / name).read_bytes())) for name in ("dm.xpt", "ae.xpt")]
    _answer(client, "POST", f"{home}/datasets/{dataset}/files", files=files)
    asked = {"dataset_id": dataset, "document": {"subjects": SUBJECTS, "seed": 3}, "check": False}
    run = _answer(client, "POST", f"{home}/runs", json=asked)
    job = f"{home}/jobs/{run['job']['id']}"

    def generating() -> bool:
        found = _answer(client, "GET", job)
        assert found["state"] in ("queued", "running"), found
        return bool(found["progress"] and found["progress"]["step"] == "generate" and found["progress"]["done"] > 250)

    _until(90, generating)
    return f"{home}/runs/{run['id']}", job


@pytest.mark.skipif(not os.path.isdir("/proc"), reason="workers watch their server by its process")
def test_a_killed_server_loses_nothing_and_doubles_nothing(settings: Settings, record_property: Any) -> None:
    token, alone = token_of(settings), settings.database_address.startswith("sqlite")
    with ExitStack() as workers:
        for _ in range(0 if alone else 2):
            workers.enter_context(command(settings, "worker", "--queues", "analysis,training,generation"))
        with served(settings, int(alone), token) as (client, server):
            run, job = _begun(client)
            server.send_signal(signal.SIGKILL)
            server.wait()
            if not alone:
                os.kill(asyncio.run(_worker_of(settings, job)), signal.SIGKILL)
        killed = time.monotonic()
        with served(settings, int(alone), token) as (client, _):
            _until(150, lambda: _answer(client, "GET", job)["state"] not in ("queued", "running"))
            record_property("seconds from kill -9 to done", round(time.monotonic() - killed, 1))
            ended, events = _answer(client, "GET", job), _answer(client, "GET", f"{job}/events")
            assert ended["state"] == "done", ended
            assert _answer(client, "GET", run)["summary"]["subjects"] == SUBJECTS
            tables = _answer(client, "GET", f"{run}/tables")
            assert next(table["rows"] for table in tables if table["table"] == "dm") == SUBJECTS
    assert [event["number"] for event in events] == list(range(1, len(events) + 1))
    told = [event["content"]["state"] for event in events if event["event"] == "state"]
    assert told[-1] == "done" and told.count("done") == 1 and told.count("running") == 2
    assert asyncio.run(_counted(settings, settings.data_dir)) == {"results": 1, "jobs": 1, "stored": True, "left": []}

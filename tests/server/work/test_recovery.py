"""Workers that die, jobs that are cancelled: exactly one result, nothing left behind."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
import uuid
from contextlib import suppress

import pytest
from server.work.conftest import worker_of
from sqlalchemy import func, select, update

from datareplicator.server.cache.tables import Result
from datareplicator.server.jobs import queue
from datareplicator.server.jobs.local import environment
from datareplicator.server.jobs.tables import Job

pytestmark = pytest.mark.anyio


async def _process(service, queues="analysis,training,generation"):
    """A worker as `datareplicator worker` starts it, in a process of its own."""
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "from datareplicator.cli import main; main()",
        "worker",
        "--queues",
        queues,
        env={**environment(service.settings), "DATAREPLICATOR_DATABASE_URL": service.settings.database_url},
    )


async def _until(check, seconds=60):
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        found = await check()
        if found:
            return found
        await asyncio.sleep(0.05)
    raise AssertionError("it does not come to that")


async def _results(service, project, kind):
    async with service.database.session() as session:
        query = select(func.count()).select_from(Result)
        return await session.scalar(query.where(Result.project_id == uuid.UUID(project), Result.kind == kind))


def _descendants(pid):
    """Processes that this one started, or that those did."""
    parents = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with suppress(OSError), open(f"/proc/{entry}/stat") as file:
                parents[int(entry)] = int(file.read().rpartition(")")[2].split()[1])
    found = [pid]
    for each in found:
        found += [child for child, parent in parents.items() if parent == each]
    return found[1:]


@pytest.mark.skipif(not os.path.isdir("/proc"), reason="looks at processes by /proc")
async def test_a_killed_worker_loses_nothing_and_doubles_nothing(service, idle, record_property):
    dataset = await idle.small()
    first = await _process(service)
    try:
        document = {"subjects": 2_000, "seed": 3}
        run = await idle.post("/runs", {"dataset_id": dataset["id"], "document": document}, 202)

        async def generating():
            job = await idle.get(f"/jobs/{run['job']['id']}")
            return job["progress"] and job["progress"]["step"] == "generate" and job["progress"]["done"] > 500

        await _until(generating)
        children = _descendants(first.pid)
        assert len(children) == 2  # the nursery and the child
        first.send_signal(signal.SIGKILL)
        await first.wait()
        killed = time.monotonic()

        async def gone():
            return not any(os.path.exists(f"/proc/{pid}") and _is_ours(pid) for pid in children)

        await _until(gone, 30)
        kept = service.settings.data_dir / "scratch" / f"{run['job']['id']}-checkpoints"
        assert len(list(kept.glob("*/*.arrow"))) > 3
        second = await _process(service)
        try:
            job = await idle.done(run["job"]["id"])
            record_property("seconds from kill -9 to done", round(time.monotonic() - killed, 1))
        finally:
            second.terminate()
            await second.wait()
        assert job["attempt"] == 2
        assert await _results(service, idle.project, "run") == 1
        events = await idle.get(f"/jobs/{run['job']['id']}/events")
        assert [event["number"] for event in events] == list(range(1, len(events) + 1))
        assert [e["content"]["state"] for e in events if e["event"] == "state"] == [
            "queued",
            "running",
            "running",
            "done",
        ]
        scratch = service.settings.data_dir / "scratch"
        assert (await idle.get(f"/runs/{run['id']}"))["summary"]["subjects"] == 2_000
        assert not [path for path in scratch.iterdir() if path.name.startswith(run["job"]["id"])]
    finally:
        with suppress(ProcessLookupError):
            first.kill()


def _is_ours(pid):
    """Whether a process still works (a zombie that nobody waits for does not)."""
    with suppress(OSError), open(f"/proc/{pid}/stat") as file:
        return file.read().rpartition(")")[2].split()[0] != "Z"
    return False


@pytest.mark.skipif(not os.path.isdir("/proc"), reason="looks at processes by /proc")
async def test_cancel_kills_the_process_within_two_seconds(service, at_work, record_property):
    dataset = await at_work.small()
    run = await at_work.post("/runs", {"dataset_id": dataset["id"], "document": {"subjects": 400_000}}, 202)

    async def generating():
        job = await at_work.get(f"/jobs/{run['job']['id']}")
        return job["progress"] and job["progress"]["step"] == "generate" and job["progress"]["done"] > 0

    await _until(generating)
    folder = next(path for path in (service.settings.data_dir / "scratch").iterdir() if run["job"]["id"] in path.name)
    started = time.monotonic()
    cancelled = await at_work.post(f"/jobs/{run['job']['id']}/cancel")
    assert cancelled["state"] == "cancelled"

    async def gone():
        return not folder.exists()

    await _until(gone, 30)
    record_property("seconds from cancel to the end of the process", round(time.monotonic() - started, 2))
    assert await _results(service, at_work.project, "run") == 0
    assert (await at_work.client.post(f"{at_work.base}/jobs/{run['job']['id']}/cancel")).status_code == 409


async def test_a_late_worker_is_refused(service, idle):
    """One that was silent for too long, and comes back with a result that another is working on."""
    await idle.small()
    late = await queue.claim(service.database, ["analysis"], "late")
    assert late is not None and late.attempt == 1
    assert await queue.claim(service.database, ["analysis"], "other") is None
    async with service.database.session(write=True) as session:
        await session.execute(update(Job).where(Job.id == late.id).values(lease_until=0.0))
    other = await queue.claim(service.database, ["analysis"], "other")
    assert other is not None and (other.id, other.attempt, other.failures) == (late.id, 2, 1)
    with pytest.raises(queue.Lost):
        async with service.database.session(write=True) as session:
            await queue.finish(session, late, {"rows": 1}, {})
    async with service.database.session(write=True) as session:
        await queue.finish(session, other, {"rows": 2}, {})
    assert (await idle.get(f"/jobs/{late.id}"))["result"] == {"rows": 2}


async def test_two_workers_never_claim_the_same_job(service, idle):
    for _ in range(4):
        await idle.small()
    async with service.database.session(write=True) as session:
        await session.execute(update(Job).values(at_once=None))
    claimed = await asyncio.gather(*(queue.claim(service.database, ["analysis"], f"w{n}") for n in range(10)))
    ids = [job.id for job in claimed if job is not None]
    assert len(ids) == len(set(ids)) == 4


async def test_priority_then_age_and_a_limit_of_jobs_at_a_time(service, idle):
    dataset = await idle.small()
    asked = {"dataset_id": dataset["id"]}
    routine = await idle.post("/analyses", {**asked, "urgency": "routine"})
    critical = await idle.post("/analyses", {**asked, "urgency": "critical"})
    async with service.database.session(write=True) as session:
        await session.execute(update(Job).values(at_once=2))
    first = await queue.claim(service.database, ["analysis"], "w")
    second = await queue.claim(service.database, ["analysis"], "w")
    third = await queue.claim(service.database, ["analysis"], "w")
    assert first is not None and str(first.id) == critical["job"]["id"]
    assert second is not None and str(second.id) == dataset["latest"]["job"]["id"]
    assert third is None
    async with service.database.session(write=True) as session:
        await queue.finish(session, second, {}, {})
    third = await queue.claim(service.database, ["analysis"], "w")
    assert third is not None and str(third.id) == routine["job"]["id"]


async def test_a_job_that_kills_its_worker_is_given_up(service, idle):
    dataset = await idle.small()
    job_id = uuid.UUID(dataset["latest"]["job"]["id"])
    async with service.database.session(write=True) as session:
        await session.execute(update(Job).where(Job.id == job_id).values(failures=queue.MOST_FAILURES))
    async with worker_of(service):
        job = await idle.done(str(job_id), "failed")
    assert job["error"]["code"] == "engine"


async def test_who_waits_for_a_cancelled_job_fails_and_gets_its_quota_back(service, idle):
    dataset = await idle.small()
    run = await idle.post("/runs", {"dataset_id": dataset["id"], "document": {"subjects": 10}}, 202)
    await idle.post(f"/jobs/{run['waits_for']['id']}/cancel")
    job = await idle.get(f"/jobs/{run['job']['id']}")
    assert (job["state"], job["error"]["code"]) == ("failed", "cancelled")
    async with service.database.session() as session:
        from datareplicator.server.limits.tables import UsedAmount

        assert {amount.subjects for amount in await session.scalars(select(UsedAmount))} == {0}


async def test_a_worker_that_is_stopped_gives_its_job_back(service, idle):
    dataset = await idle.small()
    job_id = dataset["latest"]["job"]["id"]
    async with worker_of(service):

        async def running():
            return (await idle.get(f"/jobs/{job_id}"))["state"] == "running"

        await _until(running)
    job = await idle.get(f"/jobs/{job_id}")
    assert job["state"] in ("queued", "done")
    async with worker_of(service):
        assert (await idle.done(job_id))["error"] is None

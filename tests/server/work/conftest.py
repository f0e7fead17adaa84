"""A service with a worker, and the sample study in a project."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from httpx import AsyncClient

from datareplicator import sample_study_path
from datareplicator.server.jobs.kind import Desk
from datareplicator.server.jobs.tables import QUEUES
from datareplicator.server.jobs.worker import Worker

SMALL = ("dm.xpt", "ae.xpt")
SECONDS = 90
"""After which a job of a test is thought to hang."""


@asynccontextmanager
async def worker_of(service: Any, queues: tuple[str, ...] = QUEUES) -> AsyncIterator[Worker]:
    """A worker in this process; its children are processes as ever."""
    desk = Desk(
        service.database, service.app.state.storage, service.settings, service.settings.data_dir.resolve() / "scratch"
    )
    worker = Worker(desk, queues)
    running = asyncio.create_task(worker.run())
    try:
        yield worker
    finally:
        worker.stop()
        await asyncio.wait_for(running, 30)


class Analyst:
    """One analyst at a project: the client, and short words for what tests do often."""

    def __init__(self, client: AsyncClient, project: str) -> None:
        self.client = client
        self.project = project
        self.base = f"/api/projects/{project}"

    async def get(self, path: str, status: int = 200, **options: Any) -> Any:
        answer = await self.client.get(self.base + path, **options)
        assert answer.status_code == status, answer.text
        return answer.json()

    async def post(self, path: str, content: Any = None, status: int | None = None) -> Any:
        answer = await self.client.post(self.base + path, json=content)
        assert answer.status_code == status if status else answer.is_success, answer.text
        return answer.json()

    async def put(self, path: str, content: Any, status: int = 200) -> Any:
        answer = await self.client.put(self.base + path, json=content)
        assert answer.status_code == status, answer.text
        return answer.json()

    async def sample(self) -> dict[str, Any]:
        """The sample study as a dataset."""
        return await self.post("/datasets/sample")

    async def small(self, *more: str) -> dict[str, Any]:
        """Two tables of the sample study, and `more` of them: learned in a moment."""
        dataset = await self.post("/datasets", {"name": "Small"}, 201)
        files = [("files", (name, (sample_study_path() / name).read_bytes())) for name in (*SMALL, *more)]
        answer = await self.client.post(f"{self.base}/datasets/{dataset['id']}/files", files=files)
        assert answer.status_code == 201, answer.text
        return {**dataset, "latest": answer.json()}

    async def done(self, job_id: str, state: str = "done") -> dict[str, Any]:
        """Wait for the end of a job."""
        limit = time.monotonic() + SECONDS
        while time.monotonic() < limit:
            job = await self.get(f"/jobs/{job_id}")
            if job["state"] not in ("queued", "running"):
                assert job["state"] == state, job
                return job
            await asyncio.sleep(0.1)
        raise AssertionError(f"the job {job_id} does not end: {job}")


@pytest.fixture
async def at_work(service: Any) -> AsyncIterator[Analyst]:
    """An analyst at a project of a service with a worker."""
    async with worker_of(service):
        owner = await service.sign_up()
        yield Analyst(service.as_user(owner), await service.project(owner))


@pytest.fixture
async def idle(service: Any) -> Analyst:
    """An analyst at a project of a service without a worker."""
    owner = await service.sign_up()
    return Analyst(service.as_user(owner), await service.project(owner))

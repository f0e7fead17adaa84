"""Requests made up from the OpenAPI document: whatever is sent, nothing ends in a defect of ours.

SCHEMATHESIS_EXAMPLES says how many a route; `make fuzz` sends many more than the tests do.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, Phase, given, settings
from sqlalchemy import update
from support.service import HASH

from datareplicator.server.app import create_app
from datareplicator.server.auth.sessions import HashedTokens
from datareplicator.server.auth.tables import User
from datareplicator.server.policies.tables import StoredPolicies
from datareplicator.server.settings import Settings

EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "2"))
EXPECTED = (502, 503, 507)
"""A provider that is away, mail that is not set up, storage that is full: said by problem details, no defects."""


@schemathesis.serializer("application/offset+octet-stream")
def _bytes(context: Any, value: Any) -> bytes:
    """Parts of uploads are bytes as they are."""
    return value if isinstance(value, bytes) else str(value).encode()


@dataclass
class Live:
    """The service on a port of its own, in a thread, and ids of things in it."""

    url: str
    app: Any
    loop: asyncio.AbstractEventLoop
    known: dict[str, str]

    def run(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(30)

    def client(self) -> httpx.Client:
        """An administrator with a login of their own: what is made up may end it."""
        return httpx.Client(base_url=self.url, headers={"Authorization": f"Bearer {self.run(self._token())}"})

    async def _token(self) -> str:
        database = self.app.state.database
        async with database.session(write=True) as session:
            await session.execute(update(StoredPolicies).values(changed=_free(), version=StoredPolicies.version + 1))
            email = f"{uuid.uuid4().hex}@example.org"
            user = User(email=email, role="administrator", tier="priority", is_verified=True, hashed_password=HASH)
            session.add(user)
            await session.flush()
            return await HashedTokens(session, database.settings).write_token(user)


def _free() -> dict[str, Any]:
    from datareplicator.server.policies.model import Policies, Rates, Tier

    tier = Tier(requests_per_minute=None, requests_per_day=None, concurrent_runs=None)
    rates = Rates(address_per_minute=None, stranger_per_minute=None)
    return Policies(rates=rates, tiers={"standard": tier, "priority": tier}).model_dump(mode="json")


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    app = create_app(Settings(_env_file=None, data_dir=tmp_path, environment="development"))
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="critical"))
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_until_complete, args=(server.serve(),), daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.05)
    port = server.servers[0].sockets[0].getsockname()[1]
    made = Live(f"http://127.0.0.1:{port}", app, loop, {})
    with made.client() as client:
        made.known = _furnished(client)
    yield made
    server.should_exit = True
    thread.join(30)
    loop.close()


def _furnished(client: httpx.Client) -> dict[str, str]:
    """A project with one of everything that can be asked for without a worker; ids by the names of path parameters."""

    def post(path: str, content: Any = None) -> Any:
        answer = client.post(f"/api{path}", json=content)
        assert answer.is_success, answer.text
        return answer.json()

    project = post("/projects", {"name": "Study"})["id"]
    home = f"/projects/{project}"
    dataset = post(f"{home}/datasets/sample")["id"]
    model = post(f"{home}/models", {"dataset_id": dataset})
    run = post(f"{home}/runs", {"dataset_id": dataset, "document": {"subjects": 5}})
    target = post(f"{home}/targets", {"name": "hub", "options": {"url": "https://127.0.0.1/in"}, "secret": "x"})
    analysis = post(f"{home}/analyses", {"dataset_id": dataset})
    return {
        "project_id": project,
        "dataset_id": dataset,
        "model_id": model["id"],
        "run_id": run["id"],
        "job_id": run["job"]["id"],
        "target_id": target["id"],
        "analysis_id": analysis["id"],
    }


def _last(operation: Any) -> tuple[bool, bool, str, str]:
    """Settings and deletions come last, so that what is deleted was asked for before."""
    return operation.method.upper() == "DELETE", operation.path == "/api/settings", operation.path, operation.method


def test_nothing_made_up_is_answered_by_a_defect(live: Live) -> None:
    schema = schemathesis.openapi.from_url(f"{live.url}/api/openapi.json")
    operations = sorted((found.ok() for found in schema.get_all_operations()), key=_last)
    assert len(operations) > 80
    statuses: set[int] = set()
    for operation in operations:
        with live.client() as client:
            statuses |= _tried(operation, client, live.known)
    assert {200, 404, 422} <= statuses


def _tried(operation: Any, client: httpx.Client, known: dict[str, str]) -> set[int]:
    seen: set[int] = set()

    @given(case=operation.as_strategy())
    @settings(
        max_examples=EXAMPLES,
        phases=[Phase.generate],
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    def send(case: Any) -> None:
        for name in case.path_parameters or {}:
            case.path_parameters[name] = known.get(name, case.path_parameters[name])
        headers = {"Authorization": client.headers["Authorization"]}
        answer = case.call(base_url=str(client.base_url).rstrip("/"), headers=headers, timeout=30)
        seen.add(answer.status_code)
        if answer.status_code >= 500:
            assert answer.status_code in EXPECTED, f"{case.as_curl_command()}\n{answer.text}"
            assert answer.headers["content-type"][0] == "application/problem+json"

    send()
    return seen

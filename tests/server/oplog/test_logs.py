"""Logs and the record of operations: complete, searchable, and without personal data or secrets."""

from __future__ import annotations

import io
import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from datareplicator.server.oplog.filters import scrubbed
from datareplicator.server.oplog.logs import configure
from datareplicator.server.oplog.service import log_operation
from datareplicator.server.settings import Settings


@pytest.fixture
def lines(settings: Settings) -> Iterator[io.StringIO]:
    """What is logged as in production."""
    root, before = logging.getLogger(), (logging.getLogger().handlers[:], logging.getLogger().level)
    known = structlog.get_config()
    configure(settings.model_copy(update={"environment": "production", "log_level": "info"}))
    caught = io.StringIO()
    root.handlers[0].setStream(caught)  # type: ignore[attr-defined]
    yield caught
    root.handlers[:], root.level = before
    structlog.configure(**known)


async def test_no_personal_data_and_no_secret_is_logged(service: Any, client: Any, lines: io.StringIO) -> None:
    email, password = "ann.secretive@example.org", "correct horse battery staple"
    account = await service.sign_up(email)
    login = {"email": email, "password": password}
    me = await client.post("/api/auth/login", json=login)
    await client.post("/api/auth/login", json={**login, "password": "wrong-password-9"})
    owner = service.as_user(account)
    key = (await owner.post("/api/keys", json={"name": "k"})).json()["key"]
    await service.client(headers={"X-API-Key": key}).get("/api/projects?search=ann.secretive@example.org")
    await client.post("/api/auth/forgot-password", json={"email": email})
    await client.get(f"/api/none/{email}")
    try:
        raise ValueError(f"could not convert {email} of subject 1015")
    except ValueError as error:
        logging.getLogger("library").error("failed for %s", email, exc_info=error)
    text = lines.getvalue()
    assert text.count('"event": "request"') == 6
    secrets = (
        email,
        "ann.secretive",
        password,
        "wrong-password-9",
        key,
        account.token,
        me.json()["csrf_token"],
        "1015",
    )
    for secret in (*secrets, "127.0.0.1"):
        assert secret not in text, secret
    first = json.loads(text.splitlines()[0])
    assert {"route", "status", "seconds", "request_id"} <= set(first)


@pytest.mark.parametrize(
    "text",
    [
        "to ann@example.org",
        "Authorization: Bearer abcdefghijk",
        "dr_abcdefghijklmnopqrstuvwxyz",
        "/verify?token=abcdefgh",
        "postgresql://me:hidden1@host/db",
    ],
)
def test_what_slips_in_is_filtered(text: str) -> None:
    shown = scrubbed({"event": text})["event"]
    assert shown != text
    assert not any(part in shown for part in ("ann@", "abcdefgh", "hidden1"))


async def test_operations_are_recorded_and_found(service: Any) -> None:
    account = await service.sign_up()
    project = await service.project(account)
    async with service.database.session(write=True) as session:
        await log_operation(
            session, "generation", user_id=account.id, cache="hit", seconds=2.0, cpu_seconds=3600, rows=10, job_id="j1"
        )
    client = service.as_user(account)
    await client.get(f"/api/projects/{project}")
    await service.app.state.requests.flush()
    answer = await client.get("/api/logs", params={"kind": "generation"})
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert found["total"] == 1
    assert (found["items"][0]["cache"], found["items"][0]["cost"], found["items"][0]["job_id"]) == ("hit", 0.05, "j1")
    requests = (await client.get("/api/logs", params={"project_id": project})).json()["items"]
    assert [(one["route"], one["status"], one["rate_limit"]) for one in requests] == [
        ("/api/projects/{project_id}", 200, "pass")
    ]
    kinds = {one["kind"]: one for one in (await client.get("/api/logs/summary")).json()["kinds"]}
    assert (kinds["generation"]["cache_hits"], kinds["generation"]["cost"]) == (1, 0.05)


async def test_people_see_their_own_operations_and_managers_all(service: Any) -> None:
    ann, bob, manager = await service.sign_up(), await service.sign_up(), await service.sign_up(role="manager")
    async with service.database.session(write=True) as session:
        await log_operation(session, "training", user_id=ann.id)
    for account, count in ((ann, 1), (bob, 0), (manager, 1)):
        found = await service.as_user(account).get("/api/logs", params={"kind": "training", "user_id": str(ann.id)})
        assert found.json()["total"] == count


async def test_figures_and_health(service: Any, client: Any) -> None:
    assert (await client.get("/readyz")).json() == {"status": "ok"}
    await client.get("/api/auth/methods")
    figures = (await client.get("/metrics")).text
    assert 'datareplicator_requests_total{method="GET",route="/api/auth/methods",status="200"}' in figures
    await service.database.close()


async def test_a_defect_is_answered_without_what_went_wrong(service: Any, client: Any) -> None:
    class Broken:
        async def incr_all(self, amounts: object) -> None:
            raise RuntimeError("subject 1015")

    service.app.state.counters = Broken()
    answer = await client.get("/api/auth/methods")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert "1015" not in answer.text and answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.json()["request_id"] == answer.headers["X-Request-ID"]


@pytest.mark.parametrize(
    "further", ["", "structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(20))"]
)
def test_errors_show_no_variables_before_settings_are_read(further: str) -> None:
    code = f"""
import structlog
from datareplicator.server.auth import oauth_routes
{further}
def fail(session_token):
    raise ValueError("subject 1015")
try:
    fail("very-secret-token")
except ValueError:
    oauth_routes.log.exception("failed for ann@example.org", password="hidden1")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    text = done.stdout + done.stderr
    assert json.loads(text)["error"] == "ValueError"
    assert not any(secret in text for secret in ("very-secret", "1015", "ann@", "hidden1"))

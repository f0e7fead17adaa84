"""Every route, with every role and with a stranger. New routes are found by themselves."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from fastapi import FastAPI
from support.routes import Route, routes_of

from datareplicator.server.auth.permissions import GRANTED, Role
from datareplicator.server.projects.tables import MemberRole, Membership

DATABASES = ("sqlite",)  # what is allowed is decided above the database

PUBLIC = {
    "GET /api/auth/methods",
    "POST /api/auth/login",
    "POST /api/auth/token",
    "POST /api/auth/register",
    "POST /api/auth/verify",
    "POST /api/auth/verify/request",
    "POST /api/auth/forgot-password",
    "POST /api/auth/reset-password",
    "POST /api/auth/setup",
    "POST /api/auth/accept-invitation",
    "GET /api/auth/oauth/{name}/authorize",
    "GET /api/auth/oauth/{name}/callback",
}
OWN = {
    "POST /api/auth/logout",
    "GET /api/auth/me",
    "PATCH /api/auth/me",
    "DELETE /api/auth/me",
    "POST /api/auth/password",
    "GET /api/auth/sessions",
    "DELETE /api/auth/sessions/{session_id}",
    "GET /api/choices",
    "GET /api/settings/mine",
    "GET /api/logs",
    "GET /api/run-schema",
    "GET /api/logs/summary",
    "GET /api/logs/daily",
}
"""Need a login but no permission: they concern the asker only."""


@pytest.fixture
def routes(service: Any) -> list[Route]:
    return [route for route in routes_of(service.app) if route.method != "WEBSOCKET"]


def test_every_route_says_what_it_asks_for(app: FastAPI) -> None:
    everything = routes_of(app)
    assert {str(route) for route in everything if not route.needs_login} - PUBLIC == set()
    free = {str(route) for route in everything if route.needs_login and route.permission is None}
    assert free - OWN == set()
    named = {str(route) for route in everything}
    assert named >= PUBLIC | OWN
    outside = [str(route) for route in everything if "{project_id}" in route.path and route.least is None]
    assert outside == []


async def test_strangers_get_nowhere(service: Any, routes: list[Route]) -> None:
    client = service.client()
    project = await service.project(await service.sign_up())
    root = service.as_user(await service.sign_up(role="administrator"))
    await root.patch("/api/settings", json={"rates": {"stranger_per_minute": None}})
    for route in routes:
        if str(route) not in PUBLIC:
            answer = await client.request(route.method, route.url(project))
            assert answer.status_code == 401, f"{route}: {answer.status_code}"
            assert route.method == "HEAD" or answer.json()["code"] == "not-authenticated"


@pytest.mark.parametrize("role", list(Role))
async def test_roles_are_held(service: Any, routes: list[Route], role: Role) -> None:
    client = service.as_user(await service.sign_up(role=role.value))
    for route in routes:
        if route.permission is None:
            continue
        answer = await client.request(route.method, route.url(uuid.uuid4()))
        if route.permission not in GRANTED[role]:
            assert answer.status_code == 403, f"{route}: {answer.status_code}"
            assert route.method == "HEAD" or answer.json()["permission"] == route.permission
        else:
            assert answer.status_code not in (401, 403), f"{route}: {answer.status_code}"
        if route.permission in GRANTED[role] and route.least is not None:
            assert answer.status_code == 404, f"{route}: {answer.status_code}"


async def test_those_outside_a_project_find_nothing_in_it(service: Any, routes: list[Route]) -> None:
    project = await service.project(await service.sign_up())
    outsider = service.as_user(await service.sign_up(role="manager"))
    for route in routes:
        if route.least is not None and route.permission in GRANTED[Role.MANAGER]:
            answer = await outsider.request(route.method, route.url(project))
            assert answer.status_code == 404, f"{route}: {answer.status_code}"
            assert route.method == "HEAD" or answer.json()["detail"] == "There is no such project."


async def test_viewers_of_a_project_change_nothing_in_it(service: Any, routes: list[Route]) -> None:
    project = await service.project(await service.sign_up())
    member = await service.sign_up(role="manager")
    async with service.database.session(write=True) as session:
        session.add(Membership(project_id=uuid.UUID(project), user_id=member.id, role=MemberRole.VIEWER.value))
    client = service.as_user(member)
    for route in routes:
        if route.least in (MemberRole.EDITOR, MemberRole.OWNER):
            answer = await client.request(route.method, route.url(project))
            assert answer.status_code == 403, f"{route}: {answer.status_code}"


async def test_keys_of_other_projects_find_nothing(service: Any, routes: list[Route]) -> None:
    owner = await service.sign_up(role="manager")
    mine, other = await service.project(owner), await service.project(owner)
    made = await service.as_user(owner).post("/api/keys", json={"name": "one", "project_id": mine})
    key = service.client(headers={"X-API-Key": made.json()["key"]})
    assert (await key.get(f"/api/projects/{mine}")).status_code == 200
    for route in routes:
        if route.least is not None and route.permission in GRANTED[Role.MANAGER]:
            answer = await key.request(route.method, route.url(other))
            assert answer.status_code == 404, f"{route}: {answer.status_code}"


async def _knock(app: FastAPI, path: str, headers: dict[str, str]) -> dict[str, Any]:
    """Open a WebSocket; the first thing that comes back."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "websocket", "path": path, "raw_path": path.encode(), "query_string": b"", "headers": raw}
    scope |= {"scheme": "ws", "server": ("service.test", 80), "client": ("127.0.0.1", 1), "subprotocols": []}
    await app(scope, receive, send)
    return sent[0]


async def test_websockets_are_for_members_and_own_pages(service: Any) -> None:
    owner = await service.sign_up()
    project = await service.project(owner)
    other = await service.sign_up()
    cookie = {"Cookie": f"datareplicator_session={owner.token}"}
    for route in [route for route in routes_of(service.app) if route.method == "WEBSOCKET"]:
        path = route.url(project)
        stranger = await _knock(service.app, path, {})
        assert (stranger["type"], stranger["code"]) == ("websocket.close", 4401)
        assert (await _knock(service.app, path, other.headers))["code"] == 4404
        foreign = await _knock(service.app, path, {**cookie, "Host": "service.test", "Origin": "https://evil.example"})
        assert foreign["code"] == 4403

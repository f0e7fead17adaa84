"""Logging in and out by password: cookies, tokens, guessing, forged requests."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select, update

from datareplicator.server.auth.passwords import weakness
from datareplicator.server.auth.tables import LoginSession, User

PASSWORD = "correct horse battery staple"


async def _log_in(client: Any, email: str, password: str = PASSWORD) -> Any:
    return await client.post("/api/auth/login", json={"email": email, "password": password})


async def test_a_browser_logs_in_writes_and_logs_out(service: Any, client: Any) -> None:
    account = await service.sign_up("ann@example.org")
    answer = await _log_in(client, "Ann@Example.org")
    me = answer.json()
    assert (answer.status_code, me["email"]) == (200, "ann@example.org")
    cookie = next(c for c in answer.headers.get_list("set-cookie") if c.startswith("datareplicator_session="))
    assert "HttpOnly" in cookie and "SameSite=lax" in cookie
    forged = await client.post("/api/projects", json={"name": "x"})
    assert (forged.status_code, forged.json()["code"]) == (403, "csrf")
    headers = {"X-CSRF-Token": me["csrf_token"]}
    assert (await client.post("/api/projects", json={"name": "x"}, headers=headers)).status_code == 201
    foreign = {**headers, "Origin": "https://evil.example"}
    assert (await client.post("/api/projects", json={"name": "x"}, headers=foreign)).json()["code"] == "origin"
    assert (await client.post("/api/auth/logout", headers=headers)).status_code == 204
    assert (await client.get("/api/auth/me")).status_code == 401
    assert (await service.as_user(account).get("/api/auth/me")).status_code == 200


async def test_tokens_are_stored_as_digests(service: Any, client: Any) -> None:
    await service.sign_up("ann@example.org")
    form = {"username": "ann@example.org", "password": PASSWORD}
    token = (await client.post("/api/auth/token", data=form)).json()["access_token"]
    assert (await client.get("/api/auth/me", headers={"Authorization": f"Bearer {token}"})).status_code == 200
    async with service.database.session() as session:
        stored = (await session.scalars(select(LoginSession.token))).all()
    assert token not in stored and all(len(one) == 64 for one in stored)


async def test_unknown_and_wrong_are_answered_alike(service: Any, client: Any) -> None:
    await service.sign_up("ann@example.org")
    answers = [await _log_in(client, email, "not the password") for email in ("ann@example.org", "bob@example.org")]
    bodies = [{**answer.json(), "request_id": ""} for answer in answers]
    assert [answer.status_code for answer in answers] == [401, 401] and bodies[0] == bodies[1]


@pytest.mark.parametrize("email", ["ann@example.org", "nobody@example.org"])
async def test_guessing_is_stopped(service: Any, client: Any, email: str) -> None:
    await service.sign_up("ann@example.org")
    for _ in range(5):
        assert (await _log_in(client, email, "not the password")).status_code == 401
    locked = await _log_in(client, email)
    assert (locked.status_code, locked.json()["code"]) == (429, "locked")
    assert 0 < int(locked.headers["Retry-After"]) <= 900


async def test_switched_off_and_unverified_accounts_stay_out(service: Any, client: Any) -> None:
    await service.sign_up("new@example.org", is_verified=False)
    assert (await _log_in(client, "new@example.org")).json()["code"] == "not-verified"
    gone = await service.sign_up("gone@example.org")
    async with service.database.session(write=True) as session:
        await session.execute(update(User).where(User.id == gone.id).values(is_active=False))
    assert (await _log_in(client, "gone@example.org")).json()["code"] == "bad-credentials"
    assert (await service.as_user(gone).get("/api/auth/me")).status_code == 401


async def test_a_new_password_ends_other_logins(service: Any, client: Any) -> None:
    account = await service.sign_up("ann@example.org")
    me = (await _log_in(client, account.email)).json()
    headers = {"X-CSRF-Token": me["csrf_token"]}
    change = {"current_password": PASSWORD, "new_password": "violet anvil tango 77"}
    assert (await client.post("/api/auth/password", json=change, headers=headers)).status_code == 204
    assert (await client.get("/api/auth/me")).status_code == 200
    assert (await service.as_user(account).get("/api/auth/me")).status_code == 401
    assert (await _log_in(client, account.email)).status_code == 401


async def test_one_ends_ones_own_logins_only(service: Any) -> None:
    ann, bob = await service.sign_up(), await service.sign_up()
    client = service.as_user(ann)
    own = (await client.get("/api/auth/sessions")).json()
    assert [one["current"] for one in own] == [True]
    path = f"/api/auth/sessions/{own[0]['id']}"
    assert (await service.as_user(bob).delete(path)).status_code == 404
    assert (await client.delete(path)).status_code == 204
    assert (await client.get("/api/auth/me")).status_code == 401


@pytest.mark.parametrize(
    "password", ["x", "aaaaaaaaaaaaaaaa", "Passw0rd123456", "qwertyuiop1234", "ann.smith@example.org"]
)
def test_weak_passwords(password: str) -> None:
    assert weakness(password, "ann.smith@example.org")

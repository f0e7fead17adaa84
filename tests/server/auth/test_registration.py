"""Registering, verifying, resetting: who may, by which mails, and what a stranger learns (nothing)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from email.message import Message
from typing import Any

import pytest
from pydantic import SecretStr
from support.service import changed
from support.smtp import catching

PASSWORD = "violet anvil tango 77"


@pytest.fixture
async def mails(service: Any) -> AsyncIterator[list[Message]]:
    async with catching() as (port, caught):
        changed(service.settings, smtp_host="127.0.0.1", smtp_port=port, smtp_security="none")
        changed(service.settings, allowed_domains=["example.org"])
        yield caught


async def _register(client: Any, email: str, password: str = PASSWORD) -> Any:
    return await client.post("/api/auth/register", json={"email": email, "password": password})


def _token(mail: Message) -> str:
    return str(mail.get_payload()).replace("=\n", "").split("#token=")[1].split()[0].removeprefix("3D")


async def test_from_registration_to_login(client: Any, mails: list[Message]) -> None:
    assert (await _register(client, "Ann@example.org")).status_code == 202
    login = {"email": "ann@example.org", "password": PASSWORD}
    assert (await client.post("/api/auth/login", json=login)).json()["code"] == "not-verified"
    assert (await client.post("/api/auth/verify", json={"token": _token(mails[0])})).status_code == 204
    assert (await client.post("/api/auth/login", json=login)).json()["role"] == "analyst"


async def test_closed_for_others(service: Any, client: Any, mails: list[Message]) -> None:
    for email in ("eve@evil.example", "eve@example.org.evil.example", "eve@sub.example.org"):
        answer = await _register(client, email)
        assert (answer.status_code, answer.json()["code"]) == (403, "registration-closed")
    assert mails == []
    changed(service.settings, allow_registration=True)
    service.app.state.policies._version = -1
    assert (await _register(client, "eve@evil.example")).status_code == 202


async def test_weak_passwords_are_refused(client: Any, mails: list[Message]) -> None:
    assert (await _register(client, "ann@example.org", "password1234")).json()["code"] == "weak-password"


async def test_registering_tells_nobody_who_has_an_account(service: Any, client: Any, mails: list[Message]) -> None:
    await service.sign_up("ann@example.org")
    known, unknown = await _register(client, "ann@example.org"), await _register(client, "new@example.org")
    assert (known.status_code, known.json()) == (unknown.status_code, unknown.json())
    assert "already" in mails[0]["Subject"]


async def test_reset_works_once_and_ends_logins(service: Any, client: Any, mails: list[Message]) -> None:
    account = await service.sign_up("ann@example.org")
    asked = [await client.post("/api/auth/forgot-password", json={"email": e}) for e in ("ann@example.org", "x@y.org")]
    assert asked[0].json() == asked[1].json() and len(mails) == 1
    reset = {"token": _token(mails[0]), "password": PASSWORD}
    assert (await client.post("/api/auth/reset-password", json=reset)).status_code == 204
    assert (await client.post("/api/auth/reset-password", json=reset)).json()["code"] == "bad-link"
    assert (await service.as_user(account).get("/api/auth/me")).status_code == 401
    login = {"email": "ann@example.org", "password": PASSWORD}
    assert (await client.post("/api/auth/login", json=login)).status_code == 200


async def test_without_mail_in_production_registration_says_so(service: Any, client: Any) -> None:
    changed(service.settings, environment="production", allow_registration=True)
    assert (await _register(client, "ann@example.org")).json()["code"] == "no-mail"


async def test_the_first_administrator(service: Any, client: Any) -> None:
    from datareplicator.server.auth.first import prepare

    assert (await client.get("/api/auth/methods")).json()["setup_needed"]
    link = await prepare(service.database)
    asked = {"token": link.split("#token=")[1], "email": "root@example.org", "password": PASSWORD}
    wrong = await client.post("/api/auth/setup", json={**asked, "token": "x" * 43})
    assert wrong.json()["code"] == "bad-link"
    assert (await client.post("/api/auth/setup", json=asked)).status_code == 201
    assert (await client.post("/api/auth/setup", json=asked)).status_code == 409
    assert await prepare(service.database) is None
    login = {"email": "root@example.org", "password": PASSWORD}
    assert (await client.post("/api/auth/login", json=login)).json()["role"] == "administrator"


async def test_the_first_administrator_of_the_environment(service: Any, client: Any) -> None:
    from datareplicator.server.auth.first import prepare

    changed(service.settings, admin_email="Root@Example.org", admin_password=SecretStr(PASSWORD))
    assert await prepare(service.database) is None
    login = {"email": "root@example.org", "password": PASSWORD}
    assert (await client.post("/api/auth/login", json=login)).json()["role"] == "administrator"
    changed(service.settings, admin_password=SecretStr("another anvil tango 78"))
    assert await prepare(service.database) is None
    assert (await client.post("/api/auth/login", json=login)).status_code == 200


async def test_an_administrator_makes_accounts_while_registration_is_closed(service: Any, client: Any) -> None:
    root = service.as_user(await service.sign_up(role="administrator"))
    made = (await root.post("/api/users", json={"email": "bob@example.org", "role": "manager"})).json()
    asked = {"token": made["link"].split("#token=")[1], "password": PASSWORD}
    assert (await client.post("/api/auth/accept-invitation", json=asked)).status_code == 204
    assert (await client.post("/api/auth/accept-invitation", json=asked)).status_code == 400
    login = {"email": "bob@example.org", "password": PASSWORD}
    assert (await client.post("/api/auth/login", json=login)).json()["role"] == "manager"
    changed_role = await root.patch(f"/api/users/{made['id']}", json={"role": "viewer", "is_active": False})
    assert (changed_role.json()["role"], changed_role.json()["is_active"]) == ("viewer", False)
    me = (await root.get("/api/auth/me")).json()
    assert (await root.delete(f"/api/users/{me['id']}")).status_code == 409
    assert (await root.delete(f"/api/users/{made['id']}")).status_code == 204

"""Deleting one's own account."""

from __future__ import annotations

from typing import Any

PASSWORD = "correct horse battery staple"


async def _delete(client: Any, **asked: Any) -> Any:
    return await client.request("DELETE", "/api/auth/me", json=asked)


async def test_an_account_goes_with_its_password_and_leaves_nobody_alone(service: Any, client: Any) -> None:
    account = await service.sign_up("ann@example.org")
    own = service.as_user(account)
    project = await service.project(account)
    assert (await _delete(own, email="bob@example.org", current_password=PASSWORD)).json()["code"] == "wrong-address"
    assert (await _delete(own, email="ann@example.org")).status_code == 401
    assert (await _delete(own, email="ann@example.org", current_password="a wrong one")).status_code == 401
    alone = await _delete(own, email="ann@example.org", current_password=PASSWORD)
    assert alone.status_code == 409 and "only owner" in alone.json()["detail"]
    assert (await own.delete(f"/api/projects/{project}")).status_code == 204
    assert (await _delete(own, email="Ann@Example.org", current_password=PASSWORD)).status_code == 204
    assert (await own.get("/api/auth/me")).status_code == 401
    login = {"email": "ann@example.org", "password": PASSWORD}
    assert (await client.post("/api/auth/login", json=login)).status_code == 401
    administrator = service.as_user(await service.sign_up(role="administrator"))
    trail = (await administrator.get("/api/audit", params={"action": "user.deleted"})).json()["items"]
    assert [event["object_id"] for event in trail] == [str(account.id)]


async def test_the_last_administrator_stays(service: Any) -> None:
    account = await service.sign_up("ann@example.org", role="administrator")
    answer = await _delete(service.as_user(account), email="ann@example.org", current_password=PASSWORD)
    assert answer.status_code == 409 and "last administrator" in answer.json()["detail"]

"""API keys: shown once, scoped, expiring, revoked."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import select, update

from datareplicator.server.database import now
from datareplicator.server.keys.tables import ApiKey


async def _make(client: Any, **fields: Any) -> dict[str, Any]:
    answer = await client.post("/api/keys", json={"name": "k", **fields})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_a_key_is_shown_once_and_stored_as_a_digest(service: Any) -> None:
    owner = service.as_user(await service.sign_up())
    made = await _make(owner)
    listed = (await owner.get("/api/keys")).json()
    assert made["key"] not in str(listed) and listed[0]["hint"] == made["key"][:9]
    async with service.database.session() as session:
        assert made["key"] not in str((await session.execute(select(ApiKey.secret))).all())
    for headers in ({"X-API-Key": made["key"]}, {"Authorization": f"Bearer {made['key']}"}):
        assert (await service.client(headers=headers).get("/api/projects")).status_code == 200
    assert (await owner.get("/api/keys")).json()[0]["used_at"]


async def test_scopes_cut_and_never_add(service: Any) -> None:
    owner = service.as_user(await service.sign_up())
    made = await _make(owner, scopes=["projects.read"])
    key = service.client(headers={"X-API-Key": made["key"]})
    assert (await key.get("/api/projects")).status_code == 200
    assert (await key.post("/api/projects", json={"name": "x"})).status_code == 403
    assert (await key.get("/api/auth/me")).json()["permissions"] == ["projects.read"]
    assert (await owner.post("/api/keys", json={"name": "x", "scopes": ["users.write"]})).status_code == 403
    assert (await owner.post("/api/keys", json={"name": "x", "scopes": ["nonsense"]})).status_code == 422


async def test_keys_make_no_keys_and_change_no_account(service: Any) -> None:
    key = service.client(headers={"X-API-Key": (await _make(service.as_user(await service.sign_up())))["key"]})
    assert (await key.post("/api/keys", json={"name": "x"})).status_code == 403
    assert (await key.patch("/api/auth/me", json={"name": "x"})).status_code == 403
    assert (await key.post("/api/auth/logout")).status_code == 403


async def test_revoked_and_expired_keys_are_dead(service: Any) -> None:
    owner = service.as_user(await service.sign_up())
    revoked, expired = await _make(owner), await _make(owner, expires_at=(now() + timedelta(days=1)).isoformat())
    assert (await owner.delete(f"/api/keys/{revoked['id']}")).status_code == 204
    async with service.database.session(write=True) as session:
        await session.execute(
            update(ApiKey).where(ApiKey.name == "k", ApiKey.expires_at.is_not(None)).values(expires_at=now())
        )
    for made in (revoked, expired):
        assert (await service.client(headers={"X-API-Key": made["key"]}).get("/api/projects")).status_code == 401


async def test_nobody_revokes_keys_of_others(service: Any) -> None:
    made = await _make(service.as_user(await service.sign_up()))
    assert (await service.as_user(await service.sign_up()).delete(f"/api/keys/{made['id']}")).status_code == 404

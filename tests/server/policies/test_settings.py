"""Settings of the service: changed by administrators, in force in every process, audited."""

from __future__ import annotations

from typing import Any

from support.service import running

from datareplicator.server.settings import Settings


async def test_a_change_counts_in_another_process_at_once(service: Any, settings: Settings) -> None:
    root = service.as_user(await service.sign_up(role="administrator"))
    async with running(settings) as second:
        assert not (await second.client().get("/api/auth/methods")).json()["registration_open_to_all"]
        change = {"access": {"allow_registration": True}, "tiers": {"free": {"rows_per_day": 7}}}
        answer = await root.patch("/api/settings", json=change)
        assert answer.status_code == 200, answer.text
        assert (await second.client().get("/api/auth/methods")).json()["registration_open_to_all"]
        free = await second.sign_up(tier="free")
        mine = (await second.as_user(free).get("/api/settings/mine")).json()["tier"]
        assert (mine["rows_per_day"], mine["concurrent_runs"]) == (7, 1)
    trail = (await root.get("/api/audit", params={"action": "settings."})).json()["items"]
    assert trail[0]["before"]["access"]["allow_registration"] is False
    assert trail[0]["after"]["tiers"]["free"]["rows_per_day"] == 7


async def test_what_makes_no_sense_is_refused_and_changes_nothing(service: Any) -> None:
    root = service.as_user(await service.sign_up(role="administrator"))
    before = (await root.get("/api/settings")).json()
    for change in ({"cost": {"currency": "dollars"}}, {"nonsense": 1}, {"access": {"default_tier": "gone"}}):
        assert (await root.patch("/api/settings", json=change)).status_code == 422
    assert (await root.get("/api/settings")).json() == before


async def test_what_the_environment_says_is_fixed(settings: Settings) -> None:
    fixed = Settings(_env_file=None, **{**settings.model_dump(exclude_unset=True), "allow_registration": False})
    async with running(fixed) as service:
        root = service.as_user(await service.sign_up(role="administrator"))
        answer = await root.patch("/api/settings", json={"access": {"allow_registration": True}})
        assert (answer.status_code, answer.json()["code"]) == (409, "fixed")
        assert (await root.get("/api/settings")).json()["fixed"] == ["allow_registration"]


async def test_managers_read_and_do_not_write(service: Any) -> None:
    manager = service.as_user(await service.sign_up(role="manager"))
    assert (await manager.get("/api/settings")).status_code == 200
    assert (await manager.patch("/api/settings", json={})).status_code == 403

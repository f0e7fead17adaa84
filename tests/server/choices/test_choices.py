"""What a form can offer."""

from __future__ import annotations

from typing import Any

from datareplicator.faults.plan import profile_names
from datareplicator.generate.conditions.units import unit_names

DATABASES = ("sqlite",)


async def test_everything_bundled_is_offered_with_words(service: Any) -> None:
    ann = await service.sign_up("ann@example.org")
    answer = (await service.client(headers=ann.headers).get("/api/choices")).json()
    assert [one["name"] for one in answer["profiles"]] == profile_names()
    assert [one["name"] for one in answer["scenarios"]] == unit_names()
    assert all(one["summary"] for one in (*answer["profiles"], *answer["scenarios"]))
    assert all(fault["summary"] and fault["unit"] for one in answer["profiles"] for fault in one["faults"])
    assert "xpt" in answer["formats"]


async def test_strangers_are_not_told(client: Any) -> None:
    assert (await client.get("/api/choices")).status_code == 401

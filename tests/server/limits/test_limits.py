"""Rates and quotas: shared by processes, told in headers, exact under concurrency."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from support.service import running

from datareplicator.server.auth.permissions import Role
from datareplicator.server.auth.principal import Principal
from datareplicator.server.database import now
from datareplicator.server.limits.quotas import refund, spend
from datareplicator.server.problems import Problem
from datareplicator.server.settings import Settings


async def _limit(service: Any, **tier: Any) -> None:
    root = service.as_user(await service.sign_up(role="administrator", tier="priority"))
    answer = await root.patch("/api/settings", json={"tiers": {"standard": tier}})
    assert answer.status_code == 200, answer.text


async def test_rates_hold_with_two_processes(service: Any, settings: Settings) -> None:
    await _limit(service, requests_per_minute=10)
    account, other = await service.sign_up(), await service.sign_up()
    async with running(settings) as second:
        clients = [service.as_user(account), second.as_user(account)]
        answers = await asyncio.gather(*(clients[i % 2].get("/api/projects") for i in range(16)))
        assert sorted(answer.status_code for answer in answers) == [200] * 10 + [429] * 6
        refused = next(answer for answer in answers if answer.status_code == 429)
        assert 0 < int(refused.headers["Retry-After"]) <= 60
        assert refused.headers["RateLimit-Remaining"] == "0" and refused.json()["code"] == "too-many-requests"
        assert (await second.as_user(other).get("/api/projects")).headers["RateLimit-Remaining"] == "9"


async def test_a_route_may_have_its_own_rate(service: Any) -> None:
    root = service.as_user(await service.sign_up(role="administrator"))
    await root.patch("/api/settings", json={"rates": {"routes": {"GET /api/projects/{project_id}": 2}}})
    client = service.as_user(account := await service.sign_up())
    project = await service.project(account)
    statuses = [(await client.get(f"/api/projects/{project}")).status_code for _ in range(3)]
    assert statuses == [200, 200, 429]
    assert (await client.get("/api/projects")).status_code == 200


async def test_strangers_are_limited_by_address(service: Any, client: Any) -> None:
    root = service.as_user(await service.sign_up(role="administrator"))
    await root.patch("/api/settings", json={"rates": {"stranger_per_minute": 3}})
    statuses = [(await client.get("/api/auth/methods")).status_code for _ in range(5)]
    assert statuses == [200, 200, 200, 429, 429]


def _principal(account: Any) -> Principal:
    return Principal(account.id, account.email, Role.ANALYST, "standard")


async def _spend(service: Any, principal: Principal, **amounts: int) -> bool:
    try:
        async with service.database.session(write=True) as session:
            await spend(session, principal, **amounts)
    except Problem as problem:
        assert problem.status == 429 and int(problem.headers["Retry-After"]) > 0
        return False
    return True


async def test_quotas_are_exact_under_concurrency(service: Any) -> None:
    await _limit(service, subjects_per_day=100)
    account = await service.sign_up()
    done = await asyncio.gather(*(_spend(service, _principal(account), subjects=30, rows=5) for _ in range(6)))
    assert sum(done) == 3
    usage = (await service.as_user(account).get("/api/usage")).json()
    assert (usage["subjects"], usage["rows"]["used"]) == ({"used": 90, "limit": 100, "remaining": 10}, 15)
    async with service.database.session(write=True) as session:
        await refund(session, account.id, subjects=30, day=now().date())
    assert await _spend(service, _principal(account), subjects=40)


async def test_the_quota_of_all(service: Any) -> None:
    root = service.as_user(await service.sign_up(role="administrator"))
    await root.patch("/api/settings", json={"overall": {"rows_per_day": 10}})
    first, second = await service.sign_up(), await service.sign_up()
    assert await _spend(service, _principal(first), rows=8)
    assert not await _spend(service, _principal(second), rows=3)


async def test_one_run_has_a_limit(service: Any) -> None:
    await _limit(service, subjects_per_run=5)
    with pytest.raises(Problem, match="5 subjects"):
        async with service.database.session(write=True) as session:
            await spend(session, _principal(await service.sign_up()), subjects=6)

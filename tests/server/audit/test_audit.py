"""The audit trail: complete, append-only, and broken visibly."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from datareplicator.server.audit.service import record, verify

TRIGGERS = {
    "sqlite": ["DROP TRIGGER audit_event_no_update", "DROP TRIGGER audit_event_no_delete"],
    "postgresql": ["DROP TRIGGER audit_event_append_only ON audit_event"],
}


async def _fill(service: Any, count: int = 6) -> None:
    async def one(number: int) -> None:
        async with service.database.session(write=True) as session:
            await record(session, None, "test.done", "thing", number, {"n": 1.5}, {"n": None, "text": "é"})

    await asyncio.gather(*(one(number) for number in range(count)))


async def _verdict(service: Any) -> Any:
    async with service.database.session() as session:
        return await verify(session, service.settings)


async def test_events_of_many_at_once_make_one_chain(service: Any) -> None:
    await _fill(service, 20)
    verdict = await _verdict(service)
    assert (verdict.whole, verdict.events) == (True, 20)


@pytest.mark.parametrize("statement", ["UPDATE audit_event SET action = 'x'", "DELETE FROM audit_event"])
async def test_the_database_refuses_changes(service: Any, statement: str) -> None:
    await _fill(service)
    with pytest.raises(DBAPIError, match="append-only"):
        async with service.database.connection() as connection:
            await connection.execute(text(statement))


@pytest.mark.parametrize(
    ("statement", "broken"),
    [
        ("UPDATE audit_event SET action = 'test.other' WHERE number = 3", 3),
        ("UPDATE audit_event SET object_id = 'x' WHERE number = 1", 1),
        ("DELETE FROM audit_event WHERE number = 3", 4),
        ("DELETE FROM audit_event WHERE number = 6", 6),
        ("UPDATE audit_head SET number = 5", 6),
    ],
)
async def test_changes_past_the_database_show(service: Any, statement: str, broken: int) -> None:
    await _fill(service)
    async with service.database.connection() as connection:
        for drop in TRIGGERS[connection.dialect.name]:
            await connection.execute(text(drop))
        await connection.execute(text(statement))
    verdict = await _verdict(service)
    assert not verdict.whole and verdict.broken_at == broken


async def test_acts_and_their_records_happen_together(service: Any) -> None:
    owner = await service.sign_up()
    project = await service.project(owner)
    await service.as_user(owner).patch(f"/api/projects/{project}", json={"name": "New"})
    root = service.as_user(await service.sign_up(role="administrator"))
    found = (await root.get("/api/audit", params={"object_id": project})).json()["items"]
    assert [event["action"] for event in found] == ["project.changed", "project.made"]
    assert (found[0]["before"]["name"], found[0]["after"]["name"]) == ("Study", "New")
    assert found[0]["user_id"] == str(owner.id)
    assert (await root.get("/api/audit/verify")).json()["whole"]

"""Writing, checking and searching the audit trail."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession
from structlog.contextvars import get_contextvars

from datareplicator.server.audit.chain import FIRST, as_json, audit_key, seal_of
from datareplicator.server.audit.tables import AuditEvent, AuditHead
from datareplicator.server.auth.principal import Principal
from datareplicator.server.database import now
from datareplicator.server.settings import Settings

BATCH = 1000


async def record(
    session: AsyncSession,
    principal: Principal | None,
    action: str,
    object_kind: str,
    object_id: object,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    *,
    project_id: uuid.UUID | None = None,
    user_id: uuid.UUID | None = None,
) -> None:
    """Add an event in the transaction of the act: both happen or none. `before` and `after` hold what changed, never
    a secret. Without a principal the service itself acted, or `user_id` (somebody who is just logging in).

    The lock of the head is held until the transaction ends, so record last.
    """
    head = await session.execute(
        update(AuditHead).values(number=AuditHead.number + 1).returning(AuditHead.number, AuditHead.seal)
    )
    number, previous = head.one()
    event = AuditEvent(
        number=number,
        at=now(),
        user_id=principal.user_id if principal else user_id,
        key_id=principal.key_id if principal else None,
        action=action,
        object_kind=object_kind,
        object_id=str(object_id),
        project_id=project_id,
        request_id=get_contextvars().get("request_id"),
        before=as_json(before),
        after=as_json(after),
        previous=previous,
        seal="",
    )
    event.seal = seal_of(event, audit_key(session.info["settings"]))
    session.add(event)
    await session.flush()
    await session.execute(update(AuditHead).values(seal=event.seal))


@dataclass(frozen=True)
class Verdict:
    """Whether the trail is whole; if not, from which event on and why."""

    events: int
    broken_at: int | None = None
    reason: str | None = None

    @property
    def whole(self) -> bool:
        """Whether nothing was changed, removed, added or reordered."""
        return self.broken_at is None


async def verify(session: AsyncSession, settings: Settings) -> Verdict:
    """Go through the whole trail and compute every seal anew."""
    key = audit_key(settings)
    previous, seen = FIRST, 0
    head = (await session.scalars(select(AuditHead))).one()
    while True:
        found = select(AuditEvent).where(AuditEvent.number > seen, AuditEvent.number <= head.number)
        events = (await session.scalars(found.order_by(AuditEvent.number).limit(BATCH))).all()
        for event in events:
            reason = _fault(event, seen + 1, previous, key)
            if reason:
                return Verdict(seen, event.number, reason)
            previous, seen = event.seal, event.number
        if not events:
            break
        session.expunge_all()
    if seen != head.number or previous != head.seal:
        return Verdict(seen, seen + 1, f"the last {head.number - seen} events are missing or the head was changed")
    return Verdict(seen)


def _fault(event: AuditEvent, number: int, previous: str, key: bytes) -> str | None:
    if event.number != number:
        return f"event {number} is missing"
    if event.previous != previous:
        return "it does not follow the event before it"
    if event.seal != seal_of(event, key):
        return "it was changed"
    return None

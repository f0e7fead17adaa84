"""What was done in a project, by whom: the audit trail of it, as its members may see it."""

from __future__ import annotations

import uuid
from datetime import datetime

from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from datareplicator.server.audit.tables import AuditEvent
from datareplicator.server.auth.tables import User


class Activity(BaseModel):
    """One act."""

    number: int
    at: datetime
    by: str | None = Field(description="Name or email address; null where the account is gone, or it was the service.")
    by_key: bool = Field(description="Whether a program did it, with an API key.")
    action: str
    object_kind: str
    object_id: str
    name: str | None = Field(description="Of the thing, as it was called then.")


class ActivityPage(BaseModel):
    """Some of what was done, the latest first."""

    items: list[Activity]
    next: int | None = None


async def page(session: AsyncSession, project_id: uuid.UUID, before: int | None, limit: int) -> ActivityPage:
    """What was done in a project, before an act's number. Names are told and no other values."""
    query = (
        select(AuditEvent, User.name, User.email)
        .join(User, User.id == AuditEvent.user_id, isouter=True)
        .where(AuditEvent.project_id == project_id)
    )
    if before is not None:
        query = query.where(AuditEvent.number < before)
    rows = (await session.execute(query.order_by(AuditEvent.number.desc()).limit(limit))).all()
    items = [
        Activity(
            number=event.number,
            at=event.at,
            by=name or email,
            by_key=event.key_id is not None,
            action=event.action,
            object_kind=event.object_kind,
            object_id=event.object_id,
            name=next((told["name"] for told in (event.after, event.before) if told and told.get("name")), None),
        )
        for event, name, email in rows
    ]
    return ActivityPage(items=items, next=items[-1].number if len(items) == limit else None)

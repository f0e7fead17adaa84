"""The audit trail."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict
from sqlalchemy import select

from datareplicator.server.audit.service import verify
from datareplicator.server.audit.tables import AuditEvent
from datareplicator.server.auth.principal import Principal, require
from datareplicator.server.database import SessionDep, SettingsDep

router = APIRouter(prefix="/audit", tags=["audit"])
Reader = Annotated[Principal, require("audit.read")]


class AuditOut(BaseModel):
    """One act."""

    model_config = ConfigDict(from_attributes=True)

    number: int
    at: datetime
    user_id: uuid.UUID | None
    key_id: uuid.UUID | None
    action: str
    object_kind: str
    object_id: str
    project_id: uuid.UUID | None
    request_id: str | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    seal: str


class AuditPage(BaseModel):
    """Some of the trail, the latest first."""

    items: list[AuditOut]
    next: int | None = None


class AuditVerdict(BaseModel):
    """Whether the trail is whole."""

    whole: bool
    events: int
    broken_at: int | None
    reason: str | None


@router.get("", summary="Search the audit trail")
async def search_audit(
    principal: Reader,
    session: SessionDep,
    user_id: uuid.UUID | None = None,
    project_id: uuid.UUID | None = None,
    action: Annotated[str, Query(max_length=60, description="Beginning of the action, e.g. `user.`")] = "",
    object_id: Annotated[str, Query(max_length=100)] = "",
    since: AwareDatetime | None = None,
    until: AwareDatetime | None = None,
    before: Annotated[int | None, Query(ge=1, le=2**62, description="`next` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> AuditPage:
    """The latest first."""
    wanted = [
        user_id is not None and AuditEvent.user_id == user_id,
        project_id is not None and AuditEvent.project_id == project_id,
        bool(action) and AuditEvent.action.startswith(action, autoescape=True),
        bool(object_id) and AuditEvent.object_id == object_id,
        since is not None and AuditEvent.at >= since,
        until is not None and AuditEvent.at < until,
        before is not None and AuditEvent.number < before,
    ]
    conditions = [condition for condition in wanted if condition is not False]
    found = select(AuditEvent).where(*conditions).order_by(AuditEvent.number.desc()).limit(limit)
    rows = [AuditOut.model_validate(row) for row in await session.scalars(found)]
    return AuditPage(items=rows, next=rows[-1].number if len(rows) == limit else None)


@router.get("/verify", summary="Check the audit trail")
async def verify_audit(principal: Reader, session: SessionDep, settings: SettingsDep) -> AuditVerdict:
    """Computes every seal anew; may take a while for a long trail."""
    verdict = await verify(session, settings)
    return AuditVerdict(whole=verdict.whole, events=verdict.events, broken_at=verdict.broken_at, reason=verdict.reason)

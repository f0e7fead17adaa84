"""What one has used and what is left."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from datareplicator.server.auth.principal import Principal, require
from datareplicator.server.database import SessionDep
from datareplicator.server.limits.quotas import ALL, scope_of, seconds_left, used_today
from datareplicator.server.limits.store import SqlStorage
from datareplicator.server.policies.model import Tier
from datareplicator.server.policies.service import PoliciesDep

router = APIRouter(prefix="/usage", tags=["usage"])


class Amount(BaseModel):
    """An amount of today (UTC)."""

    used: int
    limit: int | None = Field(description="Null: without limit.")
    remaining: int | None


class Usage(BaseModel):
    """Today's usage of the asker, and of all where that is limited."""

    tier: str
    limits: Tier
    requests: Amount
    subjects: Amount
    rows: Amount
    subjects_of_all: Amount | None
    rows_of_all: Amount | None
    resets_in_seconds: int


def _amount(used: int, limit: int | None) -> Amount:
    return Amount(used=used, limit=limit, remaining=None if limit is None else max(0, limit - used))


@router.get("", summary="Read one's usage")
async def read_usage(
    request: Request,
    principal: Annotated[Principal, require("usage.read")],
    session: SessionDep,
    policies: PoliciesDep,
) -> Usage:
    """What was used today, what the tier allows, and when it begins anew."""
    tier, overall = policies.tier(principal.tier), policies.overall
    own, everyone = await used_today(session, scope_of(principal.user_id)), await used_today(session, ALL)
    storage: SqlStorage = request.app.state.counters
    return Usage(
        tier=principal.tier,
        limits=tier,
        requests=_amount(await storage.get(f"day:{principal.user_id}"), tier.requests_per_day),
        subjects=_amount(own["subjects"], tier.subjects_per_day),
        rows=_amount(own["rows"], tier.rows_per_day),
        subjects_of_all=_amount(everyone["subjects"], overall.subjects_per_day) if overall.subjects_per_day else None,
        rows_of_all=_amount(everyone["rows"], overall.rows_per_day) if overall.rows_per_day else None,
        resets_in_seconds=seconds_left(),
    )

"""What the cache holds, for those who look after the service."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field
from sqlalchemy import func, select

from datareplicator.server.auth.principal import Principal, require
from datareplicator.server.cache.tables import Result
from datareplicator.server.database import SessionDep
from datareplicator.server.policies.model import Cache
from datareplicator.server.policies.service import PoliciesDep

router = APIRouter(prefix="/cache", tags=["settings"])


class Held(BaseModel):
    """Results of one kind."""

    kind: str = Field(description="inspection, analysis, model, run, corruption, validation, export.")
    results: int
    bytes: int


class CacheOut(BaseModel):
    """What is kept of results. A result is what somebody sees and what the cache answers from: it goes when nothing
    shows it any more."""

    policy: Cache
    kinds: list[Held]


@router.get("", summary="What the cache holds")
async def read_cache(
    principal: Annotated[Principal, require("settings.read")], session: SessionDep, policies: PoliciesDep
) -> CacheOut:
    """Results by kind with their sizes, and the policy that says which of them answer requests."""
    found = select(Result.kind, func.count(), func.coalesce(func.sum(Result.size), 0))
    rows = (await session.execute(found.group_by(Result.kind).order_by(Result.kind))).all()
    kinds = [Held(kind=kind, results=count, bytes=size) for kind, count, size in rows]
    return CacheOut(policy=policies.cache, kinds=kinds)

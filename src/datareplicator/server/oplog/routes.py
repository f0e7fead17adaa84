"""The record of operations."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from sqlalchemy import func, select
from sqlalchemy.sql.elements import ColumnElement

from datareplicator.server.auth.principal import CurrentPrincipal, Principal
from datareplicator.server.database import SessionDep
from datareplicator.server.oplog.tables import Operation
from datareplicator.server.policies.service import PoliciesDep

router = APIRouter(prefix="/logs", tags=["logs"])


class OperationOut(BaseModel):
    """One operation."""

    model_config = ConfigDict(from_attributes=True)

    id: uuid.UUID
    at: datetime
    kind: str
    outcome: str
    user_id: uuid.UUID | None
    key_id: uuid.UUID | None
    project_id: uuid.UUID | None
    job_id: str | None
    request_id: str | None
    method: str | None
    route: str | None
    status: int | None
    error: str | None
    cache: str | None
    rate_limit: str | None
    seconds: float | None
    cpu_seconds: float | None
    peak_bytes: int | None
    subjects: int | None
    rows: int | None
    cost: float | None
    detail: dict[str, Any] | None


class OperationPage(BaseModel):
    """Some of the operations, the latest first."""

    items: list[OperationOut]
    total: int


class Totals(BaseModel):
    """Sums over the operations of one kind."""

    kind: str
    count: int
    errors: int
    cache_hits: int
    rate_limit_hits: int
    seconds: float
    cpu_seconds: float
    rows: int
    cost: float


class Summary(BaseModel):
    """Sums by kind."""

    kinds: list[Totals]
    currency: str = Field(description="Of the cost.")


class Day(BaseModel):
    """Sums over the operations of one day (UTC)."""

    day: date
    requests: int
    errors: int
    work: int = Field(description="Analyses, trainings, generations and other jobs.")
    cache_hits: int
    rate_limit_hits: int
    cpu_seconds: float
    rows: int
    cost: float


class Filter(BaseModel):
    """Which operations."""

    model_config = ConfigDict(extra="forbid")

    kind: str | None = Field(None, max_length=40, description="request, analysis, training, generation...")
    outcome: Literal["ok", "error", "cancelled", "refused"] | None = None
    user_id: uuid.UUID | None = None
    project_id: uuid.UUID | None = None
    job_id: str | None = Field(None, max_length=100)
    request_id: str | None = Field(None, max_length=40)
    cache: Literal["hit", "miss"] | None = None
    rate_limit: Literal["pass", "hit"] | None = None
    error: str | None = Field(None, max_length=60)
    route: str | None = Field(None, max_length=200)
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None

    def conditions(self, principal: Principal) -> list[ColumnElement[bool]]:
        """As conditions; who may not read the operations of all reads their own."""
        given = self.model_dump(exclude={"since", "until", "offset", "limit"}, exclude_none=True)
        found = [getattr(Operation, name) == value for name, value in given.items()]
        if self.since is not None:
            found.append(Operation.at >= self.since)
        if self.until is not None:
            found.append(Operation.at < self.until)
        if not principal.may("logs.read"):
            found.append(Operation.user_id == principal.user_id)
        if principal.only_project is not None:
            found.append(Operation.project_id == principal.only_project)
        return found


class Search(Filter):
    """Which operations, and which page of them."""

    offset: int = Field(0, ge=0, le=10**9)
    limit: int = Field(100, ge=1, le=500)


@router.get("", summary="Search operations")
async def search_operations(
    principal: CurrentPrincipal, session: SessionDep, search: Annotated[Search, Query()]
) -> OperationPage:
    """Requests, analyses, trainings, generations, validations, errors: the latest first. Managers and administrators
    see those of all, others their own."""
    conditions = search.conditions(principal)
    total = await session.scalar(select(func.count()).select_from(Operation).where(*conditions))
    found = select(Operation).where(*conditions).order_by(Operation.at.desc(), Operation.id)
    rows = await session.scalars(found.offset(search.offset).limit(search.limit))
    return OperationPage(items=[OperationOut.model_validate(row) for row in rows], total=total or 0)


@router.get("/summary", summary="Sum up operations")
async def summarise(
    principal: CurrentPrincipal, session: SessionDep, policies: PoliciesDep, wanted: Annotated[Filter, Query()]
) -> Summary:
    """Counts, times, rows and cost by kind."""

    def count(condition: ColumnElement[bool]) -> Any:
        return func.count().filter(condition)

    columns = (
        Operation.kind,
        func.count(),
        count(Operation.outcome == "error"),
        count(Operation.cache == "hit"),
        count(Operation.rate_limit == "hit"),
        func.coalesce(func.sum(Operation.seconds), 0.0),
        func.coalesce(func.sum(Operation.cpu_seconds), 0.0),
        func.coalesce(func.sum(Operation.rows), 0),
        func.coalesce(func.sum(Operation.cost), 0.0),
    )
    found = select(*columns).where(*wanted.conditions(principal)).group_by(Operation.kind).order_by(Operation.kind)
    rows = (await session.execute(found)).all()
    kinds = [Totals(**dict(zip(Totals.model_fields, row, strict=True))) for row in rows]
    return Summary(kinds=kinds, currency=policies.cost.currency)


@router.get("/daily", summary="Sum up operations by day")
async def by_day(principal: CurrentPrincipal, session: SessionDep, wanted: Annotated[Filter, Query()]) -> list[Day]:
    """What charts of the usage show: requests, work, errors, hits of the cache and of limits, rows and cost of each
    day on which there was something."""

    def count(condition: ColumnElement[bool]) -> Any:
        return func.count().filter(condition)

    day = func.date(Operation.at)
    columns = (
        day,
        count(Operation.kind == "request"),
        count(Operation.outcome == "error"),
        count(Operation.kind != "request"),
        count(Operation.cache == "hit"),
        count(Operation.rate_limit == "hit"),
        func.coalesce(func.sum(Operation.cpu_seconds), 0.0),
        func.coalesce(func.sum(Operation.rows), 0),
        func.coalesce(func.sum(Operation.cost), 0.0),
    )
    rows = (
        await session.execute(select(*columns).where(*wanted.conditions(principal)).group_by(day).order_by(day))
    ).all()
    return [Day(**dict(zip(Day.model_fields, row, strict=True))) for row in rows]

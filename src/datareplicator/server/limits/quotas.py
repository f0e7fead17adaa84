"""Quotas: what people of a tier, and all together, may make in a day (UTC).

    await spend(session, principal, subjects=1000, rows=300_000)

within the transaction that takes the request: if that is rolled back, nothing was spent.
"""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from datareplicator.server.auth.principal import Principal
from datareplicator.server.database import now
from datareplicator.server.limits.tables import UsedAmount
from datareplicator.server.policies.model import Policies, Tier
from datareplicator.server.policies.service import load
from datareplicator.server.problems import Problem

ALL = "all"
Kind = Literal["subjects", "rows"]


def scope_of(user_id: uuid.UUID) -> str:
    """Under which name a person's amounts are kept."""
    return f"user:{user_id}"


def seconds_left(moment: datetime | None = None) -> int:
    """Seconds until the day is over.

    >>> seconds_left(datetime(2026, 1, 1, 23, 59, tzinfo=UTC))
    60
    """
    moment = moment or now()
    midnight = datetime.combine(moment.date() + timedelta(days=1), time(), UTC)
    return max(1, round((midnight - moment).total_seconds()))


async def tier_of(session: AsyncSession, principal: Principal) -> Tier:
    """What the principal may use."""
    return (await load(session)).tier(principal.tier)


async def spend(session: AsyncSession, principal: Principal, *, subjects: int = 0, rows: int = 0) -> Tier:
    """Take from today's quotas, the person's and everybody's; 429 with Retry-After if there is not enough left.

    The tier comes back, since who asks this will want its speed, batch size and priority.
    """
    policies = await load(session)
    tier = policies.tier(principal.tier)
    if tier.subjects_per_run is not None and subjects > tier.subjects_per_run:
        detail = f"One run may have {tier.subjects_per_run:,} subjects in your tier; {subjects:,} were asked for."
        raise Problem(422, detail, code="quota")
    used = await _add(session, scope_of(principal.user_id), subjects, rows)
    overall = await _add(session, ALL, subjects, rows)
    for kind, asked in (("subjects", subjects), ("rows", rows)):
        if asked:
            _check("Your tier allows", kind, asked, getattr(used, kind), getattr(tier, f"{kind}_per_day"))
            _check(
                "The service allows", kind, asked, getattr(overall, kind), getattr(policies.overall, f"{kind}_per_day")
            )
    return tier


async def refund(session: AsyncSession, user_id: uuid.UUID, *, subjects: int = 0, rows: int = 0, day: date) -> None:
    """Give back what was spent on that day and not made: the job failed or was cancelled."""
    for scope in (scope_of(user_id), ALL):
        await _add(session, scope, -subjects, -rows, day)


def _check(who: str, kind: str, asked: int, used: int, limit: int | None) -> None:
    if limit is None or used <= limit:
        return
    left = max(0, limit - (used - asked))
    raise quota_problem(
        f"{who} {limit:,} generated {kind} a day; {left:,} are left today and {asked:,} were asked for.", limit, left
    )


def quota_problem(detail: str, limit: int, left: int, seconds: int | None = None) -> Problem:
    """The answer when a quota does not suffice."""
    seconds = seconds or seconds_left()
    headers = {
        "Retry-After": str(seconds),
        "RateLimit-Limit": str(limit),
        "RateLimit-Remaining": str(left),
        "RateLimit-Reset": str(seconds),
    }
    return Problem(429, detail, code="quota", headers=headers, limit=limit, remaining=left)


async def _add(session: AsyncSession, scope: str, subjects: int, rows: int, day: date | None = None) -> UsedAmount:
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    values = {"scope": scope, "day": day or now().date(), "requests": 0, "subjects": subjects, "rows": rows}
    given = dialect.insert(UsedAmount).values(values)
    added = given.on_conflict_do_update(
        index_elements=[UsedAmount.scope, UsedAmount.day],
        set_={
            "subjects": UsedAmount.subjects + given.excluded.subjects,
            "rows": UsedAmount.rows + given.excluded.rows,
        },
    ).returning(UsedAmount)
    return (await session.scalars(added, execution_options={"populate_existing": True})).one()


async def used_today(session: AsyncSession, scope: str) -> dict[Kind, int]:
    """Subjects and rows used today."""
    found = select(UsedAmount).where(UsedAmount.scope == scope, UsedAmount.day == now().date())
    row = await session.scalar(found)
    return {"subjects": row.subjects if row else 0, "rows": row.rows if row else 0}


def check_storage(policies: Policies, tier: Tier, *, used: int, overall: int, adding: int) -> None:
    """Raise a problem if `adding` bytes are more than the person (`used` so far) or all (`overall`) may keep."""
    for who, kept, limit in (
        ("Your tier", used, tier.storage_bytes),
        ("The service", overall, policies.overall.storage_bytes),
    ):
        if limit is not None and kept + adding > limit:
            detail = f"{who} keeps {limit:,} bytes at most; {kept:,} are in use and {adding:,} would be added."
            raise Problem(507, detail, code="storage", hint="Delete data that is no longer needed.")

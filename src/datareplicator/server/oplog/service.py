"""Recording and searching operations: what was done for whom, how long it took, what it used and cost."""

from __future__ import annotations

import uuid
from typing import Any, Literal

import structlog
from sqlalchemy.ext.asyncio import AsyncSession
from structlog.contextvars import get_contextvars

from datareplicator.server import metrics
from datareplicator.server.auth.principal import Principal
from datareplicator.server.oplog.tables import Operation
from datareplicator.server.policies.model import Cost
from datareplicator.server.policies.service import load

log = structlog.get_logger("datareplicator.operation")

Outcome = Literal["ok", "error", "cancelled", "refused"]
SHOWN = (
    "kind",
    "outcome",
    "job_id",
    "cache",
    "seconds",
    "cpu_seconds",
    "peak_bytes",
    "subjects",
    "rows",
    "cost",
    "error",
)


def cost_of(cpu_seconds: float | None, price: Cost) -> float | None:
    """What so much computing costs.

    >>> cost_of(7200, Cost(per_cpu_hour=0.05))
    0.1
    """
    return None if cpu_seconds is None else round(cpu_seconds / 3600 * price.per_cpu_hour, 6)


async def log_operation(
    session: AsyncSession,
    kind: str,
    outcome: Outcome = "ok",
    *,
    principal: Principal | None = None,
    user_id: uuid.UUID | None = None,
    project_id: uuid.UUID | None = None,
    job_id: str | None = None,
    error: str | None = None,
    cache: Literal["hit", "miss"] | None = None,
    rate_limit: Literal["pass", "hit"] | None = None,
    seconds: float | None = None,
    cpu_seconds: float | None = None,
    peak_bytes: int | None = None,
    subjects: int | None = None,
    rows: int | None = None,
    detail: dict[str, Any] | None = None,
) -> Operation:
    """Record an operation in the transaction of the caller, in the log and in the metrics.

    `kind` is a word such as analysis, training, generation, validation, comparison, download, push. `error` is a code,
    not a message: messages may quote data. `detail` holds counts and settings, never values of data or names of people.
    """
    price = (await load(session)).cost
    operation = Operation(
        kind=kind,
        outcome=outcome,
        user_id=principal.user_id if principal else user_id,
        key_id=principal.key_id if principal else None,
        project_id=project_id,
        job_id=job_id,
        request_id=get_contextvars().get("request_id"),
        error=error,
        cache=cache,
        rate_limit=rate_limit,
        seconds=seconds,
        cpu_seconds=cpu_seconds,
        peak_bytes=peak_bytes,
        subjects=subjects,
        rows=rows,
        cost=cost_of(cpu_seconds, price),
        detail=detail,
    )
    session.add(operation)
    await session.flush()
    emit(operation)
    return operation


def emit(operation: Operation) -> None:
    """Write an operation to the log and count it."""
    said = {name: getattr(operation, name) for name in SHOWN if getattr(operation, name) is not None}
    who = {name: str(value) for name in ("user_id", "project_id") if (value := getattr(operation, name)) is not None}
    log.info("operation", **said, **who)
    metrics.count_operation(operation.kind, operation.outcome, operation.cache, operation.seconds, operation.rows)

"""Jobs and what they tell."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Float, ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from datareplicator.server.database import Base, Id, Made, now

QUEUED, RUNNING, DONE, FAILED, CANCELLED = STATES = ("queued", "running", "done", "failed", "cancelled")
OPEN = (QUEUED, RUNNING)
QUEUES = ("analysis", "training", "generation")


class Job(Base):
    """One piece of work, its lease, and how far it is.

    A worker holds a job while `worker` is its name, `attempt` the number that it claimed, and `lease_until` (seconds
    since 1970 by the database's clock) lies ahead. `attempt` is the fencing token: every write of a worker names it,
    so that whoever lost the job changes nothing any more.
    """

    __tablename__ = "job"

    id: Mapped[Id]
    project_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("project.id", ondelete="cascade"), index=True)
    user_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("user_account.id", ondelete="set null"))
    kind: Mapped[str] = mapped_column(String(32))
    queue: Mapped[str] = mapped_column(String(16))
    priority: Mapped[int] = mapped_column(Integer, default=0)
    state: Mapped[str] = mapped_column(String(16), default=QUEUED)
    subject_id: Mapped[uuid.UUID | None] = mapped_column(index=True)
    request: Mapped[dict[str, Any]] = mapped_column(default=dict)
    after_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("job.id", ondelete="set null"), index=True)
    at_once: Mapped[int | None]
    attempt: Mapped[int] = mapped_column(Integer, default=0)
    failures: Mapped[int] = mapped_column(Integer, default=0)
    worker: Mapped[str | None] = mapped_column(String(128))
    lease_until: Mapped[float] = mapped_column(Float, default=0.0)
    not_before: Mapped[float] = mapped_column(Float, default=0.0)
    events: Mapped[int] = mapped_column(Integer, default=0)
    created_at: Mapped[Made]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    progress: Mapped[dict[str, Any]] = mapped_column(default=dict)
    result: Mapped[dict[str, Any] | None]
    error: Mapped[dict[str, Any] | None]
    cache: Mapped[str] = mapped_column(String(8), default="miss")
    rows: Mapped[int] = mapped_column(BigInteger, default=0)
    seconds: Mapped[float] = mapped_column(Float, default=0.0)
    cpu_seconds: Mapped[float] = mapped_column(Float, default=0.0)
    peak_mb: Mapped[float] = mapped_column(Float, default=0.0)

    __table_args__ = (Index("ix_job_claim", "queue", "state", "priority", "created_at"),)


class JobEvent(Base):
    """What a job told, numbered from 1 within the job: whoever was away goes on after the last number seen."""

    __tablename__ = "job_event"

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    job_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("job.id", ondelete="cascade"))
    number: Mapped[int] = mapped_column(Integer)
    at: Mapped[datetime] = mapped_column(default=now)
    content: Mapped[dict[str, Any]]

    __table_args__ = (UniqueConstraint("job_id", "number"),)

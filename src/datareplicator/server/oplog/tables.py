"""The table of operations."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Float, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from datareplicator.server.database import Base, Json, now


class Operation(Base):
    """One request, analysis, training, generation, error or validation, with what it took. Names nobody but by id."""

    __tablename__ = "operation"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    at: Mapped[datetime] = mapped_column(default=now)
    kind: Mapped[str] = mapped_column(String(40))
    outcome: Mapped[str] = mapped_column(String(20))
    user_id: Mapped[uuid.UUID | None]
    key_id: Mapped[uuid.UUID | None]
    project_id: Mapped[uuid.UUID | None]
    job_id: Mapped[str | None] = mapped_column(String(100), index=True)
    request_id: Mapped[str | None] = mapped_column(String(40), index=True)
    method: Mapped[str | None] = mapped_column(String(10))
    route: Mapped[str | None] = mapped_column(String(200))
    status: Mapped[int | None]
    error: Mapped[str | None] = mapped_column(String(60))
    cache: Mapped[str | None] = mapped_column(String(10))
    rate_limit: Mapped[str | None] = mapped_column(String(10))
    seconds: Mapped[float | None] = mapped_column(Float)
    cpu_seconds: Mapped[float | None] = mapped_column(Float)
    peak_bytes: Mapped[int | None] = mapped_column(BigInteger)
    subjects: Mapped[int | None] = mapped_column(BigInteger)
    rows: Mapped[int | None] = mapped_column(BigInteger)
    cost: Mapped[float | None] = mapped_column(Float)
    detail: Mapped[dict[str, Any] | None] = mapped_column(Json)

    __table_args__ = (
        Index("ix_operation_at", "at"),
        Index("ix_operation_user_id_at", "user_id", "at"),
        Index("ix_operation_project_id_at", "project_id", "at"),
        Index("ix_operation_kind_at", "kind", "at"),
    )

"""Runs: what was asked for, and what came of it."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from datareplicator.server.database import Base, Identified


class Run(Identified, Base):
    """One generation of subjects, or one corruption of a dataset as it is (`kind`). `request` is the run document."""

    __tablename__ = "run"

    project_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("project.id", ondelete="cascade"), index=True)
    model_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("model.id", ondelete="set null"), index=True)
    version_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("dataset_version.id", ondelete="set null"), index=True
    )
    name: Mapped[str] = mapped_column(String(200))
    kind: Mapped[str] = mapped_column(String(16))
    request: Mapped[dict[str, Any]]
    created_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("user_account.id", ondelete="set null"))
    job_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("job.id", ondelete="set null"))
    result_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("result.id"), index=True)
    expires_at: Mapped[datetime | None]

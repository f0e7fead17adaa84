"""Models, several versions of a name."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from datareplicator.server.database import Base, Identified


class Model(Identified, Base):
    """A learned study, or one that was imported. `request`: what of the run document shapes the learning."""

    __tablename__ = "model"
    __table_args__ = (UniqueConstraint("project_id", "name", "number"),)

    project_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("project.id", ondelete="cascade"), index=True)
    version_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("dataset_version.id", ondelete="set null"), index=True
    )
    name: Mapped[str] = mapped_column(String(200))
    number: Mapped[int]
    description: Mapped[str] = mapped_column(Text, default="")
    origin: Mapped[str] = mapped_column(String(16))
    request: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("user_account.id", ondelete="set null"))
    job_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("job.id", ondelete="set null"))
    result_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("result.id"), index=True)

"""Presets of a project."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from datareplicator.server.database import Base, Identified, now


class Preset(Identified, Base):
    """A run document under a name, for all members of the project."""

    __tablename__ = "preset"
    __table_args__ = (UniqueConstraint("project_id", "name"),)

    project_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("project.id", ondelete="cascade"))
    name: Mapped[str] = mapped_column(String(200))
    document: Mapped[dict[str, Any]]
    created_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("user_account.id", ondelete="set null"))
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)

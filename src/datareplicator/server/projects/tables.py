"""Tables of projects, their members and invitations."""

from __future__ import annotations

import uuid
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from datareplicator.server.auth.tables import EMAIL_LENGTH
from datareplicator.server.database import Base, Identified, Json, Made, now


class MemberRole(StrEnum):
    """What a member may do in a project, from least to most."""

    VIEWER = "viewer"
    EDITOR = "editor"
    OWNER = "owner"


class Project(Identified, Base):
    """A project."""

    __tablename__ = "project"

    name: Mapped[str] = mapped_column(String(200))
    description: Mapped[str] = mapped_column(Text, default="")
    standard: Mapped[str | None] = mapped_column(String(40))
    domains: Mapped[list[str]] = mapped_column(Json, default=list)
    created_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("user_account.id", ondelete="set null"))
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)
    archived_at: Mapped[datetime | None]


class Membership(Base):
    """Somebody in a project."""

    __tablename__ = "membership"

    project_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("project.id", ondelete="cascade"), primary_key=True)
    user_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("user_account.id", ondelete="cascade"), primary_key=True, index=True
    )
    role: Mapped[str] = mapped_column(String(20))
    created_at: Mapped[Made]


class Invitation(Identified, Base):
    """An email address that may join a project: at once when the account exists, else when it registers."""

    __tablename__ = "invitation"
    __table_args__ = (UniqueConstraint("project_id", "email"),)

    project_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("project.id", ondelete="cascade"), index=True)
    email: Mapped[str] = mapped_column(String(EMAIL_LENGTH), index=True)
    role: Mapped[str] = mapped_column(String(20))
    token: Mapped[str] = mapped_column(String(64), unique=True)
    invited_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("user_account.id", ondelete="set null"))
    expires_at: Mapped[datetime]

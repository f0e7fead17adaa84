"""Analyses of datasets."""

from __future__ import annotations

import uuid

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from datareplicator.server.database import Base, Identified


class Analysis(Identified, Base):
    """What was found in a version of a dataset: its profile, and its structure in words."""

    __tablename__ = "analysis"

    project_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("project.id", ondelete="cascade"), index=True)
    version_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("dataset_version.id", ondelete="cascade"), index=True)
    name: Mapped[str] = mapped_column(String(200))
    created_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("user_account.id", ondelete="set null"))
    job_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("job.id", ondelete="set null"))
    result_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("result.id"), index=True)

"""Results of work, found again by what they depend on, and what is still to be deleted from the store."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from datareplicator.server.database import Base, Identified


class Result(Identified, Base):
    """What one job made: files below `prefix`, and a summary. Several rows may show the same result.

    `key` is the digest of all that the result depends on; within its project an equal request finds it again.
    """

    __tablename__ = "result"
    __table_args__ = (Index("ix_result_lookup", "project_id", "kind", "key"),)

    project_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("project.id", ondelete="cascade"))
    kind: Mapped[str] = mapped_column(String(32))
    key: Mapped[str] = mapped_column(String(64))
    prefix: Mapped[str] = mapped_column(String(200))
    size: Mapped[int] = mapped_column(BigInteger)
    summary: Mapped[dict[str, Any]] = mapped_column(default=dict)


class ResultFile(Base):
    """One file of a result."""

    __tablename__ = "result_file"

    result_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("result.id", ondelete="cascade"), primary_key=True)
    name: Mapped[str] = mapped_column(String(300), primary_key=True)
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64))


class Deletion(Identified, Base):
    """A prefix of the store that no row names any more: written with the deletion of the row, removed when the store
    has let it go. So nothing is left behind when a process dies in between."""

    __tablename__ = "deletion"

    prefix: Mapped[str] = mapped_column(String(300))

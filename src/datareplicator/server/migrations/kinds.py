"""Kinds of columns that the migrations share. They are part of the history: a kind that changes gets a new name."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
MOMENT = sa.DateTime(timezone=True)


def identity() -> sa.Column[object]:
    """The primary key of most tables."""
    return sa.Column("id", sa.Uuid(), nullable=False)


def moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    """A moment with time zone; `created_at` of most tables."""
    return sa.Column(name, MOMENT, nullable=nullable)


def project() -> sa.Column[object]:
    """The project that a row belongs to."""
    return sa.Column("project_id", sa.Uuid(), nullable=False)

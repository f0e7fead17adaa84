"""Tables of accounts, their external identities and their sessions."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import Boolean, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from datareplicator.server.auth.permissions import Role
from datareplicator.server.database import Base, Identified, Made, now

EMAIL_LENGTH = 320


class User(Identified, Base):
    """An account. The names of the first fields are those that FastAPI-Users expects; emails are in lower case."""

    __tablename__ = "user_account"

    email: Mapped[str] = mapped_column(String(EMAIL_LENGTH), unique=True)
    hashed_password: Mapped[str] = mapped_column(String(1024))
    is_active: Mapped[bool] = mapped_column(Boolean, default=True)
    is_superuser: Mapped[bool] = mapped_column(Boolean, default=False)
    is_verified: Mapped[bool] = mapped_column(Boolean, default=False)
    name: Mapped[str] = mapped_column(String(200), default="")
    role: Mapped[str] = mapped_column(String(20), default=Role.ANALYST.value)
    tier: Mapped[str] = mapped_column(String(40), default="standard")
    last_login_at: Mapped[datetime | None]


class OAuthAccount(Identified, Base):
    """An identity at a provider. Its tokens are not kept: nothing is done with them after the login."""

    __tablename__ = "oauth_account"
    __table_args__ = (UniqueConstraint("oauth_name", "account_id"),)

    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("user_account.id", ondelete="cascade"), index=True)
    oauth_name: Mapped[str] = mapped_column(String(100))
    access_token: Mapped[str] = mapped_column(String(16), default="")
    expires_at: Mapped[int | None]
    refresh_token: Mapped[str | None] = mapped_column(String(16))
    account_id: Mapped[str] = mapped_column(String(EMAIL_LENGTH))
    account_email: Mapped[str] = mapped_column(String(EMAIL_LENGTH))


class LoginSession(Base):
    """A login. `token` is the SHA-256 of what the browser or program holds."""

    __tablename__ = "login_session"

    token: Mapped[str] = mapped_column(String(64), primary_key=True)
    id: Mapped[uuid.UUID] = mapped_column(default=uuid.uuid4, unique=True)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("user_account.id", ondelete="cascade"), index=True)
    created_at: Mapped[Made]
    used_at: Mapped[datetime] = mapped_column(default=now, index=True)
    client: Mapped[str] = mapped_column(String(200), default="")


class OneTimeToken(Base):
    """A link that works once: setting up the first administrator, an invitation of an account."""

    __tablename__ = "one_time_token"

    token: Mapped[str] = mapped_column(String(64), primary_key=True)
    purpose: Mapped[str] = mapped_column(String(20))
    user_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("user_account.id", ondelete="cascade"), index=True)
    created_at: Mapped[Made]
    expires_at: Mapped[datetime]

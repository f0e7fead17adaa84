"""What goes in and out about accounts."""

from __future__ import annotations

import uuid
from datetime import datetime

from pydantic import BaseModel, ConfigDict, EmailStr, Field

from datareplicator.server.auth.permissions import Role


class UserOut(BaseModel):
    """An account."""

    model_config = ConfigDict(from_attributes=True)

    id: uuid.UUID
    email: str
    name: str
    role: Role
    tier: str
    is_active: bool
    is_verified: bool
    created_at: datetime
    last_login_at: datetime | None


class UserPage(BaseModel):
    """Some of the accounts."""

    items: list[UserOut]
    total: int


class UserNew(BaseModel):
    """An account to be made."""

    model_config = ConfigDict(extra="forbid")

    email: EmailStr
    name: str = Field("", max_length=200)
    role: Role = Role.ANALYST
    tier: str | None = Field(None, description="Name of a tier; the default one by default.")


class UserMade(UserOut):
    """A new account with its link."""

    link: str = Field(description="Sets the password; works once, for 72 hours. Shown this once; also sent by mail.")


class UserChange(BaseModel):
    """What is to be changed; what is not given stays."""

    model_config = ConfigDict(extra="forbid")

    name: str | None = Field(None, max_length=200)
    role: Role | None = None
    tier: str | None = None
    is_active: bool | None = Field(None, description="False ends all logins and keys at once.")


class LinkOut(BaseModel):
    """A link that works once."""

    link: str

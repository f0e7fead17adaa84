"""What goes in and out about logins and one's own account."""

from __future__ import annotations

import uuid
from datetime import datetime

from pydantic import BaseModel, ConfigDict, EmailStr, Field

from datareplicator.server.auth.passwords import MOST
from datareplicator.server.auth.permissions import Role

Password = Field(min_length=1, max_length=MOST, description="12 characters at least, and hard to guess.")
Token = Field(min_length=10, max_length=4000, description="From the link.")


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid")


class LoginAsked(_Asked):
    """Email address and password."""

    email: EmailStr
    password: str = Password


class RegistrationAsked(LoginAsked):
    """A new account."""

    name: str = Field("", max_length=200)


class EmailAsked(_Asked):
    """An email address."""

    email: EmailStr


class TokenAsked(_Asked):
    """The token of a link."""

    token: str = Token


class ResetAsked(TokenAsked):
    """The token of a link, and the new password."""

    password: str = Password


class SetupAsked(RegistrationAsked):
    """The first administrator."""

    token: str = Token


class MeChange(_Asked):
    """One's own name."""

    name: str = Field(max_length=200)


class PasswordChange(_Asked):
    """A new password, and the present one as a proof."""

    current_password: str = Field(min_length=1, max_length=MOST)
    new_password: str = Password


class DeletionAsked(_Asked):
    """One's own account is to go: the address as a proof that it is meant, the password as a proof of who asks."""

    email: EmailStr
    current_password: str | None = Field(
        None, max_length=MOST, description="Needed unless one logs in through an identity provider."
    )


class Me(BaseModel):
    """Who asks, and what they may."""

    id: uuid.UUID
    email: str
    name: str
    role: Role
    tier: str
    is_verified: bool
    has_password_login: bool = Field(description="Whether login by password is possible in this service.")
    permissions: list[str]
    identities: list[str] = Field(description="Names of the providers that are linked.")
    csrf_token: str | None = Field(None, description="To be sent as X-CSRF-Token with what writes; with cookies only.")


class AccessToken(BaseModel):
    """A bearer token; shown this once."""

    access_token: str
    token_type: str = "bearer"
    expires_in: int = Field(description="Seconds it lasts at most.")


class Accepted(BaseModel):
    """The request was taken; what comes of it is in a mail."""

    detail: str


class ProviderOut(BaseModel):
    """A way to log in elsewhere."""

    name: str
    title: str
    login_url: str


class Methods(BaseModel):
    """How one can get in."""

    registration: bool = Field(description="Whether registering is possible, for some or for all.")
    registration_open_to_all: bool
    password: bool
    providers: list[ProviderOut]
    setup_needed: bool = Field(description="There is no administrator yet.")
    mail: bool = Field(description="Whether verification and reset by mail work.")


class SessionOut(BaseModel):
    """A login of one's own."""

    id: uuid.UUID
    created_at: datetime
    used_at: datetime
    client: str = Field(description="What the browser or program calls itself.")
    current: bool

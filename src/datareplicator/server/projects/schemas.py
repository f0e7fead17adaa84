"""What goes in and out about projects."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, EmailStr, Field, StringConstraints

from datareplicator.server.projects.tables import MemberRole

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Domain = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)]
Standard = Annotated[str, StringConstraints(strip_whitespace=True, max_length=40)]


class ProjectNew(BaseModel):
    """A project to be made."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"example": {"name": "Study 301", "standard": "SDTM", "domains": ["DM", "AE", "LB"]}},
    )

    name: Name
    description: str = Field("", max_length=20_000)
    standard: Standard | None = Field(None, description="SDTM, ADaM, OMOP or whatever the data follow.")
    domains: list[Domain] = Field([], max_length=500, description="Target data domains.")


class ProjectChange(BaseModel):
    """What is to be changed; what is not given stays."""

    model_config = ConfigDict(extra="forbid")

    name: Name | None = None
    description: str | None = Field(None, max_length=20_000)
    standard: Standard | None = None
    domains: list[Domain] | None = Field(None, max_length=500)
    archived: bool | None = Field(None, description="Archived projects are hidden from lists by default.")


class ProjectOut(BaseModel):
    """A project as the asker sees it."""

    model_config = ConfigDict(from_attributes=True)

    id: uuid.UUID
    name: str
    description: str
    standard: str | None
    domains: list[str]
    created_at: datetime
    updated_at: datetime
    archived_at: datetime | None
    my_role: MemberRole = Field(description="The asker's role in it; administrators are owners everywhere.")


class ProjectPage(BaseModel):
    """Some of the projects."""

    items: list[ProjectOut]
    total: int


class MemberOut(BaseModel):
    """Somebody in a project."""

    user_id: uuid.UUID
    email: str
    name: str
    role: MemberRole
    since: datetime


class MemberChange(BaseModel):
    """A new role for a member."""

    model_config = ConfigDict(extra="forbid")

    role: MemberRole


class InvitationNew(BaseModel):
    """Somebody to be invited."""

    model_config = ConfigDict(extra="forbid")

    email: EmailStr
    role: MemberRole = MemberRole.VIEWER


class InvitationOut(BaseModel):
    """An open invitation."""

    model_config = ConfigDict(from_attributes=True)

    id: uuid.UUID
    email: str
    role: MemberRole
    created_at: datetime
    expires_at: datetime


class InvitationMade(InvitationOut):
    """An invitation with its link, which is shown this once."""

    link: str


class InvitationToken(BaseModel):
    """The token of an invitation's link."""

    model_config = ConfigDict(extra="forbid")

    token: str = Field(min_length=10, max_length=200)

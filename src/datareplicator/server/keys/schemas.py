"""What goes in and out about API keys."""

from __future__ import annotations

import uuid
from datetime import datetime

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, field_validator

from datareplicator.server.auth.permissions import known


class KeyNew(BaseModel):
    """A key to be made."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"name": "nightly", "scopes": ["runs.read", "runs.write"]}}
    )

    name: str = Field(min_length=1, max_length=100)
    scopes: list[str] | None = Field(None, max_length=50, description="Permissions; all of its owner's by default.")
    project_id: uuid.UUID | None = Field(None, description="The only project it may enter.")
    expires_at: AwareDatetime | None = Field(None, description="When it ends; never by default.")

    @field_validator("scopes")
    @classmethod
    def _known(cls, value: list[str] | None) -> list[str] | None:
        return None if value is None else sorted({known(scope) for scope in value})


class KeyOut(BaseModel):
    """A key, without its secret."""

    model_config = ConfigDict(from_attributes=True)

    id: uuid.UUID
    name: str
    hint: str = Field(description="How the key begins.")
    scopes: list[str] | None
    project_id: uuid.UUID | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    used_at: datetime | None


class KeyMade(KeyOut):
    """A new key."""

    key: str = Field(description="The secret; shown this once.")

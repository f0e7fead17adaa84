"""What goes in and out about presets."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from datareplicator.server.projects.schemas import Name
from datareplicator.server.runs.schemas import DOCUMENT


class PresetNew(BaseModel):
    """A request to be kept; one of the same name is replaced."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {"name": "Messy phase III", "document": {"subjects": 600, "faults": {"include": "messy-site"}}}
        },
    )

    name: Name
    document: dict[str, Any] = Field(description=DOCUMENT)


class PresetOut(BaseModel):
    """A request under a name."""

    model_config = ConfigDict(from_attributes=True)

    id: uuid.UUID
    name: str
    document: dict[str, Any]
    created_at: datetime
    updated_at: datetime
    created_by: uuid.UUID | None

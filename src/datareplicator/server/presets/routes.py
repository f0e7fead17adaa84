"""Presets: requests that members of a project keep under a name."""

from __future__ import annotations

import uuid

from fastapi import APIRouter, status
from sqlalchemy import delete, func, select

from datareplicator.server.audit.service import record
from datareplicator.server.database import SessionDep, now
from datareplicator.server.presets.schemas import PresetNew, PresetOut
from datareplicator.server.presets.tables import Preset
from datareplicator.server.problems import Problem, not_found, responses
from datareplicator.server.runs.document import parse_document
from datareplicator.server.runs.routes import Editor, Reader

MOST = 200
"""Presets of a project."""

router = APIRouter(prefix="/projects/{project_id}/presets", tags=["runs"])


@router.get("", summary="List presets", responses=responses(404))
async def list_presets(access: Reader, session: SessionDep) -> list[PresetOut]:
    """Requests kept under a name, by name."""
    found = select(Preset).where(Preset.project_id == access.project_id).order_by(Preset.name)
    return [PresetOut.model_validate(row) for row in await session.scalars(found)]


@router.put("", summary="Keep a request", responses=responses(404, 409, 422))
async def keep_preset(asked: PresetNew, access: Editor, session: SessionDep) -> PresetOut:
    """Keep a run document under a name, in place of one of that name. It is read as strictly as that of a run."""
    parse_document(asked.document)
    own = Preset.project_id == access.project_id
    preset = await session.scalar(select(Preset).where(own, Preset.name == asked.name))
    if preset is None:
        if (await session.scalar(select(func.count()).select_from(Preset).where(own)) or 0) >= MOST:
            raise Problem(409, f"A project keeps {MOST} presets at most.", hint="Delete one that is not needed.")
        preset = Preset(project_id=access.project_id, name=asked.name, created_by=access.principal.user_id)
        session.add(preset)
    preset.document, preset.updated_at = asked.document, now()
    await session.flush()
    after = {"name": preset.name, "document": preset.document}
    await record(session, access.principal, "keep", "preset", preset.id, after=after, project_id=access.project_id)
    return PresetOut.model_validate(preset)


@router.delete(
    "/{preset_id}", summary="Delete a preset", status_code=status.HTTP_204_NO_CONTENT, responses=responses(404)
)
async def delete_preset(preset_id: uuid.UUID, access: Editor, session: SessionDep) -> None:
    """Delete a preset; runs made from it stay."""
    own = (Preset.id == preset_id) & (Preset.project_id == access.project_id)
    name = await session.scalar(delete(Preset).where(own).returning(Preset.name))
    if name is None:
        raise not_found("preset")
    await record(
        session, access.principal, "delete", "preset", preset_id, before={"name": name}, project_id=access.project_id
    )

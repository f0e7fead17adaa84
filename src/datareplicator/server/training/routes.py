"""The Training Replicator over HTTP: a table in, its model out; models in, related rows out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from datareplicator.server.auth.principal import Principal, require
from datareplicator.server.database import DatabaseDep, SettingsDep
from datareplicator.server.datasets import receiving
from datareplicator.server.datasets.routes import ANY_SIZE
from datareplicator.server.limits.quotas import spend
from datareplicator.server.oplog.service import log_operation
from datareplicator.server.problems import Problem, responses
from datareplicator.server.training.schemas import MOST_ROWS, GenerateRelated, RelatedTables, TrainedModel
from datareplicator.server.training.service import desk_of

router = APIRouter(prefix="/synthetic", tags=["training replicator"])
MOST_BYTES = 200_000_000
FORM = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "array", "items": {"type": "string", "format": "binary"}}},
                }
            }
        },
    }
}


@router.post(
    "/train-model",
    summary="Learn tables",
    responses=responses(400, 413, 415, 422),
    max_body_size=ANY_SIZE,
    openapi_extra=FORM,
)
async def train_model(
    request: Request,
    principal: Annotated[Principal, require("models.write")],
    database: DatabaseDep,
    settings: SettingsDep,
    foreign_keys: Annotated[
        str | None,
        Query(
            description='Of several tables, as JSON: {"orders": {"customer_id": "customers.id"}}.', max_length=20_000
        ),
    ] = None,
    sequence_key: Annotated[str | None, Query(description="Column that names a series in time.")] = None,
    time_column: Annotated[str | None, Query(description="Column of time of a series.")] = None,
) -> TrainedModel:
    """Upload a CSV or JSON file (or another kind that is read; several for related tables); the answer is the model
    definition with its metadata. Nothing is kept."""
    most = min(MOST_BYTES, settings.max_upload_bytes)
    spec = {"foreign_keys": _keys(foreign_keys), "sequence_key": sequence_key, "time_column": time_column}
    with receiving.staging(settings.data_dir) as folder:
        async with receiving.form_files(request, most) as files:
            received = await receiving.receive(files, folder, most)

        async def fill(target: Path) -> None:
            for one in received:
                one.path.replace(target / one.name)

        answer, result, used = await desk_of(request.app).done("datareplicator.server.training.work:train", spec, fill)
    async with database.session(write=True) as session:
        await log_operation(session, "training", principal=principal, rows=result["rows"], **_measured(used))
    return TrainedModel(model=answer, tables=result["tables"], rows=result["rows"])


def _keys(text: str | None) -> dict[str, dict[str, str]] | None:
    if text is None:
        return None
    try:
        keys = json.loads(text)
    except ValueError as error:
        raise Problem(422, "foreign_keys is no JSON.") from error
    good = isinstance(keys, dict) and all(
        isinstance(own, dict) and all(isinstance(v, str) for v in own.values()) for own in keys.values()
    )
    if not good:
        raise Problem(422, 'foreign_keys must be like {"orders": {"customer_id": "customers.id"}}.')
    return keys


def _measured(used: dict[str, float]) -> dict[str, Any]:
    peak = round(used.get("peak_mb", 0) * 2**20)
    return {"seconds": used.get("seconds"), "cpu_seconds": used.get("cpu_seconds"), "peak_bytes": peak}


@router.post("/generate-related", summary="Generate related tables", responses=responses(413, 422, 429))
async def generate_related(
    asked: GenerateRelated,
    request: Request,
    principal: Annotated[Principal, require("runs.write")],
    database: DatabaseDep,
) -> RelatedTables:
    """Rows of several tables whose foreign keys hold, from the models that `train-model` gave."""
    if (asked.model is None) == (asked.models is None):
        raise Problem(422, "Give `model`, or `models` with their foreign keys.")
    if not 0 <= asked.asked_rows <= MOST_ROWS or min([0] if isinstance(asked.rows, int) else asked.rows.values()) < 0:
        raise Problem(422, f"One request makes up to {MOST_ROWS:,} rows.")
    async with database.session(write=True) as session:
        await spend(session, principal, rows=asked.asked_rows)

    async def fill(target: Path) -> None:
        return None

    answer, result, used = await desk_of(request.app).done(
        "datareplicator.server.training.work:generate", asked.model_dump(), fill
    )
    async with database.session(write=True) as session:
        await log_operation(session, "generation", principal=principal, rows=result["rows"], **_measured(used))
    return RelatedTables(**answer)

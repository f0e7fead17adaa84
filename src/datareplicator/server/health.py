"""For those who run the service: is it alive, is it ready, what are its figures."""

from __future__ import annotations

import hmac
import os
from typing import Literal

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest, multiprocess
from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from datareplicator.server.database import DatabaseDep, SettingsDep
from datareplicator.server.problems import Problem, responses

router = APIRouter(tags=["health"])


class Health(BaseModel):
    """All is well."""

    status: Literal["ok"] = "ok"


@router.get("/healthz", summary="Is the process alive")
async def healthz() -> Health:
    """Answers as long as the process does."""
    return Health()


@router.get("/readyz", summary="Can requests be served", responses=responses(503))
async def readyz(database: DatabaseDep) -> Health:
    """Answers when the database does."""
    try:
        async with database.session() as session:
            await session.execute(text("SELECT 1"))
    except (SQLAlchemyError, OSError) as error:
        raise Problem(503, "The database does not answer.") from error
    return Health()


@router.get("/metrics", summary="Figures for Prometheus", response_class=Response, responses=responses(401))
async def figures(request: Request, settings: SettingsDep) -> Response:
    """Counters and times, of all processes of this host when PROMETHEUS_MULTIPROC_DIR is set. Names nobody."""
    if settings.metrics_token is not None:
        expected = f"Bearer {settings.metrics_token.get_secret_value()}"
        if not hmac.compare_digest(request.headers.get("authorization", "").encode(), expected.encode()):
            raise Problem(401, "The figures need their token.", headers={"WWW-Authenticate": "Bearer"})
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

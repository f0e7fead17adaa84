"""Starting the service: settings, database, first administrator, processes that answer."""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from pydantic import ValidationError

from datareplicator.errors import RequestError
from datareplicator.server.app import create_app
from datareplicator.server.auth.first import prepare
from datareplicator.server.database import make_database
from datareplicator.server.migrate import migrate
from datareplicator.server.oplog.logs import configure
from datareplicator.server.settings import PREFIX, Settings

METRICS = "PROMETHEUS_MULTIPROC_DIR"


def read_settings() -> Settings:
    """The settings of the environment; RequestError that names the variable when one is wrong."""
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = PREFIX + str(first["loc"][0] if first["loc"] else "").upper()
        raise RequestError(f"{name}: {first['msg']}.", hint="docs/reference/settings.md has all settings.") from error


def application() -> FastAPI:
    """The application of one process; called by the server in each."""
    settings = read_settings()
    configure(settings)
    return create_app(settings)


def serve(given: dict[str, object]) -> None:
    """Serve until stopped. What is given overrides the environment, for this process and those it starts."""
    for name, value in given.items():
        if value is not None:
            os.environ[f"{PREFIX}{name.upper()}"] = str(value)
    settings = read_settings()
    _fill_in(settings)
    settings = read_settings()
    configure(settings)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    link = asyncio.run(_prepare(settings))
    if settings.api_workers > 1:
        _share_metrics(settings.data_dir / "metrics")
    print(f"DataReplicator   {settings.public_url}", flush=True)  # noqa: T201
    if link is not None:
        print(f"There is no administrator yet. Make one, once, within 72 hours:\n  {link}", flush=True)  # noqa: T201
    uvicorn.run(
        "datareplicator.server.run_serve:application",
        factory=True,
        host=settings.host,
        port=settings.port,
        workers=settings.api_workers,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=settings.trusted_proxies or None,
        timeout_graceful_shutdown=10,
    )


def _fill_in(settings: Settings) -> None:
    """What follows from other settings, where nothing else is said: one worker, and the address people open."""
    if "workers" not in settings.model_fields_set:
        os.environ[f"{PREFIX}WORKERS"] = "1"
    if "public_url" not in settings.model_fields_set:
        host = "127.0.0.1" if settings.host in ("0.0.0.0", "::", "") else settings.host
        os.environ[f"{PREFIX}PUBLIC_URL"] = f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"


def _share_metrics(folder: Path) -> None:
    """A fresh folder in which the processes add up their figures."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    os.environ[METRICS] = str(folder.resolve())


async def _prepare(settings: Settings) -> str | None:
    database = make_database(settings)
    try:
        await migrate(database)
        return await prepare(database)
    finally:
        await database.close()

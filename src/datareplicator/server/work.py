"""The work of the service as the application takes it: its routers, its store, followers, workers, tidying."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import structlog
from fastapi import APIRouter, FastAPI

from datareplicator.server.analyses.routes import router as analyses
from datareplicator.server.datasets.routes import router as datasets
from datareplicator.server.datasets.table_routes import router as dataset_tables
from datareplicator.server.exports.routes import router as exports
from datareplicator.server.jobs import hub
from datareplicator.server.jobs.local import LocalWorkers
from datareplicator.server.jobs.routes import router as jobs
from datareplicator.server.jobs.run_worker import storage_folder
from datareplicator.server.models.routes import router as models
from datareplicator.server.presets.routes import router as presets
from datareplicator.server.previews.service import forget_copies
from datareplicator.server.runs.routes import router as runs
from datareplicator.server.runs.routes import schema_router as run_schema
from datareplicator.server.storage import open_storage
from datareplicator.server.targets.routes import router as targets
from datareplicator.server.tidying import tidy
from datareplicator.server.training.routes import router as training
from datareplicator.server.validations.routes import router as validations

ROUTERS: list[APIRouter] = [
    jobs,
    runs,
    dataset_tables,
    datasets,
    analyses,
    models,
    presets,
    exports,
    validations,
    targets,
    run_schema,
    training,
]
TIDY = 5.0
"""Seconds between two looks for what is to be deleted."""

log = structlog.get_logger("datareplicator.work")


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """The store, the followers of jobs, the tidying, and as many workers as the settings say."""
    settings = app.state.settings
    app.state.storage = open_storage(settings.storage_url, storage_folder(settings).resolve())
    workers = LocalWorkers(settings)
    if settings.workers:
        workers.start()
    tidying = asyncio.create_task(_tidy(app))
    try:
        async with hub.lifespan(app):
            yield
    finally:
        tidying.cancel()
        with suppress(asyncio.CancelledError):
            await tidying
        await workers.stop()


async def _tidy(app: FastAPI) -> None:
    while True:
        try:
            await tidy(app.state.database, app.state.storage)
            await asyncio.to_thread(forget_copies, app.state.settings.data_dir)
        except Exception as error:  # the store or the database is away: the next look finds the same to do
            log.error("tidying failed", problem=type(error).__name__)
        await asyncio.sleep(TIDY)

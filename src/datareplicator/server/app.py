"""The application."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from fastapi import Depends, FastAPI
from starlette.middleware.cors import CORSMiddleware

from datareplicator import __version__
from datareplicator.server import health, problems, static
from datareplicator.server.auth import csrf
from datareplicator.server.auth.providers import make_providers
from datareplicator.server.database import make_database
from datareplicator.server.housekeeping import sweeping
from datareplicator.server.limits.rate import limit_request
from datareplicator.server.limits.store import SqlStorage
from datareplicator.server.middleware import Around
from datareplicator.server.migrate import migrate
from datareplicator.server.oplog.requests import RequestWriter, writing
from datareplicator.server.policies.service import PolicyHolder
from datareplicator.server.routers import LIFESPANS, ROUTERS
from datareplicator.server.settings import Settings

DESCRIPTION = """Learns clinical studies from their files and makes any number of new subjects.

Log in with `POST /api/auth/login` (browsers, by cookie) or `POST /api/auth/token` (programs, by bearer token), or send
an API key (`Authorization: Bearer dr_...`). Errors are problem details (RFC 9457).
"""


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    await migrate(app.state.database)
    async with AsyncExitStack() as stack:
        for lifespan in (writing, sweeping, *LIFESPANS):
            await stack.enter_async_context(lifespan(app))
        yield
    await app.state.database.close()


def create_app(settings: Settings | None = None) -> FastAPI:
    """The application with these settings; from the environment by default. Nothing is opened before it starts."""
    settings = settings or Settings()
    app = FastAPI(
        title="DataReplicator",
        version=__version__,
        description=DESCRIPTION,
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan,
        max_body_size=settings.max_body_bytes,
    )
    _equip(app, settings)
    problems.install(app)
    problems.describe(app)
    for router in ROUTERS:
        app.include_router(
            router,
            prefix="/api",
            dependencies=[Depends(limit_request)],
            responses=problems.responses(401, 403, 422, 429),
        )
    app.include_router(health.router)
    static.install(app)
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_credentials=True,
            allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
            allow_headers=["Authorization", "Content-Type", "X-API-Key", "X-Request-ID", csrf.HEADER],
            expose_headers=["Retry-After", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset", "X-Request-ID"],
        )
    app.add_middleware(Around, settings=settings)
    return app


def _equip(app: FastAPI, settings: Settings) -> None:
    """What requests find under `app.state`."""
    database = make_database(settings)
    app.state.settings = settings
    app.state.database = database
    app.state.policies = PolicyHolder(database)
    app.state.counters = SqlStorage(database)
    app.state.requests = RequestWriter(database)
    app.state.providers = make_providers(settings)

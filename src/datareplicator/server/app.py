"""The application."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from fastapi import FastAPI

from datareplicator import __version__
from datareplicator.server import problems
from datareplicator.server.database import make_database
from datareplicator.server.migrate import migrate
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
        for lifespan in LIFESPANS:
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
    app.state.settings = settings
    app.state.database = make_database(settings)
    problems.install(app)
    for router in ROUTERS:
        app.include_router(router, prefix="/api")
    return app

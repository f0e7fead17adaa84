"""What the application is made of: the routers under /api, and what runs as long as the application does.

A feature adds itself to one list or both.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from fastapi import APIRouter, FastAPI

from datareplicator.server import work
from datareplicator.server.audit.routes import router as audit
from datareplicator.server.auth.oauth_routes import router as oauth
from datareplicator.server.auth.routes import router as account
from datareplicator.server.cache.routes import router as cache
from datareplicator.server.choices.routes import router as choices
from datareplicator.server.keys.routes import router as keys
from datareplicator.server.limits.routes import router as usage
from datareplicator.server.oplog.routes import router as logs
from datareplicator.server.policies.routes import router as settings
from datareplicator.server.projects.member_routes import router as members
from datareplicator.server.projects.routes import router as projects
from datareplicator.server.users.routes import router as users

ROUTERS: list[APIRouter] = [
    *work.ROUTERS,
    account,
    oauth,
    projects,
    members,
    keys,
    usage,
    settings,
    users,
    audit,
    logs,
    choices,
    cache,
]
"""A path is sought in this order, route by route: what is asked most stands first."""

LIFESPANS: list[Callable[[FastAPI], AbstractAsyncContextManager[None]]] = [work.lifespan]
"""Entered in order after the migration, left in reverse order."""

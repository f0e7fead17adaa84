"""What the application is made of: the routers under /api, and what runs as long as the application does.

A feature adds itself to one list or both.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from fastapi import APIRouter, FastAPI

from datareplicator.server import work
from datareplicator.server.projects.routes import router as projects

ROUTERS: list[APIRouter] = [projects, *work.ROUTERS]

LIFESPANS: list[Callable[[FastAPI], AbstractAsyncContextManager[None]]] = [work.lifespan]
"""Entered in order after the migration, left in reverse order."""

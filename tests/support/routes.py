"""The routes of an application, with what each asks of whoever calls it."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from datareplicator.server.auth.principal import current_principal
from datareplicator.server.projects.tables import MemberRole


@dataclass(frozen=True)
class Route:
    """One method of one path."""

    method: str
    path: str
    permission: str | None
    least: MemberRole | None
    needs_login: bool

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    def url(self, project_id: object | None = None) -> str:
        """The path with random ids, and this project."""

        def fill(found: re.Match[str]) -> str:
            name = found[1].split(":")[0]
            if name == "project_id" and project_id is not None:
                return str(project_id)
            return str(uuid.uuid4()) if name.endswith("id") else "1"

        return re.sub(r"{([^}]+)}", fill, self.path)


def _calls(dependant: Any) -> list[Any]:
    found = [dependant.call]
    for inner in dependant.dependencies:
        found += _calls(inner)
    return found


def routes_of(app: FastAPI) -> list[Route]:
    """All routes under /api; of WebSockets the method is WEBSOCKET."""
    found = []
    for context in iter_route_contexts(app.routes):
        dependant = getattr(context, "dependant", None)
        if dependant is None or not context.path.startswith("/api/"):
            continue
        calls = _calls(dependant)
        permissions = {getattr(call, "permission", None) for call in calls} - {None}
        leasts = [call.least for call in calls if hasattr(call, "least")]
        assert len(permissions) < 2, f"{context.path} asks for {permissions}"
        known = current_principal in calls
        for method in sorted(getattr(context, "methods", None) or {"WEBSOCKET"}):
            least = leasts[0] if leasts else None
            found.append(Route(method, context.path, next(iter(permissions), None), least, known))
    return found

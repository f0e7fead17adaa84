"""Rates of requests: of an address, a person, an API key, a person on one route. One statement counts them all."""

from __future__ import annotations

import time
from dataclasses import dataclass

from starlette.requests import HTTPConnection

from datareplicator.server import metrics
from datareplicator.server.auth.principal import PossiblePrincipal, Principal
from datareplicator.server.database import settings_of
from datareplicator.server.limits.quotas import seconds_left
from datareplicator.server.limits.store import Counted, SqlStorage
from datareplicator.server.policies.model import Policies
from datareplicator.server.policies.service import PoliciesDep
from datareplicator.server.problems import Problem
from datareplicator.server.secrets import fingerprint

MINUTE = 60


@dataclass(frozen=True)
class Window:
    """So many hits are allowed within so many seconds."""

    name: str
    key: str
    limit: int
    seconds: float


def address_of(connection: HTTPConnection) -> str:
    """A keyed digest of the address that asks: addresses are personal data and are not stored."""
    host = connection.client.host if connection.client else "unknown"
    return fingerprint(settings_of(connection), "address", host)[:32]


def route_of(connection: HTTPConnection) -> str:
    """The route as it is declared, e.g. /api/projects/{project_id}."""
    route = connection.scope.get("route")
    return f"/api{route.path}" if route is not None else "unknown"


def windows(policies: Policies, principal: Principal | None, address: str, route: str) -> list[Window]:
    """All that this request counts for."""
    rates = policies.rates
    if principal is None:
        found = [("stranger", address, rates.stranger_per_minute, MINUTE)]
    else:
        tier, who = policies.tier(principal.tier), str(principal.user_id)
        found = [
            ("address", address, rates.address_per_minute, MINUTE),
            ("user", who, tier.requests_per_minute, MINUTE),
            ("day", who, tier.requests_per_day, seconds_left()),
        ]
        if principal.key_id is not None:
            found.append(("key", str(principal.key_id), tier.requests_per_minute_of_key, MINUTE))
    if route in rates.routes:
        found.append((f"route {route}", str(principal.user_id) if principal else address, rates.routes[route], MINUTE))
    return [
        Window(name, f"{name}:{who}"[:200], limit, seconds) for name, who, limit, seconds in found if limit is not None
    ]


async def limit_request(connection: HTTPConnection, principal: PossiblePrincipal, policies: PoliciesDep) -> None:
    """Count this request; 429 if it is one too many. The remaining amounts go into the answer's headers."""
    method = connection.scope.get("method", "WEBSOCKET")
    route = route_of(connection)
    connection.state.route = route
    applying = windows(policies, principal, address_of(connection), f"{method} {route}")
    if not applying:
        return
    storage: SqlStorage = connection.app.state.counters
    counted = await storage.incr_all({window.key: (1, window.seconds) for window in applying})
    tightest = min(applying, key=lambda window: window.limit - counted[window.key].hits)
    headers = _headers(tightest, counted[tightest.key])
    connection.state.limit_headers = headers
    if counted[tightest.key].hits > tightest.limit:
        connection.state.rate_limit = "hit"
        metrics.RATE_LIMITED.labels(tightest.name.split()[0]).inc()
        detail = f"Too many requests: {tightest.limit} of this kind ({tightest.name}) are allowed in this time."
        retry = {"Retry-After": headers["RateLimit-Reset"]}
        raise Problem(429, detail, headers=retry, limit=tightest.limit, remaining=0)
    connection.state.rate_limit = "pass"


def _headers(window: Window, counted: Counted) -> dict[str, str]:
    return {
        "RateLimit-Limit": str(window.limit),
        "RateLimit-Remaining": str(max(0, window.limit - counted.hits)),
        "RateLimit-Reset": str(max(1, round(counted.expires_at - time.time()))),
    }

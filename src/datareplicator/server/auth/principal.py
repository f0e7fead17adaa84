"""Who asks: somebody with a session (cookie or bearer token) or a program with an API key.

`CurrentPrincipal` is whoever asks; `require("runs.write")` is the dependency that also checks a permission.
"""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, Literal

from fastapi import Depends, Security
from fastapi.security import APIKeyCookie, APIKeyHeader, HTTPBearer
from fastapi.security.http import HTTPAuthorizationCredentials
from sqlalchemy import bindparam, select, update
from starlette.requests import HTTPConnection

from datareplicator.server.auth import csrf, sessions
from datareplicator.server.auth.permissions import GRANTED, Role, known
from datareplicator.server.auth.tables import LoginSession, User
from datareplicator.server.database import Database, database_of, now
from datareplicator.server.keys.tables import ApiKey
from datareplicator.server.policies.tables import StoredPolicies
from datareplicator.server.problems import Problem
from datareplicator.server.secrets import digest

SESSION_COOKIE = "datareplicator_session"
KEY_PREFIX = "dr_"
TOUCH = timedelta(minutes=1)
_ASKED = (User.id, User.email, User.role, User.tier, select(StoredPolicies.version).scalar_subquery().label("version"))
"""The number of the settings is read along with who asks, so that a request knows at no cost whether they changed."""
_BY_SESSION = sessions.GOOD.with_only_columns(*_ASKED, LoginSession.used_at)
_TOUCH_KEY = update(ApiKey).where(ApiKey.id == bindparam("touched")).values(used_at=bindparam("moment"))
_BY_KEY = (
    select(*_ASKED, ApiKey.used_at, ApiKey.id.label("key_id"), ApiKey.scopes, ApiKey.expires_at, ApiKey.project_id)
    .join(ApiKey, ApiKey.user_id == User.id)
    .where(ApiKey.secret == bindparam("secret"), ApiKey.revoked_at.is_(None), User.is_active.is_(True))
)

Means = Literal["cookie", "bearer", "key"]


@dataclass(frozen=True)
class Principal:
    """Who asks. `scopes` is None for people: they may all that their role may."""

    user_id: uuid.UUID
    email: str
    role: Role
    tier: str
    means: Means = "bearer"
    scopes: frozenset[str] | None = None
    key_id: uuid.UUID | None = None
    only_project: uuid.UUID | None = None
    session_token: str | None = None

    @property
    def is_administrator(self) -> bool:
        """Whether this is an administrator."""
        return self.role is Role.ADMINISTRATOR

    @property
    def permissions(self) -> frozenset[str]:
        """All that may be done: what the role grants, cut to the scopes of the key."""
        granted = GRANTED[self.role]
        return granted if self.scopes is None else granted & self.scopes

    def may(self, permission: str) -> bool:
        """Whether this permission is granted."""
        return permission in self.permissions


class _QuietBearer(HTTPBearer):
    """The bearer scheme for the OpenAPI document; what is missing or odd is answered by us."""

    async def __call__(self, connection: HTTPConnection) -> HTTPAuthorizationCredentials | None:  # type: ignore[override]
        scheme, _, given = connection.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not given:
            return None
        return HTTPAuthorizationCredentials(scheme=scheme, credentials=given.strip())


class _QuietCookie(APIKeyCookie):
    async def __call__(self, connection: HTTPConnection) -> str | None:  # type: ignore[override]
        return connection.cookies.get(self.model.name)


class _QuietHeader(APIKeyHeader):
    async def __call__(self, connection: HTTPConnection) -> str | None:  # type: ignore[override]
        return connection.headers.get(self.model.name)


_bearer = _QuietBearer(auto_error=False, description="A token of POST /api/auth/token, or an API key (dr_...).")
_cookie = _QuietCookie(name=SESSION_COOKIE, auto_error=False, description="Session of a browser.")
_header = _QuietHeader(name="X-API-Key", auto_error=False, description="An API key (dr_...).")


async def _by_session(database: Database, connection: HTTPConnection, token: str, means: Means) -> Principal | None:
    rows = await database.look(_BY_SESSION, sessions.good_now(token, database.settings))
    if not rows:
        return None
    (row,) = rows
    connection.state.policies = await connection.app.state.policies.of(row.version)
    if row.used_at < now() - TOUCH:
        await database.write(sessions.TOUCHED, sessions.touched_now(token))
    return Principal(row.id, row.email, Role(row.role), row.tier, means, session_token=token)


async def _by_key(database: Database, connection: HTTPConnection, given: str) -> Principal | None:
    moment = now()
    rows = await database.look(_BY_KEY, {"secret": digest(given)})
    if not rows:
        return None
    (row,) = rows
    connection.state.policies = await connection.app.state.policies.of(row.version)
    if row.expires_at is not None and row.expires_at <= moment:
        return None
    if row.used_at is None or row.used_at < moment - TOUCH:
        await database.write(_TOUCH_KEY, {"touched": row.key_id, "moment": moment})
    scopes = None if row.scopes is None else frozenset(row.scopes)
    return Principal(row.id, row.email, Role(row.role), row.tier, "key", scopes, row.key_id, row.project_id)


async def possible_principal(
    connection: HTTPConnection,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],
    cookie: Annotated[str | None, Security(_cookie)],
    header: Annotated[str | None, Security(_header)],
) -> Principal | None:
    """Who asks, or None. What is given but wrong is refused by whoever needs a principal."""
    database = database_of(connection)
    given = header or (bearer.credentials if bearer else None)
    if given is not None and given.startswith(KEY_PREFIX):
        principal = await _by_key(database, connection, given)
    elif given is not None:
        principal = await _by_session(database, connection, given, "bearer")
    elif cookie:
        principal = await _by_session(database, connection, cookie, "cookie")
    else:
        return None
    if principal is not None:
        connection.state.principal = principal
    return principal


PossiblePrincipal = Annotated[Principal | None, Depends(possible_principal)]


async def current_principal(connection: HTTPConnection, principal: PossiblePrincipal) -> Principal:
    """Who asks; 401 for a stranger, 403 for a page of another origin that uses somebody's cookie."""
    if principal is None:
        raise Problem(
            401,
            "This needs a login or an API key, and what was given, if anything, is not or no longer good.",
            headers={"WWW-Authenticate": "Bearer"},
        )
    if principal.means == "cookie":
        csrf.check(connection, principal.session_token or "")
    return principal


CurrentPrincipal = Annotated[Principal, Depends(current_principal)]


def permission_check(permission: str) -> Callable[..., Awaitable[Principal]]:
    """A dependency that gives the principal if it has this permission; 403 otherwise."""
    known(permission)

    async def check(principal: CurrentPrincipal) -> Principal:
        if not principal.may(permission):
            raise missing(principal, permission)
        return principal

    check.permission = permission  # type: ignore[attr-defined]
    return check


def missing(principal: Principal, permission: str) -> Problem:
    """The answer to somebody without this permission."""
    whose = "This API key" if principal.key_id else f"The role {principal.role.value}"
    return Problem(403, f"{whose} does not have the permission {permission}.", permission=permission)


def require(permission: str) -> Any:
    """`dependencies=[require("runs.write")]`, or `principal: Annotated[Principal, require("runs.write")]`."""
    return Depends(permission_check(permission))

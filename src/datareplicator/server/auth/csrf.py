"""Against requests that another site's page makes with somebody's cookie.

A cookie counts for writing only with a token in the header X-CSRF-Token that is derived from the session (so that no
other site can know or plant it), and never from a foreign origin. Bearer tokens and API keys need none of this.
"""

from __future__ import annotations

import hmac

from starlette.requests import HTTPConnection

from datareplicator.server.database import READING, settings_of
from datareplicator.server.problems import Problem
from datareplicator.server.secrets import fingerprint
from datareplicator.server.settings import Settings

HEADER = "X-CSRF-Token"
COOKIE = "datareplicator_csrf"


def token_for(settings: Settings, session_token: str) -> str:
    """The token that goes with a session."""
    return fingerprint(settings, "csrf", session_token)


def check(connection: HTTPConnection, session_token: str) -> None:
    """Raise a problem if this request may come from another site's page."""
    if connection.scope["type"] == "websocket":
        check_origin(connection)
        return
    if connection.scope["method"] in READING:
        return
    check_origin(connection)
    expected = token_for(settings_of(connection), session_token)
    given = connection.headers.get(HEADER, "")
    if not hmac.compare_digest(expected.encode(), given.encode()):
        hint = f"Send the value of the cookie {COOKIE} in the header {HEADER}."
        raise Problem(403, "The request lacks the token against forged requests.", code="csrf", hint=hint)


def check_origin(connection: HTTPConnection) -> None:
    """Raise a problem if a page of another origin asks. Programs send no origin."""
    origin = connection.headers.get("origin")
    if origin is None:
        return
    scheme = {"ws": "http", "wss": "https"}.get(connection.url.scheme, connection.url.scheme)
    own = f"{scheme}://{connection.headers.get('host', '')}".lower()
    if origin.lower() not in settings_of(connection).origins | {own}:
        raise Problem(403, "A page of another origin may not do this.", code="origin")

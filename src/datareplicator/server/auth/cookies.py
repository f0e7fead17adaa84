"""The cookies of a browser's login."""

from __future__ import annotations

from fastapi import Response

from datareplicator.server.auth import csrf
from datareplicator.server.auth.principal import SESSION_COOKIE
from datareplicator.server.settings import Settings


def set_cookies(response: Response, settings: Settings, token: str) -> str:
    """Give the browser its session and the token against forged requests; the latter comes back."""
    age = settings.session_hours * 3600
    made = csrf.token_for(settings, token)
    response.set_cookie(
        SESSION_COOKIE, token, max_age=age, path="/", secure=settings.secure, httponly=True, samesite="lax"
    )
    response.set_cookie(
        csrf.COOKIE, made, max_age=age, path="/", secure=settings.secure, httponly=False, samesite="strict"
    )
    return made


def remove_cookies(response: Response, settings: Settings) -> None:
    """Take them back."""
    for name in (SESSION_COOKIE, csrf.COOKIE):
        response.delete_cookie(name, path="/", secure=settings.secure, samesite="lax")

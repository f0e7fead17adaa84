"""Login by an identity provider.

The browser goes there with a state, a nonce and a challenge; what answers them waits, encrypted, in a cookie that no
script can read, so that only the same browser can come back, once and within ten minutes.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from typing import Annotated
from urllib.parse import quote

import structlog
from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import RedirectResponse

from datareplicator.server.auth import service
from datareplicator.server.auth.cookies import set_cookies
from datareplicator.server.auth.manager import UserManager
from datareplicator.server.auth.providers import Identity, Provider, find_provider
from datareplicator.server.auth.tables import User
from datareplicator.server.database import Database, DatabaseDep, SettingsDep
from datareplicator.server.policies.model import Access
from datareplicator.server.policies.service import PoliciesDep
from datareplicator.server.problems import Problem, responses
from datareplicator.server.secrets import SealBroken, seal, unseal
from datareplicator.server.settings import Settings

router = APIRouter(prefix="/auth/oauth", tags=["account"])
COOKIE = "datareplicator_oauth"
PATH = "/api/auth/oauth"
SECONDS = 600
Name = Annotated[str, Path(pattern=r"^[a-z][a-z0-9-]{0,30}$", description="Name of the provider.")]
log = structlog.get_logger("datareplicator.auth")


def _callback_url(settings: Settings, name: str) -> str:
    return f"{settings.public_url}{PATH}/{name}/callback"


def _inside(target: str) -> str:
    """A path of this service; anything that leads elsewhere becomes the start page."""
    good = target.startswith("/") and not target.startswith(("//", "/\\")) and "\n" not in target
    return target if good else "/"


@router.get(
    "/{name}/authorize",
    summary="Go to a provider",
    status_code=303,
    response_class=RedirectResponse,
    responses=responses(403, 404, 502),
)
async def authorize(
    name: Name,
    request: Request,
    settings: SettingsDep,
    policies: PoliciesDep,
    next: Annotated[str, Query(max_length=500, description="Path to go to after the login.")] = "/",
) -> RedirectResponse:
    """Sends the browser to the provider."""
    provider = _provider(request, policies.access.social_login, name)
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    url = await provider.authorization_url(_callback_url(settings, name), state, nonce, challenge)
    kept = {"name": name, "state": state, "nonce": nonce, "verifier": verifier, "next": _inside(next)}
    response = RedirectResponse(url, 303)
    response.set_cookie(
        COOKIE,
        seal(settings, "oauth", json.dumps(kept)),
        max_age=SECONDS,
        path=PATH,
        secure=settings.secure,
        httponly=True,
        samesite="lax",
    )
    return response


def _provider(request: Request, switched_on: bool | None, name: str) -> Provider:
    if not switched_on:
        raise Problem(403, "Login by other services is switched off in this service.", code="switched-off")
    return find_provider(request.app.state.providers, name)


def _kept(request: Request, settings: Settings, name: str, state: str) -> dict[str, str]:
    """What was kept for this browser, if it is the one that was sent to the provider."""
    try:
        kept = json.loads(unseal(settings, "oauth", request.cookies.get(COOKIE, ""), seconds=SECONDS))
    except (SealBroken, ValueError) as error:
        raise Problem(400, "The login took too long or began in another browser. Begin anew.", code="state") from error
    if kept["name"] != name or not hmac.compare_digest(kept["state"].encode(), state.encode()):
        raise Problem(400, "The answer belongs to another login. Begin anew.", code="state")
    return kept


@router.get(
    "/{name}/callback",
    summary="Come back from a provider",
    status_code=303,
    response_class=RedirectResponse,
    responses=responses(404),
)
async def callback(
    name: Name,
    request: Request,
    settings: SettingsDep,
    database: DatabaseDep,
    policies: PoliciesDep,
    state: Annotated[str, Query(max_length=500)] = "",
    code: Annotated[str, Query(max_length=4000)] = "",
    error: Annotated[str, Query(max_length=500)] = "",
) -> RedirectResponse:
    """Logs the browser in and sends it on; errors are shown by the page of login."""
    try:
        provider = _provider(request, policies.access.social_login, name)
        kept = _kept(request, settings, name, state)
        if error or not code:
            raise Problem(403, "The provider did not log you in.", code="refused")
        identity = await provider.identity(code, _callback_url(settings, name), kept["verifier"], kept["nonce"])
        token = await _log_in(request, database, policies.access, identity)
    except Problem as problem:
        log.info("login refused", provider=name, reason=problem.code)
        response = RedirectResponse(f"/login?error={quote(problem.code)}", 303)
    else:
        response = RedirectResponse(kept["next"], 303)
        set_cookies(response, settings, token)
    response.delete_cookie(COOKIE, path=PATH, secure=settings.secure, httponly=True, samesite="lax")
    return response


async def _log_in(request: Request, database: Database, access: Access, identity: Identity) -> str:
    async with database.session(write=True) as session:
        user: User = await UserManager(session, access).oauth_callback(
            identity.provider,
            "",
            identity.account_id,
            identity.email,
            email_verified=identity.email_verified,
        )
        if not user.is_active:
            raise Problem(403, "This account is switched off.", code="inactive")
        user.name = user.name or identity.name
        return await service.start_session(request, session, user, identity.provider)

"""An identity provider on loopback: OpenID Connect with PKCE as Google and enterprises speak it, and GitHub's OAuth."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode

import jwt
import uvicorn
from cryptography.hazmat.primitives.asymmetric import rsa
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, RedirectResponse

CLIENT, SECRET = "client-1", "secret-1"


@dataclass
class Provider:
    """What it says of whoever logs in, and what it was asked."""

    claims: dict[str, Any] = field(default_factory=dict)
    emails: list[dict[str, Any]] = field(default_factory=list)
    spoil: dict[str, Any] = field(default_factory=dict)
    base: str = ""
    asked: list[dict[str, str]] = field(default_factory=list)
    reads: int = 0

    def __post_init__(self) -> None:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.other_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.codes: dict[str, dict[str, str]] = {}

    def id_token(self, asked: dict[str, str]) -> str:
        moment = int(time.time())
        claims = {"iss": self.base, "aud": CLIENT, "iat": moment, "exp": moment + 60, "nonce": asked.get("nonce")}
        key = self.other_key if self.spoil.get("key") else self.key
        said = {**claims, **self.claims, **self.spoil.get("claims", {})}
        return jwt.encode(said, key, algorithm="RS256", headers={"kid": "1"})


def _proves(asked: dict[str, str], verifier: str) -> bool:
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    return asked.get("code_challenge_method") == "S256" and asked.get("code_challenge") == challenge


def _app(provider: Provider) -> FastAPI:
    app = FastAPI()

    @app.get("/.well-known/openid-configuration")
    async def discovery() -> dict[str, Any]:
        provider.reads += 1
        base = provider.base
        return {
            "issuer": base,
            "authorization_endpoint": f"{base}/login/oauth/authorize",
            "token_endpoint": f"{base}/login/oauth/access_token",
            "jwks_uri": f"{base}/jwks",
        }

    @app.get("/jwks")
    async def jwks() -> dict[str, Any]:
        public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(provider.key.public_key()))
        return {"keys": [{**public, "kid": "1", "use": "sig", "alg": "RS256"}]}

    @app.get("/login/oauth/authorize")
    async def authorize(request: Request) -> RedirectResponse:
        asked = dict(request.query_params)
        provider.asked.append(asked)
        code = secrets.token_urlsafe()
        provider.codes[code] = asked
        return RedirectResponse(f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}", 302)

    @app.post("/login/oauth/access_token")
    async def token(request: Request) -> JSONResponse:
        form = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
        basic = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        known = request.headers.get("authorization") == f"Basic {basic}" or form.get("client_secret") == SECRET
        asked = provider.codes.pop(form.get("code", ""), None)
        if not known or asked is None or not _proves(asked, form.get("code_verifier", "")):
            return JSONResponse({"error": "invalid_grant"}, 400)
        return JSONResponse({"access_token": "at", "token_type": "Bearer", "id_token": provider.id_token(asked)})

    @app.get("/user")
    async def user() -> dict[str, Any]:
        return {"id": 7, "name": "Octo Cat", "email": "public@else.example"}

    @app.get("/user/emails")
    async def emails() -> list[dict[str, Any]]:
        return provider.emails

    return app


@asynccontextmanager
async def running_provider(**says: Any) -> AsyncIterator[Provider]:
    """Serve until the end of the block."""
    provider = Provider(**says)
    server = uvicorn.Server(uvicorn.Config(_app(provider), port=0, log_level="critical", lifespan="off"))
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    provider.base = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    try:
        yield provider
    finally:
        server.should_exit = True
        await task

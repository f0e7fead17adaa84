"""Identity providers: Google, enterprise OpenID Connect, GitHub. What they say is checked before it is believed.

OpenID Connect Core 1.0 with PKCE (RFC 7636, S256) and a nonce; GitHub's OAuth with PKCE and its verified primary
address. Providers describe themselves when somebody first logs in by them, not when the service starts.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import httpx
import jwt
from httpx_oauth.oauth2 import BaseOAuth2, OAuth2RequestError

from datareplicator.server.auth.schemas import ProviderOut
from datareplicator.server.problems import Problem, not_found
from datareplicator.server.settings import OpenIdProvider, Settings

PATIENCE = 10.0
KEPT_SECONDS = 3600
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
"""Signatures by key pair only: a secret that both sides know proves nothing about who signed."""


@dataclass(frozen=True)
class Identity:
    """Who a provider says somebody is."""

    provider: str
    account_id: str
    email: str
    email_verified: bool
    name: str = ""


class _Client(BaseOAuth2[dict[str, Any]]):
    """httpx-oauth's client, with patience that ends."""

    def get_httpx_client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(timeout=PATIENCE)


def failed(title: str) -> Problem:
    """The answer when a provider does not do its part; what it said is not repeated."""
    return Problem(502, f"The login by {title} failed: the provider did not answer as it should.", code="provider")


@dataclass
class OpenId:
    """A provider of OpenID Connect."""

    config: OpenIdProvider
    _known: dict[str, Any] = field(default_factory=dict)
    _keys: jwt.PyJWKSet | None = None
    _read_at: float = 0.0

    async def authorization_url(self, redirect: str, state: str, nonce: str, challenge: str) -> str:
        """Where the browser goes."""
        client = await self._client()
        return await client.get_authorization_url(
            redirect, state, self.config.scopes, challenge, "S256", {"nonce": nonce}
        )

    async def identity(self, code: str, redirect: str, verifier: str, nonce: str) -> Identity:
        """Who came back: from the ID token, after its signature, issuer, audience, time and nonce were checked."""
        client = await self._client()
        try:
            token = await client.get_access_token(code, redirect, verifier)
            claims = await self._claims(token["id_token"], nonce)
            if "email" not in claims and "userinfo_endpoint" in self._known:
                claims = await self._with_userinfo(claims, token["access_token"])
        except (OAuth2RequestError, httpx.HTTPError, jwt.PyJWTError, KeyError, ValueError) as error:
            raise failed(self.config.title) from error
        verified = claims.get("email_verified", self.config.assume_verified)
        return Identity(
            self.config.name,
            str(claims["sub"]),
            str(claims.get("email", "")).strip(),
            verified is True or verified == "true",
            str(claims.get("name", ""))[:200],
        )

    async def _claims(self, id_token: str, nonce: str) -> dict[str, Any]:
        key = await self._key(jwt.get_unverified_header(id_token).get("kid"))
        claims = jwt.decode(
            id_token,
            key,
            algorithms=ALGORITHMS,
            audience=self.config.client_id,
            issuer=self._known["issuer"],
            leeway=60,
            options={"require": ["exp", "iat", "sub", "aud", "iss"]},
        )
        if claims.get("nonce") != nonce:
            raise jwt.InvalidTokenError("the nonce is another")
        return claims

    async def _with_userinfo(self, claims: dict[str, Any], access_token: str) -> dict[str, Any]:
        async with httpx.AsyncClient(timeout=PATIENCE) as client:
            headers = {"Authorization": f"Bearer {access_token}"}
            answer = (await client.get(self._known["userinfo_endpoint"], headers=headers)).raise_for_status().json()
        if answer.get("sub") != claims["sub"]:
            raise jwt.InvalidTokenError("the user info speaks of somebody else")
        return {**answer, **claims}

    async def _key(self, kid: str | None) -> jwt.PyJWK:
        """The key that signed; keys are read anew when one is unknown, since providers change them."""
        for attempt in range(2):
            if self._keys is None or attempt:
                async with httpx.AsyncClient(timeout=PATIENCE) as client:
                    answer = (await client.get(self._known["jwks_uri"])).raise_for_status()
                self._keys = jwt.PyJWKSet.from_dict(answer.json())
            usable = [key for key in self._keys.keys if key.public_key_use in (None, "sig")]
            found = [key for key in usable if key.key_id == kid] if kid else usable[:1]
            if found:
                return found[0]
        raise jwt.InvalidTokenError("signed by an unknown key")

    async def _client(self) -> _Client:
        if not self._known or time.monotonic() - self._read_at > KEPT_SECONDS:
            try:
                async with httpx.AsyncClient(timeout=PATIENCE) as client:
                    answer = (await client.get(self.config.discovery_url)).raise_for_status()
                self._known = answer.json()
            except (httpx.HTTPError, ValueError) as error:
                raise failed(self.config.title) from error
            self._keys, self._read_at = None, time.monotonic()
        methods = self._known.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        method = "client_secret_post" if "client_secret_post" in methods else "client_secret_basic"
        try:
            return _Client(
                self.config.client_id,
                self.config.client_secret.get_secret_value(),
                self._known["authorization_endpoint"],
                self._known["token_endpoint"],
                name=self.config.name,
                token_endpoint_auth_method=method,
            )
        except KeyError as error:
            raise failed(self.config.title) from error


@dataclass
class GitHub:
    """GitHub, which speaks OAuth 2 but not OpenID Connect."""

    settings: Settings

    async def authorization_url(self, redirect: str, state: str, nonce: str, challenge: str) -> str:
        """Where the browser goes. GitHub knows no nonce: the state and PKCE bind the answer to the browser."""
        return await self._client().get_authorization_url(
            redirect, state, ["read:user", "user:email"], challenge, "S256"
        )

    async def identity(self, code: str, redirect: str, verifier: str, nonce: str) -> Identity:
        """Who came back: the account's number and its primary address, if GitHub has verified it."""
        try:
            token = await self._client().get_access_token(code, redirect, verifier)
            headers = {"Authorization": f"Bearer {token['access_token']}", "Accept": "application/vnd.github+json"}
            async with httpx.AsyncClient(timeout=PATIENCE, headers=headers) as client:
                profile = (await client.get(f"{self.settings.github_api_url}/user")).raise_for_status().json()
                emails = (await client.get(f"{self.settings.github_api_url}/user/emails")).raise_for_status().json()
            primary = next((email for email in emails if email.get("primary")), {})
            name = str(profile.get("name") or "")[:200]
            verified = primary.get("verified") is True
            return Identity("github", str(profile["id"]), str(primary.get("email", "")), verified, name)
        except (OAuth2RequestError, httpx.HTTPError, KeyError, ValueError, AttributeError) as error:
            raise failed("GitHub") from error

    def _client(self) -> _Client:
        base, secret = self.settings.github_url, self.settings.github_client_secret
        return _Client(
            self.settings.github_client_id or "",
            secret.get_secret_value() if secret else "",
            f"{base}/login/oauth/authorize",
            f"{base}/login/oauth/access_token",
            name="github",
        )


Provider = OpenId | GitHub


def make_providers(settings: Settings) -> dict[str, Provider]:
    """The providers that are set up, by name. Nothing is asked of them yet."""
    found: dict[str, Provider] = {}
    if settings.google_client_id and settings.google_client_secret:
        google = OpenIdProvider(
            name="google",
            title="Google",
            discovery_url=settings.google_discovery_url,
            client_id=settings.google_client_id,
            client_secret=settings.google_client_secret,
        )
        found["google"] = OpenId(google)
    if settings.github_client_id and settings.github_client_secret:
        found["github"] = GitHub(settings)
    return found | {config.name: OpenId(config) for config in settings.oidc_providers}


def provider_list(settings: Settings) -> list[ProviderOut]:
    """What the page of login shows."""
    return [
        ProviderOut(
            name=name,
            title=provider.config.title if isinstance(provider, OpenId) else "GitHub",
            login_url=f"/api/auth/oauth/{name}/authorize",
        )
        for name, provider in make_providers(settings).items()
    ]


def find_provider(providers: dict[str, Provider], name: str) -> Provider:
    """The provider of this name; 404 else."""
    if name not in providers:
        raise not_found("provider")
    return providers[name]

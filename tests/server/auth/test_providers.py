"""Login by identity providers on loopback: what is asked of them, and what is not believed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from support.providers import CLIENT, SECRET, Provider, running_provider
from support.service import changed

from datareplicator.server.auth.providers import make_providers
from datareplicator.server.settings import OpenIdProvider

CLAIMS = {"sub": "42", "email": "Ann@example.org", "email_verified": True, "name": "Ann"}


@pytest.fixture
async def provider(service: Any) -> AsyncIterator[Provider]:
    async with running_provider(claims=dict(CLAIMS)) as made:
        discovery = f"{made.base}/.well-known/openid-configuration"
        company = OpenIdProvider(
            name="company", title="Company", discovery_url=discovery, client_id=CLIENT, client_secret=SECRET
        )
        changed(
            service.settings,
            oidc_providers=[company],
            google_client_id=CLIENT,
            google_client_secret=company.client_secret,
            google_discovery_url=discovery,
            github_client_id=CLIENT,
            github_client_secret=company.client_secret,
            github_url=made.base,
            github_api_url=made.base,
            allowed_domains=["example.org"],
        )
        service.app.state.providers = make_providers(service.settings)
        service.app.state.policies._version = -1
        yield made


async def _go(client: Any, name: str = "company", **query: str) -> httpx.Response:
    """Through the provider and back, as a browser goes."""
    away = await client.get(f"/api/auth/oauth/{name}/authorize", params=query)
    assert away.status_code == 303, away.text
    async with httpx.AsyncClient() as browser:
        back = await browser.get(away.headers["location"])
    target = urlsplit(back.headers["location"])
    return await client.get(f"{target.path}?{target.query}")


@pytest.mark.parametrize("name", ["company", "google"])
async def test_openid_login(service: Any, client: Any, provider: Provider, name: str) -> None:
    assert provider.reads == 0
    names = [one["name"] for one in (await client.get("/api/auth/methods")).json()["providers"]]
    assert names == ["google", "github", "company"] and provider.reads == 0
    done = await _go(client, name, next="/projects")
    assert (done.status_code, done.headers["location"]) == (303, "/projects")
    me = (await client.get("/api/auth/me")).json()
    assert (me["email"], me["name"], me["identities"], me["is_verified"]) == ("ann@example.org", "Ann", [name], True)
    asked = provider.asked[0]
    assert asked["code_challenge_method"] == "S256" and asked["nonce"] and "openid" in asked["scope"]
    provider.claims["email"] = "changed@example.org"
    await _go(service.client(), name)
    again = service.client()
    await _go(again, name)
    assert (await again.get("/api/auth/me")).json()["id"] == me["id"]


async def test_github_login_takes_the_verified_primary_address(client: Any, provider: Provider) -> None:
    provider.emails = [{"email": "other@example.org", "verified": True}, {"email": "a@example.org", "primary": True}]
    assert (await _go(client, "github")).headers["location"] == "/login?error=email-unverified"
    provider.emails[1]["verified"] = True
    assert (await _go(client, "github")).headers["location"] == "/"
    assert (await client.get("/api/auth/me")).json()["email"] == "a@example.org"


@pytest.mark.parametrize(
    ("claims", "error"),
    [
        ({"email_verified": False}, "email-unverified"),
        ({"email": "eve@evil.example"}, "registration-closed"),
        ({"nonce": "another"}, "provider"),
        ({"aud": "another"}, "provider"),
        ({"iss": "https://evil.example"}, "provider"),
        ({"exp": 1}, "provider"),
    ],
)
async def test_what_is_not_believed(client: Any, provider: Provider, claims: dict[str, Any], error: str) -> None:
    provider.spoil = {"claims": claims}
    assert (await _go(client)).headers["location"] == f"/login?error={error}"
    assert (await client.get("/api/auth/me")).status_code == 401


async def test_another_key_is_not_believed(client: Any, provider: Provider) -> None:
    provider.spoil = {"key": True}
    assert (await _go(client)).headers["location"] == "/login?error=provider"


async def test_accounts_are_linked_by_verified_addresses_only(service: Any, provider: Provider) -> None:
    squatter = await service.sign_up("ann@example.org", is_verified=False)
    assert (await _go(service.client())).headers["location"] == "/login?error=not-linked"
    async with service.database.session(write=True) as session:
        from datareplicator.server.auth.tables import User

        (await session.get_one(User, squatter.id)).is_verified = True
    client = service.client()
    assert (await _go(client)).headers["location"] == "/"
    assert (await client.get("/api/auth/me")).json()["id"] == str(squatter.id)


async def test_an_answer_for_another_browser_is_refused(service: Any, client: Any, provider: Provider) -> None:
    away = await client.get("/api/auth/oauth/company/authorize")
    async with httpx.AsyncClient() as browser:
        target = urlsplit((await browser.get(away.headers["location"])).headers["location"])
    victim = service.client()
    stolen = await victim.get(f"{target.path}?{target.query}")
    assert stolen.headers["location"] == "/login?error=state"
    await victim.get("/api/auth/oauth/company/authorize")
    assert (await victim.get(f"{target.path}?{target.query}")).headers["location"] == "/login?error=state"


@pytest.mark.parametrize("target", ["https://evil.example", "//evil.example", "/\\evil.example"])
async def test_nobody_is_sent_elsewhere(client: Any, provider: Provider, target: str) -> None:
    assert (await _go(client, next=target)).headers["location"] == "/"


async def test_social_login_can_be_switched_off(service: Any, client: Any, provider: Provider) -> None:
    root = service.as_user(await service.sign_up(role="administrator"))
    change = await root.patch("/api/settings", json={"access": {"social_login": False}})
    assert change.status_code == 200, change.text
    assert (await client.get("/api/auth/oauth/company/authorize")).json()["code"] == "switched-off"
    assert (await client.get("/api/auth/methods")).json()["providers"] == []


async def test_a_provider_that_is_away(service: Any, client: Any, provider: Provider) -> None:
    service.app.state.providers["company"].config.discovery_url = "http://127.0.0.1:1/nothing"
    assert (await client.get("/api/auth/oauth/company/authorize")).status_code == 502

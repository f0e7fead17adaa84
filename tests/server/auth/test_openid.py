"""Enterprise login through a real OpenID provider (npm's oidc-provider), as a browser goes through it."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx
import pytest
from support.service import BASE, changed

from datareplicator.server.auth.providers import make_providers
from datareplicator.server.settings import OpenIdProvider

DATABASES = ("sqlite",)
HOME = Path(__file__).resolve().parents[2] / "support" / "openid"
CLIENT, SECRET = "client-1", "a-secret-of-tests-only"
MOST_STEPS = 12


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    if shutil.which("node") is None:
        pytest.skip("no Node.js")
    if not (HOME / "node_modules" / "oidc-provider").is_dir():
        pytest.skip("the provider is not installed: npm ci --prefix tests/support/openid")
    command = ["node", str(HOME / "provider.mjs"), CLIENT, SECRET, f"{BASE}/api/auth/oauth/company/callback"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdin is not None and process.stdout is not None
        address = process.stdout.readline().strip()
        assert address.startswith("http://127.0.0.1:")
        yield address
        process.stdin.close()


@pytest.fixture(autouse=True)
def company(service: Any, issuer: str) -> None:
    provider = OpenIdProvider(
        name="company",
        title="Company",
        discovery_url=f"{issuer}/.well-known/openid-configuration",
        client_id=CLIENT,
        client_secret=SECRET,
    )
    changed(service.settings, oidc_providers=[provider], allowed_domains=["example.org"])
    service.app.state.providers = make_providers(service.settings)
    service.app.state.policies._version = -1


def _through(url: str, login: str) -> str:
    """What a person does at the provider: log in by its form, consent by its form; the address it sends them to."""
    with httpx.Client() as browser:
        answer = browser.get(url)
        for _ in range(MOST_STEPS):
            if answer.is_redirect:
                target = urljoin(str(answer.url), answer.headers["location"])
                if target.startswith(BASE):
                    return target
                answer = browser.get(target)
                continue
            assert answer.status_code == 200, answer.text
            action, prompt = (re.search(pattern, answer.text) for pattern in (r'action="([^"]+)"', r'value="(\w+)"'))
            assert action and prompt
            fields = {"prompt": prompt[1], "login": login, "password": "any"}
            answer = browser.post(urljoin(str(answer.url), action[1]), data=fields)
    raise AssertionError("the provider does not come to an end")


async def _log_in(client: Any, login: str) -> tuple[str, dict[str, list[str]]]:
    """Where the service sends the browser at last, and what it asked of the provider."""
    away = await client.get("/api/auth/oauth/company/authorize", params={"next": "/projects"})
    assert away.status_code == 303, away.text
    back = urlsplit(_through(away.headers["location"], login))
    done = await client.get(f"{back.path}?{back.query}")
    return done.headers["location"], parse_qs(urlsplit(away.headers["location"]).query)


async def test_login_through_discovery_with_pkce_and_nonce(service: Any, client: Any) -> None:
    target, asked = await _log_in(client, "ann@example.org")
    assert target == "/projects"
    assert asked["code_challenge_method"] == ["S256"] and asked["nonce"][0]
    me = (await client.get("/api/auth/me")).json()
    assert (me["email"], me["name"], me["identities"]) == ("ann@example.org", "ann", ["company"])
    again = service.client()
    assert (await _log_in(again, "ann@example.org"))[0] == "/projects"
    assert (await again.get("/api/auth/me")).json()["id"] == me["id"]


@pytest.mark.parametrize(
    ("login", "error"),
    [("unverified@example.org", "email-unverified"), ("eve@elsewhere.example", "registration-closed")],
)
async def test_who_is_not_let_in(client: Any, login: str, error: str) -> None:
    assert (await _log_in(client, login))[0] == f"/login?error={error}"
    assert (await client.get("/api/auth/me")).status_code == 401


async def test_another_verifier_is_refused_by_the_provider(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from datareplicator.server.auth.providers import OpenId

    real = OpenId.identity

    async def with_another(self: OpenId, code: str, redirect: str, verifier: str, nonce: str) -> Any:
        return await real(self, code, redirect, "x" * len(verifier), nonce)

    monkeypatch.setattr(OpenId, "identity", with_another)
    assert (await _log_in(client, "ann@example.org"))[0] == "/login?error=provider"

"""The web interface as the service hands it out."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient

from datareplicator.server import problems, static


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<title>start</title>")
    (tmp_path / "assets" / "main-1a2b.js").write_text("let a = 1;" * 50)
    return tmp_path


@pytest.fixture
async def browser(folder: Path) -> AsyncIterator[AsyncClient]:
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    problems.install(app)
    assert static.install(app, folder)
    async with AsyncClient(transport=ASGITransport(app), base_url="http://service.test") as client:
        yield client


@pytest.mark.parametrize("path", ["/", "/projects/7/runs", "/index.html", "/login?next=/x"])
async def test_pages_of_the_interface_are_its_first_page(browser: AsyncClient, path: str) -> None:
    answer = await browser.get(path)
    assert answer.text == "<title>start</title>"
    assert answer.headers["cache-control"] == "no-cache"
    again = await browser.get(path, headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304 and again.content == b""


async def test_assets_are_kept_for_a_year_and_packed(browser: AsyncClient, folder: Path) -> None:
    answer = await browser.get("/assets/main-1a2b.js")
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.content == (folder / "assets" / "main-1a2b.js").read_bytes()
    assert int(answer.headers["content-length"]) == len(gzip.compress(answer.content, 9, mtime=0))
    plain = await browser.get("/assets/main-1a2b.js", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers and plain.content == answer.content


@pytest.mark.parametrize("path", ["/api/nothing", "/assets/gone.js", "/metrics"])
async def test_what_is_not_of_the_interface_is_not_found(browser: AsyncClient, path: str) -> None:
    assert (await browser.get(path)).status_code == 404


@pytest.mark.parametrize("path", ["/..%2f..%2fpyproject.toml", "/assets/%2e%2e/%2e%2e/secret.key", "/%2fetc/passwd"])
async def test_nothing_outside_the_folder_is_handed_out(browser: AsyncClient, folder: Path, path: str) -> None:
    (folder.parent / "secret.key").write_text("hush")
    answer = await browser.get(path)
    assert answer.status_code == 404 or answer.text == "<title>start</title>"


def test_without_a_built_interface_nothing_is_served(tmp_path: Path) -> None:
    assert not static.install(FastAPI(), tmp_path)

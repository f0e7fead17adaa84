"""The snippets of the page on the API run as they stand, against the service as it is started."""

from __future__ import annotations

import asyncio
import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from datareplicator.server.auth.sessions import HashedTokens
from datareplicator.server.auth.tables import User
from datareplicator.server.database import make_database
from datareplicator.server.settings import PREFIX, Settings

PAGE = Path(__file__).resolve().parents[3] / "docs/how-to/use-the-api.md"


async def _token(settings: Settings) -> str:
    database = make_database(settings)
    async with database.session(write=True) as session:
        user = User(email="ann@example.org", role="analyst", is_verified=True, hashed_password="none")
        session.add(user)
        await session.flush()
        token = await HashedTokens(session, settings).write_token(user)
    await database.close()
    return token


@pytest.fixture
def address(tmp_path: Path):
    """The service with a worker, as processes of their own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    own = {"DATA_DIR": str(tmp_path / "data"), "WORKERS": "1", "ENVIRONMENT": "development"}
    environment = {**os.environ, **{PREFIX + name: value for name, value in own.items()}}
    application = "datareplicator.server.app:create_app"
    command = [sys.executable, "-m", "uvicorn", application, "--factory", "--port", str(port), "--log-level", "error"]
    with subprocess.Popen(command, env=environment, cwd=tmp_path) as process:
        try:
            url = f"http://127.0.0.1:{port}"
            limit = time.monotonic() + 60
            while time.monotonic() < limit:
                try:
                    httpx.get(f"{url}/healthz")
                    break
                except httpx.TransportError:
                    time.sleep(0.2)
            yield url
        finally:
            process.terminate()


def test_the_snippets_run(address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    settings = Settings(_env_file=None, data_dir=tmp_path / "data", environment="development")
    monkeypatch.setenv("DATAREPLICATOR_URL", address)
    monkeypatch.setenv("DATAREPLICATOR_TOKEN", asyncio.run(_token(settings)))
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"^```py\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.M | re.S)
    assert len(blocks) > 4
    code = "\n".join(blocks).replace("time.sleep(1)", "time.sleep(0.2)")
    exec(compile(code, str(PAGE), "exec"), {"__name__": "example"})
    assert (tmp_path / "run.zip").stat().st_size > 10_000
    _an_upload_that_is_cut_leaves_nothing(address, os.environ["DATAREPLICATOR_TOKEN"], tmp_path / "data")


def _an_upload_that_is_cut_leaves_nothing(address: str, token: str, data: Path) -> None:
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=f"{address}/api", headers=headers) as api:
        project = api.post("/projects", json={"name": "Cut"}).json()["id"]
        home = f"/projects/{project}/datasets"
        dataset = api.post(home, json={"name": "Cut"}).json()["id"]
        lines = [
            f"POST /api{home}/{dataset}/files HTTP/1.1",
            "Host: here",
            f"Authorization: Bearer {token}",
            "Content-Type: multipart/form-data; boundary=x",
            "Content-Length: 50000000",
            "",
            "--x",
            'Content-Disposition: form-data; name="files"; filename="big.csv"',
            "",
            "a,b",
        ]
        host, _, port = address.removeprefix("http://").partition(":")
        with socket.create_connection((host, int(port))) as wire:
            wire.sendall("\r\n".join(lines).encode() + b"1,2\n" * 500_000)
            time.sleep(0.5)
            assert list((data / "staging").iterdir())
        limit = time.monotonic() + 10
        while list((data / "staging").iterdir()) and time.monotonic() < limit:
            time.sleep(0.1)
        assert not list((data / "staging").iterdir())
        assert api.get(f"{home}/{dataset}/versions").json() == []
        assert not (data / "files/projects" / project).exists()

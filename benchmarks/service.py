"""The service under load, on loopback: people page through a table and follow progress while two runs go on.

Two projects of a hundred people each. Everybody asks, waits some seconds as people do, and asks again; each answer is
checked to be of their own project, which a column of the study's name tells.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import uuid
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from datareplicator.server.auth.sessions import HashedTokens
from datareplicator.server.auth.tables import User
from datareplicator.server.database import make_database
from datareplicator.server.projects.tables import Membership
from datareplicator.server.settings import PREFIX, Settings

WAIT = (2.0, 4.0)
"""Seconds between two requests of one person."""
UNUSED = ssl.create_default_context()
"""One for all: making one takes longer than a request, and what asks here must not be what is measured."""
SHOWN = 300
"""Subjects of the runs that are looked at."""


@contextmanager
def _serving(folder: Path):
    """The service with two workers, as `datareplicator serve` starts it: its address and its process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    own = {"DATA_DIR": str(folder), "WORKERS": "2", "PORT": str(port), "LOG_LEVEL": "error"}
    environment = {**os.environ, **{PREFIX + name: value for name, value in own.items()}}
    command = [str(Path(sys.executable).parent / "datareplicator"), "serve"]
    with subprocess.Popen(command, env=environment, cwd=folder, stdout=subprocess.DEVNULL) as process:
        try:
            url = f"http://127.0.0.1:{port}"
            for _ in range(300):
                try:
                    httpx.get(f"{url}/healthz")
                    break
                except httpx.TransportError:
                    time.sleep(0.2)
            yield url, process.pid
        finally:
            process.terminate()


async def _tokens(settings: Settings, count: int, role: str, project: str | None = None) -> list[str]:
    """Logins of new accounts, made past all checks; members of the project."""
    database = make_database(settings)
    tokens = []
    async with database.session(write=True) as session:
        for _ in range(count):
            user = User(email=f"{uuid.uuid4().hex}@example.org", role=role, tier="priority", hashed_password="none")
            user.is_verified = True
            session.add(user)
            await session.flush()
            if project is not None:
                session.add(Membership(project_id=uuid.UUID(project), user_id=user.id, role="viewer"))
            tokens.append(await HashedTokens(session, settings).write_token(user))
    await database.close()
    return tokens


def _client(url: str, token: str) -> httpx.AsyncClient:
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.AsyncClient(base_url=f"{url}/api", headers=headers, timeout=60, verify=UNUSED)


async def _call(client: httpx.AsyncClient, method: str, path: str, **content: Any) -> Any:
    answer = await client.request(
        method, path, **({"params" if method == "GET" else "json": content} if content else {})
    )
    answer.raise_for_status()
    return answer.json()


async def _until(client: httpx.AsyncClient, job: str, state: str) -> None:
    """Wait for a job to get there; SystemExit with all that it told where it ends elsewhere."""
    while (found := await _call(client, "GET", job))["state"] != state:
        if found["state"] not in ("queued", "running"):
            raise SystemExit(await _told(client, job))
        await asyncio.sleep(0.5)


async def _told(client: httpx.AsyncClient, job: str) -> str:
    """Why a job is where it is: its error, its attempts, its last events."""
    found = await _call(client, "GET", job)
    events = (await _call(client, "GET", f"{job}/events", after=max(0, found["last_event"] - 10)))[-10:]
    last = "\n".join(f"  {event['at']} {event['event']} {event['content']}" for event in events)
    return f"the job is {found['state']} at attempt {found['attempt']}: {found['error']}\n{last}"


async def _furnish(client: httpx.AsyncClient, study: str, subjects: int) -> dict[str, str]:
    """A project with a run that is done, to look at, and one that goes on."""
    home = "/projects/" + (await _call(client, "POST", "/projects", name=study))["id"]
    sample = (await _call(client, "POST", f"{home}/datasets/sample"))["id"]

    async def run(count: int) -> dict[str, Any]:
        document = {"subjects": count, "seed": 1, "study": study}
        return await _call(client, "POST", f"{home}/runs", dataset_id=sample, document=document, check=False)

    done = await run(SHOWN)
    await _until(client, f"{home}/jobs/{done['job']['id']}", "done")
    going = (await run(subjects))["job"]["id"]
    return {"home": home, "run": done["id"], "job": going, "study": study}


async def _person(url: str, token: str, place: dict[str, str], end: float, seconds: list[float], met: Counter) -> None:
    """One person: pages of a table, and now and then how far the run is."""
    chance = random.Random(token)
    async with _client(url, token) as client:
        await asyncio.sleep(chance.uniform(0, WAIT[1]))
        while time.monotonic() < end:
            started = time.perf_counter()
            try:
                if chance.random() < 0.5:
                    job = await _call(client, "GET", f"{place['home']}/jobs/{place['job']}")
                    met[f"run {job['state']}"] += 1
                else:
                    query = {"columns": ["STUDYID", "AETERM"], "offset": chance.randrange(200), "limit": 50}
                    page = await _call(client, "POST", f"{place['home']}/runs/{place['run']}/tables/ae/query", **query)
                    met["pages"] += 1
                    met["rows of others"] += sum(row[0] != place["study"] for row in page["rows"])
            except httpx.HTTPError as error:
                met[f"error {type(error).__name__}"] += 1
            else:
                seconds.append(time.perf_counter() - started)
            await asyncio.sleep(chance.uniform(*WAIT))


async def _load(url: str, settings: Settings, options: argparse.Namespace) -> int:
    (root,) = await _tokens(settings, 1, "administrator")
    async with _client(url, root) as client:
        free = {"address_per_minute": None, "stranger_per_minute": None}
        await _call(client, "PATCH", "/settings", rates=free)  # all people of this test share one address
        places = [await _furnish(client, f"STUDY-{number}", options.subjects) for number in (1, 2)]
        for place in places:
            await _until(client, f"{place['home']}/jobs/{place['job']}", "running")
        seconds: list[float] = []
        met: Counter = Counter()
        end = time.monotonic() + options.seconds
        people = []
        for place in places:
            project = place["home"].rpartition("/")[2]
            tokens = await _tokens(settings, options.people // 2, "viewer", project)
            people += [_person(url, token, place, end, seconds, met) for token in tokens]
        await asyncio.gather(*people)
        for place in places:
            job = f"{place['home']}/jobs/{place['job']}"
            if (await _call(client, "GET", job))["state"] != "running":
                met["error runs that ended early"] += 1
                print(await _told(client, job))
            else:
                await _call(client, "POST", f"{job}/cancel")
    p50, p95, worst = (1000 * value for value in np.quantile(seconds, (0.5, 0.95, 1.0)))
    print(f"people {options.people}, reads {len(seconds):,} ({len(seconds) / options.seconds:.0f} a second)")
    print(f"p50 {p50:.0f} ms, p95 {p95:.0f} ms, slowest {worst:.0f} ms; load of the machine {os.getloadavg()[0]:.1f}")
    print(", ".join(f"{name}: {count:,}" for name, count in sorted(met.items())))
    return int(met["rows of others"] > 0 or any(name.startswith("error") for name in met))


def main() -> int:
    """Measure; 1 where an answer failed or showed another's data."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.service", description=__doc__)
    parser.add_argument("--people", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--subjects", type=int, default=200_000, help="of each of the two runs that go on")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, _serving(Path(folder)) as (url, _):
        settings = Settings(_env_file=None, data_dir=Path(folder))
        return asyncio.run(_load(url, settings, options))


if __name__ == "__main__":
    sys.exit(main())

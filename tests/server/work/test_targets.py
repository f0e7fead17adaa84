"""Runs pushed to an HTTP endpoint of others, here on loopback."""

from __future__ import annotations

import json
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from server.work.conftest import Analyst, worker_of

from datareplicator.server.targets import http

pytestmark = pytest.mark.anyio
SECRET = "Bearer of-tidings-4711"


class _Endpoint(BaseHTTPRequestHandler):
    """Refuses who has no secret, is busy at the first request of every third key, and keeps each key once."""

    def do_HEAD(self):
        self.send_response(200 if self.headers["Authorization"] == SECRET else 401)
        self.end_headers()

    def do_POST(self):
        body, key = self.rfile.read(int(self.headers["Content-Length"])), self.headers["Idempotency-Key"]
        taken: dict = self.server.taken  # type: ignore[attr-defined]
        seen: Counter = self.server.seen  # type: ignore[attr-defined]
        seen[key] += 1
        status = (
            401 if self.headers["Authorization"] != SECRET else 503 if seen[key] == 1 and len(seen) % 3 == 1 else 200
        )
        if status == 200:
            taken[key] = (self.headers, body)
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format, *args):
        pass


@pytest.fixture
def endpoint():
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Endpoint)
    server.taken, server.seen = {}, Counter()  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


async def test_runs_are_pushed_once_and_secrets_stay_here(service, endpoint, monkeypatch, caplog):
    monkeypatch.setattr(http, "FIRST_WAIT", 0.01)
    owner = await service.sign_up(role="manager")
    desk = Analyst(service.as_user(owner), await service.project(owner))
    url = f"http://127.0.0.1:{endpoint.server_address[1]}/in"
    asked = {"name": "hub", "options": {"url": url, "form": "json", "batch_rows": 40}, "secret": SECRET}
    target = await desk.post("/targets", asked, 201)
    assert target["has_secret"] and SECRET not in json.dumps([target, await desk.get("/targets")])
    refused = await desk.post(f"/targets/{target['id']}/test")
    assert not refused["ok"] and "private network" in refused["detail"]

    async with worker_of(service):
        dataset = await desk.small()
        run = await desk.post("/runs", {"dataset_id": dataset["id"], "document": {"subjects": 5}})
        push = {"run_id": run["id"]}
        assert (await desk.client.post(f"{desk.base}/targets/{target['id']}/pushes", json=push)).status_code == 409
        await desk.done(run["job"]["id"])
        private = await desk.post(f"/targets/{target['id']}/pushes", push, 202)
        job = await desk.done(private["job"]["id"], "failed")
        assert job["error"]["code"] == "target" and not endpoint.seen

        service.settings.allow_private_targets = True
        assert (await desk.post(f"/targets/{target['id']}/test"))["ok"]
        made = await desk.post(f"/targets/{target['id']}/pushes", push, 202)
        job = await desk.done(made["job"]["id"])
        rows = {table["table"]: table["rows"] for table in (await desk.get(f"/runs/{run['id']}"))["summary"]["tables"]}
        got = Counter()
        for headers, body in endpoint.taken.values():
            content = json.loads(body)
            assert headers["X-Table-Name"] == content["table"] and len(content["rows"]) <= 40
            got[content["table"]] += len(content["rows"])
        assert got == rows and job["result"]["rows"] == sum(rows.values())
        assert max(endpoint.seen.values()) == 2 and job["result"]["requests"] == len(endpoint.taken)

        files = await desk.post("/targets", {**asked, "options": {"url": url, "form": "files"}, "name": "files"}, 201)
        made = await desk.post(f"/targets/{files['id']}/pushes", push, 202)
        await desk.done(made["job"]["id"])
        sent = {headers["X-File-Name"]: body for headers, body in endpoint.taken.values() if headers["X-File-Name"]}
        assert set(sent) == {file["name"] for file in await desk.get(f"/runs/{run['id']}/files")}

        wrong = await desk.post("/targets", {**asked, "secret": "Bearer wrong", "name": "wrong"}, 201)
        assert "credentials" in (await desk.post(f"/targets/{wrong['id']}/test"))["detail"]
        made = await desk.post(f"/targets/{wrong['id']}/pushes", push, 202)
        assert "401" in (await desk.done(made["job"]["id"], "failed"))["error"]["message"]
    assert SECRET not in caplog.text
    for bad in ({"url": "file:///etc/passwd"}, {"url": "https://me:pw@example.org/"}, {"url": url, "form": "xml"}):
        await desk.post("/targets", {**asked, "options": bad}, 422)
    assert (await desk.client.delete(f"{desk.base}/targets/{target['id']}")).status_code == 204
    analyst = service.as_user(await service.sign_up())
    assert (await analyst.get(f"{desk.base}/targets")).status_code == 404

"""Runs pushed to S3 (moto's server), PostgreSQL, SFTP (OpenSSH), and to the documented APIs of REDCap and of Rave Web
Services (imitated), all on loopback."""

from __future__ import annotations

import base64
import json
import threading
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import asyncpg
import boto3
import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from moto.server import ThreadedMotoServer
from server.work.conftest import Analyst, worker_of
from sqlalchemy.engine import make_url
from support import ssh

from datareplicator.server.targets import http
from datareplicator.server.targets.s3 import signed

pytestmark = pytest.mark.anyio
ODM = "{http://www.cdisc.org/ns/odm/v1.3}"
MDSOL = "{http://www.mdsol.com/ns/odm/metadata}"
TOKEN = "0123456789ABCDEF0123456789ABCDEF"


@pytest.fixture
async def desk(service: Any, monkeypatch: pytest.MonkeyPatch) -> Analyst:
    """A manager at a project; targets on this machine are allowed."""
    monkeypatch.setattr(http, "FIRST_WAIT", 0.01)
    service.settings.allow_private_targets = True
    owner = await service.sign_up(role="manager")
    return Analyst(service.as_user(owner), await service.project(owner))


@pytest.fixture
def bucket() -> Iterator[tuple[str, Any]]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    url = "http://{}:{}".format(*server.get_host_and_port())
    keys = {"aws_access_key_id": "key-1", "aws_secret_access_key": "secret-1", "region_name": "us-east-1"}
    client = boto3.client("s3", endpoint_url=url, **keys)
    client.create_bucket(Bucket="studies")
    yield url, client
    server.stop()


class _Redcap(BaseHTTPRequestHandler):
    """Import Records and Export Version, as REDCap's documentation of its API has them."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        asked = {name: values[0] for name, values in parse_qs(body, keep_blank_values=True).items()}
        records: dict[Any, Any] = self.server.records  # type: ignore[attr-defined]
        status, answer = 200, "16.1.3"
        if asked["token"] != TOKEN:
            status, answer = 403, '{"error": "You do not have permissions to use the API"}'
        elif asked["content"] == "record":
            assert (asked["format"], asked["type"], asked["action"]) == ("json", "flat", "import")
            rows = json.loads(asked["data"])
            for row in rows:
                where = ("redcap_repeat_instrument", "redcap_repeat_instance")
                records[row["record_id"], *(row.get(name) for name in where)] = row
            answer = json.dumps({"count": len({row["record_id"] for row in rows})})
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer.encode())

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def redcap() -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Redcap)
    server.records = {}  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


class _Rave(BaseHTTPRequestHandler):
    """Rave Web Services as far as we use them: studies, and PostODMClinicalData with its answer."""

    def _answer(self, status: int, content: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content.encode())

    def _may(self) -> bool:
        return self.headers["Authorization"] == "Basic " + base64.b64encode(b"loader:pass word").decode()

    def do_GET(self) -> None:
        assert self.path == "/RaveWebServices/studies"
        self._answer(200 if self._may() else 401, "<ODM/>")

    def do_POST(self) -> None:
        root = ET.fromstring(self.rfile.read(int(self.headers["Content-Length"])))
        data = root.find(f"{ODM}ClinicalData")
        if self.path != "/RaveWebServices/webservice.aspx?PostODMClinicalData" or not self._may() or data is None:
            self._answer(404, "")
            return
        if data.get("StudyOID") != "Study(UAT)":
            self._answer(200, '<Response IsTransactionSuccessful="0" ReasonCode="RWS00024" />')
            return
        kept: dict[Any, Any] = self.server.kept  # type: ignore[attr-defined]
        for subject in data:
            for event in subject.iter(f"{ODM}StudyEventData"):
                for group in event.iter(f"{ODM}ItemGroupData"):
                    where = (subject.get("SubjectKey"), event.get("StudyEventOID"))
                    assert subject.get(f"{MDSOL}SubjectKeyType") == "SubjectName"
                    assert group.get(f"{MDSOL}Submission") == "SpecifiedItemsOnly"
                    key = (*where, group.get("ItemGroupOID"), group.get("ItemGroupRepeatKey"))
                    site = subject.find(f"{ODM}SiteRef")
                    items = {item.get("ItemOID"): item.get("Value") for item in group}
                    kept[key] = (None if site is None else site.get("LocationOID"), items)
        self._answer(200, '<Response ReferenceNumber="1" IsTransactionSuccessful="1" ReasonCode="" />')

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def rave() -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Rave)
    server.kept = {}  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


async def _pushed(desk: Analyst, target: dict[str, Any], run: str, state: str = "done") -> dict[str, Any]:
    made = await desk.post(f"/targets/{target['id']}/pushes", {"run_id": run}, 202)
    return await desk.done(made["job"]["id"], state)


async def _tested(desk: Analyst, asked: dict[str, Any], wrong: dict[str, Any]) -> dict[str, Any]:
    """A target that lets us in; the same with `wrong` does not."""
    target = await desk.post("/targets", asked, 201)
    assert asked["secret"] not in json.dumps(target)
    answer = await desk.post(f"/targets/{target['id']}/test")
    assert answer["ok"], answer
    bad = await desk.post("/targets", {**asked, **wrong}, 201)
    assert not (await desk.post(f"/targets/{bad['id']}/test"))["ok"]
    return target


async def test_runs_reach_each_kind_of_target(
    service: Any,
    desk: Analyst,
    bucket: tuple[str, Any],
    postgresql: str,
    redcap: ThreadingHTTPServer,
    rave: ThreadingHTTPServer,
    tmp_path: Path,
) -> None:
    async with worker_of(service):
        dataset = await desk.small()
        run = await desk.post("/runs", {"dataset_id": dataset["id"], "document": {"subjects": 5}})
        await desk.done(run["job"]["id"])
        run = await desk.get(f"/runs/{run['id']}")
        rows = {table["table"]: table["rows"] for table in run["summary"]["tables"]}
        await _reach_s3(desk, run["id"], *bucket)
        await _reach_postgresql(desk, run["id"], rows, postgresql)
        await _reach_redcap(desk, run["id"], rows, redcap)
        await _reach_rave(desk, run["id"], rows, rave)
        await _reach_sftp(desk, run["id"], tmp_path)


async def _reach_s3(desk: Analyst, run: str, url: str, client: Any) -> None:
    options = {"endpoint": url, "bucket": "studies", "prefix": "a b/run", "access_key_id": "key-1"}
    asked = {"name": "S3", "kind": "s3", "options": options, "secret": "secret-1"}
    target = await _tested(desk, asked, {"options": {**options, "bucket": "elsewhere"}})
    await _pushed(desk, target, run)
    kept = {each["Key"]: each["Size"] for each in client.list_objects_v2(Bucket="studies")["Contents"]}
    assert kept == {f"a b/run/{file['name']}": file["size"] for file in await desk.get(f"/runs/{run}/files")}
    manifest = client.get_object(Bucket="studies", Key="a b/run/manifest.json")["Body"].read()
    assert manifest == (await desk.client.get(f"{desk.base}/runs/{run}/files/manifest.json")).content


async def _reach_postgresql(desk: Analyst, run: str, rows: dict[str, int], address: str) -> None:
    url = make_url(address)
    options = {"host": url.host, "port": url.port, "database": url.database, "user": url.username, "encryption": "none"}
    asked = {"name": "SQL", "kind": "postgresql", "options": options, "secret": "trusted-here"}
    target = await _tested(desk, asked, {"options": {**options, "db_schema": "nowhere"}})
    connection = await asyncpg.connect(host=url.host, port=url.port, user=url.username, database=url.database)
    try:
        job = await _pushed(desk, target, run)
        assert job["result"]["rows"] == sum(rows.values())
        await _pushed(desk, target, run)
        for table, count in rows.items():
            assert await connection.fetchval(f'SELECT count(*) FROM "{table}"') == count
        page = await desk.post(f"/runs/{run}/tables/dm/query", {"columns": ["USUBJID", "AGE"], "limit": 5})
        stored = await connection.fetch('SELECT "USUBJID", "AGE" FROM dm')
        assert sorted(map(tuple, stored)) == sorted(map(tuple, page["rows"]))
        kept = await desk.post("/targets", {**asked, "options": {**options, "mode": "append"}, "name": "more"}, 201)
        await _pushed(desk, kept, run)
        assert await connection.fetchval("SELECT count(*) FROM dm") == 2 * rows["dm"]
        await connection.execute("DROP TABLE dm; CREATE TABLE dm (other integer)")
        failed = await _pushed(desk, kept, run, "failed")
        assert failed["error"]["code"] == "target"
        assert await connection.fetchval("SELECT count(*) FROM ae") == 2 * rows["ae"]
    finally:
        await connection.close()


async def _reach_redcap(desk: Analyst, run: str, rows: dict[str, int], server: ThreadingHTTPServer) -> None:
    options = {"url": f"http://127.0.0.1:{server.server_address[1]}/api/", "batch_rows": 7}
    asked = {"name": "REDCap", "kind": "redcap", "options": options, "secret": TOKEN}
    target = await _tested(desk, asked, {"secret": "f" * 32})
    for _ in range(2):
        await _pushed(desk, target, run)
        records: dict[Any, Any] = server.records  # type: ignore[attr-defined]
        assert len(records) == sum(rows.values())
    subjects = [row for (_, instrument, _), row in records.items() if instrument is None]
    assert len(subjects) == rows["dm"] and all("age" in row and "usubjid" not in row for row in subjects)
    assert sum(instrument == "ae" for _, instrument, _ in records) == rows["ae"]


async def _reach_rave(desk: Analyst, run: str, rows: dict[str, int], server: ThreadingHTTPServer) -> None:
    url = f"http://127.0.0.1:{server.server_address[1]}/RaveWebServices"
    options = {"url": url, "user": "loader", "study_oid": "Study(UAT)", "batch_rows": 7}
    asked = {"name": "Rave", "kind": "odm", "options": options, "secret": "pass word"}
    target = await _tested(desk, asked, {"secret": "other"})
    kept: dict[Any, Any] = server.kept  # type: ignore[attr-defined]
    for _ in range(2):
        job = await _pushed(desk, target, run)
        assert len(kept) == sum(rows.values()) == job["result"]["rows"]
    page = await desk.post(f"/runs/{run}/tables/dm/query", {"columns": ["USUBJID", "SITEID", "AGE"]})
    for subject, site, age in page["rows"]:
        place, items = kept[subject, "SUBJECT", "DM", "1"]
        assert (place, float(items["DM.AGE"])) == (site, age)
    options["study_oid"] = "Other(UAT)"
    other = await desk.post("/targets", {**asked, "name": "other", "options": options}, 201)
    assert "RWS00024" in (await _pushed(desk, other, run, "failed"))["error"]["message"]


async def _reach_sftp(desk: Analyst, run: str, folder: Path) -> None:
    (folder / "ssh").mkdir()
    (folder / "inbox").mkdir()
    try:
        with ssh.serving(folder / "ssh") as server:
            options = {"host": "127.0.0.1", "port": server.port, "user": server.user, "host_key": server.host_key}
            options["folder"] = str(folder / "inbox")
            asked = {"name": "SFTP", "kind": "sftp", "options": options, "secret": server.private_key}
            target = await _tested(desk, asked, {"secret": "a password"})
            for _ in range(2):
                await _pushed(desk, target, run)
            files = {file["name"]: file["size"] for file in await desk.get(f"/runs/{run}/files")}
            put = [path for path in (folder / "inbox").rglob("*") if path.is_file()]
            assert {str(path.relative_to(folder / "inbox")): path.stat().st_size for path in put} == files
            if server.password is not None:
                asked |= {"name": "by password", "secret": server.password}
                await _pushed(desk, await _tested(desk, asked, {"secret": f"{server.password}."}), run)
            options["host_key"] = (folder / "ssh/own.pub").read_text().strip()
            other = await desk.post("/targets", {**asked, "name": "other", "options": options}, 201)
            assert "another key" in (await desk.post(f"/targets/{other['id']}/test"))["detail"]
            assert "another key" in (await _pushed(desk, other, run, "failed"))["error"]["message"]
    except ssh.NotHere as reason:
        pytest.skip(f"the other targets were reached, but no SFTP: {reason}")


async def test_private_addresses_are_refused(service: Any, desk: Analyst) -> None:
    service.settings.allow_private_targets = False
    kinds = {
        "s3": {"endpoint": "http://127.0.0.1:9", "bucket": "studies", "access_key_id": "k"},
        "postgresql": {"host": "localhost", "database": "d", "user": "u"},
        "redcap": {"url": "http://[::1]/api/"},
        "sftp": {"host": "127.0.0.1", "user": "u", "host_key": "ssh-ed25519 AAAA"},
        "odm": {"url": "http://10.0.0.1/RaveWebServices", "user": "u", "study_oid": "S"},
    }
    for kind, options in kinds.items():
        target = await desk.post("/targets", {"name": kind, "kind": kind, "options": options, "secret": "x"}, 201)
        answer = await desk.post(f"/targets/{target['id']}/test")
        assert not answer["ok"] and "private network" in answer["detail"]
    await desk.post("/targets", {"name": "x", "kind": "s3", "options": kinds["redcap"]}, 422)
    await desk.post("/targets", {"name": "x", "kind": "smtp", "options": kinds["redcap"]}, 422)


def test_signatures_are_those_of_the_vendor() -> None:
    at = datetime.now(UTC)
    headers = {"host": "s3.example.org:9000", "content-type": "text/csv"}
    mine = signed("PUT", "/studies/a%20b/dm.csv", headers, b"a,b", "eu-central-1", "key-1", "secret-1", at)
    url = "http://s3.example.org:9000/studies/a%20b/dm.csv"
    request = AWSRequest("PUT", url, headers={"content-type": "text/csv"}, data=b"a,b")
    signer = S3SigV4Auth(Credentials("key-1", "secret-1"), "s3", "eu-central-1")
    request.context["timestamp"] = mine["x-amz-date"]
    request.headers["X-Amz-Date"] = mine["x-amz-date"]
    request.headers["X-Amz-Content-SHA256"] = signer.payload(request)
    signature = signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)
    assert mine["Authorization"].endswith(f"Signature={signature}")

"""Files on their way in: what is taken, what is refused, and that nothing stays of what was refused."""

from __future__ import annotations

import io
import uuid
import zipfile
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import update

from datareplicator import sample_study_path
from datareplicator.server.database import now
from datareplicator.server.datasets.tables import Upload
from datareplicator.server.tidying import tidy

pytestmark = pytest.mark.anyio
DM = (sample_study_path() / "dm.xpt").read_bytes()
AE = (sample_study_path() / "ae.xpt").read_bytes()


@pytest.fixture
async def dataset(idle):
    return (await idle.post("/datasets", {"name": "mine"}, 201))["id"]


def _zip(**files):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "/"), content)
    return made.getvalue()


async def _send(idle, dataset, *files, status=201, **params):
    parts = [("files", (name, content)) for name, content in files]
    answer = await idle.client.post(f"{idle.base}/datasets/{dataset}/files", files=parts, params=params)
    assert answer.status_code == status, answer.text
    return answer.json()


async def test_many_files_at_once_and_versions(idle, dataset):
    first = await _send(idle, dataset, ("dm.xpt", DM), ("ae.xpt", AE))
    assert (first["number"], [f["name"] for f in first["files"]]) == (1, ["ae.xpt", "dm.xpt"])
    second = await _send(idle, dataset, ("notes.csv", b"USUBJID,X\nA,1\n"))
    assert (second["number"], len(second["files"])) == (2, 3)
    third = await _send(idle, dataset, ("dm.xpt", DM), replace=True)
    assert [f["name"] for f in third["files"]] == ["dm.xpt"]
    assert [v["number"] for v in await idle.get(f"/datasets/{dataset}/versions")] == [3, 2, 1]
    file = await idle.client.get(f"{idle.base}/datasets/{dataset}/versions/1/files/ae.xpt")
    assert file.content == AE


async def test_a_zip_is_unpacked(idle, dataset):
    version = await _send(idle, dataset, ("study.zip", _zip(study__dm_xpt=DM).replace(b"dm_xpt", b"dm.xpt")))
    assert [(f["name"], f["format"]) for f in version["files"]] == [("dm.xpt", "xpt")]


REFUSED = [
    ("tool.exe", b"MZ\x90\x00\x03\x00", 415, "no file of data"),
    ("dm.csv", DM, 415, "its content is xpt, not csv"),
    ("dm.xpt", b"USUBJID,AGE\n1,2\n", 415, "no file of data"),
    ("empty.csv", b"", 422, "empty"),
    ("../dm.xpt", DM, 422, "no name of a file"),
    ("/etc/dm.xpt", DM, 422, "no name of a file"),
    ("..\\dm.xpt", DM, 422, "no name of a file"),
    (".hidden.csv", b"a\n1\n", 422, "no name of a file"),
    ("bomb.zip", _zip(**{"big.csv": bytes(50 << 20)}), 422, "unpack"),
    ("out.zip", _zip(**{"..__dm.xpt": DM}), 422, "leads out of the archive"),
    ("in.zip", _zip(**{"in.zip": _zip(**{"dm.xpt": DM})}), 422, "archive within"),
    ("none.zip", _zip(**{"readme.txt": b"hello"}), 422, "no file of data"),
]


async def test_what_is_refused_leaves_nothing(idle, dataset, service):
    for name, content, status, said in REFUSED:
        answer = await _send(idle, dataset, (name, content), status=status)
        assert said in answer["detail"], answer
    assert await idle.get(f"/datasets/{dataset}/versions") == []
    assert await service.app.state.storage.keys("projects") == []
    assert list((service.settings.data_dir / "staging").iterdir()) == []


async def test_too_many_bytes_are_refused_as_they_come(idle, dataset, service):
    service.settings.max_upload_bytes = 100_000
    answer = await _send(idle, dataset, ("big.csv", b"a,b\n" + b"1,2\n" * 60_000), status=413)
    assert answer["code"] == "too-large"

    async def unannounced():
        yield b'--x\r\nContent-Disposition: form-data; name="f"; filename="big.csv"\r\n\r\n'
        for _ in range(300):
            yield b"1,2\n" * 1000

    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    url = f"{idle.base}/datasets/{dataset}/files"
    assert (await idle.client.post(url, content=unannounced(), headers=headers)).status_code == 413
    assert await service.app.state.storage.keys("projects") == []


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="looks at memory by /proc")
async def test_a_big_file_takes_little_memory(idle, dataset):
    """benchmarks/upload.py sends one of 2 GB."""
    held = []

    async def form():
        yield b'--x\r\nContent-Disposition: form-data; name="files"; filename="big.csv"\r\n\r\na,b\n'
        for _ in range(60):
            held.append(_held())
            yield b"1,2\n" * 500_000
        yield b"\r\n--x--\r\n"

    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    answer = await idle.client.post(f"{idle.base}/datasets/{dataset}/files", content=form(), headers=headers)
    assert answer.status_code == 201 and answer.json()["files"][0]["size"] == 4 + 60 * 2_000_000
    assert max(held) - held[0] < 40
    assert _held() - held[0] < 40


def _held():
    """MB of this process."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


async def test_problems_are_told_by_file_and_place(at_work):
    dataset = (await at_work.post("/datasets", {"name": "broken"}, 201))["id"]
    cut = pd.DataFrame({"USUBJID": ["A", "B"], "AGE": [1, 2]}).to_parquet()[:-30] + b"PAR1"
    version = await _send(at_work, dataset, ("dm.xpt", DM), ("ae.xpt", AE[:2000]), ("vs.parquet", cut))
    await at_work.done(version["job"]["id"])
    found = (await at_work.get(f"/datasets/{dataset}"))["latest"]["inspection"]
    assert not found["usable"]
    assert {problem["place"]["file"] for problem in found["problems"]} == {"ae.xpt", "vs.parquet"}
    assert next(f for f in found["files"] if f["file"] == "dm.xpt")["tables"][0]["rows"] == 20
    refused = await at_work.post("/analyses", {"dataset_id": dataset}, 422)
    assert refused["problems"]
    mended = await at_work.post(f"/datasets/{dataset}/versions", {"remove": ["ae.xpt", "vs.parquet"]}, 201)
    await at_work.done(mended["job"]["id"])
    assert (await at_work.get(f"/datasets/{dataset}"))["latest"]["inspection"]["usable"]


async def test_a_big_file_comes_in_parts_and_goes_on_after_a_cut(idle, dataset):
    home = f"{idle.base}/datasets/{dataset}"
    upload = (await idle.client.post(f"{home}/uploads", json={"name": "dm.xpt", "size": len(DM)})).json()
    place = f"{home}/uploads/{upload['id']}"
    form = {"Content-Type": "application/offset+octet-stream"}
    half = len(DM) // 2
    first = await idle.client.patch(place, content=DM[:half], headers={**form, "Upload-Offset": "0"})
    assert (first.status_code, first.headers["upload-offset"]) == (204, str(half))
    wrong = await idle.client.patch(place, content=DM[half:], headers={**form, "Upload-Offset": "7"})
    assert (wrong.status_code, wrong.headers["upload-offset"]) == (409, str(half))
    early = await idle.client.post(f"{home}/versions", json={"uploads": [upload["id"]]})
    assert early.status_code == 409
    stand = await idle.client.head(place)
    assert (stand.headers["upload-offset"], stand.headers["upload-length"]) == (str(half), str(len(DM)))
    rest = await idle.client.patch(place, content=DM[half:], headers={**form, "Upload-Offset": str(half)})
    assert rest.headers["upload-offset"] == str(len(DM))
    more = await idle.client.patch(place, content=b"x", headers={**form, "Upload-Offset": str(len(DM))})
    assert more.status_code == 413
    version = (await idle.client.post(f"{home}/versions", json={"uploads": [upload["id"]]})).json()
    assert [(f["name"], f["size"]) for f in version["files"]] == [("dm.xpt", len(DM))]
    file = await idle.client.get(f"{home}/versions/1/files/dm.xpt")
    assert file.content == DM
    assert (await idle.client.head(place)).status_code == 404


async def test_deletion_really_deletes(at_work, service):
    dataset = await at_work.small()
    await at_work.done(dataset["latest"]["job"]["id"])
    analysis = await at_work.post("/analyses", {"dataset_id": dataset["id"]})
    await at_work.done(analysis["job"]["id"])
    twin = await at_work.post("/analyses", {"dataset_id": dataset["id"]})
    assert twin["job"]["cache"] == "hit"
    storage = service.app.state.storage
    assert (await at_work.client.delete(f"{at_work.base}/analyses/{analysis['id']}")).status_code == 204
    await tidy(service.database, storage)
    assert (await at_work.get(f"/analyses/{twin['id']}/profile"))["subjects"] == 20
    assert (await at_work.client.delete(f"{at_work.base}/datasets/{dataset['id']}")).status_code == 204
    while await tidy(service.database, storage):
        pass
    assert await storage.keys("projects") == []
    assert (await at_work.client.get(f"{at_work.base}/analyses/{twin['id']}")).status_code == 404


async def test_what_is_past_its_time_goes(idle, service):
    dataset = await idle.small()
    client, url = idle.client, f"{idle.base}/runs"
    run = (await client.post(url, json={"dataset_id": dataset["id"], "document": {"subjects": 3}})).json()
    answer = await client.patch(f"{url}/{run['id']}", json={"keep_until": "2020-01-01T00:00:00Z"})
    assert answer.status_code == 200
    upload = await idle.post(f"/datasets/{dataset['id']}/uploads", {"name": "a.csv", "size": 9})
    async with service.database.session(write=True) as session:
        await session.execute(update(Upload).values(expires_at=now() - timedelta(hours=1)))
    while await tidy(service.database, service.app.state.storage):
        pass
    assert (await client.get(f"{url}/{run['id']}")).status_code == 404
    assert (await idle.get(f"/jobs/{run['job']['id']}"))["state"] == "cancelled"
    assert (await client.head(f"{idle.base}/datasets/{dataset['id']}/uploads/{upload['id']}")).status_code == 404
    assert await service.app.state.storage.keys("projects") != []
    assert (await client.delete(idle.base)).status_code == 204
    while await tidy(service.database, service.app.state.storage):
        pass
    assert await service.app.state.storage.keys("projects") == []


async def test_an_unknown_dataset_is_not_found(idle):
    assert (await idle.client.get(f"{idle.base}/datasets/{uuid.uuid4()}")).status_code == 404

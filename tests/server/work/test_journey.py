"""The whole way: study, analysis, model, subjects, preview, findings, downloads."""

from __future__ import annotations

import io
import zipfile

import pytest

from datareplicator.formats.reading import read_file

pytestmark = pytest.mark.anyio


async def test_from_a_study_to_downloads(at_work, tmp_path):
    dataset = await at_work.small()
    version = dataset["latest"]
    assert {file["name"] for file in version["files"]} >= {"dm.xpt", "ae.xpt"}
    await at_work.done(version["job"]["id"])
    found = (await at_work.get(f"/datasets/{dataset['id']}"))["latest"]["inspection"]
    assert (found["usable"], found["standard"], found["subjects"]) == (True, "SDTM", 20)
    dm = next(each for each in found["files"] if each["file"] == "dm.xpt")["tables"][0]
    assert (dm["domain"], dm["rows"], dm["subjects"]) == ("DM", 20, 20)

    analysis = await at_work.post("/analyses", {"dataset_id": dataset["id"]}, 202)
    assert analysis["job"]["cache"] == "miss"
    await at_work.done(analysis["job"]["id"])
    assert (await at_work.get(f"/analyses/{analysis['id']}"))["summary"]["subjects"] == 20
    assert {t["name"] for t in (await at_work.get(f"/analyses/{analysis['id']}/profile"))["tables"]} >= {"dm", "ae"}
    assert (await at_work.get(f"/analyses/{analysis['id']}/explanation"))["subject_key"] == "USUBJID"

    document = {"subjects": 30, "seed": 7, "report": True}
    run = await at_work.post("/runs", {"dataset_id": dataset["id"], "document": document}, 202)
    assert run["waits_for"]["kind"] == "model"
    job = await at_work.done(run["job"]["id"])
    assert job["rows"] > 100 and job["cpu_seconds"] > 0 and job["peak_mb"] > 50
    run = await at_work.get(f"/runs/{run['id']}")
    assert run["summary"]["subjects"] == 30
    assert run["summary"]["report"]

    files = {file["name"]: file for file in await at_work.get(f"/runs/{run['id']}/files")}
    assert {"dm.xpt", "manifest.json", "validation.json", "report.html"} <= set(files)
    path = tmp_path / "dm.xpt"
    answer = await at_work.client.get(f"{at_work.base}/runs/{run['id']}/files/dm.xpt")
    path.write_bytes(answer.content)
    assert len(read_file(path, "dm.xpt")[0]) == 30
    part = await at_work.client.get(f"{at_work.base}/runs/{run['id']}/files/dm.xpt", headers={"Range": "bytes=80-159"})
    assert (part.status_code, part.content) == (206, answer.content[80:160])
    archive = await at_work.client.get(f"{at_work.base}/runs/{run['id']}/archive")
    with zipfile.ZipFile(io.BytesIO(archive.content)) as unzipped:
        assert unzipped.testzip() is None
        assert set(unzipped.namelist()) == set(files)
        assert unzipped.read("dm.xpt") == answer.content
    page = await at_work.client.get(f"{at_work.base}/runs/{run['id']}/report")
    assert page.headers["content-security-policy"].startswith("sandbox")
    assert "sha256" not in page.headers and b"<html" in page.content

    findings = await at_work.get(f"/runs/{run['id']}/findings")
    assert "rules checked" in findings["headline"]

    again = await at_work.post("/runs", {"dataset_id": dataset["id"], "document": document}, 202)
    assert (again["job"]["cache"], again["job"]["state"]) == ("hit", "done")
    assert again["summary"]["rows"] == run["summary"]["rows"]

    export = await at_work.post(f"/runs/{run['id']}/exports", {"format": "csv", "tables": ["dm"]}, 202)
    await at_work.done(export["job"]["id"])
    export = await at_work.get(f"/runs/{run['id']}/exports/{export['id']}")
    assert [file["name"] for file in export["files"]] == ["dm.csv"]
    text = await at_work.client.get(f"{at_work.base}/runs/{run['id']}/exports/{export['id']}/files/dm.csv")
    assert len(text.text.splitlines()) == 31

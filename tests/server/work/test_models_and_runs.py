"""Models, runs and validations: what may be asked, and what comes of it."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.anyio


async def test_models_are_learned_corrected_compared_exported_and_imported(at_work):
    dataset = await at_work.small()
    asked = {"dataset_id": dataset["id"], "name": "mine"}
    first = await at_work.post("/models", asked, 202)
    second = await at_work.post("/models", {**asked, "privacy": {"min_subjects": 3}}, 202)
    assert (first["number"], second["number"]) == (1, 2)
    await at_work.done(first["job"]["id"])
    await at_work.done(second["job"]["id"])
    assert (await at_work.get(f"/models/{second['id']}"))["summary"]["min_subjects"] == 3
    compared = await at_work.get("/models/compare", params={"id": [first["id"], second["id"]]})
    assert compared["names"] == ["mine 1", "mine 2"] and compared["same"] > 50
    again = await at_work.post("/models", asked, 202)
    assert (again["job"]["cache"], again["number"]) == ("hit", 3)
    corrected = {**asked, "corrections": [{"kind": "text", "variable": "AE.AESEV"}]}
    third = await at_work.post("/models", corrected, 202)
    since = (await at_work.done(third["job"]["id"]))["result"]["since"]
    assert since["earlier"] == "mine, version 3"
    assert "rows of ae" in since["again"] and "rows of dm" in since["kept"]

    exported = await at_work.client.get(f"{at_work.base}/models/{first['id']}/document")
    url = f"{at_work.base}/models/import"
    headers = {"Content-Type": "application/json"}
    answer = await at_work.client.post(url, content=exported.content, headers=headers, params={"name": "theirs"})
    imported = answer.json()
    assert (answer.status_code, imported["origin"]) == (202, "imported")
    await at_work.done(imported["job"]["id"])
    digest = (await at_work.get(f"/models/{first['id']}"))["summary"]["digest"]
    assert (await at_work.get(f"/models/{imported['id']}"))["summary"]["digest"] == digest
    run = await at_work.post("/runs", {"model_id": imported["id"], "document": {"subjects": 5, "format": "csv"}}, 202)
    await at_work.done(run["job"]["id"])
    assert "dm.csv" in [file["name"] for file in await at_work.get(f"/runs/{run['id']}/files")]

    answer = await at_work.client.post(url, content=b'{"format": "x"}', headers=headers, params={"name": "bad"})
    job = await at_work.done(answer.json()["job"]["id"], "failed")
    assert job["error"]["code"] == "model"
    refused = await at_work.post("/runs", {"model_id": answer.json()["id"], "document": {"subjects": 5}}, 409)
    assert refused["code"] == "not-done"


REFUSED = [
    ({"subjcts": 3}, "subjcts"),
    ({"subjects": 0}, "subjects"),
    ({"subjects": 3, "output": "/etc"}, "output"),
    ({"subjects": 3, "source": "/etc/passwd"}, "source"),
    ({"subjects": 3, "faults": {"include": "/etc/passwd"}}, "not bundled"),
    ({"subjects": 3, "faults": {"include": ["light", "../../x.yaml"]}}, "not bundled"),
    ({"subjects": 3, "scenarios": [{"name": "/etc/passwd", "subjects": 1}]}, "not bundled"),
    ({"subjects": 3, "corrections": [{"deny": "nothing"}]}, "correction"),
]


async def test_what_is_no_run_is_refused_at_once(idle):
    dataset = await idle.small()
    for document, said in REFUSED:
        answer = await idle.post("/runs", {"dataset_id": dataset["id"], "document": document}, 422)
        assert said in answer["detail"]
    assert (await idle.get("/runs"))["total"] == 0
    assert "/etc" not in str((await idle.get("/jobs"))["items"])


async def test_faults_come_with_their_answers(at_work):
    dataset = await at_work.small()
    asked = {"dataset_id": dataset["id"], "plan": {"include": "light"}, "seed": 1}
    dirty = await at_work.post("/runs/corrupt", asked, 202)
    document = {"subjects": 20, "faults": {"include": ["light"]}, "format": "csv"}
    made = await at_work.post("/runs", {"dataset_id": dataset["id"], "document": document}, 202)
    for run in (dirty, made):
        await at_work.done(run["job"]["id"])
        names = [file["name"] for file in await at_work.get(f"/runs/{run['id']}/files")]
        assert "answers/answers.parquet" in names
        page = await at_work.post(f"/runs/{run['id']}/tables/dm/query", {"limit": 5})
        assert page["rows"]
    validation = await at_work.post("/validations", {"run_id": dirty["id"], "baseline_dataset_id": dataset["id"]}, 202)
    await at_work.done(validation["job"]["id"])
    shown = await at_work.get(f"/validations/{validation['id']}")
    assert shown["summary"]["findings"] > 0
    found = await at_work.get(f"/validations/{validation['id']}/findings", params={"limit": 3})
    assert len(found["items"]) == 3 and found["matching"] >= 3
    rule = found["items"][0]["rule"]
    only = await at_work.get(f"/validations/{validation['id']}/findings", params={"rule": rule})
    assert {item["rule"] for item in only["items"]} == {rule}


async def test_quotas_are_spent_when_a_run_is_asked_for(service, idle):
    from sqlalchemy import update

    from datareplicator.server.auth.tables import User

    async with service.database.session(write=True) as session:
        await session.execute(update(User).values(tier="free"))
    dataset = await idle.small()
    asked = {"dataset_id": dataset["id"], "document": {"subjects": 5000}}
    await idle.post("/runs", asked, 202)
    await idle.post("/runs", {**asked, "document": {"subjects": 5000, "seed": 1}}, 202)
    answer = await idle.client.post(f"{idle.base}/runs", json={**asked, "document": {"subjects": 5000, "seed": 2}})
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0 and answer.json()["remaining"] == 0
    assert (await idle.get("/runs"))["total"] == 2


async def test_an_export_to_duckdb_opens(at_work, tmp_path):
    import duckdb

    dataset = await at_work.small()
    run = await at_work.post("/runs", {"dataset_id": dataset["id"], "document": {"subjects": 4}})
    await at_work.done(run["job"]["id"])
    export = await at_work.post(f"/runs/{run['id']}/exports", {"format": "duckdb"})
    await at_work.done(export["job"]["id"])
    url = f"{at_work.base}/runs/{run['id']}/exports/{export['id']}/files/study.duckdb"
    path = tmp_path / "study.duckdb"
    path.write_bytes((await at_work.client.get(url)).content)
    with duckdb.connect(str(path), read_only=True) as database:
        assert database.execute("SELECT count(*) FROM dm").fetchone() == (4,)
        labels = database.execute("SELECT comment FROM duckdb_columns() WHERE column_name = 'USUBJID'").fetchall()
        assert ("Unique Subject Identifier",) in labels
    for kind in ("xlsx",):
        export = await at_work.post(f"/runs/{run['id']}/exports", {"format": kind, "tables": ["dm", "ae"]})
        assert (await at_work.done(export["job"]["id"]))["rows"] > 4


async def test_runs_start_from_the_settings(service, at_work):
    root = service.as_user(await service.sign_up(role="administrator"))

    async def policy(**change):
        assert (await root.patch("/api/settings", json=change)).status_code == 200

    await policy(defaults={"subjects": 3, "validate_runs": False, "format": "csv"})
    dataset = await at_work.small()
    asked = {"dataset_id": dataset["id"]}
    plain = await at_work.post("/runs", asked, 202)
    await at_work.done(plain["job"]["id"])
    shown = await at_work.get(f"/runs/{plain['id']}")
    assert (shown["request"]["subjects"], shown["summary"]["validation"]) == (3, None)
    assert "validation.json" not in [file["name"] for file in await at_work.get(f"/runs/{plain['id']}/files")]
    assert (await at_work.post("/runs", asked, 202))["job"]["cache"] == "hit"
    checked = await at_work.post("/runs", {**asked, "check": True}, 202)
    assert checked["job"]["cache"] == "miss"
    await at_work.done(checked["job"]["id"])
    assert (await at_work.get(f"/runs/{checked['id']}"))["summary"]["validation"]["checked"] > 0
    await policy(cache={"max_bytes": 10})
    assert (await at_work.post("/models", {**asked, "name": "again"}, 202))["job"]["cache"] == "miss"
    await policy(cache={"max_bytes": None})
    assert (await at_work.post("/models", {**asked, "name": "again"}, 202))["job"]["cache"] == "hit"


def test_speed_is_looked_at_after_each_batch():
    from datareplicator.server.runs.work import Pace

    pace = Pace(1.0, batch=256)
    assert pace.made(128, 500) == 0.0
    assert 990.0 < pace.made(128, 500) <= 1000.0
    assert pace.made(128, 500) == 0.0

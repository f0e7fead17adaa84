"""Requests before they are asked for: checked, estimated, kept under a name; and the faults of a run that was."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.anyio

WRONG = [
    ("DM", "AGE >= 18", None),
    ("AE", "AESTDTC >= DM.RFSTDTC", None),
    ("ae", "AESEV in ('MILD', 'SEVERE')", None),
    ("DM", "AGEE >= 18", "AGE"),
    ("DM", "AGE >= ", ""),
    ("DM", "SEX > 3", ""),
    ("DMM", "AGE >= 18", "dm"),
]


async def test_a_request_is_checked_with_the_names_of_the_source_and_estimated(at_work):
    dataset = await at_work.small("vs.xpt")
    asked = {"dataset_id": dataset["id"], "document": {"subjects": 200}}
    grammar = await at_work.post("/runs/check", {**asked, "document": {"constraints": [{"domain": "DM", "rule": "("}]}})
    assert (grammar["checked"], len(grammar["problems"])) == ("grammar", 1)
    analysis = await at_work.post("/analyses", {"dataset_id": dataset["id"]})
    await at_work.done(analysis["job"]["id"])

    constraints = [{"domain": domain, "rule": rule} for domain, rule, _ in WRONG]
    checked = await at_work.post("/runs/check", {**asked, "document": {"subjects": 200, "constraints": constraints}})
    found = {problem["place"]: problem for problem in checked["problems"]}
    assert set(found) == {f"constraints.{i}" for i, (_, _, near) in enumerate(WRONG) if near is not None}
    assert all(near in (found[f"constraints.{i}"]["hint"] or "") for i, (_, _, near) in enumerate(WRONG) if near)
    assert found["constraints.4"]["position"] > 1
    rows = (await at_work.get(f"/datasets/{dataset['id']}"))["latest"]["inspection"]["rows"]
    assert (checked["subjects"], checked["rows"]) == (200, rows * 10)
    assert checked["bytes"] > 0 and checked["seconds"] > 0
    rare = {"rare_events": [{"domain": "AE", "where": "AESR = 'Y'", "times": 2}]}
    assert (await at_work.post("/runs/check", {**asked, "document": rare}))["problems"][0]["place"] == "rare_events.0"
    broken = await at_work.post("/runs/check", {**asked, "document": {"subjcts": 3}})
    assert broken["problems"][0]["place"] == "" and broken["checked"] == "nothing"

    patterns = await at_work.get(f"/analyses/{analysis['id']}/patterns")
    assert {course["table"] for course in patterns["courses"]} == {"vs"} and len(patterns["arms"]) > 1


async def test_requests_are_kept_under_a_name(idle):
    asked = {"name": "Messy", "document": {"subjects": 30, "faults": {"include": "messy-site"}}}
    made = await idle.put("/presets", asked)
    again = await idle.put("/presets", {**asked, "document": {"subjects": 31}})
    assert (again["id"], again["document"]) == (made["id"], {"subjects": 31})
    assert [preset["name"] for preset in await idle.get("/presets")] == ["Messy"]
    assert "no place" in (await idle.put("/presets", {"name": "x", "document": {"output": "/etc"}}, 422))["detail"]
    answer = await idle.client.delete(f"{idle.base}/presets/{made['id']}")
    assert answer.status_code == 204 and await idle.get("/presets") == []


async def test_faults_are_marked_where_they_are(at_work):
    dataset = await at_work.small("vs.xpt")
    document = {"subjects": 60, "seed": 3, "faults": {"faults": [{"kind": "digits-swapped", "count": 5}]}}
    run = await at_work.post("/runs", {"dataset_id": dataset["id"], "document": document})
    await at_work.done(run["job"]["id"])
    key = await at_work.get(f"/runs/{run['id']}/answers")
    assert sum(kind["changes"] for kind in key["kinds"]) == key["matching"] == len(key["items"]) > 0
    for fault in key["items"]:
        where = {"faulty": True, "limit": 1000}
        page = await at_work.post(f"/runs/{run['id']}/tables/{fault['table']}/query", where)
        assert page["matching"] == len(page["rows"]) <= key["matching"]
        at = page["numbers"].index(fault["row"])
        column = [one["name"] for one in page["columns"]].index(fault["variable"])
        assert str(page["rows"][at][column]) == fault["new"] != fault["old"]
        marks = [(mark["row"], mark["variable"], mark["old"]) for mark in page["marks"]]
        assert (fault["row"], fault["variable"], fault["old"]) in marks
    plain = await at_work.post(f"/runs/{run['id']}/tables/dm/query", {"offset": 7, "limit": 3})
    assert plain["numbers"] == [8, 9, 10]

    clean = await at_work.post("/runs", {"dataset_id": dataset["id"], "document": {"subjects": 5}})
    await at_work.done(clean["job"]["id"])
    assert (await at_work.get(f"/runs/{clean['id']}/answers", 409))["code"] == "no-faults"
    await at_work.post(f"/runs/{clean['id']}/tables/dm/query", {"faulty": True}, 422)


async def test_what_a_model_has_against_a_request_is_told_before_it_runs(at_work):
    dataset = await at_work.small()
    model = await at_work.post("/models", {"dataset_id": dataset["id"]}, 202)

    async def problems(document, **source):
        answer = await at_work.post("/runs/check", {"document": document, **(source or {"model_id": model["id"]})})
        return answer["checked"], answer["learned"], {each["place"]: each for each in answer["problems"]}

    adults = [{"domain": "DM", "rule": "AGE >= 18"}]
    clash = [{"domain": "DM", "rule": rule} for rule in ("AGE > 70", "SEX = 'F'", "AGE < 60")]
    assert await problems({"constraints": adults}, dataset_id=dataset["id"]) == ("grammar", False, {})
    await at_work.done(model["job"]["id"])
    assert await problems({"constraints": adults}, dataset_id=dataset["id"]) == ("model", True, {})
    assert (await problems({"subjects": 3}))[0] == "names"

    _, _, found = await problems({"constraints": clash})
    assert set(found) == {"constraints.0", "constraints.2"} and "contradict" in found["constraints.2"]["message"]
    _, _, found = await problems({"constraints": [{"domain": "DM", "rule": "AGE > 400"}]})
    assert "impossible" in found["constraints.0"]["message"]
    _, _, found = await problems({"subjects": 9, "counts": {"SEX": {"ratio": {"G": 1, "M": 1}}}})
    assert "'F'" in found["counts"]["hint"]
    _, _, found = await problems(
        {"subjects": 5, "rare_events": [{"domain": "AE", "where": "AESER='Y'", "subjects": 9}]}
    )
    assert set(found) == {"rare_events.0"}

    known = await at_work.get(f"/models/{model['id']}/vocabulary")
    dm = next(table for table in known["tables"] if table["name"] == "dm")
    columns = {column["name"]: column for column in dm["columns"]}
    assert [each["value"] for each in columns["SEX"]["categories"]] == ["F", "M"]
    assert 40 < columns["AGE"]["reach"][0] < columns["AGE"]["reach"][1] < 100
    assert known["arm"] in columns and len(known["arms"]) > 1

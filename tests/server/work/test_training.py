"""The Training Replicator over HTTP."""

from __future__ import annotations

import json

import pytest

pytestmark = pytest.mark.anyio
CUSTOMERS = "id,city,age\n" + "".join(f"{n},{'NYC' if n % 3 else 'LA'},{20 + n % 40}\n" for n in range(1, 121))
ORDERS = json.dumps([{"order_id": n, "customer_id": n % 120 + 1, "amount": n * 1.5} for n in range(1, 301)])


@pytest.fixture
async def analyst(service):
    return service.as_user(await service.sign_up())


async def test_train_and_generate_related(analyst):
    url = "/api/synthetic/train-model"
    one = (await analyst.post(url, files={"file": ("customers.csv", CUSTOMERS)})).json()
    assert one["rows"] == 120 and one["tables"] == ["customers"]
    assert {column["name"]: column["type"] for column in one["model"]["columns"]}["city"] == "categorical"
    assert one["model"]["metadata"]["version"]
    keys = json.dumps({"orders": {"customer_id": "customers.id"}})
    files = [("file", ("customers.csv", CUSTOMERS)), ("file", ("orders.json", ORDERS))]
    both = (await analyst.post(url, files=files, params={"foreign_keys": keys})).json()
    asked = {"model": both["model"], "rows": 50, "seed": 1}
    made = (await analyst.post("/api/synthetic/generate-related", json=asked)).json()
    assert made["rows"]["customers"] == 50
    known = {row["id"] for row in made["tables"]["customers"]}
    assert {row["customer_id"] for row in made["tables"]["orders"]} <= known
    again = (await analyst.post("/api/synthetic/generate-related", json=asked)).json()
    assert again == made
    two = (await analyst.post(url, files={"file": ("orders.json", ORDERS)})).json()
    models = {"customers": one["model"], "orders": two["model"]}
    asked = {"models": models, "foreign_keys": {"orders": {"customer_id": "customers.id"}}, "rows": {"customers": 20}}
    apart = (await analyst.post("/api/synthetic/generate-related", json=asked)).json()
    assert apart["rows"]["customers"] == 20
    assert {row["customer_id"] for row in apart["tables"]["orders"]} <= {r["id"] for r in apart["tables"]["customers"]}


async def test_what_is_wrong_is_told(service, analyst):
    url = "/api/synthetic/train-model"
    assert (await analyst.post(url, files={"file": ("x.exe", b"MZ\x00\x01")})).status_code == 415
    assert (await analyst.post(url, files={"file": ("x.json", b'{"a": ')})).status_code == 422
    assert (
        await analyst.post(url, files={"file": ("c.csv", CUSTOMERS)}, params={"foreign_keys": "["})
    ).status_code == 422
    assert (await analyst.post("/api/synthetic/generate-related", json={"rows": 3})).status_code == 422
    bad = {"model": {"metadata": {}, "columns": [{"name": "x", "type": "nothing"}]}, "rows": 3}
    answer = await analyst.post("/api/synthetic/generate-related", json=bad)
    assert (answer.status_code, answer.json()["code"]) == (422, "model")
    assert (await service.client().post(url, files={"file": ("c.csv", CUSTOMERS)})).status_code == 401
    viewer = service.as_user(await service.sign_up(role="viewer"))
    assert (await viewer.post(url, files={"file": ("c.csv", CUSTOMERS)})).status_code == 403

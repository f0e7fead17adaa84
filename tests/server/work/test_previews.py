"""Looking at tables: pages, filters, order, labels; nothing a client sends becomes SQL."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.anyio


@pytest.fixture
async def look(at_work):
    dataset = await at_work.sample()
    await at_work.done(dataset["latest"]["job"]["id"])
    home = f"/datasets/{dataset['id']}/versions/1"

    async def query(table, status=200, **asked):
        return await at_work.post(f"{home}/tables/{table}/query", asked, status)

    query.home, query.at = home, at_work
    return query


async def test_pages_filters_and_order(look):
    page = await look("ae", limit=5)
    assert (len(page["rows"]), page["offset"]) == (5, 0)
    assert page["matching"] == page["total"] > 20
    names = [column["name"] for column in page["columns"]]
    assert page["columns"][names.index("AETERM")]["label"]
    seen = []
    for offset in range(0, page["total"], 7):
        seen += (await look("ae", offset=offset, limit=7, columns=["USUBJID", "AESEQ"]))["rows"]
    assert len(seen) == page["total"] and len({tuple(row) for row in seen}) == page["total"]

    severe = await look("ae", where=[{"column": "AESEV", "value": "SEVERE"}], columns=["AESEV"], limit=1000)
    assert severe["matching"] == len(severe["rows"]) < page["total"]
    assert {row[0] for row in severe["rows"]} <= {"SEVERE"}
    others = await look("ae", where=[{"column": "AESEV", "operator": "ne", "value": "SEVERE"}])
    assert others["matching"] + severe["matching"] == page["total"]

    ordered = await look("dm", sort=[{"column": "AGE", "descending": True}], columns=["AGE"], limit=100)
    ages = [row[0] for row in ordered["rows"]]
    assert ages == sorted(ages, reverse=True)
    old = await look("dm", where=[{"column": "AGE", "operator": "ge", "value": ages[4]}])
    assert old["matching"] == sum(age >= ages[4] for age in ages)
    some = await look("dm", where=[{"column": "AGE", "operator": "in", "value": ages[:2]}])
    assert some["matching"] == sum(age in ages[:2] for age in ages)

    empty = await look("ae", where=[{"column": "AEENDTC", "operator": "missing"}])
    full = await look("ae", where=[{"column": "AEENDTC", "operator": "present"}])
    assert empty["matching"] + full["matching"] == page["total"]
    assert (await look("ae", search="headache"))["matching"] < page["total"]
    starts = await look("dm", where=[{"column": "USUBJID", "operator": "starts", "value": "dr-"}])
    assert starts["matching"] == 20

    sex = await look.at.get(f"{look.home}/tables/dm/columns/SEX")
    assert (sex["missing"], sex["distinct"], sum(rows for _, rows in sex["top"])) == (0, 2, 20)
    bars = await look.at.get(f"{look.home}/tables/dm/columns/SEX/chart")
    assert sum(bar["rows"] for bar in bars["data"]["values"]) == 20
    assert bars["$schema"].endswith("vega-lite/v6.json") and bars["encoding"]["y"]["title"] == "SEX"
    bins = (await look.at.get(f"{look.home}/tables/dm/columns/AGE/chart"))["data"]["values"]
    assert sum(one["rows"] for one in bins) == 20
    assert (bins[0]["from"], round(bins[-1]["to"])) == (min(ages), max(ages))
    await look.at.get(f"{look.home}/tables/dm/columns/NONE/chart", 422)
    tables = {table["table"]: table for table in await look.at.get(f"{look.home}/tables")}
    assert tables["dm"]["rows"] == 20 and tables["dm"]["preview"] and tables["dm"]["label"]


REFUSED = [
    {"where": [{"column": 'AGE" OR 1=1 --', "value": 1}]},
    {"columns": ["(SELECT 1)"]},
    {"sort": [{"column": "AGE; DROP TABLE x"}]},
    {"where": [{"column": "AGE", "operator": "eq", "value": "x' OR '1'='1"}]},
    {"where": [{"column": "AGE", "operator": "in", "value": []}]},
    {"where": [{"column": "AGE", "operator": "missing", "value": 1}]},
    {"where": [{"column": "AGE", "operator": "like", "value": "%"}]},
    {"limit": 100_000},
    {"sql": "SELECT 1"},
]


async def test_what_is_no_query_is_refused(look):
    for asked in REFUSED:
        await look("dm", 422, **asked)
    page = await look("ae", where=[{"column": "AETERM", "operator": "contains", "value": "' OR '1'='1"}])
    assert page["matching"] == 0
    await look("nothing", 404)

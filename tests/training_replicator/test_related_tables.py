"""Several tables at once: every key resolves, as many children as learned, relations across tables; series in time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from datareplicator.errors import ModelError, RequestError
from datareplicator.training_replicator import DataProfiler, SyntheticGenerator, combine_models
from tests.test_training_replicator import HANDMADE

KEYS = {
    "transactions": {"customer_id": "customers.id", "sku": "products.sku"},
    "employees": {"boss": "employees.eid"},
}


@pytest.fixture(scope="module")
def shop() -> dict[str, pd.DataFrame]:
    rng = np.random.default_rng(3)
    n = 1500
    segment = rng.choice(["gold", "silver", "standard"], n, p=[0.1, 0.3, 0.6])
    income = np.exp(rng.normal(10, 0.5, n) + (segment == "gold") * 0.8).round(2)
    customers = pd.DataFrame(
        {
            "id": np.arange(1000, 1000 + n),
            "segment": segment,
            "income": income,
            "signup": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 900, n), unit="D"),
        }
    )
    products = pd.DataFrame({"sku": [f"P-{k:03d}" for k in range(60)], "price": np.exp(rng.normal(3, 1, 60)).round(2)})
    of = np.repeat(np.arange(n), rng.poisson(np.select([segment == "gold", segment == "silver"], [12, 4], 1)))
    own = rng.normal(size=n)
    popular = np.arange(60, 0, -1) / np.arange(61).sum()
    transactions = pd.DataFrame(
        {
            "tx_id": [f"T{k:07d}" for k in range(len(of))],
            "customer_id": customers["id"].to_numpy()[of],
            "sku": rng.choice(products["sku"], len(of), p=popular),
            "amount": np.exp(0.5 * np.log(income[of]) + 0.6 * own[of] + rng.normal(0, 0.4, len(of))).round(2),
            "when": customers["signup"].to_numpy()[of] + pd.to_timedelta(rng.integers(0, 400, len(of)), unit="D"),
        }
    )
    employees = pd.DataFrame({"eid": range(30), "boss": [None, *(int(b) for b in rng.integers(0, 5, 29))]})
    return {"customers": customers, "products": products, "transactions": transactions, "employees": employees}


@pytest.fixture(scope="module")
def model(shop: dict[str, pd.DataFrame]) -> dict[str, Any]:
    return json.loads(json.dumps(DataProfiler(shop, foreign_keys=KEYS).profile(), allow_nan=False))


@pytest.fixture(scope="module")
def made(model: dict[str, Any]) -> dict[str, pd.DataFrame]:
    return SyntheticGenerator(model).generate(3000)


def test_keys_resolve_and_types_stay(shop: dict[str, pd.DataFrame], made: dict[str, pd.DataFrame]) -> None:
    assert {n: len(made[n]) for n in ("customers", "products", "employees")} == {
        "customers": 3000,
        "products": 120,
        "employees": 60,
    }
    assert made["transactions"]["customer_id"].isin(made["customers"]["id"]).all()
    assert made["transactions"]["sku"].isin(made["products"]["sku"]).all()
    assert made["employees"]["boss"].dropna().isin(made["employees"]["eid"]).all()
    assert (made["employees"]["boss"] != made["employees"]["eid"]).all()
    assert made["transactions"]["tx_id"].is_unique
    assert made["customers"]["id"].is_unique
    for name, frame in shop.items():
        assert made[name].dtypes.tolist() == frame.dtypes.tolist()


def children(tables: dict[str, pd.DataFrame]) -> pd.Series:
    customers = tables["customers"]
    count = tables["transactions"].groupby("customer_id").size().reindex(customers["id"], fill_value=0)
    return count.groupby(customers["segment"].to_numpy()).mean()


def test_children_as_learned(shop: dict[str, pd.DataFrame], made: dict[str, pd.DataFrame]) -> None:
    source, new = children(shop), children(made)
    assert new.to_numpy() == pytest.approx(source.to_numpy(), rel=0.2)
    counts = [t["transactions"]["customer_id"].value_counts() for t in (shop, made)]
    assert counts[1].max() <= counts[0].max()
    assert counts[1].var() == pytest.approx(counts[0].var(), rel=0.25)


def test_relations_across_tables(shop: dict[str, pd.DataFrame], made: dict[str, pd.DataFrame]) -> None:
    found = []
    for tables in (shop, made):
        joined = tables["transactions"].merge(tables["customers"], left_on="customer_id", right_on="id")
        amount = np.log(joined["amount"])
        alike = amount.groupby(joined["customer_id"]).transform("mean").var() / amount.var()
        found.append((np.corrcoef(np.log(joined["income"]), amount)[0, 1], alike))
        assert (joined["when"] >= joined["signup"]).all()
    assert found[1] == pytest.approx(found[0], abs=0.08)


def test_rows_by_table_and_repeatable(model: dict[str, Any], made: dict[str, pd.DataFrame]) -> None:
    few = SyntheticGenerator(model).generate({"customers": 7, "products": 3, "employees": 2})
    assert [len(few[name]) for name in ("customers", "products", "employees")] == [7, 3, 2]
    pd.testing.assert_frame_equal(SyntheticGenerator(model).generate(3000)["transactions"], made["transactions"])
    assert all(len(frame) == 0 for frame in SyntheticGenerator(model).generate(0).values())
    with pytest.raises(RequestError, match="transactions"):
        SyntheticGenerator(model).generate({"transactions": 5})
    normal = SyntheticGenerator(model).generate(200, method="normal")
    assert normal["transactions"]["customer_id"].isin(normal["customers"]["id"]).all()


def test_export_of_several_tables(model: dict[str, Any], tmp_path: Path) -> None:
    folder = SyntheticGenerator(model).export(10, tmp_path / "out")
    assert {p.name for p in Path(folder).iterdir()} == {f"{name}.parquet" for name in model["tables"]}
    folder = SyntheticGenerator(model).export(10, tmp_path / "arrow" / "*.arrow")
    assert all(p.suffix == ".arrow" for p in Path(folder).iterdir())


def test_orphans_are_missing_keys_and_polars_stays() -> None:
    parents = pl.DataFrame({"id": list("abcdefgh"), "x": [float(k) for k in range(8)]})
    kids = pl.DataFrame({"parent": [*"aabbccdd", "zz", None], "y": [float(k) for k in range(10)]})
    profile = DataProfiler({"p": parents, "k": kids}, foreign_keys={"k": {"parent": "p.id"}}).profile()
    made = SyntheticGenerator(profile).generate(400)
    assert isinstance(made["k"], pl.DataFrame)
    assert made["k"]["parent"].null_count() / len(made["k"]) == pytest.approx(0.2, abs=0.05)


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ({"orders": {"c": "customers.id"}}, "foreign_keys.orders: there is no such table"),
        ({"products": {"c": "customers.id"}}, "foreign_keys.products.c: products has no such column"),
        ({"products": {"sku": "customers.nr"}}, "foreign_keys.products.sku: there is no customers.nr"),
        ({"products": {"sku": "customers.id"}}, "products.sku holds"),
        ({"products": {"sku": "customers.segment"}}, "not unique"),
        ({"products": {"sku": "transactions.tx_id"}, "transactions": {"sku": "products.sku"}}, "in a circle"),
    ],
)
def test_keys_that_cannot_be(shop: dict[str, pd.DataFrame], keys: dict, says: str) -> None:
    with pytest.raises(RequestError, match=says):
        DataProfiler(shop, foreign_keys=keys).profile()


def test_tables_written_by_hand() -> None:
    keys = {"visits": {"age": "people.age"}}
    key = {"name": "age", "type": "numerical", "params": {"mean": 1, "std": 1, "identifier": None}}
    people = {**HANDMADE, "columns": [{**key, "params": {"identifier": _counter("age")}}, HANDMADE["columns"][1]]}
    visits = {**HANDMADE, "metadata": {**HANDMADE["metadata"], "rows": 150}}
    made = SyntheticGenerator(combine_models({"people": people, "visits": visits}, keys)).generate(400)
    assert made["visits"]["age"].isin(made["people"]["age"]).all()
    assert len(made["visits"]) == pytest.approx(1200, rel=0.1)
    wrong = combine_models({"people": people}, {})
    wrong["metadata"]["foreign_keys"] = keys
    with pytest.raises(ModelError, match=r"metadata\.foreign_keys\.visits"):
        SyntheticGenerator(wrong).generate(1)


def _counter(column: str) -> dict[str, Any]:
    return {"column": column, "tokens": [{"kind": "counter"}], "start": 1, "number": True}


@pytest.fixture(scope="module")
def sales() -> pd.DataFrame:
    rng = np.random.default_rng(8)
    days, parts = pd.date_range("2023-01-01", periods=150), []
    for store in range(25):
        level, noise = rng.normal(), np.empty(150)
        for k in range(150):
            noise[k] = (0.7 * noise[k - 1] if k else 0.0) + rng.normal(0, 0.7)
        value = 100 + 20 * level + 10 * noise + 15 * (days.day_of_week >= 5) + 0.1 * np.arange(150)
        parts.append(
            pd.DataFrame({"store": f"S{store:03d}", "day": days, "sales": value.round(1), "city": "NL"[store % 2]})
        )
    return pd.concat(parts, ignore_index=True)


def shape(frame: pd.DataFrame) -> list[float]:
    by = frame.groupby("store")["sales"]
    rest = frame["sales"] - by.transform("mean")
    weekend = frame["day"].dt.day_of_week >= 5
    lags = [rest.groupby(frame["store"]).apply(lambda v, k=k: v.autocorr(k)).mean() for k in (1, 4)]
    effect = frame["sales"][weekend].mean() - frame["sales"][~weekend].mean()
    return [*lags, effect / frame["sales"].std(), by.mean().std() / frame["sales"].std()]


def test_series_keep_memory_levels_and_calendar(sales: pd.DataFrame) -> None:
    model = json.loads(json.dumps(DataProfiler(sales, sequence_key="store", time_column="day").profile()))
    made = SyntheticGenerator(model).generate(150 * 60)
    assert made.dtypes.tolist() == sales.dtypes.tolist()
    assert made["store"].nunique() == 60
    assert not set(made["store"]) & set(sales["store"])
    assert (made.groupby("store")["day"].diff().dropna() == pd.Timedelta(days=1)).all()
    assert (made.groupby("store")["city"].nunique() == 1).all()
    assert shape(made) == pytest.approx(shape(sales), abs=0.15)
    first = SyntheticGenerator(model).generate(400)
    pd.testing.assert_frame_equal(made.head(400), first)


def test_one_series_without_a_key(sales: pd.DataFrame) -> None:
    one = sales[sales["store"] == "S001"].drop(columns="store").sample(frac=1, random_state=1)
    made = SyntheticGenerator(DataProfiler(one, time_column="day").profile()).generate(100)
    assert made["day"].is_monotonic_increasing
    assert made["sales"].autocorr(1) > 0.3


def test_series_need_their_columns(sales: pd.DataFrame) -> None:
    for wrong in ({"time_column": "hour"}, {"time_column": "city"}, {"time_column": "day", "sequence_key": "shop"}):
        with pytest.raises(RequestError):
            DataProfiler(sales, **wrong).profile()
    with pytest.raises(RequestError):
        DataProfiler(sales, sequence_key="store")
    with pytest.raises(RequestError):
        DataProfiler(sales, foreign_keys={})

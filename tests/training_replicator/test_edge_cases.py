"""Each edge case of the document's table, types of all libraries, and bad input."""

from __future__ import annotations

import json
import tracemalloc
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from datareplicator.errors import DataReplicatorError, ModelError, RequestError, SourceError
from datareplicator.training_replicator import DataProfiler, SyntheticGenerator


def learned(frame: Any) -> dict[str, Any]:
    """The profile as it comes back from disk."""
    return json.loads(json.dumps(DataProfiler(frame).profile(), allow_nan=False))


def remade(frame: Any, rows: int = 200) -> Any:
    return SyntheticGenerator(learned(frame)).generate(rows)


def column(model: dict[str, Any], name: str) -> dict[str, Any]:
    return next(c for c in model["columns"] if c["name"] == name)


def test_missing_values_are_a_probability_and_come_back() -> None:
    frame = pd.DataFrame({"a": [1.5, None, 2.5, 4.0] * 100, "b": ["x", "y", None, None] * 100})
    model = learned(frame)
    assert column(model, "a")["params"]["nan_probability"] == 0.25
    made = SyntheticGenerator(model).generate(10_000)
    assert made["a"].isna().mean() == pytest.approx(0.25, abs=0.02)
    assert made["b"].isna().mean() == pytest.approx(0.5, abs=0.02)


def test_missing_values_that_depend_on_others_still_do() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=5000)
    frame = pd.DataFrame({"x": x, "y": np.where(x + rng.normal(size=5000) > 1, np.nan, rng.random(5000))})
    made = remade(frame, 20_000)
    for low, high in ((-9, -1), (-1, 0), (0, 1), (1, 9)):
        source, new = (f.loc[f["x"].between(low, high), "y"].isna().mean() for f in (frame, made))
        assert new == pytest.approx(source, abs=0.05)


def test_zero_variance() -> None:
    frame = pd.DataFrame({"a": [5.0] * 20, "b": [7] * 20, "d": [pd.Timestamp("2020-05-05 10:00")] * 20})
    assert column(learned(frame), "a")["params"]["std"] == 0
    for method in ("copula", "normal"):
        made = SyntheticGenerator(learned(frame)).generate(50, method=method)
        assert (made["a"] == 5.0).all()
        assert (made["b"] == 7).all()
        assert (made["d"] == pd.Timestamp("2020-05-05 10:00")).all()


def test_one_category_is_a_constant() -> None:
    assert set(remade(pd.DataFrame({"c": ["only"] * 9}))["c"]) == {"only"}


def test_many_categories_are_all_kept_in_bounded_memory() -> None:
    rng = np.random.default_rng(2)
    frame = pd.DataFrame({"c": [f"cat_{k}" for k in range(100_000)], "x": rng.normal(size=100_000)})
    tracemalloc.start()
    model = DataProfiler(frame).profile()
    made = SyntheticGenerator(model).generate(100_000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    params = column(model, "c")["params"]
    assert params["unique_count"] == len(params["weights"]) == 100_000
    assert sum(params["weights"].values()) == pytest.approx(1)
    assert made["c"].nunique() == pytest.approx(100_000 * (1 - np.exp(-1)), rel=0.01)
    assert peak < 200 * 2**20


def test_mixed_numbers_and_text_are_categories() -> None:
    model = learned(pd.DataFrame({"m": [1, "a", 2.5, None, "b"] * 5}))
    assert column(model, "m")["type"] == "categorical"
    assert set(SyntheticGenerator(model).generate(500)["m"].dropna()) == {"1", "a", "2.5", "b"}


def test_all_missing() -> None:
    frame = pd.DataFrame(
        {"a": [np.nan] * 5, "b": pd.array([None] * 5, dtype="Int64"), "d": pd.to_datetime([None] * 5), "t": [None] * 5}
    )
    made = remade(frame, 7)
    assert made.isna().all().all()
    assert made.dtypes.tolist() == frame.dtypes.tolist()


def test_no_rows_and_no_columns() -> None:
    empty = pd.DataFrame({"a": pd.Series([], dtype="float64"), "c": pd.Series([], dtype="str")})
    assert learned(empty)["metadata"]["rows"] == 0
    assert remade(empty, 0).dtypes.tolist() == empty.dtypes.tolist()
    assert remade(empty, 3).isna().all().all()
    assert remade(pd.DataFrame(), 3).shape == (3, 0)


@pytest.mark.parametrize("rows", [1, 2, 3])
def test_few_rows(rows: int) -> None:
    frame = pd.DataFrame(
        {
            "id": range(rows),
            "x": np.linspace(1, 2, rows),
            "c": list("abc")[:rows],
            "d": pd.date_range("2024-01-01", periods=rows),
            "email": [f"{k}@a.org" for k in range(rows)],
        }
    )
    made = remade(frame, 50)
    assert made["id"].is_unique
    assert made["x"].between(1, 2).all()
    assert made.notna().all().all()


def test_identifiers_stay_unique_and_keep_their_pattern() -> None:
    frame = pd.DataFrame(
        {"order_id": [f"ORD-{k:05d}" for k in range(300)], "id": np.arange(300) + 2**53 + 1, "x": np.arange(300.0) % 7}
    )
    made = remade(frame, 5_000)
    assert made["order_id"].str.fullmatch(r"ORD-\d{5}").all()
    for name in ("order_id", "id"):
        assert made[name].is_unique
        assert not set(made[name]) & set(frame[name])
    assert made["id"].dtype == np.int64


def test_ordered_dates_stay_ordered_with_their_distance() -> None:
    rng = np.random.default_rng(3)
    start = pd.Timestamp("2021-01-01") + pd.to_timedelta(rng.integers(0, 800, 3000), unit="D")
    stay = rng.integers(0, 15, 3000)
    frame = pd.DataFrame({"admitted": start, "discharged": start + pd.to_timedelta(stay, unit="D")})
    made = remade(frame, 10_000)
    distance = (made["discharged"] - made["admitted"]).dt.days
    assert (distance >= 0).all()
    assert distance.max() <= 14
    assert distance.mean() == pytest.approx(stay.mean(), rel=0.05)


def test_relations_of_numbers_and_categories_are_kept() -> None:
    rng = np.random.default_rng(4)
    level = rng.choice(["a", "b", "c"], 8000, p=[0.5, 0.3, 0.2])
    x = rng.normal(size=8000) + np.select([level == "b", level == "c"], [-1.0, 2.0], 0.0)
    frame = pd.DataFrame({"x": x, "y": 0.6 * x + rng.normal(size=8000), "level": level, "zero": np.maximum(x, 0)})
    made = remade(frame, 20_000)
    assert made["x"].corr(made["y"]) == pytest.approx(frame["x"].corr(frame["y"]), abs=0.05)
    assert (made["zero"] == 0).mean() == pytest.approx((frame["zero"] == 0).mean(), abs=0.02)
    means, kept = frame.groupby("level")["x"].mean(), made.groupby("level")["x"].mean()
    assert kept.sort_values().index.tolist() == means.sort_values().index.tolist()
    assert kept.to_numpy() == pytest.approx(means.to_numpy(), abs=0.35)


def test_correlations_of_values_far_from_normal_are_kept() -> None:
    rng = np.random.default_rng(5)
    kind = rng.random(6000) < 0.4
    latent = rng.normal(size=6000)
    frame = pd.DataFrame(
        {
            "humps": np.where(kind, 10, 0) + latent,
            "tail": np.exp(1.5 * rng.normal(size=6000) + kind),
            "zeros": np.where(rng.random(6000) < 0.3 + 0.4 * kind, 0.0, rng.exponential(size=6000) + latent),
            "few": rng.poisson(1 + kind),
        }
    )
    made = remade(frame, 20_000)
    for a in frame:
        for b in frame:
            cut = [f.clip(f.quantile(0.005), f.quantile(0.995), axis=1) for f in (frame, made)]
            assert cut[1][a].corr(cut[1][b]) == pytest.approx(cut[0][a].corr(cut[0][b]), abs=0.06), (a, b)


def test_personal_data_by_pattern_and_by_name() -> None:
    frame = pd.DataFrame(
        {
            "contact": ["a@b.co", "c@d.org", "e@f.net"] * 9,
            "mobile": ["+1-555-123-4567", "+1-555-987-6543", "+1-212-555-1234"] * 9,
            "ref": ["123-45-6789", "987-65-4321", "111-22-3333"] * 9,
            "payment": ["4111 1111 1111 1111", "5500 0000 0000 0004", "4012 8888 8888 1881"] * 9,
            "first_name": ["Ann", "Bob", "Cy"] * 9,
            "name": ["Ann Smith", "Bob Jones", "Cy Poe"] * 9,
            "home_address": ["12 Main St", "9 Elm Ave", "77 Oak Rd"] * 9,
            "host": ["10.0.0.1", "10.0.0.2", "192.168.1.1"] * 9,
            "account": ["DE89370400440532013000", "GB29NWBK60161331926819", "FR1420041010050500013M02606"] * 9,
            "site": ["https://a.com/x", "http://b.org", "https://c.net/y"] * 9,
            "dob": pd.to_datetime(["1980-02-01", "1975-05-06", "1999-09-09"] * 9),
            "product_name": ["Red Chair", "Blue Desk", "Green Lamp"] * 9,
        }
    )
    model = learned(frame)
    kinds = {c["name"]: c["params"].get("pii_type") for c in model["columns"]}
    expected = ["email", "phone", "ssn", "credit_card", "first_name", "name", "address", "ip", "iban", "url"]
    assert list(kinds.values()) == [*expected, "date_of_birth", None]
    assert all(0 < c["params"]["confidence"] <= 1 for c in model["columns"] if c["type"] == "pii")
    made = SyntheticGenerator(model).generate(300)
    for name in frame.columns.drop(["dob", "product_name"]):
        assert not set(made[name]) & set(frame[name])
    assert made["mobile"].str.fullmatch(r"\+1-\d{3}-555-01\d\d").all()
    assert made["ref"].str.fullmatch(r"9\d\d-\d\d-\d{4}").all()
    assert made["payment"].str.fullmatch(r"4000( \d{4}){3}").all()
    assert made["dob"].dtype == frame["dob"].dtype


def test_dates_and_numbers_as_text_stay_text() -> None:
    frame = pd.DataFrame(
        {
            "iso": pd.date_range("2020-01-01", periods=90).strftime("%Y-%m-%d"),
            "us": pd.date_range("2020-01-01", periods=90).strftime("%m/%d/%Y"),
            "utc": pd.date_range("2020-01-01", periods=90).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "price": [f"{k / 7:.2f}" for k in range(90)],
        }
    )
    model = learned(frame)
    assert [c["type"] for c in model["columns"]] == ["datetime", "datetime", "datetime", "numerical"]
    made = SyntheticGenerator(model).generate(100)
    assert made["iso"].str.fullmatch(r"2020-\d\d-\d\d").all()
    assert made["us"].str.fullmatch(r"\d\d/\d\d/2020").all()
    assert made["utc"].str.fullmatch(r"2020-\d\d-\d\dT00:00:00Z").all()
    assert made["price"].str.fullmatch(r"\d+\.\d\d").all()


def test_types_of_pandas_come_back() -> None:
    frame = pd.DataFrame(
        {
            "i": pd.array([1, 2, None, 4] * 9, dtype="Int32"),
            "b": pd.array([True, False, None, True] * 9, dtype="boolean"),
            "s": pd.array(["a", "b", None, "c"] * 9, dtype="string"),
            "arrow": pd.array([1, 2, 3, 4] * 9, dtype="int64[pyarrow]"),
            "cat": pd.Categorical(["lo", "hi", "lo", None] * 9, categories=["lo", "mid", "hi"], ordered=True),
            "numbers": pd.Categorical([3, 1, 2, 1] * 9),
            "zone": pd.date_range("2020-03-28", periods=36, freq="h", tz="Europe/Berlin"),
            "span": pd.to_timedelta(np.arange(36), unit="h"),
            "money": [Decimal("1.50"), Decimal("2.25")] * 18,
            "short": np.array([0.1, 0.2, 0.3, 0.4] * 9, dtype="float32"),
            "flag": [True, False] * 18,
            "byte": np.arange(36, dtype="uint8"),
            "period": pd.period_range("2020-01", periods=36, freq="M"),
            "huge": [1e308, -1e308, 0.0] * 12,
            "nano": pd.date_range("2020-01-01", periods=36).astype("datetime64[ns]"),
        }
    )
    made = remade(frame)
    assert made.dtypes.tolist() == frame.dtypes.tolist()
    assert made["short"].isin(np.array([0.1, 0.2, 0.3, 0.4], dtype="float32")).all()
    assert made["zone"].between(frame["zone"].min(), frame["zone"].max()).all()
    assert set(made["money"]) <= {Decimal("1.50"), Decimal("2.25")}


def test_polars_gives_polars_and_arrow_gives_arrow() -> None:
    frame = pl.DataFrame(
        {
            "id": [1, 2, 3],
            "x": [1.5, 2.5, None],
            "s": ["a", "b", "c"],
            "c": pl.Series(list("aba"), dtype=pl.Categorical),
        }
    )
    made = remade(frame)
    assert isinstance(made, pl.DataFrame)
    assert made.dtypes == frame.dtypes
    assert isinstance(remade(frame.lazy()), pl.DataFrame)
    assert isinstance(remade(frame.to_arrow()), pa.Table)
    model = learned(frame)
    assert isinstance(SyntheticGenerator(model).generate(3, frame="pandas"), pd.DataFrame)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "more than once"),
        (pd.DataFrame({"a": [[1], [2]]}), "a list"),
        (pd.DataFrame({"a": [{"b": 1}]}), "a dict"),
        (pd.DataFrame({"a": [b"x"]}), "binary"),
        (pd.DataFrame({"a": [1.0, np.inf]}), "infinite"),
    ],
)
def test_what_no_flat_table_can_have(data: pd.DataFrame, says: str) -> None:
    with pytest.raises(SourceError, match=says) as caught:
        DataProfiler(data).profile()
    assert caught.value.place.column == "a"
    assert caught.value.code == "source"


def test_bad_requests() -> None:
    generator = SyntheticGenerator(learned(pd.DataFrame({"a": [1, 2]})))
    for rows in (-1, 2.5, "3", True, None):
        with pytest.raises(RequestError):
            generator.generate(rows)
    with pytest.raises(RequestError, match="method"):
        generator.generate(1, method="magic")  # type: ignore[arg-type]
    with pytest.raises(RequestError, match="frame"):
        generator.generate(1, frame="spreadsheet")
    with pytest.raises(RequestError, match="seed"):
        SyntheticGenerator(learned(pd.DataFrame({"a": [1]})), seed="x")  # type: ignore[arg-type]
    with pytest.raises(RequestError, match="frame"):
        DataProfiler([1, 2]).profile()
    with pytest.raises(ModelError):
        SyntheticGenerator({"what": 1})


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=True, allow_infinity=True),
    st.text(max_size=8),
    st.dates(),
    st.datetimes(),
    st.decimals(allow_nan=False, allow_infinity=False),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(st.lists(st.tuples(VALUES, VALUES), max_size=12))
def test_any_table_is_made_or_refused_in_words(rows: list[tuple[Any, Any]]) -> None:
    frame = pd.DataFrame(rows, columns=["a", "b"])
    try:
        made = remade(frame, 5)
    except DataReplicatorError as error:
        assert str(error)
    else:
        assert list(made.columns) == ["a", "b"]
        assert len(made) == 5


def test_what_begins_at_midnight_does_so_in_summer_and_in_winter() -> None:
    """Columns with a time zone are learned by the clock on the wall; hours that it skips come out as a moment of it."""
    zone = "Europe/Berlin"
    frame = pd.DataFrame({"opened": pd.date_range("2023-01-01", periods=400, tz=zone)})
    made = SyntheticGenerator(DataProfiler(frame).profile(), seed=1).generate(2000)["opened"]
    assert str(made.dt.tz) == zone
    assert (made.dt.hour == 0).all()
    hours = pd.DataFrame({"at": pd.date_range("2023-03-25", periods=72, freq="h", tz=zone)})
    made = SyntheticGenerator(DataProfiler(hours).profile(), seed=1).generate(2000)["at"]
    assert made.between(hours["at"].min(), hours["at"].max()).all()

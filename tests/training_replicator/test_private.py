"""Differential privacy: what is released, what it costs, and what comes of it."""

from __future__ import annotations

import json
import sys

import numpy as np
import pandas as pd
import pytest

from datareplicator.errors import RequestError
from datareplicator.training_replicator import DataProfiler, SyntheticGenerator


@pytest.fixture(scope="module")
def people() -> pd.DataFrame:
    rng = np.random.default_rng(9)
    age = np.clip(rng.normal(45, 12, 20_000), 18, 90).round().astype(int)
    return pd.DataFrame(
        {
            "person_id": np.arange(700, 20_700),
            "age": age,
            "pay": np.where(rng.random(20_000) < 0.1, np.nan, (800 * age + rng.normal(0, 6000, 20_000)).round(2)),
            "city": rng.choice(["A", "B", "C"], 20_000, p=[0.5, 0.3, 0.2]),
            "flag": rng.random(20_000) < 0.3,
            "since": pd.Timestamp("2015-01-01") + pd.to_timedelta(rng.integers(0, 2000, 20_000), unit="D"),
            "email": [f"p{k}@example.com" for k in range(20_000)],
        }
    )


def test_the_budget_is_kept_and_stands_in_the_metadata(people: pd.DataFrame) -> None:
    model = DataProfiler(people, epsilon=2.0, delta=1e-6, bounds={"age": (18, 90)}).profile()
    privacy = json.loads(json.dumps(model))["metadata"]["privacy"]
    assert privacy["epsilon"] == pytest.approx(2.0, rel=1e-3)
    assert 0 < privacy["delta"] <= 1e-6
    assert privacy["library"].startswith("opendp ")
    assert sum(entry["epsilon"] for entry in privacy["released"]) == pytest.approx(2.0, rel=1e-3)
    assert not [e for e in privacy["released"] if e["what"] == "age: bounds"]  # given ones cost nothing
    assert abs(model["metadata"]["rows"] - 20_000) < 400


def test_nothing_but_what_was_released_is_in_the_model(people: pd.DataFrame) -> None:
    rare = people.assign(city=["Hidden", *people["city"][1:]])
    first = DataProfiler(rare, epsilon=1.0).profile()
    text = json.dumps(first)
    assert "Hidden" not in text
    assert "confidence" not in text
    identifier = next(c for c in first["columns"] if c["name"] == "person_id")
    assert identifier["params"]["identifier"]["start"] == 1
    pay = next(c for c in first["columns"] if c["name"] == "pay")
    assert pay["constraints"]["max"] != people["pay"].max()
    assert first["columns"] != DataProfiler(rare, epsilon=1.0).profile()["columns"]  # the noise is never the same


def test_it_is_still_of_use(people: pd.DataFrame) -> None:
    model = DataProfiler(people, epsilon=3.0, bounds={"age": (18, 90)}, categories={"city": ["A", "B", "C"]}).profile()
    made = SyntheticGenerator(model).generate(20_000)
    assert made.dtypes.tolist() == people.dtypes.tolist()
    assert made["age"].mean() == pytest.approx(45, rel=0.03)
    assert made["pay"].mean() == pytest.approx(people["pay"].mean(), rel=0.1)
    assert made["pay"].isna().mean() == pytest.approx(0.1, abs=0.02)
    assert made["city"].value_counts(normalize=True)["A"] == pytest.approx(0.5, abs=0.03)
    assert made["flag"].mean() == pytest.approx(0.3, abs=0.03)
    assert made["age"].corr(made["pay"]) == pytest.approx(people["age"].corr(people["pay"]), abs=0.15)


def test_what_makes_no_sense(people: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    for wrong in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(RequestError, match="epsilon"):
            DataProfiler(people, epsilon=wrong).profile()
    with pytest.raises(RequestError, match="delta=0"):
        DataProfiler(people, epsilon=1.0, delta=0.0).profile()
    with pytest.raises(RequestError, match="no column"):
        DataProfiler(people, epsilon=1.0, bounds={"height": (1, 2)}).profile()
    with pytest.raises(RequestError, match="bound"):
        DataProfiler(people, epsilon=1.0, bounds={"age": (5, 5)}).profile()
    with pytest.raises(RequestError):
        DataProfiler({"a": people}, epsilon=1.0)
    with pytest.raises(RequestError):
        DataProfiler(people, bounds={"age": (1, 2)})
    monkeypatch.setitem(sys.modules, "opendp.prelude", None)
    with pytest.raises(RequestError, match="OpenDP"):
        DataProfiler(people, epsilon=1.0).profile()

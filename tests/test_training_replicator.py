"""The Training Replicator as its feature document describes it: classes, schema, patterns of use, statistics kept."""

from __future__ import annotations

import json
import re
import runpy
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from app.training_replicator import (
    DataProfiler,
    ModelSerializer,
    SyntheticGenerator,
    create_and_save_model,
    generate_from_model,
)

ROOT = Path(__file__).resolve().parents[1]
DOCUMENT = ROOT / "../shared/spec/training-replicator.md"
HANDMADE = {
    "metadata": {"rows": 50, "date": "2026-02-02T17:03:32.468069", "version": "1.0", "foreign_keys": None},
    "columns": [
        {
            "name": "age",
            "type": "numerical",
            "params": {"mean": 33.02, "std": 10.55, "nan_probability": 0.0},
            "constraints": {"min": 18.0, "max": 100.0},
        },
        {
            "name": "city",
            "type": "categorical",
            "params": {
                "weights": {"NYC": 0.22, "LA": 0.18, "Chicago": 0.32, "Boston": 0.28},
                "nan_probability": 0.0,
                "unique_count": 4,
            },
            "constraints": {},
        },
        {
            "name": "email",
            "type": "pii",
            "params": {"pii_type": "email", "nan_probability": 0.02},
            "constraints": {},
        },
        {
            "name": "signup_date",
            "type": "datetime",
            "params": {"nan_probability": 0.0},
            "constraints": {"min": "2023-01-01T00:00:00", "max": "2023-02-19T00:00:00"},
        },
    ],
}


@pytest.fixture(scope="module")
def customers() -> pd.DataFrame:
    """The 50 customers of the document."""
    rng = np.random.default_rng(11)
    age = np.clip(rng.normal(33, 10.5, 50), 18, 100).round().astype(int)
    frame = pd.DataFrame(
        {
            "customer_id": np.arange(1, 51),
            "age": age,
            "salary": (45_000 + 600 * age + rng.normal(0, 8_000, 50)).round(2),
            "city": ["NYC"] * 11 + ["LA"] * 9 + ["Chicago"] * 16 + ["Boston"] * 14,
            "email": [f"user{k}@example.com" for k in range(1, 51)],
            "signup_date": pd.date_range("2023-01-01", periods=50),
        }
    )
    frame.loc[7, "email"] = None
    return frame


@pytest.fixture(scope="module")
def profile(customers: pd.DataFrame) -> dict:
    return DataProfiler(customers).profile()


class TestDataProfiler:
    def test_types(self, profile: dict) -> None:
        types = {c["name"]: c["type"] for c in profile["columns"]}
        assert types == {
            "customer_id": "numerical",
            "age": "numerical",
            "salary": "numerical",
            "city": "categorical",
            "email": "pii",
            "signup_date": "datetime",
        }

    def test_schema_field_for_field(self, customers: pd.DataFrame, profile: dict) -> None:
        assert profile["metadata"]["rows"] == 50
        assert profile["metadata"]["version"] == "1.0"
        assert profile["metadata"]["foreign_keys"] is None
        assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", profile["metadata"]["date"])
        columns = {c["name"]: c for c in profile["columns"]}
        assert all(set(c) == {"name", "type", "params", "constraints"} for c in columns.values())
        age = columns["age"]
        assert age["params"]["mean"] == pytest.approx(customers["age"].mean())
        assert age["params"]["std"] == pytest.approx(customers["age"].std())
        assert age["constraints"] == {"min": customers["age"].min(), "max": customers["age"].max()}
        assert columns["city"]["params"]["weights"] == {"Chicago": 0.32, "Boston": 0.28, "NYC": 0.22, "LA": 0.18}
        assert columns["city"]["params"]["unique_count"] == 4
        assert columns["city"]["constraints"] == {}
        assert columns["email"]["params"]["pii_type"] == "email"
        assert columns["email"]["params"]["nan_probability"] == pytest.approx(0.02)
        assert columns["signup_date"]["constraints"] == {"min": "2023-01-01T00:00:00", "max": "2023-02-19T00:00:00"}

    def test_plain_json_and_source_unchanged(self, customers: pd.DataFrame) -> None:
        before = customers.copy()
        text = json.dumps(DataProfiler(customers).profile(), allow_nan=False)
        assert "user1@example.com" not in text
        pd.testing.assert_frame_equal(customers, before)


class TestModelSerializer:
    def test_name_and_round_trip(self, profile: dict, tmp_path: Path) -> None:
        path = ModelSerializer(output_dir=tmp_path / "models").serialize(profile, "customer_model")
        assert re.fullmatch(r"customer_model_\d{8}_\d{6}_model\.json", Path(path).name)
        assert ModelSerializer.load(path) == json.loads(json.dumps(profile))

    def test_a_pattern_picks_the_newest(self, profile: dict, tmp_path: Path) -> None:
        serializer = ModelSerializer(tmp_path)
        paths = [serializer.serialize(profile | {"note": k}, "fintech_customers") for k in range(3)]
        assert len(set(paths)) == 3
        assert ModelSerializer.load(tmp_path / "fintech_customers_*.json")["note"] == 2

    def test_foreign_keys_may_be_set_by_hand(self, profile: dict) -> None:
        model = json.loads(json.dumps(profile))
        model["metadata"]["foreign_keys"] = {"transactions": {"customer_id": "customers.id"}}
        parents = {"customers": pd.DataFrame({"id": [7, 8, 9]})}
        made = SyntheticGenerator(model).generate(100, parents=parents)
        assert set(made["customer_id"]) == {7, 8, 9}
        assert len(SyntheticGenerator(model).generate(3)) == 3


class TestSyntheticGenerator:
    def test_statistics_preserved(self, customers: pd.DataFrame, profile: dict) -> None:
        made = SyntheticGenerator(profile, seed=42).generate(10_000)
        assert list(made.columns) == list(customers.columns)
        for name in ("age", "salary"):
            assert made[name].mean() == pytest.approx(customers[name].mean(), rel=0.02)
            assert made[name].std() == pytest.approx(customers[name].std(), rel=0.1)
            assert made[name].between(customers[name].min(), customers[name].max()).all()
        shares = made["city"].value_counts(normalize=True)
        for city, share in customers["city"].value_counts(normalize=True).items():
            assert shares[city] == pytest.approx(share, abs=0.02)
        assert made["email"].isna().mean() == pytest.approx(0.02, abs=0.01)
        assert made["age"].corr(made["salary"]) == pytest.approx(customers["age"].corr(customers["salary"]), abs=0.15)

    def test_what_a_user_expects_of_types(self, customers: pd.DataFrame, profile: dict) -> None:
        made = SyntheticGenerator(profile).generate(2_000)
        assert made.dtypes.tolist() == customers.dtypes.tolist()
        assert made["customer_id"].is_unique
        assert not set(made["customer_id"]) & set(customers["customer_id"])
        assert (made["salary"] == made["salary"].round(2)).all()
        assert (made["signup_date"] == made["signup_date"].dt.normalize()).all()
        assert not set(made["email"].dropna()) & set(customers["email"].dropna())
        assert made["email"].dropna().is_unique

    def test_deterministic_and_stable_in_length(self, profile: dict) -> None:
        first, again, other = (SyntheticGenerator(profile, seed=s).generate(500) for s in (1, 1, 2))
        pd.testing.assert_frame_equal(first, again)
        assert not first.equals(other)
        longer = SyntheticGenerator(profile, seed=1).generate(20_000)
        pd.testing.assert_frame_equal(longer.head(500), first)

    def test_the_normal_method_of_the_document(self, customers: pd.DataFrame, profile: dict) -> None:
        made = SyntheticGenerator(profile).generate(10_000, method="normal")
        assert made["salary"].mean() == pytest.approx(customers["salary"].mean(), rel=0.02)
        assert made["age"].between(customers["age"].min(), customers["age"].max()).all()
        assert abs(made["age"].corr(made["salary"])) < 0.05
        assert made["signup_date"].between("2023-01-01", "2023-02-19").all()

    def test_a_model_written_by_hand(self) -> None:
        made = SyntheticGenerator(HANDMADE, seed=1).generate(20_000)
        assert made["age"].between(18, 100).all()
        assert made["age"].mean() == pytest.approx(33.4, abs=0.6)  # clipping at 18 lifts the mean
        assert made["city"].value_counts(normalize=True)["Chicago"] == pytest.approx(0.32, abs=0.02)
        assert made["email"].isna().mean() == pytest.approx(0.02, abs=0.005)
        assert made["signup_date"].min() >= pd.Timestamp("2023-01-01")
        assert made["signup_date"].max() <= pd.Timestamp("2023-02-19")


class TestConvenience:
    def test_in_two_calls(self, customers: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        path = create_and_save_model(customers, "transactions_model")
        assert Path(path).parent == Path("models")
        made = generate_from_model(path, num_rows=500, seed=42)
        pd.testing.assert_frame_equal(made, SyntheticGenerator(ModelSerializer.load(path), seed=42).generate(500))


def test_the_demo_runs(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT))
    runpy.run_path(str(ROOT / "demo_training_replicator.py"), run_name="__main__")
    assert "Statistics preserved" in capsys.readouterr().out


@pytest.mark.skipif(not DOCUMENT.exists(), reason="the feature document is not beside the repository")
def test_the_snippets_of_the_document_run(
    customers: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("customers", "transactions"):
        customers.to_csv(tmp_path / f"{name}.csv", index=False)
    scope: dict = {"pd": pd, "your_dataframe": customers, "df": customers, "__name__": "example"}
    blocks = re.findall(r"^```python\n(.*?)^```", DOCUMENT.read_text(encoding="utf-8"), re.M | re.S)
    assert len(blocks) >= 7
    for block in blocks:
        if "model" not in scope and "loaded_model" in scope:
            scope["model"] = scope["loaded_model"]
        exec(compile(block, "training-replicator.md", "exec"), scope)
    assert len(scope["train_data"]) == 100_000
    assert len(scope["test_data"]) == 10_000
    assert len(pd.read_csv(tmp_path / "synthetic_customers.csv")) == 10_000

"""The model document: schema, versions, mistakes named with their path; files, compression, versions of a name."""

from __future__ import annotations

import copy
import gzip
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from datareplicator.errors import ModelError, RequestError, WriteError
from datareplicator.generate.single.inverse import Guide, Reader
from datareplicator.model.single.reading import document_schema, migrate, read_document
from datareplicator.training_replicator import DataProfiler, ModelSerializer, SyntheticGenerator
from tests.test_training_replicator import HANDMADE

SCHEMA = Path(__file__).resolve().parents[2] / "docs/reference/training-model.schema.json"


@pytest.fixture
def model() -> dict[str, Any]:
    return copy.deepcopy(HANDMADE)


def changed(model: dict[str, Any], path: list[Any], value: Any) -> dict[str, Any]:
    target = model
    for step in path[:-1]:
        target = target[step]
    target[path[-1]] = value
    return model


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        (["columns", 0, "params", "std"], -1, r"columns\[0\]\.params\.std: must be greater than or equal to 0"),
        (["columns", 0, "params", "std"], "wide", r"columns\[0\]\.params\.std: must be a valid number"),
        (["columns", 0, "params", "std"], None, r"columns\[0\]: params need std"),
        (["columns", 0, "params"], {"nan_probability": 0}, r"columns\[0\]: params need mean"),
        (["columns", 0, "constraints"], {"min": 3, "max": 2}, r"columns\[0\]\.constraints: min is above max"),
        (["columns", 1, "params", "weights", "LA"], -0.1, r"columns\[1\]\.params\.weights\.LA"),
        (["columns", 1, "params", "weights"], {}, r"columns\[1\]\.params: weights must hold"),
        (["columns", 1, "params", "nan_probability"], 1.5, r"columns\[1\]\.params\.nan_probability"),
        (["columns", 2, "params", "pii_type"], "shoe size", r"columns\[2\]\.params\.pii_type"),
        (["columns", 2, "type"], "text", r"columns\[2\]"),
        (["columns", 3, "constraints", "min"], "soon", r"columns\[3\]\.constraints: min is no ISO 8601 date"),
        (["columns", 3, "constraints"], {}, r"columns\[3\]: constraints need min and max"),
        (["columns", 3, "name"], "age", r"'age' occurs more than once"),
        (["columns", 0, "params", "dtype"], "int65", r"columns\[0\]\.params\.dtype"),
        (["metadata", "version"], "2.0", r"metadata\.version: this software reads version 1\.0, not 2\.0"),
        (["metadata", "rows"], -5, r"metadata\.rows"),
        (["metadata", "foreign_keys"], {"t": {"c": "nopoint"}}, r"metadata\.foreign_keys\.t\.c"),
        (["metadata"], 3, r"metadata: must be an object"),
        (["columns"], 3, r"columns"),
        (
            ["correlation"],
            {"variables": [{"column": "age"}, {"column": "city"}], "matrix": [[1, 2], [2, 1]]},
            r"correlation: a correlation lies between",
        ),
        (
            ["correlation"],
            {"variables": [{"column": "age"}, {"column": "height"}], "matrix": [[1, 0], [0, 1]]},
            r"there is no column 'height'",
        ),
    ],
)
def test_mistakes_are_named_with_their_path(model: dict[str, Any], path: list[Any], value: Any, says: str) -> None:
    with pytest.raises(ModelError, match=says):
        SyntheticGenerator(changed(model, path, value)).generate(1)


def test_a_misspelt_field_is_no_field(model: dict[str, Any]) -> None:
    model["columns"][0]["params"]["nan_probabilty"] = model["columns"][0]["params"].pop("nan_probability")
    with pytest.raises(
        ModelError, match=r"columns\[0\]\.params\.nan_probabilty: unknown; did you mean nan_probability"
    ):
        read_document(model)


def test_other_fields_are_let_through(model: dict[str, Any]) -> None:
    model["metadata"]["author"] = model["columns"][0]["params"]["source"] = "hand"
    assert len(read_document(model).columns) == 4


def test_documents_from_before_the_version_are_migrated(model: dict[str, Any]) -> None:
    del model["metadata"]["version"]
    model["columns"][3]["params"] |= {"min_date": "2023-01-01", "max_date": "2023-01-31"}
    model["columns"][3]["constraints"] = {}
    model["columns"][2]["params"]["pii_type"] = "credit card"
    before = copy.deepcopy(model)
    now = migrate(model)
    assert model == before
    assert now["metadata"]["version"] == "1.0"
    assert now["columns"][3]["constraints"] == {"min": "2023-01-01", "max": "2023-01-31"}
    assert now["columns"][2]["params"]["pii_type"] == "credit_card"
    assert migrate(now) == now


def test_the_published_schema_is_that_of_the_code() -> None:
    assert json.loads(SCHEMA.read_text(encoding="utf-8")) == document_schema()


@pytest.mark.parametrize("compression", [None, "gz", "zst"])
def test_compressed_models_come_back(model: dict[str, Any], compression: Any, tmp_path: Path) -> None:
    path = ModelSerializer(tmp_path).serialize(model, "m", compression=compression)
    assert path.endswith({None: "_model.json", "gz": "_model.json.gz", "zst": "_model.json.zst"}[compression])
    assert ModelSerializer.load(path) == model
    assert len(list(tmp_path.iterdir())) == 1


def test_damaged_files(tmp_path: Path) -> None:
    cases = {
        "a.json": b"{",
        "b.json": b"\xff\xfe",
        "c.json.gz": gzip.compress(b"{}")[:-4],
        "d.json.zst": b"\x28\xb5\x2f\xfd....",
        "e.json": b"[]",
        "f.json": b"[" * 100_000,
    }
    for name, content in cases.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ModelError) as caught:
            ModelSerializer.load(tmp_path / name)
        assert caught.value.place.file == str(tmp_path / name)
    for name in ("missing.json", "nothing_*.json"):
        with pytest.raises(ModelError):
            ModelSerializer.load(tmp_path / name)


def test_names_that_no_file_may_have(model: dict[str, Any], tmp_path: Path) -> None:
    for name in ("", "../up", "a/b", ".hidden", " x"):
        with pytest.raises(RequestError):
            ModelSerializer(tmp_path).serialize(model, name)
    with pytest.raises(RequestError):
        ModelSerializer(tmp_path).serialize(model, "m", compression="rar")  # type: ignore[arg-type]
    (tmp_path / "file").write_text("")
    with pytest.raises(WriteError):
        ModelSerializer(tmp_path / "file").serialize(model, "m")


def test_versions_are_listed_compared_and_promoted(model: dict[str, Any], tmp_path: Path) -> None:
    serializer = ModelSerializer(tmp_path)
    first = serializer.serialize(model, "m")
    second = serializer.serialize(changed(model, ["columns", 0, "params", "mean"], 40.0), "m", compression="zst")
    other = serializer.serialize(model, "other")
    assert [v.path for v in serializer.list("m")] == [first, second]
    assert [v.path for v in serializer.list()] == [first, second, other]
    (change,) = serializer.diff(first, second)
    assert (change.path, change.before, change.after) == ("columns.age.params.mean", 33.02, 40.0)
    assert serializer.diff(second, other) == []
    with pytest.raises(ModelError, match="promoted"):
        serializer.promoted("m")
    serializer.promote(first)
    assert serializer.promoted("m") == first
    assert [v.promoted for v in serializer.list("m")] == [True, False]
    serializer.promote(second)
    assert serializer.promoted("m") == second
    with pytest.raises(RequestError):
        serializer.promote(tmp_path / "m.promoted")


def test_distributions_are_read_alike_by_guide_and_by_search(model: dict[str, Any]) -> None:
    import numpy as np

    from datareplicator.model.single.marginals import fit_marginal

    rng = np.random.default_rng(5)
    score = np.r_[rng.standard_normal(50_000), -9.0, 9.0]
    samples = [
        rng.integers(0, 60, 5000).astype(float),
        rng.lognormal(0, 1, 5000).round(4),
        np.r_[np.zeros(900), rng.exponential(5, 4000).round(3)],
        np.array([3.0]),
        rng.random(7),
    ]
    for sample in samples:
        marginal = fit_marginal(np.sort(sample), 4)
        assert Reader(marginal)(score) == pytest.approx(marginal.sample(score), abs=1e-9)
    for edges in (np.sort(rng.standard_normal(900)), np.empty(0), np.array([-9.0, 0, 0, 0, 8]), np.zeros(50)):
        both = np.r_[score, edges]
        assert (Guide(edges).place(both) == np.searchsorted(edges, both, side="right")).all()


@pytest.mark.parametrize("suffix", [".parquet", ".arrow", ".feather", ".csv"])
def test_export(suffix: str, tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {"x": [1.5, 2.5], "c": pd.Categorical(["a", "b"]), "d": pd.date_range("2024-01-01", periods=2)}
    )
    generator = SyntheticGenerator(DataProfiler(frame).profile())
    path = generator.export(40, tmp_path / f"made{suffix}")
    readers = {".parquet": pd.read_parquet, ".csv": pd.read_csv}
    back = readers.get(suffix, pd.read_feather)(path)
    assert back["c"].astype(str).tolist() == generator.generate(40)["c"].astype(str).tolist()
    with pytest.raises(RequestError):
        generator.export(1, tmp_path / "made.doc")
    with pytest.raises(WriteError):
        generator.export(1, tmp_path / f"made{suffix}" / "in-a-file.parquet")

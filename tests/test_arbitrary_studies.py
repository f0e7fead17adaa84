"""What holds for every study, whatever its tables look like: it is learned and new subjects come out whole, or one of
our own errors says why not."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from support.arbitrary import tables

from datareplicator import pipeline
from datareplicator.errors import DataReplicatorError, StructureError
from datareplicator.formats import read_study
from datareplicator.generate.request import GenerateRequest
from datareplicator.model.store import load_model, save_model
from datareplicator.model.study_model import StudyModel
from datareplicator.structure.spec import Layout
from datareplicator.study import Study


def generate(model: StudyModel, subjects: int) -> dict[str, pd.DataFrame]:
    study = pipeline.generate_study(model, GenerateRequest(subjects, seed=5), workers=1)
    return {name: table.frame.astype(object) for name, table in study.tables.items()}


def learn(frames: Mapping[str, pd.DataFrame]) -> tuple[Study, StudyModel] | None:
    """A study and its model as read from a document; None where it is refused."""
    study = read_study(frames)
    try:
        model = pipeline.fit(study)
    except StructureError as error:
        assert error.message
        return None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.json"
        save_model(model, path)
        return study, load_model(path)


@settings(max_examples=10, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(tables())
def test_any_study(frames: dict[str, pd.DataFrame]) -> None:
    learned = learn(frames)
    if learned is None:
        return
    study, model = learned
    new = generate(model, 130)
    assert_same_face(study, pipeline.generate_study(model, GenerateRequest(3, seed=5), workers=1))
    assert_keys(model, new)
    assert_references(study, model, new)
    assert_first_subjects(generate(model, 3), generate(model, 3), new)
    assert_no_source_subject(study, model, new)


def assert_same_face(study: Study, new: Study) -> None:
    """The same tables, columns in order and types, text being allowed as categories."""
    assert list(new.tables) == list(study.tables)
    for name, table in study.tables.items():
        made = new[name].frame
        assert list(made.columns) == list(table.frame.columns)
        for column in table.frame.columns:
            before, after = table.frame[column].dtype, made[column].dtype
            if isinstance(after, pd.CategoricalDtype):
                assert pd.api.types.is_string_dtype(before), column
            else:
                assert str(after).lower() == str(before).lower(), column


def assert_keys(model: StudyModel, new: dict[str, pd.DataFrame]) -> None:
    for name, spec in model.structure.tables.items():
        if spec.key and name in new and spec.layout not in (Layout.REFERENCE, Layout.SUPPLEMENT):
            assert not new[name].duplicated(list(spec.key)).any(), (name, spec.key)


def assert_references(study: Study, model: StudyModel, new: dict[str, pd.DataFrame]) -> None:
    """Foreign keys that hold in the source hold in what is made."""
    for key in model.structure.foreign_keys:
        if key.table in new and key.parent in new:
            assert dangling(new, key) <= (1.0 if dangling(study.frames(), key) > 0 else 0.0), key


def dangling(frames: Mapping[str, pd.DataFrame], key) -> float:
    child = frames[key.table][list(key.columns)].dropna().astype(str)
    parent = frames[key.parent][list(key.parent_columns)].dropna().astype(str)
    known = set(parent.itertuples(index=False, name=None))
    return float(sum(row not in known for row in child.itertuples(index=False, name=None)) / max(len(child), 1))


def assert_first_subjects(few: dict, again: dict, many: dict) -> None:
    for name, frame in few.items():
        pd.testing.assert_frame_equal(frame, again[name])
        pd.testing.assert_frame_equal(frame, many[name].iloc[: len(frame)])


def assert_no_source_subject(study: Study, model: StudyModel, new: dict[str, pd.DataFrame]) -> None:
    text = model.model_dump_json()
    for name, spec in model.structure.tables.items():
        if spec.subject is not None and name in study:
            old = set(study[name].frame[spec.subject].dropna().astype(str))
            assert not old & set(new[name][spec.subject].dropna().astype(str))
            assert not [i for i in old if f'"{i}"' in text]


def test_a_long_table_without_a_subject_key_is_one_row_a_subject() -> None:
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"grade": rng.choice(["a", "b"], 40), "height": np.round(rng.normal(170, 9, 40), 1)})
    learned = learn({"people": frame})
    assert learned is not None
    made = generate(learned[1], 200)["people"]
    assert len(made) == 200
    assert made["height"].between(120, 220).all()
    assert set(made["grade"]) == {"a", "b"}


def test_what_has_no_rows_is_refused() -> None:
    with pytest.raises(DataReplicatorError):
        pipeline.fit(read_study({"t": pd.DataFrame({"a": pd.Series(dtype=float)})}))

"""Model documents: whole or refused with a plain word, whatever is in the file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.studies import shop

from datareplicator import pipeline
from datareplicator.errors import DataReplicatorError, ModelError, WriteError
from datareplicator.generate.blocks import generate_block
from datareplicator.generate.request import Block, GenerateRequest
from datareplicator.model.store import load_model, parse_model, save_model
from datareplicator.model.study_model import StudyModel

WRONG = [None, -1, 10**6, 10**12, 1e300, "x", "", [], {}, True, [[1]], float("nan"), float("inf")]


@pytest.fixture(scope="module")
def learned() -> StudyModel:
    return pipeline.fit(shop(12))


@pytest.fixture(scope="module")
def document(learned: StudyModel) -> dict[str, Any]:
    return json.loads(learned.model_dump_json())


def test_a_model_comes_back_as_it_was(learned: StudyModel, tmp_path: Path) -> None:
    save_model(learned, tmp_path / "m.json")
    assert load_model(tmp_path / "m.json").model_dump_json() == learned.model_dump_json()
    assert [p.name for p in tmp_path.iterdir()] == ["m.json"]


def test_a_place_that_cannot_be_written_leaves_nothing(learned: StudyModel, tmp_path: Path) -> None:
    with pytest.raises(WriteError, match="cannot be written"):
        save_model(learned, tmp_path / "missing" / "m.json")
    (tmp_path / "folder").mkdir()
    with pytest.raises(WriteError):
        save_model(learned, tmp_path / "folder")
    assert [p.name for p in tmp_path.iterdir()] == ["folder"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "no valid JSON"),
        (b"{", "no valid JSON"),
        (b"\xff\xfe\x00", "UTF-8"),
        (b"[]", "no model"),
        (b'{"format": "else"}', "no model"),
        (b'{"format": "datareplicator-model", "version": 99}', "version 99"),
        (b'{"format": "datareplicator-model", "version": 1}', "software"),
        (b"[" * 100_000, "no valid JSON"),
    ],
)
def test_what_is_no_model_is_refused(tmp_path: Path, content: bytes, says: str) -> None:
    (tmp_path / "m.json").write_bytes(content)
    with pytest.raises(ModelError, match=says) as caught:
        load_model(tmp_path / "m.json")
    assert "m.json" in str(caught.value)


def test_a_cut_document_is_refused(learned: StudyModel, tmp_path: Path) -> None:
    text = learned.model_dump_json()
    (tmp_path / "m.json").write_text(text[: len(text) // 2])
    with pytest.raises(ModelError):
        load_model(tmp_path / "m.json")
    with pytest.raises(ModelError, match="cannot be read"):
        load_model(tmp_path / "none.json")


def test_an_unknown_field_is_named(document: dict[str, Any]) -> None:
    with pytest.raises(ModelError, match=r"root\.extra"):
        parse_model(json.dumps({**document, "root": {**document["root"], "extra": 1}}))


def test_a_table_that_the_structure_lacks_is_named(document: dict[str, Any]) -> None:
    changed = deepcopy(document)
    changed["tables"][0]["table"] = "nowhere"
    with pytest.raises(ModelError, match="nowhere"):
        parse_model(json.dumps(changed))


def test_contradictions_between_parts_are_told_when_generating(learned: StudyModel) -> None:
    broken = learned.model_copy(update={"root": learned.root.model_copy(update={"covariates": ("never drawn",)})})
    with pytest.raises(ModelError, match="contradict"):
        generate_block(broken, GenerateRequest(5), Block(0, 5))


def places(value: Any, path: tuple = ()) -> Iterator[tuple]:
    """Paths to every value of a document, the first entries of lists only."""
    items = value.items() if isinstance(value, dict) else enumerate(value[:2]) if isinstance(value, list) else ()
    for name, inner in items:
        yield (*path, name)
        yield from places(inner, (*path, name))


def test_any_edit_is_harmless_or_refused(document: dict[str, Any]) -> None:
    rng = np.random.default_rng(11)
    paths = list(places(document))
    refused = 0
    for pick in rng.choice(len(paths), 60, replace=False):
        changed = deepcopy(document)
        inner = changed
        for name in paths[pick][:-1]:
            inner = inner[name]
        inner[paths[pick][-1]] = WRONG[rng.integers(len(WRONG))]
        try:
            generate_block(parse_model(json.dumps(changed)), GenerateRequest(4), Block(0, 4))
        except DataReplicatorError:
            refused += 1
    assert refused > 20

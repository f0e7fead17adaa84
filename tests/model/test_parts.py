"""After a correction only what depends on it is learned again, and the model is the one that learning all gives."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.studies import sdtm

from datareplicator import pipeline
from datareplicator.model.fit_findings import FINDINGS
from datareplicator.model.parts import Parts, digest
from datareplicator.model.store import model_text
from datareplicator.model.study_model import StudyModel
from datareplicator.run import parse_corrections
from datareplicator.structure.derive.scene import Scene
from datareplicator.study import Study


@cache
def source() -> Study:
    return sdtm(25)


@cache
def learned() -> StudyModel:
    return pipeline.fit(source())


@pytest.fixture()
def taken(monkeypatch: pytest.MonkeyPatch) -> dict[str, bool]:
    """The parts of the next model, and whether each was taken over."""
    out: dict[str, bool] = {}
    plain = Parts.same

    def same(self: Parts, name: str, *inputs: Any) -> bool:
        out[name] = plain(self, name, *inputs)
        return out[name]

    monkeypatch.setattr(Parts, "same", same)
    return out


@pytest.mark.parametrize(
    ("correction", "again"),
    [
        (None, set()),
        ({"deny": "derivation", "variable": "LB.LBSTRESN"}, {"rows of lb"}),
        ({"keep": "column", "variable": "AE.AETERM"}, {"events in ae", "rows of ae"}),
        ({"kind": "text", "variable": "LB.VISIT"}, {"rows of lb"}),
    ],
)
def test_only_what_depends_on_the_correction_is_learned_again(
    correction: dict[str, str] | None, again: set[str], taken: dict[str, bool]
) -> None:
    corrections = parse_corrections([correction] if correction else [])
    model = pipeline.fit(source(), corrections=corrections, earlier=learned())
    assert {name for name, same in taken.items() if not same} <= again
    assert taken[FINDINGS]
    assert model_text(model) == model_text(pipeline.fit(source(), corrections=corrections))


def test_what_the_subjects_show_is_in_every_part(taken: dict[str, bool]) -> None:
    corrections = parse_corrections([{"ignore": "column", "variable": "DM.SEX"}])
    model = pipeline.fit(source(), corrections=corrections, earlier=learned())
    assert not any(taken[name] for name in ("events in ae", "rows of lb", "subjects"))
    assert model_text(model) == model_text(pipeline.fit(source(), corrections=corrections))


def test_formulas_are_looked_for_in_tables_that_are_read_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: set[str] = set()
    plain: Callable[[Scene], list[str]] = vars(Scene)["targets"].fget

    def targets(self: Scene) -> list[str]:
        looked.update(plain(self))
        return plain(self)

    monkeypatch.setattr(Scene, "targets", property(targets))
    corrections = parse_corrections([{"kind": "text", "variable": "AE.AESEV"}])
    found = pipeline.learning._discover(source(), None, corrections, learned().structure)
    assert looked == {"ae"}
    assert found == pipeline.learning._discover(source(), None, corrections)


def test_other_data_are_learned_again(taken: dict[str, bool]) -> None:
    other = sdtm(25, seed=2)
    assert model_text(pipeline.fit(other, earlier=learned())) == model_text(pipeline.fit(other))
    assert not any(taken.values())


@given(st.lists(st.sampled_from(["a", "b", "ab", None]), min_size=1, max_size=4), st.integers(0, 3))
def test_a_digest_tells_values_apart(texts: list[str | None], number: int) -> None:
    series = pd.Series(texts, dtype="str")
    assert digest(series, number) == digest(series.copy(), number)
    assert digest(series, number) != digest(series, number + 1)
    assert digest(series) != digest(pd.concat([series, series], ignore_index=True))
    assert digest({"x": np.array([number])}) != digest({"y": np.array([number])})


def test_what_cannot_be_told_apart_is_refused() -> None:
    with pytest.raises(TypeError, match="nothing is learned from a object"):
        digest(object())

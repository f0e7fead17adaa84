"""Identifiers: the source's pattern, numbers that the source never used."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from datareplicator.model.identity import fit_identifier, sample_identifier


def learn(values: list, columns: dict[str, list] | None = None, **options: int):
    frame = pd.DataFrame(columns or {}, index=range(len(values)))
    return fit_identifier(pd.Series(values, name="id"), frame, **options), frame


def test_the_site_inside_an_identifier_stays_the_row_s_site() -> None:
    model, _ = learn(["01-701-1015", "01-702-1023", "01-701-1028"], {"SITEID": ["701", "702", "701"]})
    new = sample_identifier(model, np.array([0, 1]), pd.DataFrame({"SITEID": ["702", "701"]}))
    assert new.tolist() == ["01-702-1101", "01-701-1102"]


@pytest.mark.parametrize(
    "values", [["S-001", "S-002", "S-010"], [7, 14, 21], ["a1b", "a2b"], ["x", "yy", "zzz"], ["1.5", "A-2", "99"]]
)
def test_no_source_identifier_comes_out_and_none_twice(values: list) -> None:
    model, frame = learn(values)
    new = sample_identifier(model, np.arange(2000), frame.reindex(range(2000)))
    assert new.is_unique
    assert not set(new.astype(str)) & {str(v) for v in values}
    assert str(max(values, key=str)) not in model.model_dump_json().replace(str(model.start), "")


def test_numbers_stay_numbers_and_large_ones_exact() -> None:
    model, frame = learn([90_071_992_547_409_931, 90_071_992_547_409_933])
    new = sample_identifier(model, np.arange(3), frame)
    assert new.dtype == np.int64
    assert new.min() > 90_071_992_547_409_933
    assert new.is_unique


def test_zeros_in_front_are_kept() -> None:
    model, frame = learn(["0001", "0002"])
    assert sample_identifier(model, np.array([0, 9_998]), frame).tolist() == ["0004", "10002"]


def test_an_empty_column_still_gives_names() -> None:
    model, frame = learn([None, None])
    assert sample_identifier(model, np.arange(2), frame).is_unique

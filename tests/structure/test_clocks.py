"""Tables whose dates lie a fixed number of days from those of the table of subjects."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from support.related import analysis
from support.studies import study_of

from datareplicator import pipeline
from datareplicator.generate.request import GenerateRequest
from datareplicator.structure.clocks import moved
from datareplicator.structure.discover import discover
from datareplicator.structure.logical import to_logical

LATER = 3653


def dates(values: pd.Series) -> pd.Series:
    return pd.to_datetime(values.astype(object))


@pytest.mark.parametrize("days", [0, LATER, -40])
def test_a_displaced_table_is_found_and_nothing_else(days: int) -> None:
    found = discover(analysis(later=days))
    assert found.displaced == ({"adlb": days} if days else {})
    assert any("adlb: all dates lie" in note for note in found.notes) == bool(days)


def test_a_distance_that_varies_is_none() -> None:
    source = analysis(later=10)
    frames = source.frames()
    frames["adlb"].loc[frames["adlb"]["USUBJID"] == "AN-003", "TRTSDT"] = "2021-12-24"
    assert discover(study_of(frames)).displaced == {}


def test_logical_tables_are_on_one_clock() -> None:
    plain, late = analysis(), analysis(later=LATER)
    assert not late["adlb"].frame["ADT"].equals(plain["adlb"].frame["ADT"])
    logical = to_logical(late, discover(late))
    pd.testing.assert_frame_equal(logical["adlb"], plain["adlb"].frame)


def test_new_subjects_keep_the_distance_and_one_reference() -> None:
    model = pipeline.fit(analysis(later=LATER))
    new = pipeline.generate_study(model, GenerateRequest(100, seed=3), workers=1).frames()
    start = dates(new["adsl"].set_index(new["adsl"]["USUBJID"].astype(str))["TRTSDT"])
    adlb = new["adlb"]
    own = dates(adlb["TRTSDT"])
    assert ((own.to_numpy() - start[adlb["USUBJID"].astype(str)].to_numpy()) == np.timedelta64(LATER, "D")).all()
    days = (dates(adlb["ADT"]) - own).dt.days
    known = adlb["ADT"].notna()
    assert known.any()
    assert (days + (days >= 0))[known].eq(adlb["ADY"][known]).all()


def test_partial_dates_and_others_stay() -> None:
    frame = pd.DataFrame({"a": ["2020-01", "2020-01-31", "nonsense"], "b": pd.to_datetime(["2020-01-01"] * 3)})
    late = moved(frame, ["a", "b"], 1)
    assert late["a"].tolist() == ["2020-01", "2020-02-01", "nonsense"]
    assert late["b"].eq(pd.Timestamp("2020-01-02")).all()

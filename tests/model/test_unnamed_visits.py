"""Findings whose rows name no visit: parameters derived from others at the same analysis visit."""

from __future__ import annotations

import numpy as np
import pandas as pd
from support.related import analysis
from support.studies import study_of

from datareplicator import pipeline
from datareplicator.generate.request import GenerateRequest
from datareplicator.model.prepare import prepare
from datareplicator.model.schedule import named_visits
from datareplicator.structure.discover import discover


def test_a_visit_is_taken_from_the_rows_beside() -> None:
    source = analysis()
    structure = discover(source)
    prepared = prepare(source, structure)
    visits = named_visits(prepared, structure.tables["adlb"])
    frame = source["adlb"].frame
    assert frame["VISITNUM"].isna().mean() > 0.3
    assert visits.tolist() == (frame["AVISITN"] / 3 + 1).tolist()


def test_nothing_is_invented_where_nothing_goes_with_visits() -> None:
    frames = analysis().frames()
    lost = frames["adlb"]["PARAMCD"] == "HIGH"
    frames["adlb"].loc[lost, ["AVISIT", "AVISITN"]] = [None, np.nan]
    source = study_of(frames)
    structure = discover(source)
    visits = named_visits(prepare(source, structure), structure.tables["adlb"])
    assert visits[lost].isna().all()


def test_derived_parameters_come_with_their_visits_and_name_none() -> None:
    source = analysis()
    new = pipeline.generate_study(pipeline.fit(source), GenerateRequest(200, seed=3), workers=1)["adlb"].frame
    high = (new["PARAMCD"].astype(object) == "HIGH").to_numpy()
    assert high.mean() == (source["adlb"].frame["PARAMCD"] == "HIGH").mean()
    assert new["VISITNUM"].isna().equals(pd.Series(high))
    assert new["ADT"].isna().equals(pd.Series(high))
    assert not new.duplicated(["USUBJID", "PARAMCD", "AVISITN"]).any()

"""Results that stand in several rows of one observation."""

from __future__ import annotations

import pandas as pd
from support.related import analysis
from support.studies import sdtm, study_of

from datareplicator import pipeline
from datareplicator.generate.request import GenerateRequest
from datareplicator.structure.discover import discover
from datareplicator.study import Study

KEY = ["USUBJID", "PARAMCD", "ADT"]


def with_last_rows() -> Study:
    """The last rows of each subject and parameter once more, as the end of treatment."""
    frames = analysis().frames()
    adlb = frames["adlb"]
    again = (
        adlb[adlb["ADT"].notna()].groupby(["USUBJID", "PARAMCD"]).tail(1).assign(AVISIT="End", AVISITN=99.0, ABLFL=None)
    )
    frames["adlb"] = pd.concat([adlb, again]).sort_values(["USUBJID", "PARAMCD", "AVISITN"], ignore_index=True)
    return study_of(frames)


def found(study: Study) -> dict[tuple[str, str], list[str]]:
    return {(d.table, d.target): d.params["by"] for d in discover(study).derivations if d.template == "repeated"}


def test_repeats_of_a_day_are_found() -> None:
    assert found(with_last_rows()) == {("adlb", "AVAL"): KEY}
    assert found(analysis()) == {}
    assert found(sdtm()) == {}


def test_the_end_of_treatment_repeats_the_last_visit() -> None:
    source = with_last_rows()
    new = pipeline.generate_study(pipeline.fit(source), GenerateRequest(150, seed=3), workers=1)["adlb"].frame
    dated = new[new["ADT"].notna()]
    last = dated[dated["AVISITN"] == 99]
    assert last.groupby(["USUBJID", "PARAMCD"], observed=True).size().eq(1).all()
    assert dated.groupby(KEY, observed=True)["AVAL"].nunique().eq(1).all()
    changed = last["CHG"].notna()
    assert changed.mean() > 0.9
    assert ((last["AVAL"] - last["BASE"] - last["CHG"]).abs()[changed] < 0.06).all()

"""Spread, level, drift, gaps and rates other than learned; what is computed follows."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest
from support.models import sample_model
from support.studies import adam
from support.trial import as_study, trial

from datareplicator import pipeline
from datareplicator.errors import RequestError
from datareplicator.generate.request import GenerateRequest
from datareplicator.model.study_model import StudyModel
from datareplicator.run import parse_run
from datareplicator.study import Study


@cache
def learned(name: str) -> StudyModel:
    studies = {"adam": adam, "trial": lambda: as_study(trial(1))}
    return sample_model() if name == "sample" else pipeline.fit(studies[name]())


@cache
def made(name: str, text: str = "", subjects: int = 256) -> Study:
    run = parse_run(f"subjects: {subjects}\nseed: 2\n" + (f"variation: {text}" if text else ""))
    return pipeline.generate_study(learned(name), run.request(), workers=1)


def rows_each(study: Study, table: str) -> pd.Series:
    count = study[table].frame.groupby("USUBJID", observed=True).size()
    return count.reindex(study["dm"].frame["USUBJID"], fill_value=0)


@pytest.mark.parametrize("dial", ["0", "0.5", "2", "3"])
def test_the_dial_keeps_mean_counts_and_spreads_them(dial: str) -> None:
    usual, other = (rows_each(made("trial", text), "ae") for text in ("", dial))
    assert abs(other.mean() / usual.mean() - 1) < 0.05
    assert abs(other.std() / usual.std() - float(dial)) < 0.15 + 0.15 * float(dial)


def test_events_come_as_many_times_as_often() -> None:
    usual, more = (rows_each(made("trial", text), "ae") for text in ("", "{changes: [{domain: AE, events: 2}]}"))
    assert abs(more.mean() / usual.mean() - 2) < 0.15
    none = made("sample", "{changes: [{domain: CM, events: 0}]}", 64)
    assert len(none["cm"].frame) == 0 and len(none["ae"].frame) > 50


def test_shift_scale_and_drift_of_one_test() -> None:
    text = "{changes: [{variable: VS.VSSTRESN, test: PULSE, shift: 10, scale: 2}, {domain: LB, test: ALT, drift: 5}]}"
    usual, other = made("trial"), made("trial", text)
    vs, changed = (s["vs"].frame.set_index("VSTESTCD") for s in (usual, other))
    pulse, new = (f.loc["PULSE", "VSSTRESN"] for f in (vs, changed))
    assert abs(new.mean() - pulse.mean() - 10) < 1
    assert abs(new.std() / pulse.std() - 2) < 0.1
    assert (changed.loc["PULSE", "VSSTRESC"].astype(float) == new).all()
    assert (changed.loc["PULSE", "VSORRES"].astype(float) == new).all()
    pd.testing.assert_series_equal(vs.loc["SYSBP", "VSSTRESN"], changed.loc["SYSBP", "VSSTRESN"])
    by_visit = [s["lb"].frame.query("LBTESTCD == 'ALT'").groupby("VISITNUM")["LBSTRESN"].mean() for s in (usual, other)]
    slope = np.polyfit([0, 14, 28, 56, 84, 112], (by_visit[1] - by_visit[0]).to_numpy(), 1)[0]
    assert abs(slope * 30 - 5) < 0.25


def test_change_from_baseline_and_range_indicators_follow() -> None:
    advs = made("adam", "{changes: [{variable: ADVS.AVAL, test: SYSBP, drift: 20}]}", 128)["advs"].frame
    after = advs[advs["ABLFL"].isna()]
    assert np.allclose(after["CHG"], after["AVAL"] - after["BASE"])
    rise = after[after["PARAMCD"] == "SYSBP"].groupby("AVISITN")["CHG"].mean()
    assert rise[4.0] > rise[2.0] + 5
    usual, other = (
        made("sample", text, 128)["lb"].frame for text in ("", "{changes: [{domain: LB, test: ALT, shift: 60}]}")
    )
    share = [(f.query("LBTESTCD == 'ALT'")["LBNRIND"] == "HIGH").mean() for f in (usual, other)]
    assert share[0] < 0.5 < 0.95 < share[1]
    alt = other.query("LBTESTCD == 'ALT'").dropna(subset=["LBSTRESN", "LBSTNRHI"])
    assert ((alt["LBSTRESN"] > alt["LBSTNRHI"]) == (alt["LBNRIND"] == "HIGH")).all()


def test_ages_and_dates_of_birth_move_together() -> None:
    usual, other = (made("sample", text, 64)["dm"].frame for text in ("", "{changes: [{variable: DM.AGE, shift: 10}]}"))
    assert abs(other["AGE"].mean() - usual["AGE"].mean() - 10) < 0.01
    born = pd.to_datetime(other["BRTHDTC"]).dt.year
    assert ((pd.to_datetime(other["RFICDTC"]).dt.year - born - other["AGE"]).between(-1, 1)).all()


def test_gaps_come_more_and_less_often() -> None:
    share = [
        made("sample", text, 128)["ae"].frame["AEENDTC"].isna().mean()
        for text in ("", "{changes: [{variable: AE.AEENDTC, missing: 2}]}")
    ]
    assert abs(share[1] / share[0] - 2) < 0.4
    done = made("sample", "{changes: [{domain: LB, missing: 0}]}", 64)["lb"].frame
    assert done["LBSTAT"].isna().all() and done["LBORRES"].notna().all()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{changes: [{domain: XX, events: 2}]}", "there is no table 'XX'"),
        ("{changes: [{domain: DM, events: 2}]}", "dm has no rows in varying number. Events are in ae, cm, mh."),
        ("{changes: [{domain: LB, test: ALTT, shift: 2}]}", "has no test 'ALTT'. Did you mean ALT?"),
        ("{changes: [{variable: LB.LBORRES, shift: 2}]}", "LBORRES is written from LBSTRESN"),
        ("{changes: [{variable: LB.LBTESTC, shift: 2}]}", "lb has no column 'LBTESTC'. Did you mean LBTESTCD?"),
        ("{changes: [{variable: DM.SEX, shift: 2}]}", "dm.SEX holds no numbers"),
        ("{changes: [{variable: DM.ARM, missing: 2}]}", "dm.ARM follows from ARMCD"),
        ("{changes: [{variable: DM.AGE, missing: 2}]}", "dm.AGE is never missing in the study"),
        ("{changes: [{variable: DM.AGE, drift: 2}]}", "only results of tests can drift"),
        ("{changes: [{domain: AE, shift: 2}]}", "name the variable; ae has no results of tests"),
        ("{changes: [{variable: AGE, shift: 2}]}", "the variable must be TABLE.COLUMN, not 'AGE'"),
        ("{changes: [{domain: AE}]}", "says nothing: give shift, scale, drift, missing or events"),
        ("{changes: [{shift: 2}]}", "needs either a variable or a domain"),
        ("{changes: [{domain: LB, scale: -2}]}", "scale must be greater than or equal to 0"),
        ("{dail: 2}", "unknown key 'dail'. Did you mean 'dial'?"),
        ("{changes: [{domain: LB, shfit: 2}]}", "unknown key 'shfit'. Did you mean 'shift'?"),
        ("{dial: 11}", "variation.dial must be less than or equal to 10"),
    ],
)
def test_what_cannot_change_is_refused_with_the_reason(text: str, message: str) -> None:
    with pytest.raises(RequestError) as caught:
        made("sample", text, 5)
    assert message in str(caught.value)


def test_the_dial_of_a_mapping_is_the_dial() -> None:
    plain, mapped = (made("sample", text, 20) for text in ("0.5", "{dial: 0.5}"))
    direct = pipeline.generate_study(learned("sample"), GenerateRequest(20, seed=2, variation=0.5), workers=1)
    for name in plain.tables:
        pd.testing.assert_frame_equal(plain[name].frame, mapped[name].frame)
        pd.testing.assert_frame_equal(plain[name].frame, direct[name].frame)

"""What a trial summary tells of the source, it tells of the new study."""

from __future__ import annotations

from functools import cache

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st
from support.models import sample_model

from datareplicator import pipeline
from datareplicator.data import sample_study_path
from datareplicator.formats import read_study
from datareplicator.generate.control.settle import settle
from datareplicator.model.summary import duration, longer
from datareplicator.run import parse_run
from datareplicator.study import Study
from datareplicator.validate import validate


@cache
def made(text: str) -> tuple[Study, set[str]]:
    model, request = settle(sample_model(), parse_run(text).request())
    study = pipeline.generate_settled(model, request, workers=1)
    tallies = validate(study, structure=model.structure, detectors=False).tallies
    return study, {t.rule.id for t in tallies if t.count and t.rule.severity == "error"}


def told(study: Study) -> pd.Series:
    return study["ts"].frame.drop_duplicates("TSPARMCD").set_index("TSPARMCD")["TSVAL"]


ASKED = """
subjects: 150
study: NEW-301
enrolment: {first: 2026-01-05, last: 2026-06-30}
clones: [{variable: ARM, like: Placebo, name: Sham, names: {ARMCD: SHAM}}]
variation: {follow_up: {visits: 2}}
"""


def test_numbers_and_dates_are_those_of_the_new_study() -> None:
    study, errors = made(ASKED)
    dm, values = study["dm"].frame, told(study)
    assert values["ACTSUB"] == str(dm["RFSTDTC"].notna().sum())
    assert values["NARMS"] == "4" == str(study["ta"].frame["ARMCD"].nunique())
    assert values["SSTDTC"] == min(dm["RFICDTC"].min(), study["ds"].frame["DSSTDTC"].min())[:10]
    assert values["SENDTC"] >= dm["RFPENDTC"].max()[:10] > "2026-06-30"
    assert values["LENGTH"] == "P24W"
    assert not errors & {"DR0212", "DR0215"}


def test_what_is_no_fact_of_the_study_stays() -> None:
    source, values = told(read_study(sample_study_path())), told(made("{subjects: 10, counts: {SEX: {F: 5, M: 5}}}")[0])
    changed = {code for code in source.index if source[code] != values[code]}
    assert changed <= {"ACTSUB", "PLANSUB", "SSTDTC", "SENDTC"}


def test_more_subjects_of_the_same_study_leave_its_design_as_it_came() -> None:
    pd.testing.assert_series_equal(told(read_study(sample_study_path())), told(made("subjects: 10")[0]))


@given(st.integers(1, 400), st.sampled_from("DWMY"), st.integers(1, 400))
def test_durations_grow_by_whole_units(number: int, unit: str, days: int) -> None:
    found = duration(longer(f"P{number}{unit}", float(days)))
    assert found is not None and found[1] == unit and found[0] > number

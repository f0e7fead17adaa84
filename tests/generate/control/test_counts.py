"""Exact numbers of subjects by category: what is asked for is met, the rest follows the model."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from support.models import sample_model
from support.studies import adam, shop, study_day, study_of

from datareplicator import pipeline
from datareplicator.errors import RequestError
from datareplicator.generate.control.margins import Claim, whole_cells
from datareplicator.generate.control.quota import truncated
from datareplicator.generate.control.settle import settle
from datareplicator.model.study_model import StudyModel
from datareplicator.run import Run, parse_run
from datareplicator.study import Study
from datareplicator.validate import validate

ARMS = ("Placebo", "Veltipran 10 mg", "Veltipran 20 mg")


@cache
def learned(name: str = "sample") -> StudyModel:
    studies = {"adam": adam, "shop": shop, "sexes": _two_sexes}
    return sample_model() if name == "sample" else pipeline.fit(studies[name]())


def made(text: str, name: str = "sample", workers: int = 1) -> Study:
    return pipeline.generate_study(learned(name), parse_run(text).request(), workers=workers)


def numbers(frame: pd.DataFrame, *by: str) -> dict:
    return frame.astype(object).fillna("").groupby(list(by), observed=True).size().to_dict()


def _two_sexes(subjects: int = 600, seed: int = 11) -> Study:
    """Haemoglobin of men lies three standard deviations above that of women; glucose in arm B
    rises by two standard deviations."""
    rng = np.random.default_rng(seed)
    key = np.array([f"S-{k:04d}" for k in range(subjects)], dtype=object)
    male = rng.random(subjects) < 0.3
    start = rng.integers(0, 200, subjects)
    who, visit = np.repeat(np.arange(subjects), 3), np.tile([1.0, 2.0, 3.0], subjects)
    level = np.where(male, 150.0, 130.0) + rng.normal(0, 6, subjects)
    value = np.round(level[who] + rng.normal(0, 3, len(who)), 0)
    treated = (np.arange(subjects) % 2)[who] * (visit > 1)
    glucose = np.round(rng.normal(5.0, 0.8, len(who)) + 1.6 * treated, 1)
    day = (visit - 1) * 14 + start[who]
    date = (np.datetime64("2022-01-01") + day.astype(int)).astype(str).astype(object)
    long = pd.DataFrame({"USUBJID": key[who], "VISITNUM": visit, "LBDTC": date})
    lb = pd.concat([long.assign(LBTESTCD=code, LBSTRESN=x) for code, x in (("HGB", value), ("GLUC", glucose))])
    dm = pd.DataFrame(
        {
            "USUBJID": key,
            "RFSTDTC": (np.datetime64("2022-01-01") + start).astype(str).astype(object),
            "SEX": np.where(male, "M", "F"),
            "ARM": np.array(["A", "B"])[np.arange(subjects) % 2],
            "AGE": rng.integers(20, 80, subjects),
        }
    )
    lb = lb.assign(LBDY=study_day(np.r_[day, day], np.r_[start[who], start[who]]).astype(float))
    return study_of({"dm": dm, "lb": lb.sort_values(["USUBJID", "VISITNUM"], kind="stable").reset_index(drop=True)})


@settings(max_examples=8, deadline=None)
@given(
    st.lists(st.integers(0, 40), min_size=3, max_size=3),
    st.floats(0, 1),
    st.floats(0, 1),
    st.floats(0, 1),
    st.integers(0, 99),
)
def test_any_satisfiable_margins_hold_exactly(
    arms: list[int], women: float, german: float, both: float, seed: int
) -> None:
    total = sum(arms)
    assume(total > 0)
    f, d = round(women * total), round(german * total)
    placebo_f = round(both * min(arms[0], f))
    assume(arms[0] - placebo_f <= total - f)
    run = Run(
        seed=seed,
        counts={
            "ARM": dict(zip(ARMS, arms, strict=True)),
            "DM.SEX": {"F": f, "M": total - f},
            "COUNTRY": {"DEU": d, "USA": total - d},
            "combinations": [{"where": {"ARM": "Placebo", "SEX": "F"}, "subjects": placebo_f}],
        },
    )
    dm = pipeline.generate_study(learned(), run.request(), workers=1)["dm"].frame
    expected = {k: v for k, v in run.counts["ARM"].items() if v}
    assert numbers(dm, "ARM") == expected
    assert numbers(dm, "ACTARM") == expected
    assert numbers(dm, "SEX") == {k: v for k, v in run.counts["DM.SEX"].items() if v}
    assert numbers(dm, "COUNTRY") == {k: v for k, v in run.counts["COUNTRY"].items() if v}
    assert ((dm["ARM"] == "Placebo") & (dm["SEX"] == "F")).sum() == placebo_f
    assert dm["USUBJID"].is_unique


def test_workers_make_the_same_bytes() -> None:
    text = "counts: {SEX: {F: 100, M: 40}, ARM: {Placebo: 70, Veltipran 20 mg: 70}}"
    one, two = (made(text, workers=workers) for workers in (1, 2))
    for name in one.tables:
        pd.testing.assert_frame_equal(one[name].frame, two[name].frame)


def test_screen_failures_are_counted_as_a_class_of_their_own() -> None:
    study = made('counts: {ARM: {Placebo: 20, "": 15}}')
    dm = study["dm"].frame
    assert numbers(dm, "ARM") == {"": 15, "Placebo": 20}
    failed = set(dm["USUBJID"][dm["ARM"].isna()])
    assert (dm["ARMNRS"].fillna("") == "SCREEN FAILURE").sum() == 15
    for table in ("ex", "ae", "qs"):
        assert not failed & set(study[table].frame["USUBJID"])
    assert failed & set(study["vs"].frame["USUBJID"])


def test_ratios_share_out_the_subjects() -> None:
    dm = made("subjects: 100\ncounts: {ARM: {ratio: {Placebo: 1, Veltipran 10 mg: 1, Veltipran 20 mg: 1}}}")["dm"].frame
    assert sorted(numbers(dm, "ARM").values()) == [33, 33, 34]


def test_numbers_and_columns_of_other_homes_are_counted() -> None:
    adsl = made("counts: {TRT01PN: {0: 30, 1: 10}, ADVS.TRT01P: {Placebo: 30, Active: 10}}", "adam")["adsl"].frame
    assert numbers(adsl, "TRT01P") == {"Active": 10, "Placebo": 30}
    customers = made("counts: {country: {DE: 5, FR: 40}}", "shop")["customers"].frame
    assert numbers(customers, "country") == {"DE": 5, "FR": 40}


def test_conditions_move_what_depends_on_them_as_in_the_source() -> None:
    """Means by sex lie within 0.35 SD of the source's: four standard errors of a mean of 100 subjects, so that the test
    fails by chance once in some 5,000 runs of other seeds."""
    source = _two_sexes()
    lb = made("counts: {SEX: {F: 100, M: 100}}", "sexes")
    merged = {
        name: s["lb"].frame.merge(s["dm"].frame[["USUBJID", "SEX"]]).groupby(["LBTESTCD", "SEX"])["LBSTRESN"].mean()
        for name, s in (("source", source), ("made", lb))
    }
    away = merged["made"] - merged["source"]
    assert (away["HGB"].abs() < 0.35 * 6.7).all()
    assert (away["GLUC"].abs() < 0.35 * 1.0).all()
    assert merged["made"]["HGB", "M"] - merged["made"]["HGB", "F"] > 15


def test_conditions_on_the_arm_move_its_results_as_in_the_source() -> None:
    """Means by arm of the 200 results of visits 2 and 3 lie within 0.3 SD: over four standard errors."""
    source, study = _two_sexes(), made("counts: {ARM: {A: 50, B: 150}, SEX: {F: 180, M: 20}}", "sexes")
    mean = [
        s["lb"]
        .frame.query("LBTESTCD == 'GLUC' and VISITNUM > 1")
        .merge(s["dm"].frame[["USUBJID", "ARM"]])
        .groupby("ARM")["LBSTRESN"]
        .mean()
        for s in (source, study)
    ]
    assert ((mean[1] - mean[0]).abs() < 0.3 * 0.8).all()
    assert mean[1]["B"] - mean[1]["A"] > 1.2


def test_a_plan_without_conditions_on_them_leaves_other_shares_alone() -> None:
    dm = made("counts: {ARM: {A: 400, B: 400}}", "sexes")["dm"].frame
    assert abs((dm["SEX"] == "M").mean() - 0.3) < 0.06  # 3.7 standard errors
    assert abs(dm["AGE"].mean() - 49.5) < 2.5


@pytest.mark.parametrize("deaths", [0, 1, 9])
def test_outcomes_are_counted_out_beside_other_counts(deaths: int) -> None:
    frames = made(f"counts: {{DTHFL: {{'Y': {deaths}, '': {60 - deaths}}}, SEX: {{F: 20, M: 40}}}}", "sample")
    dm = frames["dm"].frame
    assert (dm["DTHFL"] == "Y").sum() == deaths
    assert dm["SEX"].value_counts().to_dict() == {"F": 20, "M": 40}
    died = set(dm.loc[dm["DTHFL"] == "Y", "USUBJID"])
    ds = frames["ds"].frame
    assert set(ds.loc[ds["DSDECOD"] == "DEATH", "USUBJID"]) == died


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("counts: {SEX: {F: 3, W: 4}}", "no subject of the study has SEX = 'W'. It shows 'F', 'M'."),
        ("counts: {ARM: {placebo: 3}}", "Did you mean 'Placebo'?"),
        ("counts: {SEXX: {F: 3}}", "table dm has no column 'SEXX'. Did you mean SEX?"),
        ("counts: {AE.AESEV: {MILD: 3}}", "counts are of subjects, whose table is dm"),
        (
            "counts: {AGE: {30: 3}}",
            "AGE is a number, not a category. Count a column of classes of it, or ask for a rare event",
        ),
        ("counts: {DTHFL: {Z: 3}}", "no subject of the study has DTHFL = 'Z'. It shows 'Y'."),
        (
            "counts: {combinations: [{where: {DTHFL: 'Y', SEX: F}, subjects: 3}]}\nsubjects: 9",
            'a rare event: {domain: dm, where: "DTHFL = ',
        ),
        ("counts: {RFSTDTC: {2020-01-01: 3}}", "RFSTDTC follows from other tables"),
        ("counts: {SEX: {F: 3, M: 4}, ARM: {Placebo: 8}}", "the counts of SEX sum to 7, those of ARM to 8."),
        ("subjects: 9\ncounts: {SEX: {F: 3, M: 4}}", "the counts of SEX sum to 7, but 9 subjects are asked for."),
        ("counts: {SITEID: {'011': 4}, COUNTRY: {DEU: 4}}", "these counts cannot hold together for 4 subjects: "),
        (
            "counts: {SEX: {F: 3, M: 4}, combinations: [{where: {SEX: F, ARM: Placebo}, subjects: 5}]}",
            "3 with SEX = F; 5 with SEX = F and ARM = Placebo",
        ),
        ("subjects: 4\nclones: [{variable: SEX, like: F, name: X}]", "only arms and sites can be cloned"),
        ("subjects: 4\nclones: [{variable: ARM, like: X, name: Y}]", "there is no ARM = 'X' to be cloned"),
        ("subjects: 4\nclones: [{variable: ARM, like: Placebo, name: Y}]", "ARMCD needs a value of its own too"),
        ("subjects: 4\nclones: [{variable: SITEID, like: '011', name: '014'}]", "there is a SITEID = '014' already"),
        ("subjects: 4\nidentifiers: {USUBJID: 'A-##'}", "USUBJID follows from SUBJID: it takes no pattern"),
        ("subjects: 4\nidentifiers: {SUBJID: '{NONE}-##'}", "has no column 'NONE'"),
    ],
)
def test_what_cannot_be_is_refused_with_the_reason(text: str, message: str) -> None:
    with pytest.raises(RequestError) as caught:
        made(text)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("counts: 3", "counts: must be a mapping such as"),
        ("counts: {SEX: 3}", "SEX must be a mapping from categories to numbers, not 3"),
        ("counts: {SEX: {F: -1}}", "SEX F must be a whole number from 0 on, not -1"),
        ("counts: {SEX: {F: 1.5}}", "not 1.5"),
        ("counts: {DTHFL: {yes: 1}}", "a category was read as True; quote it"),
        ("counts: {ARM: {ratio: {A: -1}}}", "a part of a ratio must be a number from 0 on"),
        ("counts: {combinations: [{ARM: A}]}", "combination 1 must be like"),
        ("enrolment: {first: 2026-02-01, last: 2026-01-01}", "is before the first"),
        ("enrolment: {first: soon, last: 2026-01-01}", "'soon' is no date such as 2026-01-31"),
        ("enrolment: {start: 2026-02-01}", "unknown key 'start'"),
        ("identifiers: {SUBJID: A}", "needs one run of #"),
        ("clones: [{variable: ARM, like: A, nam: B}]", "unknown key 'nam'. Did you mean 'name'?"),
    ],
)
def test_what_is_not_understood_is_named(text: str, message: str) -> None:
    with pytest.raises(RequestError) as caught:
        parse_run(text)
    assert message in str(caught.value)


def test_clones_are_drawn_like_what_they_are_like() -> None:
    study = made(
        """
subjects: 300
study: NEW-9
identifiers: {SUBJID: "{SITEID}.####"}
enrolment: {first: 2026-03-02, last: 2026-06-30}
clones:
  - {variable: SITEID, like: "011", name: "811", names: {INVID: INV-811}}
  - {variable: ARM, like: Placebo, name: Sham, names: {ARMCD: SHM}}
counts:
  ARM: {ratio: {Placebo: 1, Sham: 2}}
"""
    )
    dm = study["dm"].frame
    assert numbers(dm, "ARM", "ARMCD", "ACTARM", "ACTARMCD") == {
        ("Placebo", "PBO", "Placebo", "PBO"): 100,
        ("Sham", "SHM", "Sham", "SHM"): 200,
    }
    here = dm[dm["SITEID"] == "811"]
    assert len(here) > 20 and set(here["INVID"]) == {"INV-811"} and set(here["COUNTRY"]) == {"USA"}
    assert dm["SUBJID"].str.fullmatch(r"\d{3}\.\d{4}").all()
    assert (dm["USUBJID"] == "NEW-9-" + dm["SUBJID"]).all()
    assert dm["RFSTDTC"].min() >= "2026-03-02" and dm["RFSTDTC"].max() <= "2026-06-30"
    for table in study.tables.values():
        assert set(table.frame["STUDYID"]) == {"NEW-9"}, table.name
    ex = study["ex"].frame.merge(dm[["USUBJID", "ARM"]])
    assert (ex["EXTRT"][ex["ARM"] == "Sham"] == "PLACEBO").mean() > 0.97
    ta = study["ta"].frame
    sham = ta[ta["ARMCD"] == "SHM"].drop(columns=["ARMCD", "ARM", "TABRANCH"])
    like = ta[ta["ARMCD"] == "PBO"].drop(columns=["ARMCD", "ARM", "TABRANCH"])
    pd.testing.assert_frame_equal(sham.reset_index(drop=True), like.reset_index(drop=True))
    assert set(ta["TABRANCH"][ta["ARMCD"] == "SHM"].dropna()) == {"Randomised to Sham"}


@given(st.integers(2, 4), st.integers(2, 4), st.integers(1, 3), st.integers(0, 10_000))
def test_margins_of_any_table_are_kept(rows: int, columns: int, layers: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    table = rng.poisson(4, (rows, columns, layers))
    claims = []
    for axis, size in enumerate(table.shape):
        place = np.indices(table.shape)[axis].ravel()
        claims += [Claim(f"{axis}={k}", place == k, int(table.ravel()[place == k].sum())) for k in range(size)]
    found = whole_cells(rng.random(table.size) + 0.1, claims, int(table.sum()))
    assert (found >= 0).all()
    assert all(found[claim.cells].sum() == claim.number for claim in claims)


def test_cells_are_the_expected_ones_where_these_are_whole() -> None:
    expected = np.array([6.0, 4.0, 9.0, 6.0])
    first = np.array([True, True, False, False])
    assert whole_cells(expected, [Claim("a", first, 10), Claim("b", ~first, 15)], 25).tolist() == [6, 4, 9, 6]


def test_truncated_normals_have_their_moments() -> None:
    u = (np.arange(20_000) + 0.5) / 20_000
    low, high = np.tile([[-2.0, 1.0]], (len(u), 1)), np.tile([[-1.0, np.inf]], (len(u), 1))
    x = truncated(np.zeros(len(u)), 1.0, low, high, u)
    assert (((x >= -2) & (x < -1)) | (x >= 1)).all()
    assert abs((x < 0).mean() - 0.1359 / (0.1359 + 0.1587)) < 1e-3
    tail = truncated(np.zeros(len(u)), 1.0, np.full((len(u), 1), 9.0), np.full((len(u), 1), np.inf), u)
    assert abs(tail.mean() - 9.1085) < 1e-3


def test_names_that_were_asked_for_are_no_findings() -> None:
    source = _two_sexes(60)
    model = pipeline.fit(source)
    text = "subjects: 40\nclones: [{variable: ARM, like: A, name: Sham}]\ncounts: {ARM: {A: 20, Sham: 20}}"
    settled, request = settle(model, parse_run(text).request())
    study = pipeline.generate_settled(settled, request, workers=1)
    assert request.new_texts == {"Sham"}
    found = [
        validate(study, baseline=source, structure=settled.structure, detectors=False, expected=expected)
        for expected in (frozenset(), request.new_texts)
    ]
    assert ["DR1601" in {t.rule.id for t in f.tallies if t.count} for f in found] == [True, False]

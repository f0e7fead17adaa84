"""What can stand together in a subject's row: gaps that a value tells, gaps in patterns, values that never meet."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from support.related import wide
from support.studies import study_of

from datareplicator import pipeline
from datareplicator.generate.request import GenerateRequest
from datareplicator.model.possible import fit_possible
from datareplicator.structure.discover import discover
from datareplicator.study import Study

SERIES = [f"sbp_v{k}" for k in range(1, 5)]


def made(study: Study, subjects: int = 400) -> pd.DataFrame:
    return pipeline.generate_study(pipeline.fit(study), GenerateRequest(subjects, seed=3), workers=1)["patients"].frame


def changed(**columns: object) -> Study:
    frame = wide()["patients"].frame
    return study_of({"patients": frame.assign(**{c: f(frame) for c, f in columns.items()}).drop(columns="menopause")})


@pytest.fixture(scope="module")
def new() -> pd.DataFrame:
    return made(wide())


def test_values_end_with_the_visit_at_which_a_subject_left(new: pd.DataFrame) -> None:
    held = new[SERIES].notna().to_numpy()
    assert (np.diff(held.astype(int), axis=1) <= 0).all()
    assert (held.sum(axis=1) == new["last_visit"]).all()
    assert ((new["status"] == "completed") == (new["last_visit"] == 4)).all()
    before = wide()["patients"].frame
    for visit in range(1, 5):
        assert (new["last_visit"] == visit).mean() == pytest.approx((before["last_visit"] == visit).mean(), abs=0.06)


def test_the_change_is_to_the_last_value(new: pd.DataFrame) -> None:
    last = new[SERIES].ffill(axis=1)["sbp_v4"]
    assert np.allclose(new["sbp_change"], last - new["sbp_v1"])
    assert new[["sbp_v1", "sbp_v2"]].corr().iloc[0, 1] > 0.7


def test_the_formulas_over_a_series_are_found_and_no_others() -> None:
    found = {d.target: d.params for d in discover(wide()).derivations if d.template == "series"}
    assert found.keys() == {"last_visit", "sbp_change"}
    assert (found["sbp_change"]["how"], found["sbp_change"]["change"]) == ("last", "difference")


def test_a_measurement_of_men_is_there_for_all_men_and_no_woman() -> None:
    rng = np.random.default_rng(1)
    study = changed(psa=lambda f: np.where(f["sex"] == "M", rng.lognormal(0, 0.5, len(f)).round(2), np.nan))
    new = made(study)
    assert new["psa"].notna().equals(new["sex"].astype(object) == "M")


def test_values_that_never_meet_stay_apart() -> None:
    rng = np.random.default_rng(2)
    kinds = np.array(["testis", "ovary", "lung", "bowel"])

    def site_of(f: pd.DataFrame) -> np.ndarray:
        own = np.where(f["sex"] == "F", "ovary", "testis")
        return np.where(rng.random(len(f)) < 0.5, own, rng.choice(kinds[2:], len(f)))

    new = made(changed(tumour=site_of))
    together = set(zip(new["sex"].astype(object), new["tumour"].astype(object), strict=True))
    assert ("F", "testis") not in together
    assert ("M", "ovary") not in together
    assert len(together) == 6
    assert (new["tumour"].astype(object) == "lung").mean() == pytest.approx(0.25, abs=0.07)


@pytest.mark.parametrize("answers", [("N", "Y"), ("no", "yes")])
def test_only_women_are_pregnant(answers: tuple[str, str]) -> None:
    rng = np.random.default_rng(3)
    study = changed(
        pregnant=lambda f: np.where((f["sex"] == "F") & (rng.random(len(f)) < 0.25), answers[1], answers[0])
    )
    new = made(study)
    pregnant = new["pregnant"].astype(object) == answers[1]
    assert not pregnant[new["sex"].astype(object) == "M"].any()
    assert pregnant.mean() == pytest.approx(0.125, abs=0.06)


def test_gaps_by_chance_and_small_samples_make_no_rules() -> None:
    rng = np.random.default_rng(4)
    for n in (5, 20, 200):
        frame = pd.DataFrame(
            {
                "a": np.where(rng.random(n) < 0.3, np.nan, rng.normal(size=n)),
                "b": np.where(rng.random(n) < 0.2, np.nan, rng.normal(size=n)),
                "c": pd.Categorical(rng.choice(["x", "y", "z"], n)),
                "d": pd.Categorical(rng.choice(["u", "v"], n)),
            }
        )
        possible, features = fit_possible(frame, pd.DataFrame({"arm": rng.choice(["A", "B"], n)}))
        assert not features
        assert not (possible.gates or possible.patterns or possible.apart)


def test_a_dose_goes_with_the_arm() -> None:
    rng = np.random.default_rng(5)
    dose = changed(
        dose=lambda f: np.where(f["arm"] == "drug", rng.normal(80, 5, len(f)).round(1) * f["last_visit"], 0.0),
        weight=lambda f: rng.normal(80, 12, len(f)).round(),
    )
    new = made(dose)
    arm, before = new["arm"].astype(object), dose["patients"].frame
    assert new.loc[arm == "placebo", "dose"].eq(0).all()
    drug, source = new.loc[arm == "drug", "dose"], before.loc[before["arm"] == "drug", "dose"]
    assert drug.min() > 50
    assert drug.mean() == pytest.approx(source.mean(), rel=0.1)
    assert new.groupby(arm)["weight"].mean().diff().abs().max() < 4

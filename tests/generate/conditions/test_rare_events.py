"""Events come as often as asked for, from rows and subjects that the model draws."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.studies import sdtm

import datareplicator as dr
from datareplicator import pipeline
from datareplicator.api import Model
from datareplicator.errors import RequestError
from datareplicator.generate.conditions import make


@pytest.fixture(scope="module")
def sample_model(model: Path) -> Model:
    return dr.load_model(model)


@pytest.fixture(scope="module")
def small() -> Model:
    return Model(pipeline.fit(sdtm(60)))


@pytest.mark.parametrize("times", [0.5, 2])
def test_rows_come_so_many_times_as_often(small: Model, times: float) -> None:
    plain = small.generate(128, seed=1)["ae"].frame
    made = small.generate(128, seed=1, rare_events=[{"domain": "AE", "where": "AESEV = 'SEVERE'", "times": times}])
    before, after = (plain["AESEV"] == "SEVERE").sum(), (made["ae"].frame["AESEV"] == "SEVERE").sum()
    assert abs(after - times * before) <= max(1, 0.02 * after)  # whole rows
    assert made.conditions[0].rows_shown == after


def test_what_goes_with_the_event_goes_along(sample_model: Model) -> None:
    """Serious events are not mild ones with another flag: their severity is as it is among serious events."""
    plain = sample_model.generate(200, seed=1)["ae"].frame
    made = sample_model.generate(200, seed=1, rare_events=[{"domain": "AE", "where": "AESER = 'Y'", "times": 3}])[
        "ae"
    ].frame

    def share(frame) -> float:
        return (frame.loc[frame["AESER"] == "Y", "AESEV"] == "SEVERE").mean()

    others = (plain.loc[plain["AESER"] != "Y", "AESEV"] == "SEVERE").mean()
    assert abs(share(made) - share(plain)) < 0.15
    assert abs(share(made) - share(plain)) < abs(share(made) - others)
    assert not (made["AESHOSP"].eq("Y") & made["AESER"].ne("Y")).any()


def test_at_least_so_many_subjects(sample_model: Model) -> None:
    where = "LBTESTCD = 'ALT' and LBSTRESN > 1.1 * LBSTNRHI"
    made = sample_model.generate(60, seed=3, rare_events=[{"domain": "LB", "where": where, "subjects": 18}])
    lb = made["lb"].frame
    shown = lb[(lb["LBTESTCD"] == "ALT") & (lb["LBSTRESN"] > 1.1 * lb["LBSTNRHI"])]["USUBJID"].nunique()
    assert shown >= 18
    assert made.conditions[0].subjects == shown


@pytest.mark.parametrize(("domain", "where", "number"), [("AE", "AESER = 'Y'", 4), ("DM", "DTHFL = 'Y'", 0)])
def test_so_many_subjects_and_no_more(domain: str, where: str, number: int, sample_model: Model) -> None:
    made = sample_model.generate(60, seed=3, rare_events=[{"domain": domain, "where": where, "exactly": number}])
    assert made[domain.lower()].frame.query(where.replace("=", "=="))["USUBJID"].nunique() == number
    assert made.conditions[0].subjects == number


def test_events_of_the_subject_itself(sample_model: Model) -> None:
    made = sample_model.generate(100, seed=3, rare_events=[{"domain": "DM", "where": "DTHFL = 'Y'", "subjects": 12}])
    dead = set(made["dm"].frame.query("DTHFL == 'Y'")["USUBJID"])
    assert len(dead) >= 12
    assert set(made["ae"].frame.query("AEOUT == 'FATAL'")["USUBJID"]) == dead


def test_events_and_constraints_together(sample_model: Model) -> None:
    made = sample_model.generate(
        100,
        constraints=[{"domain": "AE", "rule": "AESEV = 'SEVERE' implies AESER = 'Y'"}],
        rare_events=[{"domain": "AE", "where": "AESEV = 'SEVERE'", "times": 2}],
    )
    ae = made["ae"].frame
    assert (ae.loc[ae["AESEV"] == "SEVERE", "AESER"] == "Y").all()
    assert made.conditions[1].rows_shown == (ae["AESEV"] == "SEVERE").sum()


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ({"where": "AEOUT = 'FATL'", "times": 2}, r"never 'FATL' in the source \(near: 'FATAL'\)"),
        ({"where": "AESEV = 'MILD'", "times": 50}, "cannot be 50 times as many"),
        ({"where": "AESER = 'Y'", "subjects": 11}, "11 subjects are asked for of 10"),
        ({"where": "AESER = 'Y'"}, "either `times`, `subjects` or `exactly`"),
        ({"where": "AESER = 'Y'", "times": 2, "subjects": 3}, "either `times`, `subjects` or `exactly`"),
        ({"where": "AESER = 'Y'", "exactly": 11}, "11 subjects are asked for of 10"),
        ({"where": "AESER = 'Y'", "times": -1}, "times"),
        ({"where": "count(of LB where LBSTRESN > 1e6) > 0", "subjects": 2}, "too few fit"),
    ],
)
def test_bad_events_are_refused(
    sample_model: Model, event: dict, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(make, "NEVER", 1)  # fewer subjects are drawn before an event counts as one that never happens
    with pytest.raises(RequestError, match=message):
        sample_model.generate(10, rare_events=[{"domain": "AE", **event}])

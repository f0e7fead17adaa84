"""Parts of dates, dates after a number of days, and rows that end on their first day."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from support.related import register
from support.studies import study_of

from datareplicator import pipeline
from datareplicator.generate.request import GenerateRequest
from datareplicator.structure.discover import discover
from datareplicator.study import Study


def prescriptions(texts: bool) -> Study:
    """The register with births as text with a time of day, three kinds of visits, and drugs with days of supply."""
    frames = register(100, seed=5).frames()
    rng = np.random.default_rng(3)
    person, visit = frames["person"], frames["visit_occurrence"]
    if texts:
        frames["person"] = person.assign(birth_datetime=person["birth_datetime"].dt.strftime("%Y-%m-%d 00:00:00"))
    emergency = (visit["visit_concept_id"] == 9202) & (rng.random(len(visit)) < 0.15)
    frames["visit_occurrence"] = visit.assign(visit_concept_id=visit["visit_concept_id"].mask(emergency, 9203))
    above = visit.iloc[np.repeat(np.arange(len(visit)), rng.poisson(1, len(visit)))].reset_index(drop=True)
    supply = rng.choice([7, 14, 30], len(above))
    frames["drug_exposure"] = pd.DataFrame(
        {
            "drug_exposure_id": np.arange(1, len(above) + 1),
            "person_id": above["person_id"],
            "drug_exposure_start_date": above["visit_start_date"],
            "drug_exposure_end_date": above["visit_start_date"] + pd.to_timedelta(supply - 1, unit="D"),
            "days_supply": supply,
            "visit_occurrence_id": above["visit_occurrence_id"],
        }
    )
    return study_of(frames)


@pytest.fixture(scope="module", params=[False, True], ids=["dates", "texts"])
def new(request: pytest.FixtureRequest) -> dict[str, pd.DataFrame]:
    return pipeline.generate_study(
        pipeline.fit(prescriptions(request.param)), GenerateRequest(200, seed=3), workers=1
    ).frames()


def test_templates() -> None:
    found = {d.target: (d.template, d.params) for d in discover(prescriptions(True)).derivations}
    for part in ("year", "month", "day"):
        assert found[f"{part}_of_birth"] == ("date_part", {"part": part})
    template, params = found["drug_exposure_end_date"]
    assert (template, params["add"]) == ("date_plus", -1.0)


def test_births_agree_with_their_parts(new: dict[str, pd.DataFrame]) -> None:
    person = new["person"]
    born = pd.to_datetime(person["birth_datetime"].astype(object))
    assert person["year_of_birth"].eq(born.dt.year).all()
    assert person["month_of_birth"].eq(born.dt.month).all()
    assert person["day_of_birth"].eq(born.dt.day).all()


def test_supply_ends_after_its_days(new: dict[str, pd.DataFrame]) -> None:
    drug = new["drug_exposure"]
    days = (pd.to_datetime(drug["drug_exposure_end_date"]) - pd.to_datetime(drug["drug_exposure_start_date"])).dt.days
    assert (days + 1).eq(drug["days_supply"]).all()
    assert set(drug["days_supply"]) == {7, 14, 30}


def test_visits_of_one_day_stay_so_and_nothing_begins_after_death(new: dict[str, pd.DataFrame]) -> None:
    visit = new["visit_occurrence"]
    start, end = (pd.to_datetime(visit[f"visit_{side}_date"]) for side in ("start", "end"))
    inside = visit["visit_concept_id"] == 9201
    assert start[~inside].equals(end[~inside])
    assert (end[inside] > start[inside]).mean() > 0.9
    death = new["death"].set_index("person_id")["death_date"]
    died = pd.to_datetime(death).reindex(visit["person_id"]).to_numpy()
    assert not (start.to_numpy() > died).any()

"""Measured numbers of wide tables: levels of subjects, and columns that go together."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from support.studies import day, study_of

from datareplicator import pipeline
from datareplicator.generate.request import GenerateRequest
from datareplicator.model.levels import is_measured
from datareplicator.study import Study

MEASURES = ["weight", "systolic", "diastolic", "pulse"]


def vitals(subjects: int = 120, visits: int = 5, seed: int = 0) -> Study:
    """Patients, and one row a visit: weights that hardly change, two pressures that go together, pulses with gaps."""
    rng = np.random.default_rng(seed)
    who, visit = np.repeat(np.arange(subjects), visits), np.tile(np.arange(visits), subjects)
    key, start = np.array([f"P{i:04d}" for i in range(subjects)], dtype=object), rng.integers(0, 200, subjects)
    level = rng.multivariate_normal([0, 0], [[1, 0.7], [0.7, 1]], subjects)
    noise = rng.multivariate_normal([0, 0], [[1, 0.7], [0.7, 1]], subjects * visits)
    rows = pd.DataFrame(
        {
            "patient_id": key[who],
            "visit": [f"V{v + 1}" for v in visit],
            "visit_date": day("2023-01-01", start[who] + 14 * visit),
            "weight": (75 + 12 * rng.standard_normal(subjects)[who] + rng.normal(0, 0.8, len(who))).round(1),
            "systolic": (128 + 11 * level[who, 0] + 6 * noise[:, 0] - 2 * visit).round(),
            "diastolic": (78 + 7 * level[who, 1] + 4 * noise[:, 1]).round(),
            "pulse": (72 + 8 * rng.standard_normal(subjects)[who] + rng.normal(0, 5, len(who))).round(),
        }
    )
    rows.loc[rng.random(len(rows)) < 0.1, "pulse"] = np.nan
    patients = pd.DataFrame({"patient_id": key, "enrolled": day("2023-01-01", start)})
    return study_of({"patients": patients, "vitals": rows})


@pytest.fixture(scope="module")
def both() -> tuple[pd.DataFrame, pd.DataFrame]:
    source = vitals()
    made = pipeline.generate_study(pipeline.fit(source), GenerateRequest(600, seed=1), workers=1)
    return source["vitals"].frame, made["vitals"].frame


def between(rows: pd.DataFrame) -> pd.Series:
    """Share of the variance that lies between patients."""
    return rows.groupby("patient_id")[MEASURES].transform("mean").var() / rows[MEASURES].var()


def within(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[MEASURES] - rows.groupby("patient_id")[MEASURES].transform("mean")


def test_patients_keep_their_levels(both: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    """Independent rows would leave a fifth of the variance between patients; 0.08 is four standard errors of 600."""
    source, made = both
    assert (between(source) - between(made)).abs().max() < 0.08
    assert within(made)["weight"].std() < 2 * within(source)["weight"].std()


def test_measures_go_together_between_patients_and_at_a_visit(both: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    source, made = both
    mean, rest = (
        [f(rows)["systolic"].corr(f(rows)["diastolic"]) for rows in (source, made)]
        for f in (lambda r: r.groupby("patient_id")[MEASURES].mean(), within)
    )
    assert abs(mean[0] - mean[1]) < 0.15
    assert abs(rest[0] - rest[1]) < 0.15


def test_gaps_are_as_many_and_say_nothing_of_the_value(both: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    source, made = both
    assert abs(source["pulse"].isna().mean() - made["pulse"].isna().mean()) < 0.04
    means = made.groupby("patient_id")["pulse"].agg(["mean", lambda x: x.isna().mean()])
    assert abs(means.iloc[:, 0].corr(means.iloc[:, 1])) < 0.2


def test_doses_and_ages_are_no_measurements() -> None:
    who = np.repeat(np.arange(30), 4)
    assert not is_measured(np.repeat(np.arange(30.0) + 40, 4), who)
    assert not is_measured(np.tile([0.0, 54.0, 81.0, 54.0], 30), who)
    assert not is_measured(np.random.default_rng(1).normal(size=120), who)

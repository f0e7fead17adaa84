"""Studies that are not SDTM: an OMOP-like one, people in one table, long tables without a table of subjects."""

from __future__ import annotations

import numpy as np
import pandas as pd
from support.studies import day, study_of

from datareplicator.study import Study

CONDITIONS, SHARES = [201826, 320128, 255573, 4329847], [0.4, 0.3, 0.2, 0.1]
SYSTOLIC, DIASTOLIC = 3004249, 3012888


def omop(persons: int = 80, seed: int = 1) -> Study:
    """person, visit_occurrence, condition_occurrence, measurement and concept, all ids from 1."""
    rng = np.random.default_rng(seed)
    person_id = np.arange(1, persons + 1)
    person = pd.DataFrame(
        {
            "person_id": person_id,
            "gender_concept_id": rng.choice([8507, 8532], persons),
            "year_of_birth": rng.integers(1930, 2000, persons),
            "person_source_value": [f"P{i:05d}" for i in person_id],
        }
    )
    who = np.repeat(person_id, rng.poisson(3, persons) + 1)
    start = rng.integers(0, 1500, len(who))
    length = np.where(rng.random(len(who)) < 0.7, 0, rng.integers(1, 10, len(who)))
    visit = pd.DataFrame(
        {
            "visit_occurrence_id": np.arange(1, len(who) + 1),
            "person_id": who,
            "visit_concept_id": np.where(length > 0, 9201, 9202),
            "visit_start_date": _date(start),
            "visit_end_date": _date(start + length),
        }
    )
    return study_of({"person": person, "visit_occurrence": visit, **_recorded(rng, visit), "concept": _concepts()})


def _date(days: np.ndarray) -> pd.DatetimeIndex:
    return pd.Timestamp("2015-01-01") + pd.to_timedelta(days, unit="D")


def _recorded(rng: np.random.Generator, visit: pd.DataFrame) -> dict[str, pd.DataFrame]:
    rows = np.repeat(np.arange(len(visit)), rng.poisson(1.2, len(visit)))
    above = visit.iloc[rows].reset_index(drop=True)
    condition = pd.DataFrame(
        {
            "condition_occurrence_id": np.arange(1, len(rows) + 1),
            "person_id": above["person_id"],
            "condition_concept_id": rng.choice(CONDITIONS, len(rows), p=SHARES),
            "condition_start_date": above["visit_start_date"],
            "visit_occurrence_id": above["visit_occurrence_id"],
        }
    )
    rows, concept = np.repeat(np.arange(len(visit)), 2), np.tile([SYSTOLIC, DIASTOLIC], len(visit))
    keep = rng.random(len(rows)) < 0.9
    above, concept = visit.iloc[rows[keep]].reset_index(drop=True), concept[keep]
    value = rng.normal(np.where(concept == SYSTOLIC, 130, 80), 10).round()
    measurement = pd.DataFrame(
        {
            "measurement_id": np.arange(1, len(above) + 1),
            "person_id": above["person_id"],
            "measurement_concept_id": concept,
            "measurement_date": above["visit_start_date"],
            "value_as_number": np.where(rng.random(len(above)) < 0.03, np.nan, value),
            "unit_concept_id": 8876,
            "visit_occurrence_id": above["visit_occurrence_id"],
        }
    )
    return {"condition_occurrence": condition, "measurement": measurement}


def _concepts() -> pd.DataFrame:
    names = {8507: "MALE", 8532: "FEMALE", 9201: "Inpatient", 9202: "Outpatient", 8876: "mmHg"}
    names |= {SYSTOLIC: "Systolic", DIASTOLIC: "Diastolic", **{c: f"Condition {c}" for c in CONDITIONS}}
    return pd.DataFrame({"concept_id": list(names), "concept_name": list(names.values())})


def people(n: int = 120, seed: int = 2) -> Study:
    """One table, one row a person: personal data, dates, numbers, a truth value, gaps, an empty column, a constant."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "patient_id": [f"PT-{i:04d}" for i in range(1, n + 1)],
            "full_name": [f"Firstname{i} Lastname{i}" for i in range(n)],
            "email": [f"user{i}@mail.com" for i in range(n)],
            "phone": [f"+49 170 {number}" for number in rng.integers(1_000_000, 9_999_999, n)],
            "birth_date": day("1950-01-01", rng.integers(0, 18_000, n).astype(float)),
            "enrolled": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 500, n), unit="D"),
            "weight": np.round(rng.normal(75, 12, n), 1),
            "stays": rng.integers(0, 20, n),
            "smoker": pd.Series(rng.random(n) < 0.3, dtype="boolean").mask(rng.random(n) < 0.1),
            "score": np.where(rng.random(n) < 0.2, np.nan, np.round(rng.normal(0, 1, n), 3)),
            "arm": rng.choice(["A", "B"], n),
            "note": pd.Series(np.where(rng.random(n) < 0.5, None, "ok"), dtype="str"),
            "empty": pd.Series([None] * n, dtype="str"),
            "constant": 7,
        }
    )
    return study_of({"people": frame})


def long_table(subjects: int = 50, seed: int = 4, *, numbers: bool = False, dates: bool = True) -> Study:
    """One table of subjects at visits and no table of subjects; the sex never varies within a subject."""
    rng = np.random.default_rng(seed)
    who = np.repeat(np.arange(subjects), rng.integers(2, 6, subjects))
    visit = pd.Series(who).groupby(who).cumcount().to_numpy()
    frame = pd.DataFrame(
        {
            "subject_id": who + 1001 if numbers else np.array([f"S-{i + 1:03d}" for i in who], dtype=object),
            "sex": rng.choice(["F", "M"], subjects)[who],
            "visit": visit + 1,
            "date": day("2021-01-01", rng.integers(0, 100, subjects)[who] + 28.0 * visit),
            "hb": np.round(rng.normal(13, 1, subjects)[who] + rng.normal(0, 0.4, len(who)), 1),
            "grade": rng.choice(["0", "1", "2"], len(who)),
        }
    )
    return study_of({"lab": frame if dates else frame.drop(columns="date")})


def questionnaire(subjects: int = 40, seed: int = 6) -> Study:
    """Subjects with numbers for keys, three answers each, and no date at all."""
    rng = np.random.default_rng(seed)
    key = np.arange(1, subjects + 1) * 7
    answers = {"question": np.tile(["Q1", "Q2", "Q3"], subjects), "answer": rng.integers(1, 6, 3 * subjects)}
    return study_of(
        {
            "subjects": pd.DataFrame({"subject_id": key, "age": rng.integers(20, 80, subjects)}),
            "answers": pd.DataFrame({"subject_id": np.repeat(key, 3), **answers}),
        }
    )

"""References of a table to rows of its own."""

from __future__ import annotations

import numpy as np
import pandas as pd
from support.related import register, totals, wide
from support.studies import sdtm, shop, study_of
from support.tables import omop

from datareplicator import pipeline
from datareplicator.generate.request import GenerateRequest
from datareplicator.structure.discover import discover
from datareplicator.study import Study


def own(study: Study) -> dict[tuple[str, str], str]:
    keys = [k for k in discover(study).foreign_keys if k.table == k.parent]
    return {(k.table, k.columns[0]): k.parent_columns[0] for k in keys}


def made(study: Study, subjects: int = 300) -> dict[str, pd.DataFrame]:
    return pipeline.generate_study(pipeline.fit(study), GenerateRequest(subjects, seed=3), workers=1).frames()


def with_visit_before(study: Study) -> Study:
    frames = study.frames()
    visit = frames["visit_occurrence"]
    frames["visit_occurrence"] = visit.assign(
        preceding_visit_id=visit.groupby("person_id")["visit_occurrence_id"].shift(1).astype("Int64")
    )
    return study_of(frames)


def test_who_referred_a_subject_is_another_subject() -> None:
    found = own(totals())
    assert found == {("clients", "referred_by"): "client_id", ("staff", "manager_id"): "staff_id"}
    clients = made(totals())["clients"]
    named = clients["referred_by"].dropna()
    assert set(named) <= set(clients["client_id"])
    assert 0.4 < clients["referred_by"].notna().mean() < 0.62
    assert not (clients["referred_by"] == clients["client_id"]).any()


def test_fewer_subjects_name_subjects_that_are_there() -> None:
    model = pipeline.fit(totals())
    few, many = (
        pipeline.generate_study(model, GenerateRequest(n, seed=3), workers=1)["clients"].frame for n in (10, 90)
    )
    assert set(few["referred_by"].dropna()) <= set(few["client_id"])
    pd.testing.assert_series_equal(few["referred_by"], many["referred_by"].iloc[:10], check_dtype=False)


def test_rows_within_a_subject_name_rows_of_that_subject() -> None:
    source = with_visit_before(register())
    assert own(source) == {("visit_occurrence", "preceding_visit_id"): "visit_occurrence_id"}
    visit = made(source)["visit_occurrence"]
    person = visit.set_index("visit_occurrence_id")["person_id"]
    known = visit["preceding_visit_id"].notna()
    assert known.mean() > 0.4
    assert visit["preceding_visit_id"].equals(
        visit.groupby("person_id")["visit_occurrence_id"].shift(1).astype("Int64").rename("preceding_visit_id")
    )
    assert (person[visit.loc[known, "preceding_visit_id"]].to_numpy() == visit.loc[known, "person_id"].to_numpy()).all()


def test_small_numbers_are_no_references() -> None:
    for study in (shop(), omop(), register(), wide(), sdtm()):
        assert own(study) == {}
    frames = wide().frames()
    n = len(frames["patients"])
    rng = np.random.default_rng(1)
    frames["patients"] = frames["patients"].assign(
        number=np.arange(1, n + 1), site_id=rng.integers(1, 9, n), siblings=rng.integers(1, 5, n)
    )
    assert own(study_of(frames)) == {}

"""Studies that are not SDTM, from files to files and by content: shop, OMOP, ADaM, one table, long tables."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from support.studies import adam, sdtm, shop
from support.tables import DIASTOLIC, SYSTOLIC, long_table, omop, people, questionnaire
from typer.testing import CliRunner

from datareplicator import pipeline
from datareplicator.cli.app import app
from datareplicator.generate.request import GenerateRequest
from datareplicator.model.study_model import StudyModel
from datareplicator.study import Study
from datareplicator.validate import validate

Frames = dict[str, pd.DataFrame]


def replicate(study: Study, subjects: int = 300) -> tuple[StudyModel, Frames]:
    model = pipeline.fit(study)
    return model, make(model, subjects).frames()


def make(model: StudyModel, subjects: int) -> Study:
    return pipeline.generate_study(model, GenerateRequest(subjects, seed=3), workers=1)


def assert_below(child: pd.Series, parent: pd.Series) -> None:
    assert set(child) <= set(parent)


def test_shop_by_the_command_line(tmp_path: Path) -> None:
    source = shop()
    (tmp_path / "in").mkdir()
    for name, table in source.tables.items():
        table.frame.to_csv(tmp_path / "in" / f"{name}.csv", index=False)
    arguments = ["replicate", str(tmp_path / "in"), "--output", str(tmp_path / "out"), "--subjects", "150"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    new = {name: pd.read_csv(tmp_path / "out" / f"{name}.csv") for name in source}
    assert len(new["customers"]) == 150
    for name in ("customers", "orders", "order_lines"):
        assert new[name]["id"].is_unique
        assert new[name]["id"].min() > source[name].frame["id"].max()
        assert list(new[name].columns) == list(source[name].frame.columns)
    assert_below(new["orders"]["customer_id"], new["customers"]["id"])
    assert_below(new["order_lines"]["order_id"], new["orders"]["id"])
    assert_below(new["order_lines"]["product_id"], new["products"]["id"])
    pd.testing.assert_frame_equal(new["products"], source["products"].frame, check_dtype=False)


def test_shop_by_content() -> None:
    source = shop()
    _, new = replicate(source)
    lines, prices = new["order_lines"], new["products"].set_index("id")["price"]
    assert (lines["line_no"].astype(int) == lines.groupby("order_id").cumcount() + 1).all()
    assert np.allclose(lines["unit_price"], prices[lines["product_id"]])
    assert np.allclose(lines["amount"], lines["unit_price"] * lines["quantity"])
    for parent, child in (("customers", "orders"), ("orders", "order_lines")):
        before = len(source[child]) / len(source[parent])
        assert len(new[child]) / len(new[parent]) == pytest.approx(before, rel=0.15)
    ordered = new["orders"].merge(new["customers"], left_on="customer_id", right_on="id")
    assert (ordered["order_date"].astype("str") >= ordered["signup_date"].astype("str")).mean() > 0.95
    assert not set(new["customers"]["email"]) & set(source["customers"].frame["email"])


def test_omop_keeps_its_keys_and_the_course_of_visits() -> None:
    source = omop()
    _, new = replicate(source)
    visit = new["visit_occurrence"]
    for name in ("visit_occurrence", "condition_occurrence", "measurement"):
        assert new[name][f"{name}_id"].is_unique
        assert_below(new[name]["person_id"], new["person"]["person_id"])
    for name, date in (("condition_occurrence", "condition_start_date"), ("measurement", "measurement_date")):
        rows = new[name].merge(visit, on="visit_occurrence_id", how="left", suffixes=("", "_above"))
        assert (rows["person_id"] == rows["person_id_above"]).all()
        assert (rows[date] == rows["visit_start_date"]).all()
    assert (visit["visit_end_date"] >= visit["visit_start_date"]).all()
    assert ((visit["visit_end_date"] > visit["visit_start_date"]) == (visit["visit_concept_id"] == 9201)).mean() > 0.95
    values = new["measurement"].groupby("measurement_concept_id")["value_as_number"].mean()
    assert values[SYSTOLIC] == pytest.approx(130, abs=4)
    assert values[DIASTOLIC] == pytest.approx(80, abs=4)
    assert not new["measurement"].duplicated(["visit_occurrence_id", "measurement_concept_id"]).any()


def test_adam_derives_baseline_and_change() -> None:
    _, new = replicate(adam())
    advs = new["advs"]
    key = ["USUBJID", "PARAMCD"]
    base = advs[advs["ABLFL"].astype(object) == "Y"].set_index(key)["AVAL"]
    assert base.index.is_unique
    assert (advs.loc[advs["ABLFL"].notna(), "AVISIT"] == "Baseline").all()
    expected = base.reindex(pd.MultiIndex.from_frame(advs[key])).to_numpy()
    assert np.array_equal(advs["BASE"].to_numpy(), expected, equal_nan=True)
    later = advs["CHG"].notna()
    assert later.mean() > 0.6
    assert np.allclose(advs["CHG"][later], (advs["AVAL"] - advs["BASE"])[later])
    assert advs.groupby("PARAMCD", observed=True)["PARAM"].nunique().eq(1).all()
    ages = new["adsl"].set_index("USUBJID")["AGE"]
    assert (advs["AGE"].to_numpy() == ages[advs["USUBJID"]].to_numpy()).all()


def test_people_lose_their_personal_data_and_keep_their_numbers() -> None:
    source = people()
    _, new = replicate(source)
    before, after = source["people"].frame, new["people"]
    for column in ("patient_id", "full_name", "email", "phone"):
        assert not set(before[column]) & set(after[column]), column
    assert after["patient_id"].is_unique
    assert after["email"].str.fullmatch(r"[^@ ]+@example\.org").all()
    assert after["weight"].mean() == pytest.approx(before["weight"].mean(), abs=3)
    assert after["score"].isna().mean() == pytest.approx(before["score"].isna().mean(), abs=0.08)
    assert after["smoker"].mean() == pytest.approx(before["smoker"].mean(), abs=0.1)
    assert after["empty"].isna().all()
    assert after["constant"].eq(7).all()
    assert (after["enrolled"].dt.year.isin([2020, 2021])).all()
    assert (after["birth_date"].astype("str") < "2001").all()


@pytest.mark.parametrize("options", [{}, {"numbers": True}, {"dates": False}], ids=["texts", "numbers", "no dates"])
def test_a_long_table_makes_new_subjects_with_steady_facts(options: dict[str, bool]) -> None:
    source = long_table(**options)
    model, new = replicate(source)
    lab, before = new["lab"], source["lab"].frame
    assert list(new) == ["lab"]
    assert model.subjects_learned == 50
    assert lab["subject_id"].nunique() == 300
    assert not set(lab["subject_id"]) & set(before["subject_id"])
    assert lab.groupby("subject_id", observed=True)["sex"].nunique().eq(1).all()
    assert (lab["visit"] == lab.groupby("subject_id", observed=True).cumcount() + 1).all()
    assert len(lab) / 300 == pytest.approx(len(before) / 50, rel=0.15)
    assert lab["hb"].mean() == pytest.approx(before["hb"].mean(), abs=0.3)
    assert lab["hb"].std() == pytest.approx(before["hb"].std(), rel=0.2)


def test_every_subject_answers_every_question_once() -> None:
    _, new = replicate(questionnaire())
    counts = new["answers"].groupby(["subject_id", "question"], observed=True).size()
    assert len(counts) == 900
    assert counts.eq(1).all()


STUDIES: dict[str, Callable[[int], Study]] = {
    "shop": shop,
    "omop": omop,
    "adam": adam,
    "people": people,
    "long": long_table,
    "questionnaire": questionnaire,
    "sdtm": sdtm,
}


@pytest.mark.parametrize("subjects", [1, 2, 5])
@pytest.mark.parametrize("name", STUDIES)
def test_few_subjects(name: str, subjects: int) -> None:
    source = STUDIES[name](subjects)
    model = pipeline.fit(source)
    made = make(model, 40)
    found = validate(made, baseline=source, structure=model.structure).details
    keys = found[found["rule"].isin(["DR1101", "DR1201"])]
    assert (keys["rate"] <= keys["baseline_rate"].fillna(0.0) + 1e-9).all(), keys.to_string()
    assert any("subject" in note for note in model.notes)


@pytest.mark.parametrize("name", ["shop", "omop", "long", "sdtm"])
def test_the_first_subjects_of_a_larger_request_are_those_of_a_smaller_one(name: str) -> None:
    model = pipeline.fit(STUDIES[name](30))
    few, many = make(model, 100).frames(), make(model, 300).frames()
    for table, frame in few.items():
        pd.testing.assert_frame_equal(frame.astype(object), many[table].iloc[: len(frame)].astype(object))

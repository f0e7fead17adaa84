"""Subjects of a scenario are coherent in every domain: the rules find no more in them than without."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from support.studies import adam, sdtm, shop, study_of
from support.tables import omop

import datareplicator as dr
from datareplicator import pipeline
from datareplicator.api import Model
from datareplicator.errors import RequestError
from datareplicator.generate.conditions.asked import Scenario
from datareplicator.generate.conditions.candidates import Candidates
from datareplicator.generate.conditions.units import unit_names, wanted
from datareplicator.run import read_run
from datareplicator.study import Study
from datareplicator.validate import validate

NEW_TERMS = {"DR0913", "DR0951", "DR1301"}
"""Rules that say that the source does not know a code: terms that a scenario brings along have none."""
EACH = 4


@pytest.fixture(scope="module")
def sample_model(model: Path) -> Model:
    return dr.load_model(model)


@pytest.fixture(scope="module")
def edited(sample_model: Model) -> Study:
    """A study with all bundled scenarios, as many as possible of them made by their steps."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Candidates, "patience", 0)
        names = [name for name in unit_names() if name != "screen-failure"]
        asked = [{"name": name, "subjects": EACH} for name in names] + [{"name": "screen-failure", "subjects": 2}]
        return sample_model.generate(110, seed=4, scenarios=asked)


def rows(study: Study, table: str, query: str) -> pd.DataFrame:
    return study[table].frame.query(query)


def subjects(study: Study, table: str, query: str) -> set[str]:
    return set(rows(study, table, query)["USUBJID"])


def test_each_scenario_is_there(edited: Study) -> None:
    shown = {ended.condition.removeprefix("scenario "): ended.subjects for ended in edited.conditions}
    assert set(shown) == set(unit_names())
    assert all(number == (2 if name == "screen-failure" else EACH) for name, number in shown.items())
    assert sum(ended.edited > 0 for ended in edited.conditions) >= 6


def test_the_rules_find_no_more_errors_than_without(edited: Study, sample_model: Model) -> None:
    found = validate(edited, structure=sample_model.structure, detectors=False)
    plain = validate(sample_model.generate(110, seed=4), structure=sample_model.structure, detectors=False)
    known = {t.rule.id for t in plain.tallies if t.count}
    errors = {t.rule.id: t.count for t in found.tallies if t.count and t.rule.severity == "error"}
    assert {rule: n for rule, n in errors.items() if rule not in known | NEW_TERMS} == {}
    coded = set(found.to_frame().query("rule in @NEW_TERMS")["subject"])
    new = "AEDECOD.str.contains('PREGNAN|OVERDOSE')"
    assert coded <= subjects(edited, "ae", new)


def test_a_death_is_the_same_everywhere(edited: Study) -> None:
    dead = subjects(edited, "dm", "DTHFL == 'Y'")
    fatal = rows(edited, "ae", "AEOUT == 'FATAL'")
    assert set(fatal["USUBJID"]) == dead == subjects(edited, "ds", "DSDECOD == 'DEATH'")
    assert (fatal["AESER"] == "Y").all()
    assert (fatal["AESDTH"] == "Y").all()
    day = edited["dm"].frame.set_index("USUBJID")["DTHDTC"].dropna().str[:10]
    assert (fatal.set_index("USUBJID")["AEENDTC"].str[:10] == day[fatal["USUBJID"]]).all()
    for table, column in (("vs", "VSDTC"), ("lb", "LBDTC"), ("ae", "AESTDTC"), ("ex", "EXSTDTC"), ("sv", "SVSTDTC")):
        frame = edited[table].frame
        late = frame[frame["USUBJID"].isin(dead) & frame[column].notna()]
        assert not (late[column].str[:10] > late["USUBJID"].map(day)).any(), table


def test_what_ends_early_has_nothing_later(edited: Study) -> None:
    ended = rows(edited, "ds", "DSDECOD == 'LOST TO FOLLOW-UP'").groupby("USUBJID")["DSSTDTC"].max().str[:10]
    visits = edited["sv"].frame
    late = visits[visits["USUBJID"].isin(ended.index)]
    assert len(late)
    assert not (late["SVSTDTC"].str[:10] > late["USUBJID"].map(ended)).any()
    number = edited["ae"].frame.groupby("USUBJID")["AESEQ"]
    assert (number.max() == number.size()).all()


def test_pregnancies_are_of_women_and_overdoses_of_the_treated(edited: Study) -> None:
    women = subjects(edited, "dm", "SEX == 'F'")
    pregnant = subjects(edited, "ae", "AEDECOD == 'PREGNANCY'")
    assert len(pregnant) == EACH
    assert pregnant <= women & subjects(edited, "dm", "AGE <= 50")
    assert subjects(edited, "ae", "AEDECOD == 'OVERDOSE'") <= subjects(edited, "ex", "EXDOSE > 0")


def test_hys_law_is_met_at_one_visit_and_written_alike(edited: Study) -> None:
    lb = edited["lb"].frame
    high = lb[lb["LBTESTCD"].isin(["ALT", "AST"]) & (lb["LBSTRESN"] > 3 * lb["LBSTNRHI"])]
    yellow = lb[(lb["LBTESTCD"] == "BILI") & (lb["LBSTRESN"] > 2 * lb["LBSTNRHI"])]
    both = high.merge(yellow, on=["USUBJID", "VISITNUM"])
    assert both["USUBJID"].nunique() >= EACH
    assert (high["LBNRIND"] == "HIGH").all()
    assert (pd.to_numeric(high["LBSTRESC"]) == high["LBSTRESN"]).all()


def test_missing_baselines_leave_no_changes(edited: Study) -> None:
    vs, start = edited["vs"].frame, edited["dm"].frame.set_index("USUBJID")["RFSTDTC"].str[:10]
    treated = vs[vs["USUBJID"].isin(start.dropna().index)]
    before = treated[treated["VSDTC"].str[:10] <= treated["USUBJID"].map(start)]
    without = set(treated["USUBJID"]) - set(before["USUBJID"])
    assert len(without) >= EACH
    assert not (vs["USUBJID"].isin(without) & vs["VSBLFL"].eq("Y")).any()


def test_an_event_that_the_source_never_shows_is_supplied() -> None:
    """The small study knows neither deaths nor dispositions: the steps bring what it has columns for."""
    learned = Model(pipeline.fit(sdtm(40)))
    unit = {"name": "worsening", "subjects": 5}
    with pytest.raises(RequestError, match="no scenario 'worsening'"):
        learned.generate(30, scenarios=[unit])
    with pytest.raises(RequestError, match="no variable 'AEOUT'"):
        learned.generate(30, scenarios=[{"name": "fatal-adverse-event", "subjects": 5}])
    made = learned.generate(30, scenarios=[{"name": "pregnancy", "subjects": 5}])
    pregnant = made["ae"].frame.query("AEDECOD == 'PREGNANCY'")
    assert pregnant["USUBJID"].nunique() == 5
    assert pregnant["AEBODSYS"].str.startswith("PREGNANCY").all()
    assert made.conditions[0].edited == 5


def test_who_can_be_pregnant_is_said_by_the_study(sample_model: Model) -> None:
    asked = {"name": "pregnancy", "subjects": 1}
    with pytest.raises(RequestError, match=r"AGE >= 12 and AGE <= 15: dm.AGE was learned to be from 45 to 80"):
        sample_model.generate(20, scenarios=[asked | {"with": {"oldest": 15}}])
    with pytest.raises(RequestError, match=r"scenario pregnancy: there is no table 'DM'"):
        Model(pipeline.fit(adam(20))).generate(5, scenarios=[asked])
    coded = sdtm(30)
    dm = coded["dm"]
    sex = dm.frame["SEX"].map({"F": "1", "M": "2"}).astype("str")
    coded = Study(coded.tables | {"dm": replace(dm, frame=dm.frame.assign(SEX=sex))})
    with pytest.raises(RequestError, match=r"no value of DM.SEX is known to mean women"):
        Model(pipeline.fit(coded)).generate(20, scenarios=[asked])
    made = Model(pipeline.fit(coded)).generate(20, scenarios=[asked | {"with": {"women": "1"}}])
    assert made.conditions[0].subjects == 1


OWN = """
name: severe-late
parameters: {severity: SEVERE, day: 20}
holds:
  - {domain: AE, where: "AESEV = {severity} and AESTDY >= {day}"}
edits:
  - set: AE
    pick: last
    values: {AESEV: "{severity}", AESTDTC: "day_of(DM.RFSTDTC) + {day}"}
"""


def test_a_unit_of_ones_own_is_given_by_its_path(tmp_path: Path, model: Path) -> None:
    (tmp_path / "own.yaml").write_text(OWN)
    (tmp_path / "run.yaml").write_text(
        f"model: {model}\nsubjects: 20\noutput: out\n"
        "scenarios:\n  - {name: own.yaml, subjects: 6, with: {day: 30}}\n"
    )
    outcome = pipeline.generate(read_run(tmp_path / "run.yaml"))
    assert outcome.conditions[0].subjects >= 6
    assert outcome.manifest.conditions == outcome.conditions
    assert outcome.manifest.request.control["scenarios"][0]["subjects"] == 6


CHURN = """
name: churn
holds:
  - {domain: orders, where: "order_date > day_of(customers.signup_date) + 300", rows: none}
  - {domain: orders, where: "order_date is not missing"}
edits:
  - {drop: orders, where: "order_date > day_of(customers.signup_date) + 300"}
"""
PAGE = (Path(__file__).resolve().parents[3] / "docs/how-to/constrain-a-study.md").read_text(encoding="utf-8")
HYPERTENSION = PAGE.partition("```yaml omop\n")[2].partition("```")[0]


def test_units_for_studies_of_any_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What stands below a row goes with it; what an edit makes is still there when all is computed."""
    monkeypatch.setattr(Candidates, "patience", 0)
    for name, text in (("churn", CHURN), ("hypertension", HYPERTENSION)):
        (tmp_path / name).write_text(text)
    made = Model(pipeline.fit(shop(40))).generate(30, scenarios=[{"name": str(tmp_path / "churn"), "subjects": 8}])
    frames = made.frames()
    assert made.conditions[0].subjects == 8
    assert set(frames["order_lines"]["order_id"]) <= set(frames["orders"]["id"])
    asked = [{"name": str(tmp_path / "hypertension"), "subjects": 8}]
    persons = Model(pipeline.fit(omop(40)))
    made = persons.generate(20, scenarios=asked)
    condition, measurement = made["condition_occurrence"].frame, made["measurement"].frame
    ill = set(condition["person_id"][condition["condition_concept_id"] == 316866])
    assert len(ill) == made.conditions[0].subjects == 8
    assert ill <= set(measurement["person_id"][measurement["value_as_number"] > 160])
    assert condition["condition_occurrence_id"].is_unique
    with pytest.raises(RequestError, match=r"no table 'DS'.*a unit of your own can speak of any"):
        persons.generate(5, scenarios=[{"name": "lost-to-follow-up", "subjects": 1}])


def test_a_variant_is_taken_where_the_study_has_other_tables() -> None:
    source = adam(60)
    adsl = source["adsl"]
    reason = np.resize(["LOST TO FOLLOW-UP", "Adverse Event", None, None, None], 60)
    source = Study(source.tables | {"adsl": study_of({"adsl": adsl.frame.assign(DCSREAS=reason)})["adsl"]})
    asked = [{"name": "lost-to-follow-up", "subjects": 9}, {"name": "withdrawal-for-adverse-event", "subjects": 1}]
    made = Model(pipeline.fit(source)).generate(30, scenarios=asked)
    assert made["adsl"].frame["DCSREAS"].value_counts().to_dict() == {"LOST TO FOLLOW-UP": 9, "Adverse Event": 1}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: x\nholds: []", "holds"),
        ("name: x\nholds:\n  - {domain: AE}", "where"),
        ("name: x\nhold: 1", "hold"),
        ("- a", "unit"),
        ("a: [", "YAML"),
        (OWN.replace("set: AE", "set: AE\n    drop: AE"), "exactly one of"),
    ],
)
def test_bad_units_are_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "bad.yaml").write_text(text)
    with pytest.raises(RequestError, match=message):
        wanted(Scenario(name="bad.yaml", subjects=1), tmp_path)


def test_unknown_parameters_and_too_many_subjects_are_refused(sample_model: Model) -> None:
    with pytest.raises(RequestError, match="no parameter 'dya'"):
        sample_model.generate(10, scenarios=[{"name": "early-completion", "subjects": 1, "with": {"dya": 3}}])
    with pytest.raises(RequestError, match="11 subjects are asked for of 10"):
        sample_model.generate(10, scenarios=[{"name": "early-completion", "subjects": 11}])
    with pytest.raises(RequestError, match="Did you mean 'hys-law'"):
        sample_model.generate(10, scenarios=[{"name": "hyslaw", "subjects": 1}])

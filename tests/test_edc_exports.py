"""Exports of a clinical database: forms with the subject's and the visit's columns in front, dates as sites write them,
codes beside their texts, laboratory results in a long table."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import datareplicator as dr
from datareplicator.pipeline.replication import without_rows
from datareplicator.structure.spec import Layout

FOLDERS = {"SCR": ("Screening", -14), "C1D1": ("Cycle 1 Day 1", 0), "C2D1": ("Cycle 2 Day 1", 28), "EOT": ("End", 56)}
SITES = ("Mercy Hospital", "Clinic Graz", "Royal Infirmary")
ANALYTES = {"HGB": (12.3, 1.2, "g/dL", 12.0, 16.0), "PLT": (260.0, 110.0, "10^9/L", 150.0, 400.0)}
EVENTS = (("Nausea", "Nausea"), ("tired", "Fatigue"), ("fatigue", "Fatigue"), ("headache", "Headache"))


def written(day: pd.Timestamp) -> str:
    """A date as the database exports it."""
    return day.strftime("%d %b %Y")


def forms(seed: int = 1, n: int = 20) -> dict[str, pd.DataFrame]:
    """A study of four forms."""
    rng = np.random.default_rng(seed)
    rows: dict[str, list[dict]] = {"DM": [], "VS": [], "LB": [], "AE": []}
    for k in range(n):
        site = k % 3
        start = pd.Timestamp("2024-02-01") + pd.Timedelta(days=int(rng.integers(0, 200)))
        front = {"Project": "ONC", "SubjectId": 88000 + 7 * k, "Subject": f"{101 + site}-{k // 3 + 1:03}"}
        front |= {"Site": SITES[site], "SiteNumber": 101 + site}
        sex, weight, base = rng.choice(["Female", "Male"]), rng.normal(75, 12), rng.standard_normal(2)
        rows["DM"].append(
            front | {"AGE": int(rng.integers(35, 80)), "SEX": sex, "SEX_STD": sex[0], "RANDDAT": written(start)}
        )
        for folder, (name, planned) in FOLDERS.items():
            day = written(start + pd.Timedelta(days=planned + int(rng.integers(-2, 3))))
            visit = front | {"Folder": folder, "FolderName": name}
            rows["VS"].append(visit | {"VSDAT": day, "WEIGHT": round(weight + rng.normal(0, 0.8), 1)})
            for (analyte, (mean, spread, unit, low, high)), own in zip(ANALYTES.items(), base, strict=True):
                value = round(mean + spread * (0.9 * own + 0.4 * rng.standard_normal()), 1)
                flag = "L" if value < low else "H" if value > high else None
                result = {
                    "AnalyteName": analyte,
                    "AnalyteValue": value,
                    "LabUnits": unit,
                    "LabLow": low,
                    "LabHigh": high,
                }
                judged = {"LabFlag": flag, "ClinSignif": rng.choice(["Yes", "No"], p=[0.2, 0.8]) if flag else None}
                rows["LB"].append(visit | {"LBDAT": day} | result | judged)
        for j in range(rng.poisson(2)):
            term, coded = EVENTS[int(rng.integers(4))]
            begun = start + pd.Timedelta(days=int(rng.integers(1, 50)))
            text = "UN UNK 2023" if rng.random() < 0.2 else written(begun)
            rows["AE"].append(front | {"RecordPosition": j + 1, "AETERM": term, "AETERM_PT": coded, "AESTDAT": text})
    return {name: pd.DataFrame(some) for name, some in rows.items()}


@pytest.fixture(scope="module")
def replicated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[dr.Study, dr.Model, dr.Study]]:
    """The source as it is read, its model, and a study of new subjects."""
    folder: Path = tmp_path_factory.mktemp("export")
    for name, frame in forms().items():
        frame.to_csv(folder / f"{name}.csv", index=False)
    source = dr.read_study(folder)
    model = dr.fit(source)
    yield source, model, model.generate(subjects=60, seed=3)


def test_forms_are_known_for_what_they_are(replicated: tuple[dr.Study, dr.Model, dr.Study]) -> None:
    structure = replicated[1].structure
    assert structure.visit == "Folder"
    results, events = structure.tables["LB"], structure.tables["AE"]
    assert (results.layout, results.test, results.value) == (Layout.FINDINGS, "AnalyteName", "AnalyteValue")
    assert events.layout in (Layout.EVENTS, Layout.SETS)
    assert {d.target for d in structure.derivations if d.table == "LB"} >= {"LabFlag", "LabUnits", "LabLow", "LabHigh"}


def test_every_form_has_as_many_rows_a_subject(replicated: tuple[dr.Study, dr.Model, dr.Study]) -> None:
    source, _, made = replicated
    for name, table in source.tables.items():
        rows = len(made.tables[name].frame) / 60
        assert rows == pytest.approx(len(table.frame) / 20, rel=0.35), name


def test_what_is_copied_into_all_forms_agrees(replicated: tuple[dr.Study, dr.Model, dr.Study]) -> None:
    made = replicated[2]
    subjects = made.tables["DM"].frame.set_index("SubjectId")
    assert (subjects["Subject"].str[:3] == subjects["SiteNumber"].astype(str)).all()
    assert subjects["Subject"].is_unique
    for name in ("VS", "LB", "AE"):
        form = made.tables[name].frame
        for column in ("Subject", "Site", "SiteNumber"):
            assert (form[column].to_numpy() == subjects[column].reindex(form["SubjectId"]).to_numpy()).all()


def test_what_is_said_of_a_flag_stands_beside_flags_alone(replicated: tuple[dr.Study, dr.Model, dr.Study]) -> None:
    results = replicated[2].tables["LB"].frame
    assert (results["LabFlag"].notna() == results["ClinSignif"].notna()).all()


def test_no_rule_is_broken_that_the_source_keeps(replicated: tuple[dr.Study, dr.Model, dr.Study]) -> None:
    source, _, made = replicated
    found = dr.validate(made, baseline=source)
    assert found.ok, found.headline()


def test_partial_dates_stay_partial(replicated: tuple[dr.Study, dr.Model, dr.Study], tmp_path: Path) -> None:
    replicated[2].write(tmp_path / "out", format="same")
    begun = pd.read_csv(tmp_path / "out" / "AE.csv")["AESTDAT"]
    partial = begun.str.fullmatch(r"UN UNK \d{4}")
    assert 0.05 < partial.mean() < 0.4
    assert begun[~partial].str.fullmatch(r"\d\d [A-Z][a-z]{2} \d{4}").all()


def test_a_table_without_a_row_is_told(replicated: tuple[dr.Study, dr.Model, dr.Study]) -> None:
    model = replicated[1]._document
    rows = [0 if source.name == "LB" else 9 for source in model.sources]
    (note,) = without_rows(model, rows, 60)
    assert note.startswith("LB: no row was made, though the source has 160")
    assert not without_rows(model, rows, 1)


def repeated(seed: int = 2, n: int = 30) -> pd.DataFrame:
    """One table of a project in REDCap: a row an event, what is asked for once in the first one alone."""
    rng, rows = np.random.default_rng(seed), []
    for k in range(n):
        start = pd.Timestamp("2023-03-01") + pd.Timedelta(days=int(rng.integers(0, 300)))
        weight, age = rng.normal(80, 14), int(rng.integers(30, 80))
        for number, event in enumerate(("baseline_arm_1", "month_3_arm_1", "month_6_arm_1")):
            day = start + pd.Timedelta(days=91 * number + (int(rng.integers(-7, 8)) if number else 0))
            row = {"record_id": k + 1, "redcap_event_name": event, "visit_date": day.strftime("%Y-%m-%d")}
            if not number:
                born = start - pd.Timedelta(days=365 * age + 100)
                row |= {
                    "dob": born.strftime("%Y-%m-%d"),
                    "sex": int(rng.integers(1, 3)),
                    "height": int(rng.normal(168, 9)),
                }
            answers = rng.integers(0, 4, 3)
            row |= {f"phq{j + 1}": int(a) for j, a in enumerate(answers)} | {"phq_total": int(answers.sum())}
            rows.append(row | {"weight": round(weight + rng.normal(0, 0.8), 1)})
    frame = pd.DataFrame(rows)
    return frame.astype({"sex": "Int64", "height": "Int64"})


def test_events_of_a_project_are_visits_of_a_subject() -> None:
    source = repeated()
    model = dr.fit(dr.read_study({"export": source}))
    made = model.generate(subjects=50, seed=3).tables["export"].frame
    assert model.structure.tables["export"].layout == Layout.VISITS
    assert made.groupby("redcap_event_name").size().eq(50).all()
    first = made["redcap_event_name"] == "baseline_arm_1"
    for column in ("dob", "sex", "height"):
        assert (made[column].notna() == first).all()
    assert (made[["phq1", "phq2", "phq3"]].sum(axis=1) == made["phq_total"]).all()
    days = pd.to_datetime(made["visit_date"])
    assert days.between("2022-06-01", "2025-06-01").all()
    assert (days.groupby(made["record_id"]).diff().dropna().dt.days.between(70, 112)).all()
    level = made.groupby("record_id")["weight"]
    assert level.var().mean() < 0.2 * made["weight"].var()

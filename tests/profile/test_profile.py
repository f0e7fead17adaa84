"""Profiles: what they say of studies whose content is known, and what they keep to themselves."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from support.studies import shop, study_of

from datareplicator.formats import read_study
from datareplicator.profile import Profile, profile
from datareplicator.profile.labels import labels_of, visit_labels
from datareplicator.structure.discover import discover
from datareplicator.structure.logical import to_logical


@pytest.fixture(scope="module")
def sample_profile(sample: Path) -> Profile:
    study = read_study(sample)
    return profile(study, discover(study))


@pytest.fixture(scope="module")
def shop_profile() -> Profile:
    study = shop()
    return profile(study, discover(study))


def test_the_sample_is_described(sample_profile: Profile) -> None:
    assert sample_profile.standard == "SDTM"
    assert sample_profile.subjects == 20
    assert (sample_profile.subject_key, sample_profile.root, sample_profile.reference_start) == (
        "USUBJID", "dm", "RFSTDTC",
    )  # fmt: skip
    assert sum(arm.subjects for arm in sample_profile.arms) == 18
    week2 = next(v for v in sample_profile.visits if v.label == "WEEK 2")
    assert week2.days is not None
    assert week2.subjects == 18
    assert week2.days[1] == 14
    assert any("AESTDY: study day of AESTDTC from RFSTDTC" in held for held in sample_profile.computed["ae"])
    assert any("dm.DTHFL = Y exactly with ae.AEOUT = FATAL" in link for link in sample_profile.links)


def test_text_is_aligned_and_fits_a_page_or_two(sample_profile: Profile) -> None:
    lines = sample_profile.to_text().splitlines()
    assert max(map(len, lines)) <= 120
    assert len(lines) < 130
    start = next(i for i, line in enumerate(lines) if line.startswith("TABLE"))
    column = lines[start].index("LAYOUT")
    assert all(line[column - 1] == " " != line[column] for line in lines[start : start + 19])


def test_rare_categories_and_personal_data_are_not_named() -> None:
    rng = np.random.default_rng(1)
    n = 60
    frame = pd.DataFrame(
        {
            "patient_id": np.arange(1000, 1000 + n),
            "email": [f"patient{i}@example.org" for i in range(n)],
            "race": np.array(["common"] * 57 + ["onlyone", "pairwise", "pairwise"], dtype=object),
            "weight": rng.normal(70, 9, n).round(1),
        }
    )
    study = study_of({"patients": frame})
    found = profile(study, discover(study))
    text, content = found.to_text(), found.to_json()
    for said in (text, content):
        assert "common" in said
        assert "onlyone" not in said and "pairwise" not in said
        assert "@example.org" not in said
    assert "patients.email (email)" in text
    assert "onlyone" in found.to_json(rare=True)


def test_a_relational_folder_is_described_with_its_columns(shop_profile: Profile) -> None:
    text = shop_profile.to_text()
    assert "standard  none recognised" in text
    assert "order_lines (order_id) -> orders (id)" in text
    assert "COLUMNS OF orders" in text
    status = next(line for line in text.splitlines() if line.startswith("status"))
    assert "paid" in status


def test_json_is_plain_json(sample_profile: Profile) -> None:
    content = json.loads(sample_profile.to_json())
    assert content["subjects"] == 20
    assert {table["name"] for table in content["tables"]} >= {"dm", "ae", "lb", "vs"}


def test_labels_stand_beside_codes(sample: Path) -> None:
    study = read_study(sample)
    structure = discover(study)
    frames = to_logical(study, structure)
    assert labels_of(frames["vs"], structure.tables["vs"], "VSTESTCD")["SYSBP"] == "Systolic Blood Pressure"
    assert visit_labels(frames, structure)[3.0] == "WEEK 2"


def test_a_table_without_subjects_is_described() -> None:
    study = study_of({"t": pd.DataFrame({"a": np.arange(50) % 7, "b": ["x", "y"] * 25})})
    found = profile(study, discover(study))
    assert found.rows == 50
    assert found.standard is None
    assert "TABLE" in found.to_text()


def test_codes_that_share_a_label_show_themselves() -> None:
    frame = pd.DataFrame({"VISITNUM": [1.0, 2.0, 3.1, 3.2] * 5, "VISIT": ["ONE", "TWO", "EXTRA", "EXTRA"] * 5})
    study = study_of({"sv": frame.assign(USUBJID=np.repeat([f"S{i}" for i in range(5)], 4))})
    spec = discover(study).tables["sv"]
    assert labels_of(frame, spec, "VISITNUM") == {1.0: "ONE", 2.0: "TWO", 3.1: "EXTRA (3.1)", 3.2: "EXTRA (3.2)"}

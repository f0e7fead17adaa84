"""What validation hands back: counts, rates against the baseline, rows, texts, JSON."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from datareplicator.data import sample_study_path
from datareplicator.dates import parse
from datareplicator.errors import StructureError
from datareplicator.formats import read_study
from datareplicator.structure.discover import discover
from datareplicator.study import Column, Study, Table
from datareplicator.validate import Findings, validate
from datareplicator.validate.part import Part, later


@pytest.fixture(scope="module")
def sample() -> Study:
    return read_study(sample_study_path())


@pytest.fixture(scope="module")
def structure(sample):
    return discover(sample)


@pytest.fixture(scope="module")
def damaged(sample) -> Study:
    """Every fifth pulse has a wrong number."""
    frame = sample["vs"].frame.copy()
    rows = np.flatnonzero((frame.VSTESTCD == "PULSE") & frame.VSSTRESN.notna())[::5]
    frame.loc[rows, "VSSTRESN"] = 9999.0
    return Study(sample.tables | {"vs": replace(sample["vs"], frame=frame)}, sample.name)


@pytest.fixture(scope="module")
def findings(sample, structure, damaged) -> Findings:
    return validate(damaged, baseline=sample, structure=structure, limit=10)


def test_the_sample_study_keeps_all_rules(sample, structure):
    clean = validate(sample, structure=structure)
    found = clean.to_frame()
    # Medical history has dates without study days beside them, and one of the three sites rounds blood pressures.
    assert set(found.loc[found["rule"] == "DR0008", "table"]) == {"mh"}
    assert found.loc[found["rule"] == "DR2001", "values"].str.contains("site=011").all()
    assert clean.ok and set(found["rule"]) == {"DR0008", "DR2001"}
    assert len(clean.tallies) > 150 and "2 broken" in clean.headline()


def test_findings_are_counted_completely_and_kept_in_part(findings, damaged):
    wrong = int((damaged["vs"].frame.VSSTRESN == 9999).sum())
    summary = findings.summary().set_index("rule")
    assert summary.loc["DR0302", "count"] == wrong > 10
    assert summary.loc["DR0302", "rate"] == pytest.approx(wrong / summary.loc["DR0302", "checked"])
    assert summary.loc["DR0302", "baseline_rate"] == 0 and summary.loc["DR0302", "core"] == "CORE-000542"
    assert summary.loc["DR1602", "count"] == wrong
    frame = findings.to_frame()
    assert (frame["rule"] == "DR0302").sum() == 10 and not findings.ok


def test_a_finding_names_its_place_and_values(findings, damaged):
    found = findings.to_frame().query("rule == 'DR0302'").iloc[0]
    row = damaged["vs"].frame.iloc[found["row"] - 1]
    assert found["table"] == "vs" and found["subject"] == row.USUBJID
    assert row.VSSTRESN == 9999 and "VSSTRESN=9999" in found["values"] and found["variables"] == "VSSTRESC, VSSTRESN"


def test_details_say_what_was_checked(findings):
    broken = findings.details[findings.details["count"] > 0]
    assert {"rule", "table", "detail", "count", "checked", "rate", "baseline_rate"} == set(broken.columns)
    assert ("VS", "DR0302") in set(zip(broken["table"], broken["rule"], strict=True))


def test_json_and_text(findings):
    content = json.loads(findings.to_json())
    assert content["headline"] == findings.headline()
    assert len(content["findings"]) == len(findings.to_frame())
    text = findings.to_text(examples=1)
    assert "DR0302" in text and "baseline 0.00%" in text and "VSSTRESN=9999" in text


def test_a_rate_as_in_the_baseline_is_no_failure(damaged, structure):
    assert validate(damaged, baseline=damaged, structure=structure).ok


def test_a_study_that_has_no_structure_is_still_checked_against_sdtm(sample):
    frame = sample["dm"].frame.assign(USUBJID=pd.Series([None] * len(sample["dm"]), dtype="str"))
    ae = sample["ae"].frame.assign(USUBJID=pd.Series([None] * len(sample["ae"]), dtype="str"))
    tables = {"dm": replace(sample["dm"], frame=frame), "ae": replace(sample["ae"], frame=ae)}
    found = validate(Study(tables))
    assert not found.ok
    assert found.summary().set_index("rule").loc["DR0105", "count"] >= len(frame) + len(ae)


def test_rows_that_are_no_study_are_refused():
    with pytest.raises(StructureError):
        validate(Study({"t": Table("t", pd.DataFrame({"x": pd.Series(dtype="str")}), {"x": Column("x", "text")})}))


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        ("2024-03-06", "2024-03-05", True),
        ("2024-03-05T10:00", "2024-03-05", False),
        ("2024-03-05T10:00", "2024-03-05T09:59", True),
        ("2024-03", "2024-03-01", False),
        ("2024-04", "2024-03-31", True),
        ("2025", "2024-12-31", True),
        ("2024", None, False),
        ("soon", "2001-01-01", False),
    ],
)
def test_dates_are_compared_at_common_precision(low, high, expected):
    moments = (parse(pd.Series([text], dtype="str")) for text in (low, high))
    assert later(*moments).tolist() == [expected]


def test_groups_take_missing_for_a_value():
    part = Part.of("t", {"t": pd.DataFrame({"a": ["x", None, None, "x"], "b": [1.0, 1.0, 1.0, np.nan]})})
    assert part.groups(["a", "b"]).tolist() == [0, 1, 1, 2]
    assert part.repeated(["a", "b"]).tolist() == [False, False, True, False]

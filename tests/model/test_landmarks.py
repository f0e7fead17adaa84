"""Days of subjects in tables that are there already."""

from __future__ import annotations

import numpy as np
import pandas as pd

from datareplicator.model.landmarks import find_landmarks

SUBJECT = np.array([0, 0, 1, 1, 2])
DAY = np.array([0.0, 50.0, 0.0, np.nan, 3.0])
SCAT = pd.DataFrame({"DSSCAT": pd.Series(["TREATMENT", "STUDY", "TREATMENT", "STUDY", "STUDY"], dtype="str")})


def test_first_last_and_the_one_row_of_a_category() -> None:
    found = {m.name: m for m in find_landmarks("ds", {"DSSTDTC": DAY}, SUBJECT, SCAT)}
    assert set(found) == {
        "last ds.DSSTDTC",
        "first ds.DSSTDTC",
        "where ds.DSSTDTC where DSSCAT=TREATMENT",
        "where ds.DSSTDTC where DSSCAT=STUDY",
    }
    values = {name: m.days(DAY, SUBJECT, SCAT["DSSCAT"], 4).tolist() for name, m in found.items()}
    assert str(values["first ds.DSSTDTC"]) == "[0.0, 0.0, 3.0, nan]"
    assert str(values["last ds.DSSTDTC"]) == "[50.0, 0.0, 3.0, nan]"
    assert str(values["where ds.DSSTDTC where DSSCAT=STUDY"]) == "[50.0, nan, 3.0, nan]"


def test_a_value_that_a_subject_has_twice_tells_no_row() -> None:
    twice = pd.DataFrame({"c": pd.Series(["X", "X", "Y", "X", "Y"], dtype="str")})
    names = [m.value for m in find_landmarks("t", {"d": DAY}, SUBJECT, twice) if m.pick == "where"]
    assert names == ["Y"]

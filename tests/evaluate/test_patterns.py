"""What one study shows: courses, events by arm, correlations."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from datareplicator import read_study, sample_study_path
from datareplicator.evaluate.patterns import Patterns, patterns
from datareplicator.structure.discover import discover
from datareplicator.study import Column, Study, Table


@pytest.fixture(scope="module")
def study():
    return read_study(sample_study_path())


@pytest.fixture(scope="module")
def found(study):
    return patterns(study, discover(study))


def test_courses_are_the_quantiles_of_the_values_by_arm_and_visit(study, found):
    course = next(one for one in found.courses if (one.table, one.test) == ("vs", "SYSBP"))
    rows = study["vs"].frame
    rows = rows[(rows["VSTESTCD"] == "SYSBP") & rows["VSSTRESN"].notna()]
    arm = study["dm"].frame.set_index("USUBJID")["ARM"]
    rows = rows.assign(ARM=rows["USUBJID"].map(arm))
    for a, name in enumerate(found.arms):
        for v, visit in enumerate(course.visits):
            means = rows[(rows["ARM"] == name) & (rows["VISIT"] == visit)].groupby("USUBJID")["VSSTRESN"].mean()
            assert course.n[a][v] == len(means)
            if len(means) >= 3:
                assert course.middle[a][v] == pytest.approx(float(np.median(means)), rel=1e-3)
            else:
                assert course.low[a][v] is course.middle[a][v] is course.high[a][v] is None


def test_events_are_counted_by_arm_and_terms_of_few_are_not_told(study, found):
    adverse = next(one for one in found.events if one.table == "ae")
    frame, arms = study["ae"].frame, study["dm"].frame.set_index("USUBJID")["ARM"]
    rows = frame["USUBJID"].map(arms).value_counts()
    sizes = arms.value_counts()
    assert found.subjects == tuple(int(sizes[arm]) for arm in found.arms)
    assert adverse.rows == pytest.approx([rows.get(arm, 0) / sizes[arm] for arm in found.arms], rel=1e-3)
    many = frame.groupby("AELLT")["USUBJID"].nunique()
    assert adverse.terms and all(many[term.term] >= 3 for term in adverse.terms)


def test_it_is_said_where_a_timeline_finds_days(found):
    roles = {one.table: one for one in found.roles}
    assert (roles["ae"].start, roles["ae"].end, roles["ae"].subject) == ("AESTDTC", "AEENDTC", "USUBJID")
    assert (roles["vs"].date, roles["vs"].what, roles["vs"].visit) == ("VSDTC", "VSTESTCD", "VISITNUM")
    assert "ta" not in roles


def test_correlations_are_a_symmetric_map(found):
    assert found.correlations is not None
    values = np.array(found.correlations.values, dtype=float)
    assert values.shape == (len(found.correlations.names),) * 2
    assert np.allclose(values, values.T, equal_nan=True)
    assert np.nanmax(np.abs(values)) <= 1


def test_a_table_without_arms_tests_and_events_shows_nothing():
    text = Column("text", "text")
    bare = Study({"codes": Table("codes", pd.DataFrame({"text": ["x", "y", "x"]}), {"text": text})}, "codes")
    assert patterns(bare, discover(bare)) == Patterns(arms=("all subjects",), subjects=(3,))

"""One subject index over all tables, and each subject's anchor."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from support.studies import sdtm, shop, study_of

from datareplicator.errors import StructureError
from datareplicator.model.prepare import parent_rows, prepare
from datareplicator.model.roots import sort_root
from datareplicator.model.schedule import build_schedule, occasions
from datareplicator.model.subject_table import SUBJECTS, with_subject_table
from datareplicator.structure.discover import discover
from datareplicator.structure.spec import Structure


def test_the_anchor_is_the_stated_reference_start() -> None:
    study = sdtm(12)
    prepared = prepare(study, discover(study))
    assert prepared.n == 12
    assert prepared.anchored.all()
    stated = pd.to_datetime(study["dm"].frame["RFSTDTC"]).astype("datetime64[s]").astype("int64") // 86_400
    assert prepared.anchor.tolist() == stated.tolist()
    study_days = study["sv"].frame["SVSTDY"].to_numpy()
    assert np.array_equal(prepared.days("sv", "SVSTDTC") + (prepared.days("sv", "SVSTDTC") >= 0), study_days)


def test_a_subject_without_a_stated_start_gets_one_from_its_first_visit() -> None:
    study = sdtm(12)
    frame = study["dm"].frame
    structure = discover(study)
    whole = prepare(study, structure).anchor
    frame.loc[3, "RFSTDTC"] = None
    prepared = prepare(study, structure)
    assert not prepared.anchored[3]
    assert abs(prepared.anchor[3] - whole[3]) <= 3


def test_rows_reach_their_subject_through_the_row_above() -> None:
    study = shop(20)
    prepared = prepare(study, discover(study))
    spec = prepared.structure.tables["order_lines"]
    rows = parent_rows(spec, prepared.frames)
    orders, lines = prepared.frames["orders"], prepared.frames["order_lines"]
    assert (orders["id"].to_numpy()[rows] == lines["order_id"].to_numpy()).all()
    assert (prepared.subject["order_lines"] == orders["customer_id"].to_numpy()[rows] - 1).all()
    assert (prepared.subject["products"] == -1).all()


def test_without_subjects_there_is_a_plain_error() -> None:
    study = study_of({"t": pd.DataFrame({"a": [1]})})
    with pytest.raises(StructureError):
        prepare(study, Structure(subject=None, root=None, tables={}))
    with pytest.raises(StructureError, match="no subject key"):
        with_subject_table(study, Structure(subject=None, root=None, tables={}))


def test_the_table_of_subjects_holds_what_never_varies() -> None:
    frame = pd.DataFrame(
        {"subject_id": ["b", "b", "a", "a"], "sex": ["F", "F", None, None], "x": [1, 2, 3, 4], "unit": "kg"}
    )
    study = study_of({"t": frame})
    extended, structure = with_subject_table(study, discover(study))
    table = extended[SUBJECTS].frame
    assert structure.root == SUBJECTS
    assert list(table.columns) == ["subject_id", "sex"]
    assert table["subject_id"].tolist() == ["b", "a"]
    assert table["sex"].isna().tolist() == [False, True]


def test_the_roles_of_the_root_s_columns() -> None:
    study = sdtm(30)
    prepared = prepare(study, discover(study))
    roles = sort_root(prepared, np.zeros(30, dtype=int), np.zeros(30, dtype=int))
    assert roles.group in ("ARM", "ARMCD")
    assert roles.site == "SITEID"
    assert set(roles.covariates) == {"AGE", "SEX"}
    assert roles.dates == ["RFSTDTC"]
    assert "USUBJID" in roles.identifiers or "SUBJID" in roles.identifiers


def test_the_catalogue_holds_every_visit_in_order() -> None:
    study = sdtm(30)
    prepared = prepare(study, discover(study))
    built = build_schedule(prepared)
    assert built is not None
    catalogue, seen, rows = built
    assert catalogue.number.tolist() == [1.0, 2.0, 3.0, 4.0]
    assert catalogue.numeric
    assert np.allclose(catalogue.day, [-7, 0, 14, 28], atol=1)
    assert len(seen.subject) == len(prepared.frames["sv"])
    assert set(rows) == {"sv", "lb"}
    assert all((index >= 0).all() for index in rows.values())


def test_a_study_without_visits_has_no_catalogue() -> None:
    study = shop(5)
    assert build_schedule(prepare(study, discover(study))) is None


def test_occasions_count_a_subject_s_days() -> None:
    index, count = occasions(np.array([0, 0, 0, 1, 1, -1]), np.array([5.0, 1.0, 5.0, 9.0, np.nan, 3.0]))
    assert index.tolist() == [1, 0, 1, 0, -1, -1]
    assert count == 2

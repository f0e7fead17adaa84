"""Joining split domains and pivoting supplements, and back again."""

from __future__ import annotations

import numpy as np
import pandas as pd
from support.studies import sdtm, study_of

from datareplicator.structure.discover import discover
from datareplicator.structure.logical import concat, from_logical, to_logical
from datareplicator.structure.spec import MEMBER
from datareplicator.study import Study


def back(study: Study) -> dict[str, pd.DataFrame]:
    structure = discover(study)
    return from_logical(to_logical(study, structure), structure, {n: t.columns for n, t in study.tables.items()})


def assert_same(left: pd.DataFrame, right: pd.DataFrame) -> None:
    assert list(left.columns) == list(right.columns)
    for column in left:
        both_missing = left[column].isna().to_numpy() & right[column].isna().to_numpy()
        equal = (left[column] == right[column]).fillna(False).to_numpy(dtype=bool)
        assert (equal | both_missing).all(), column


def test_every_table_comes_back() -> None:
    study = sdtm()
    made = back(study)
    assert list(made) == list(study.tables)
    for name, table in study.tables.items():
        assert_same(table.frame, made[name])


def test_supplements_point_at_renumbered_rows() -> None:
    study = sdtm()
    structure = discover(study)
    frames = to_logical(study, structure)
    frames["ae"] = frames["ae"].assign(AESEQ=frames["ae"]["AESEQ"] + 100)
    made = from_logical(frames, structure, {n: t.columns for n, t in study.tables.items()})
    keys = set(zip(made["ae"]["USUBJID"], made["ae"]["AESEQ"].astype(int).astype(str), strict=True))
    assert set(zip(made["suppae"]["USUBJID"], made["suppae"]["IDVARVAL"], strict=True)) <= keys
    assert not made["suppae"]["IDVARVAL"].str.contains(".", regex=False).any()


def test_supplemental_rows_exist_where_the_value_is_present() -> None:
    study = sdtm()
    structure = discover(study)
    frames = to_logical(study, structure)
    frames["ae"]["SUPP.AETRTEM"] = None
    made = from_logical(frames, structure, {n: t.columns for n, t in study.tables.items()})
    assert len(made["suppae"]) == 0
    assert list(made["suppae"].columns) == list(study["suppae"].columns)


def test_parts_with_different_columns_and_their_own_supplements() -> None:
    study = sdtm()
    study["lbhe"].frame = study["lbhe"].frame.assign(LBFAST="Y")
    supplements = {}
    for part in ("lbch", "lbhe"):
        frame = study[part].frame
        supplements["supp" + part] = pd.DataFrame(
            {
                "STUDYID": "ST1", "RDOMAIN": "LB", "USUBJID": frame["USUBJID"], "IDVAR": "LBSEQ",
                "IDVARVAL": frame["LBSEQ"].map(lambda x: f"{x:8.0f}"), "QNAM": "LBRACK", "QLABEL": "Rack",
                "QVAL": np.where(np.arange(len(frame)) % 2, "A", "B"), "QORIG": part,
            }
        )  # fmt: skip
    frames = {n: t.frame for n, t in study.tables.items()} | supplements
    study = study_of(frames)
    made = back(study)
    assert "LBFAST" not in made["lbch"] and (made["lbhe"]["LBFAST"] == "Y").all()
    for part in ("lbch", "lbhe"):
        assert len(made["supp" + part]) == len(study["supp" + part])
        assert set(made["supp" + part]["IDVARVAL"]) == {str(int(x)) for x in study[part].frame["LBSEQ"]}


def test_concat_turns_a_column_of_two_types_into_text() -> None:
    frames = {"a": pd.DataFrame({"x": [1.0, 2.5]}), "b": pd.DataFrame({"x": ["<3"], "y": [7]})}
    joined = concat(frames)
    assert joined["x"].tolist() == ["1", "2.5", "<3"]
    assert joined[MEMBER].tolist() == ["a", "a", "b"]
    assert joined["y"].isna().tolist() == [True, True, False]


def test_a_filtered_copy_is_no_part() -> None:
    study = sdtm()
    copy = study["lbch"].frame[study["lbch"].frame["LBTESTCD"] == "ALB"].reset_index(drop=True)
    structure = discover(Study({**study.tables, **study_of({"lbx": copy}).tables}))
    assert structure.tables["lb"].members == ("lbch", "lbhe")
    assert any(note.startswith("lbx: most rows stand in lbch") for note in structure.notes)

"""Excel workbooks."""

import datetime as dt
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest

from datareplicator.errors import SourceError, WriteError
from datareplicator.formats import read_study, write_study
from datareplicator.study import Column, Study, Table


def workbook(path: Path, sheets: dict[str, list[list[object]]]) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def test_sheets_are_tables_and_cells_keep_their_kind(tmp_path: Path) -> None:
    path = workbook(
        tmp_path / "study.xlsx",
        {
            "dm": [
                [],
                ["SITEID", "AGE", "DOSE", "DAY", "AT"],
                ["007", 41, 1.5, dt.datetime(2014, 3, 5), dt.time(11, 45)],
            ],
            "empty": [],
            "ae": [["A", "B"], [1, "x"], [None, "y"]],
        },
    )
    study = read_study(path)
    assert list(study) == ["dm", "ae"]
    kinds = {name: column.type for name, column in study["dm"].columns.items()}
    assert kinds == {"SITEID": "text", "AGE": "integer", "DOSE": "float", "DAY": "date", "AT": "time"}
    assert study["dm"].frame["SITEID"][0] == "007"
    assert study["ae"].frame["A"].isna().tolist() == [False, True]


def test_one_sheet_is_named_like_the_file(tmp_path: Path) -> None:
    assert list(read_study(workbook(tmp_path / "dm.xlsx", {"Sheet1": [["A"], [1]]}))) == ["dm"]


def test_what_is_written_comes_back_in_the_same_bytes(tmp_path: Path) -> None:
    columns = {
        "T": Column("T", "text"),
        "I": Column("I", "integer"),
        "F": Column("F", "float"),
        "D": Column("D", "date"),
        "B": Column("B", "boolean"),
    }
    frame = pd.DataFrame(
        {
            "T": pd.Series(["=1+1", "007", None], dtype="str"),
            "I": pd.Series([1, None, 3], dtype="Int64"),
            "F": [0.1, np.nan, 2.5],
            "D": pd.Series(pd.to_datetime(["2014-03-05", None, "2015-01-01"])).astype("datetime64[us]"),
            "B": pd.Series([True, None, False], dtype="boolean"),
        }
    )
    study = Study({"dm": Table("dm", frame, columns)})
    first = write_study(study, tmp_path / "one", format="xlsx")
    assert first == write_study(study, tmp_path / "two", format="xlsx")
    back = read_study(tmp_path / "one")["dm"]
    pd.testing.assert_frame_equal(back.frame, frame)
    assert back.columns == columns


def test_long_ids_are_written_as_text(tmp_path: Path) -> None:
    study = Study({"dm": Table("dm", pd.DataFrame({"I": [12345678901234567]}), {"I": Column("I", "integer")})})
    write_study(study, tmp_path / "out", format="xlsx")
    assert read_study(tmp_path / "out")["dm"].frame["I"].tolist() == ["12345678901234567"]


@pytest.mark.parametrize(("value", "message"), [("x" * 32_768, "32,767"), ("a\x01b", "control")])
def test_what_excel_cannot_hold_is_refused(tmp_path: Path, value: str, message: str) -> None:
    frame = pd.DataFrame({"T": ["x", value]})
    with pytest.raises(WriteError, match=message) as caught:
        write_study(Study({"dm": Table("dm", frame, {"T": Column("T", "text")})}), tmp_path / "out", format="xlsx")
    assert caught.value.place.row == 2
    assert list(tmp_path.iterdir()) == []


def test_damaged_and_empty_workbooks_are_refused(tmp_path: Path) -> None:
    (tmp_path / "junk.xlsx").write_bytes(b"junk")
    with pytest.raises(SourceError, match="cannot be read"):
        read_study(tmp_path / "junk.xlsx")
    with pytest.raises(SourceError, match="no cells"):
        read_study(workbook(tmp_path / "none.xlsx", {"a": []}))
    with pytest.raises(SourceError, match="more than once"):
        read_study(workbook(tmp_path / "twice.xlsx", {"a": [["A", "A"], [1, 2]]}))
    good = workbook(tmp_path / "good.xlsx", {"a": [["A"], *([f"x{i}"] for i in range(2000))]}).read_bytes()
    (tmp_path / "cut.xlsx").write_bytes(good[: len(good) // 2])
    with pytest.raises(SourceError, match="cannot be read"):
        read_study(tmp_path / "cut.xlsx")

"""Local forms of dates and numbers: one form inside, the source's letters in files."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import datareplicator
from datareplicator.errors import WriteError
from datareplicator.formats import read_study, write_study
from datareplicator.formats.localforms import DATES, DIGITS, date_layouts, number_form, read_date, write_date

DAYS = pd.date_range("2023-01-03", periods=40, freq="9D")
LAYOUTS = {
    "dots": ("%d.%m.%Y", "DD.MM.YYYY"),
    "us": ("%m/%d/%Y", "MM/DD/YYYY"),
    "eu": ("%d/%m/%Y", "DD/MM/YYYY"),
    "dashes": ("%d-%b-%Y", "DD-Mon-YYYY"),
    "sas": ("%d%b%Y", "DDMONYYYY"),
    "timed": ("%d.%m.%Y %H:%M", "DD.MM.YYYY hh:mm"),
}


def people() -> pd.DataFrame:
    frame = pd.DataFrame({"person": [f"P-{k:03d}" for k in range(40)]})
    for name, (form, _) in LAYOUTS.items():
        frame[name] = DAYS.strftime(form)
    frame["sas"] = frame["sas"].str.upper()
    frame.loc[3, "eu"] = None
    frame["digits"] = DAYS.strftime("%Y%m%d")
    frame["weight"] = [f"{60 + k / 7:.1f}".replace(".", ",") for k in range(40)]
    frame["share"] = [f"{k * 2 % 101}%" for k in range(40)]
    return frame


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    source = tmp_path / "source"
    source.mkdir()
    people().to_csv(source / "people.csv", sep=";", index=False)
    return source


def test_local_forms_are_read_as_dates_and_numbers(folder):
    table = read_study(folder)["people"]
    for name, (_, layout) in LAYOUTS.items():
        assert table.columns[name].written == layout
        assert table.frame[name].iloc[0].startswith("2023-01-03")
    assert table.frame["digits"].tolist() == DAYS.strftime("%Y-%m-%d").tolist()
    assert table.frame["eu"].isna().tolist() == [k == 3 for k in range(40)]
    assert table.columns["weight"].type == "float" and table.frame["weight"].iloc[0] == 60.0
    assert table.columns["share"].type == "float" and table.frame["share"].iloc[1] == 2.0


def test_files_come_back_letter_by_letter(folder, tmp_path):
    write_study(read_study(folder), tmp_path / "out", format="same")
    assert (tmp_path / "out" / "people.csv").read_bytes() == (folder / "people.csv").read_bytes()


def test_new_subjects_are_written_in_the_layouts_of_the_source(folder, tmp_path):
    made = datareplicator.fit(datareplicator.read_study(folder)).generate(60, seed=3)
    made.write(tmp_path / "out")
    new = pd.read_csv(tmp_path / "out" / "people.csv", sep=";", dtype="str")
    for name, (form, layout) in LAYOUTS.items():
        dates = pd.to_datetime(new[name].dropna().str.title(), format=form)
        assert len(dates) > 40, layout
        assert dates.between("2021-01-01", "2026-01-01").all(), layout
    assert pd.to_datetime(new["digits"], format="%Y%m%d").between("2021-01-01", "2026-01-01").all()
    assert new["weight"].str.fullmatch(r"\d\d,\d").all()
    assert new["share"].str.rstrip("%").astype(int).between(0, 100).all()


def test_a_layout_that_can_be_read_two_ways_is_noted(tmp_path):
    early = pd.DataFrame({"person": ["A1", "A2", "A3"], "seen": ["03/04/2023", "05/06/2023", "01/12/2023"]})
    early.to_csv(tmp_path / "a.csv", index=False)
    study = read_study(tmp_path)
    assert study["a"].columns["seen"].written == "MM/DD/YYYY"
    assert len(study.notes) == 1 and "nothing tells which" in study.notes[0]
    early.assign(left=["13/04/2023", "25/06/2023", "01/12/2023"]).to_csv(tmp_path / "a.csv", index=False)
    study = read_study(tmp_path)
    assert study["a"].columns["seen"].written == "DD/MM/YYYY"
    assert "as the other dates" in study.notes[0]
    assert study.notes[0] in datareplicator.fit(study).notes


def test_standard_dates_and_identifiers_keep_their_letters(tmp_path):
    frame = pd.DataFrame({"USUBJID": ["01-02-2001", "01-03-2002"], "AESTDTC": ["01/02/2023", "25/03/2023"]})
    frame["iso"] = ["2023-01-02", "2023-03-25"]
    frame["lot"] = ["20230102", "20230325"]
    frame["mixed"] = ["25.03.2023", "2023-03-26"]
    frame["thousands"] = ["1,234", "2,500"]
    frame.to_csv(tmp_path / "ae.csv", index=False)
    assert not any(column.written for column in read_study(tmp_path)["ae"].columns.values())


def test_a_few_values_that_are_no_dates_stay(tmp_path):
    texts = [*DAYS.strftime("%d.%m.%Y"), "unknown"]
    pd.DataFrame({"k": range(41), "seen": texts}).to_csv(tmp_path / "a.csv", index=False)
    study = read_study(tmp_path)
    assert study["a"].columns["seen"].written == "DD.MM.YYYY"
    assert study["a"].frame["seen"].iloc[-1] == "unknown"
    write_study(study, tmp_path / "out", format="csv")
    assert pd.read_csv(tmp_path / "out" / "a.csv")["seen"].tolist() == texts


def test_a_day_written_as_a_number_must_be_one(tmp_path):
    pd.DataFrame({"k": range(40), "seen": DAYS.strftime("%Y%m%d")}).to_csv(tmp_path / "a.csv", index=False)
    study = read_study(tmp_path)
    study["a"].frame.loc[2, "seen"] = "2023-03"
    with pytest.raises(WriteError, match="no whole date"):
        write_study(study, tmp_path / "out", format="csv")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("layout", [*DATES, DIGITS])
def test_every_layout_comes_back(layout):
    iso = "2023-08-05" + ("T14:05:00" if "ss" in layout else "T14:05" if "hh" in layout else "")
    assert read_date(layout, write_date(layout, iso)) == iso
    assert layout in date_layouts([write_date(layout, iso.replace("-05", f"-{k:02d}", 1)) for k in range(1, 9)])


def test_numbers_are_local_only_where_all_come_back():
    assert number_form(["5,0", "6,0", "7,0", "8,0", "9,0", "<5,0"]) is None
    assert number_form(["05,0%", "7.0%"]) is None
    assert number_form(["5,25", "5,5", "7", "8", "9"]) == "0,#"
    assert number_form(["1", "2", "1,2"]) is None
    assert number_form([f"{k},250" for k in range(1, 9)]) is None
    assert number_form([f"{x:.2f}".replace(".", ",") for x in np.linspace(0, 9, 7)]) == "0,00"


@pytest.mark.parametrize(
    ("texts", "layout"),
    [
        (["UN UNK 2021", "UN JAN 2023", "12 MAR 2024"], "DD MON YYYY|UN|UNK"),
        (["UN-UNK-2020", "UN-Feb-2021", "03-Mar-2022"], "DD-Mon-YYYY|UN|UNK"),
        (["XX.XX.2021", "XX.02.2021", "31.12.2023"], "DD.MM.YYYY|XX|XX"),
    ],
)
def test_unknown_days_and_months_are_partial_dates(texts: list[str], layout: str) -> None:
    assert date_layouts(texts) == (layout,)
    read = [read_date(layout, text) for text in texts]
    assert [len(text) for text in read if text is not None] == [4, 7, 10]
    assert [write_date(layout, str(text)) for text in read] == texts

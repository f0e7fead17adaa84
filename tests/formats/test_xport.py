"""SAS XPORT files: read against pyreadstat, written and read back, and the limits of version 5."""

import itertools
import string
from pathlib import Path

import numpy as np
import pandas as pd
import pyreadstat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datareplicator.errors import SourceError, WriteError
from datareplicator.formats import open_writer, read_study, write_study, xport
from datareplicator.formats.ibm import LARGEST, SMALLEST, from_ibm, special_letters, to_ibm
from datareplicator.formats.sasformats import from_sas, split_format, to_sas
from datareplicator.formats.xport_layout import join_format
from datareplicator.study import Column, Origin, Study, Table


def study_of(frame: pd.DataFrame, columns: dict[str, Column], version: int = 5, name: str = "dm") -> Study:
    origin = Origin("xpt", f"{name}.xpt", {"version": version, "member": name.upper()})
    return Study({name: Table(name, frame, columns, "Demographics", origin)})


def sample() -> Study:
    frame = pd.DataFrame(
        {
            "USUBJID": pd.Series(["01-001", "01-002", None], dtype="str"),
            "AGE": [41.0, np.nan, -0.1],
            "TERM": pd.Series(["  lead", "µg", "x"], dtype="str"),
            "ADT": pd.Series(pd.to_datetime(["2014-03-05", None, "1959-12-31"])).astype("datetime64[us]"),
            "ADTM": pd.Series(pd.to_datetime(["2014-03-05T11:45:01", None, "1959-12-31T00:00:00"])).astype(
                "datetime64[us]"
            ),
            "ATM": pd.Series(pd.to_timedelta(["11:45:00", None, "30:00:00"])).astype("timedelta64[us]"),
        }
    )
    columns = {
        "USUBJID": Column("USUBJID", "text", "Unique Subject Identifier", 11, "$11.", "$11."),
        "AGE": Column("AGE", "float", "Age", 8, "8.2"),
        "TERM": Column("TERM", "text", "Term", 200),
        "ADT": Column("ADT", "date", "Date", 8, "DATE9."),
        "ADTM": Column("ADTM", "datetime", "Datetime", 8, "DATETIME20."),
        "ATM": Column("ATM", "time", "Time", 8, "TIME5."),
    }
    return study_of(frame, columns)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_survive_ibm_within_its_range(value: float) -> None:
    back = from_ibm(to_ibm(np.array([value])))[0]
    if abs(value) > LARGEST:
        return
    assert back == (value if abs(value) >= SMALLEST else 0.0)


def test_missing_values_keep_their_letter() -> None:
    raw = np.zeros((4, 8), dtype=np.uint8)
    raw[:, 0] = list(b".AZ_")
    values = from_ibm(raw)
    assert np.isnan(values).all()
    assert special_letters(values) == {"A": 1, "Z": 1, "_": 1}
    assert (to_ibm(values) == raw).all()
    shuffled = pd.Series(values).iloc[[3, 0, 2, 1]].to_numpy()
    assert (to_ibm(shuffled)[:, 0] == list(b"_.ZA")).all()


def test_numbers_cut_to_three_bytes_are_read() -> None:
    assert from_ibm(np.array([[0x41, 0x10, 0x00], [0xC2, 0x76, 0xA0]], dtype=np.uint8)).tolist() == [1.0, -118.625]


@pytest.mark.parametrize("text", ["DATE9.", "E8601DA10.", "8.2", "$200.", "$CHAR20.", "BEST12.", "DATETIME.", ""])
def test_formats_come_back(text: str) -> None:
    assert join_format(*split_format(text)) == text


def test_a_number_with_a_date_format_that_is_no_date_stays_a_number() -> None:
    assert from_sas(np.array([19725.5]), "date") is None
    assert from_sas(np.array([1e12]), "datetime") is None
    dates = from_sas(np.array([19725.0, np.nan]), "date")
    assert dates is not None
    assert dates[0] == pd.Timestamp("2014-01-02")
    assert to_sas(dates, "date")[0] == 19725.0


@pytest.mark.parametrize("version", [5, 8])
def test_what_is_written_comes_back(tmp_path: Path, version: int) -> None:
    study = sample()
    study = study_of(study["dm"].frame, study["dm"].columns, version)
    write_study(study, tmp_path / "out", format="same")
    back = read_study(tmp_path / "out")["dm"]
    pd.testing.assert_frame_equal(back.frame, study["dm"].frame)
    assert back.columns == study["dm"].columns
    assert back.label == "Demographics"
    assert back.origin is not None
    assert back.origin.options["version"] == version


@pytest.mark.parametrize("version", [5, 8])
def test_pyreadstat_reads_what_is_written(tmp_path: Path, version: int) -> None:
    study = sample()["dm"]
    write_study(study_of(study.frame, study.columns, version), tmp_path / "out", format="same")
    frame, meta = pyreadstat.read_xport(tmp_path / "out" / "dm.xpt", disable_datetime_conversion=True)
    assert list(frame.columns) == list(study.columns)
    assert meta.column_labels == [column.label for column in study.columns.values()]
    assert meta.file_label == "Demographics"
    assert meta.table_name == "DM"
    assert str(meta.original_variable_types["ADT"]).startswith("DATE9")
    assert frame["USUBJID"].tolist() == ["01-001", "01-002", ""]
    assert frame["TERM"].tolist() == ["  lead", "µg", "x"]
    np.testing.assert_array_equal(frame["AGE"], study.frame["AGE"])
    assert frame["ADT"].tolist()[0] == 19787.0


@pytest.mark.parametrize("version", [5, 8])
def test_what_pyreadstat_writes_is_read(tmp_path: Path, version: int) -> None:
    name = "A_LONGER_NAME" if version == 8 else "SHORT"
    frame = pd.DataFrame({name: ["x", "yy", ""], "NUM": [1.5, np.nan, -3e10]})
    label = "L" * (40 if version == 5 else 120)
    path = tmp_path / "t.xpt"
    pyreadstat.write_xport(
        frame,
        path,
        file_format_version=version,
        file_label="about",
        column_labels={"NUM": label},
        variable_format={"NUM": "8.2"},
    )
    table = xport.read(path, "t.xpt")[0]
    assert table.frame[name].fillna("").tolist() == ["x", "yy", ""]
    np.testing.assert_array_equal(table.frame["NUM"], frame["NUM"])
    assert (table.columns["NUM"].label, table.columns["NUM"].format, table.label) == (label, "8.2", "about")


def test_long_labels_of_version_8_come_back(tmp_path: Path) -> None:
    columns = {"a_longer_name": Column("a_longer_name", "float", "L" * 200, 8)}
    write_study(study_of(pd.DataFrame({"a_longer_name": [1.0]}), columns, 8), tmp_path / "out", format="same")
    assert read_study(tmp_path / "out")["dm"].columns == columns


def test_windows_1252_bytes_are_read_and_written_back(tmp_path: Path) -> None:
    columns = {"A": Column("A", "text", length=3)}
    origin = Origin("xpt", "ts.xpt", {"version": 5, "member": "TS", "encoding": "windows-1252"})
    study = Study({"ts": Table("ts", pd.DataFrame({"A": pd.Series(["µg", "abc"])}), columns, "", origin)})
    write_study(study, tmp_path / "one", format="same")
    raw = (tmp_path / "one" / "ts.xpt").read_bytes()
    assert b"\xb5g abc" in raw
    back = read_study(tmp_path / "one")
    assert back["ts"].frame["A"].tolist() == ["µg", "abc"]
    write_study(back, tmp_path / "two", format="same")
    assert (tmp_path / "two" / "ts.xpt").read_bytes() == raw


def test_later_blocks_may_be_wider(tmp_path: Path) -> None:
    columns = {
        "A": Column("A", "text", length=2),
        "N": Column("N", "float", length=3),
        "B": Column("B", "text"),
    }
    blocks = [
        pd.DataFrame({"A": pd.Series(["x", "yy"]), "N": [1.0, 2.0], "B": pd.Series([None, "b"], dtype="str")}),
        pd.DataFrame(
            {"A": pd.Categorical(["longer", None], ["longer", "not used"]), "N": [0.1, np.nan], "B": ["cc", "d"]}
        ),
        pd.DataFrame({"A": pd.Series(["z"]), "N": [3.0], "B": pd.Series(["e" * 7])}),
    ]
    with open_writer(tmp_path / "out", [("t", columns, "", None)], "xpt") as writer:
        for block in blocks:
            writer.append("t", block)
        summary = writer.close()
    back = read_study(tmp_path / "out")["t"]
    assert summary["t.xpt"]["rows"] == 5
    assert [column.length for column in back.columns.values()] == [6, 8, 7]
    assert back.frame["A"].fillna("").tolist() == ["x", "yy", "longer", "", "z"]
    np.testing.assert_array_equal(back.frame["N"], [1.0, 2.0, 0.1, np.nan, 3.0])
    assert back.frame["B"].fillna("").tolist() == ["", "b", "cc", "d", "e" * 7]


def test_declared_widths_stay_where_the_data_fit(tmp_path: Path) -> None:
    columns = {"A": Column("A", "text", length=200), "N": Column("N", "float", length=3)}
    frame = pd.DataFrame({"A": pd.Series(["x"]), "N": [5.0]})
    write_study(study_of(frame, columns), tmp_path / "out", format="xpt")
    assert [c.length for c in read_study(tmp_path / "out")["dm"].columns.values()] == [200, 3]


_VALUE = st.text(alphabet=string.ascii_letters + string.digits + " -µé", max_size=30)


@settings(max_examples=25, deadline=None)
@given(
    texts=st.lists(st.tuples(_VALUE, st.floats(-1e30, 1e30) | st.just(float("nan"))), min_size=1, max_size=30),
    cuts=st.lists(st.integers(0, 30), max_size=3),
)
def test_any_blocks_come_back(tmp_path_factory: pytest.TempPathFactory, texts: list, cuts: list[int]) -> None:
    folder = tmp_path_factory.mktemp("xpt")
    frame = pd.DataFrame(
        {
            "A": pd.Series([text or None for text, _ in texts], dtype="str"),
            "N": [number for _, number in texts],
            "K": 1.0,
        }
    )
    columns = {"A": Column("A", "text"), "N": Column("N", "float"), "K": Column("K", "float")}
    with open_writer(folder / "out", [("t", columns, "", None)], "xpt") as writer:
        edges = sorted({0, *(cut for cut in cuts if cut < len(frame)), len(frame)})
        for start, stop in itertools.pairwise(edges):
            writer.append("t", frame.iloc[start:stop])
    back = read_study(folder / "out")["t"].frame
    assert back["A"].fillna("").tolist() == frame["A"].fillna("").str.rstrip(" ").tolist()
    small = frame["N"].where(frame["N"].abs().ge(SMALLEST) | frame["N"].isna(), 0.0)
    np.testing.assert_array_equal(back["N"], small)


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        (Column("TOOLONGNAME", "float"), 1.0, "name"),
        (Column("lower", "float"), 1.0, "name"),
        (Column("1A", "float"), 1.0, "name"),
        (Column("A", "float", label="L" * 41), 1.0, "label"),
        (Column("A", "float", format="LONGERNAME8."), 1.0, "format"),
        (Column("A", "text"), "x" * 201, "200 bytes"),
        (Column("A", "text"), "é" * 101, "200 bytes"),
        (Column("A", "float"), np.inf, "larger"),
        (Column("A", "float"), 1e76, "larger"),
        (Column("A", "integer"), 12345678901234567, "digits"),
    ],
)
def test_what_version_5_cannot_hold_is_refused(tmp_path: Path, column: Column, value: object, message: str) -> None:
    frame = pd.DataFrame({column.name: [value]})
    with pytest.raises(WriteError, match=message) as caught:
        write_study(Study({"dm": Table("dm", frame, {column.name: column})}), tmp_path / "out", format="xpt")
    assert caught.value.place.table == "dm"
    assert caught.value.place.column == column.name
    assert caught.value.hint
    assert list(tmp_path.iterdir()) == []


def test_the_row_of_a_too_long_text_counts_over_blocks(tmp_path: Path) -> None:
    columns = {"A": Column("A", "text")}
    with (
        pytest.raises(WriteError) as caught,
        open_writer(tmp_path / "out", [("t", columns, "", None)], "xpt") as writer,
    ):
        writer.append("t", pd.DataFrame({"A": ["x", "y"]}))
        writer.append("t", pd.DataFrame({"A": ["x", "y" * 300]}))
    assert caught.value.place.row == 4
    assert list(tmp_path.iterdir()) == []


def test_columns_that_differ_by_case_only_are_refused(tmp_path: Path) -> None:
    columns = {"a": Column("a", "float"), "A": Column("A", "float")}
    with pytest.raises(WriteError, match="upper and lower"):
        write_study(study_of(pd.DataFrame({"a": [1.0], "A": [2.0]}), columns, 8), tmp_path / "out", format="same")


@pytest.mark.parametrize("size", [10, 80, 200, 400, 700, 1000, -80, -60, -1])
def test_a_cut_file_is_refused(tmp_path: Path, size: int) -> None:
    columns = {"A": Column("A", "text", length=50), "N": Column("N", "float")}
    frame = pd.DataFrame({"A": pd.Series([f"value {i}" for i in range(23)]), "N": np.arange(23.0)})
    write_study(study_of(frame, columns), tmp_path / "out", format="xpt")
    path = tmp_path / "out" / "dm.xpt"
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(SourceError, match="xpt") as caught:
        read_study(path)
    assert caught.value.hint


def test_damaged_headers_never_crash(tmp_path: Path) -> None:
    study = sample()
    write_study(study, tmp_path / "out", format="xpt")
    good = (tmp_path / "out" / "dm.xpt").read_bytes()
    random = np.random.default_rng(5)
    refused = 0
    for _ in range(150):
        raw = bytearray(good)
        at = int(random.integers(240, 1500))
        raw[at : at + 4] = random.bytes(4)
        path = tmp_path / "bad.xpt"
        path.write_bytes(raw)
        try:
            xport.read(path, "bad.xpt")
        except SourceError:
            refused += 1
    assert refused > 20


def test_two_members_are_two_tables(tmp_path: Path) -> None:
    for name in ("dm", "ae"):
        frame = pd.DataFrame({"A": pd.Series([name] * 3)})
        write_study(study_of(frame, {"A": Column("A", "text")}, name=name), tmp_path / name, format="xpt")
    first, second = ((tmp_path / name / f"{name}.xpt").read_bytes() for name in ("dm", "ae"))
    path = tmp_path / "both.xpt"
    path.write_bytes(first + second[240:])
    study = read_study(path)
    assert {name: table.frame["A"].tolist() for name, table in study.tables.items()} == {
        "DM": ["dm"] * 3,
        "AE": ["ae"] * 3,
    }

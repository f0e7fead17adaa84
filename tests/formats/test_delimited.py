"""CSV and TSV: dialects, types without loss, and bad input named by row."""

from pathlib import Path

import pandas as pd
import pytest

from datareplicator.errors import SourceError
from datareplicator.formats import read_study, write_study
from datareplicator.study import Table


def table_of(tmp_path: Path, data: str | bytes, name: str = "dm.csv") -> Table:
    path = tmp_path / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return read_study(path)["dm"]


def types_of(table: Table) -> dict[str, str]:
    return {name: column.type for name, column in table.columns.items()}


def test_codes_ids_and_partial_dates_survive(tmp_path: Path) -> None:
    table = table_of(
        tmp_path,
        "SITEID,ID,AESTDTC,TERM,MISS,YEAR\n"
        "007,12345678901234567,2014,a ,NA,2014\n"
        "010,12345678901234568,2015,b,None,2013\n",
    )
    assert types_of(table) == {
        "SITEID": "text", "ID": "integer", "AESTDTC": "text", "TERM": "text", "MISS": "text", "YEAR": "integer"
    }  # fmt: skip
    assert table.frame["SITEID"].tolist() == ["007", "010"]
    assert table.frame["ID"].tolist() == [12345678901234567, 12345678901234568]
    assert table.frame["TERM"].tolist() == ["a ", "b"]
    assert table.frame["MISS"].tolist() == ["NA", "None"]


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["1", "-2"], "integer"),
        (["1", ""], "integer"),
        (["1.5", "2"], "float"),
        (["1.0", "2.25"], "float"),
        (["1.50", "2.25"], "float"),
        (["1e-05", "3"], "float"),
        (["1.50", "2"], "text"),
        (["+1", "2"], "text"),
        (["01", "2"], "text"),
        ([".5", "1"], "text"),
        (["123456789012345678901", "1"], "text"),
        (["0.12345678901234567890", "1"], "text"),
        (["1e999", "1"], "text"),
        (["1", "x"], "text"),
        (["nan", "1"], "text"),
        (["true", "false"], "boolean"),
        (["TRUE", "FALSE"], "boolean"),
        (["TRUE", "false"], "text"),
        (["2014-03-05", "2014-03"], "text"),
        (["1,5", "2"], "text"),
    ],
)
def test_a_column_is_a_number_only_without_loss(tmp_path: Path, cells: list[str], kind: str) -> None:
    rows = "".join(f'x,"{cell}"\n' if "," in cell else f"x,{cell}\n" for cell in cells)
    table = table_of(tmp_path, "K,V\n" + rows)
    assert table.columns["V"].type == kind


def test_missing_integers_stay_exact(tmp_path: Path) -> None:
    values = table_of(tmp_path, "K,V\nx,12345678901234567\ny,\n").frame["V"]
    assert values.dtype == "Int64"
    assert values[0] == 12345678901234567
    assert values.isna().tolist() == [False, True]


@pytest.mark.parametrize(
    ("text", "encoding", "delimiter"),
    [
        ("A,B\n1,café\n2,µg\n", "utf-8", ","),
        ("A;B\n1;café\n2;x,y\n", "windows-1252", ";"),
        ("A\tB\n1\tcafé\n2\tµg\n", "utf-16", "\t"),
        ("A|B\n1|café\n2|µg\n", "utf-8-sig", "|"),
        ("A,B\n1,café\n2,µg\n", "utf-16-le", ","),
        ("A,B\r\n1,café\r\n2,µg\r\n", "windows-1252", ","),
    ],
)
def test_dialect_is_found_and_written_back(tmp_path: Path, text: str, encoding: str, delimiter: str) -> None:
    raw = text.encode(encoding)
    table = table_of(tmp_path, raw)
    assert table.frame["A"].tolist() == [1, 2]
    assert table.frame["B"][0] == "café"
    assert table.origin is not None
    assert table.origin.options["encoding"] == encoding
    assert table.origin.options["delimiter"] == delimiter
    write_study(read_study(tmp_path), tmp_path / "out", format="same")
    assert (tmp_path / "out" / "dm.csv").read_bytes() == raw


def test_numbers_are_written_as_they_were(tmp_path: Path) -> None:
    text = 'K,A,B,C,D\nx,1.0,0.50,TRUE,"a ""b"", c"\ny,2.25,1.25,FALSE,\n'
    table_of(tmp_path, text)
    write_study(read_study(tmp_path), tmp_path / "out", format="csv")
    assert (tmp_path / "out" / "dm.csv").read_text() == text


def test_rows_without_a_header_are_seen(tmp_path: Path) -> None:
    table = table_of(tmp_path, "1,2014-01-01,x\n2,2014-01-02,y\n")
    assert list(table.columns) == ["column1", "column2", "column3"]
    assert len(table) == 2


def test_numbers_in_a_header_above_text_are_names(tmp_path: Path) -> None:
    table = table_of(tmp_path, "subject,1,2\nx,a,b\ny,c,d\n")
    assert list(table.columns) == ["subject", "1", "2"]


def test_line_ends_within_quotes_and_carriage_returns_alone(tmp_path: Path) -> None:
    assert table_of(tmp_path, 'A,B\n1,"x\ny"\n2,z\n').frame["B"].tolist() == ["x\ny", "z"]
    assert table_of(tmp_path, "A,B\r1,x\r2,y\r").frame["B"].tolist() == ["x", "y"]


def test_blanks_are_text_and_empty_is_missing(tmp_path: Path) -> None:
    values = table_of(tmp_path, "A,B\n1,   \n2,\n3, x \n").frame["B"]
    assert values.fillna("missing").tolist() == ["   ", "missing", " x "]


def test_a_cell_of_ten_megabytes_is_read(tmp_path: Path) -> None:
    table = table_of(tmp_path, "A,B\n1," + "x" * 10_000_000 + "\n2,y\n")
    assert table.frame["B"].str.len().tolist() == [10_000_000, 1]


@pytest.mark.parametrize(
    ("data", "message", "row", "column"),
    [
        (b"", "empty", None, None),
        (b"\n\n", "empty", None, None),
        (b"A,B\n", "no row", None, None),
        (b"A,B,A\n1,2,3\n", "more than once", None, "A"),
        (b"A,B\n1,2\n3,4,5\n", "3 cells instead of 2", 2, None),
        (b"A,B\n1,2\n3\n", "1 cells instead of 2", 2, None),
        (b'A,B\n"x\ny",2\n3\n', "1 cells instead of 2", 2, None),
        (b"A,B\n1,2\n3,\x004\n", "NUL", 2, None),
        (b'A,B\n1,"x\n2,y\n', "never closed", 1, None),
    ],
)
def test_bad_input_is_named(tmp_path: Path, data: bytes, message: str, row: int | None, column: str | None) -> None:
    with pytest.raises(SourceError, match=message) as caught:
        table_of(tmp_path, data)
    assert caught.value.code == "source"
    assert "dm.csv" in str(caught.value)
    assert (caught.value.place.row, caught.value.place.column) == (row, column)
    assert caught.value.hint


def test_text_outside_the_source_encoding_is_refused(tmp_path: Path) -> None:
    from datareplicator.errors import WriteError

    table_of(tmp_path, "A,B\n1,caf\xe9\n".encode("windows-1252"))
    study = read_study(tmp_path / "dm.csv")
    study["dm"].frame["B"] = pd.Series(["Ω"], dtype="str")
    with pytest.raises(WriteError, match="encoding"):
        write_study(study, tmp_path / "out", format="same")
    assert not (tmp_path / "out").exists()

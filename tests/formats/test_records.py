"""JSON, NDJSON and CDISC Dataset-JSON."""

import gzip
import json
import zlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from datareplicator.errors import SourceError, WriteError
from datareplicator.formats import read_study, write_study
from datareplicator.study import Column, Study, Table

DATASET = {
    "datasetJSONCreationDateTime": "2024-01-01T00:00:00",
    "datasetJSONVersion": "1.1.0",
    "itemGroupOID": "IG.X",
    "studyOID": "S1",
    "records": 2,
    "name": "ADSL",
    "label": "Subjects",
    "columns": [
        {"itemOID": "IT.ID", "name": "ID", "label": "Id", "dataType": "string", "length": 3, "keySequence": 1},
        {"itemOID": "IT.AGE", "name": "AGE", "label": "Age", "dataType": "integer"},
        {"itemOID": "IT.DOSE", "name": "DOSE", "label": "Dose", "dataType": "decimal", "targetDataType": "decimal"},
        {"itemOID": "IT.DTC", "name": "DTC", "label": "Text date", "dataType": "date"},
        {
            "itemOID": "IT.DT",
            "name": "DT",
            "label": "Date",
            "dataType": "date",
            "targetDataType": "integer",
            "displayFormat": "DATE9.",
        },
        {"itemOID": "IT.TM", "name": "TM", "label": "Time", "dataType": "time", "targetDataType": "integer"},
    ],
    "rows": [["001", 41, "1.5", "2014-03", "2014-03-05", "11:45:00"], ["002", None, None, "", None, None]],
}


def read(tmp_path: Path, text: str, name: str = "dm.json") -> Study:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return read_study(path)


def test_records_keep_their_types(tmp_path: Path) -> None:
    table = read(tmp_path, '[{"A": 1, "B": "007", "M": 1}, {"A": 2.5, "C": true, "M": "x"}]')["dm"]
    assert {name: column.type for name, column in table.columns.items()} == {
        "A": "float", "B": "text", "M": "text", "C": "boolean"
    }  # fmt: skip
    assert table.frame["M"].tolist() == ["1", "x"]
    assert table.frame["B"][0] == "007"


def test_an_object_of_lists_is_several_tables(tmp_path: Path) -> None:
    study = read(tmp_path, '{"dm": [{"A": 1}], "ae": [{"A": 1}, {"A": 2}]}', "study.json")
    assert {name: len(table) for name, table in study.tables.items()} == {"dm": 1, "ae": 2}


def test_lines_are_records_even_with_unicode_line_ends(tmp_path: Path) -> None:
    table = read(tmp_path, '{"A": "x\u2028y"}\n\n{"A": "z"}\n', "dm.ndjson")["dm"]
    assert table.frame["A"].tolist() == ["x\u2028y", "z"]


def check_dataset(table: Table) -> None:
    kinds = {"ID": "text", "AGE": "integer", "DOSE": "float", "DTC": "text", "DT": "date", "TM": "time"}
    assert {name: column.type for name, column in table.columns.items()} == kinds
    assert table.frame.iloc[0].tolist() == [
        "001", 41, 1.5, "2014-03", pd.Timestamp("2014-03-05"), pd.Timedelta("11:45:00")
    ]  # fmt: skip
    assert table.frame.iloc[1, 1:].isna().all()
    assert (table.label, table.columns["ID"].length, table.columns["DT"].format) == ("Subjects", 3, "DATE9.")


@pytest.mark.parametrize("format", ["same", "dataset-json"])
def test_dataset_json_comes_back(tmp_path: Path, format: str) -> None:
    study = read(tmp_path, json.dumps(DATASET), "adsl.json")
    check_dataset(study["adsl"])
    write_study(study, tmp_path / "out", format=format)
    back = read_study(tmp_path / "out")
    if format == "same":
        check_dataset(back["adsl"])
        written = json.loads((tmp_path / "out" / "adsl.json").read_text())
        assert written["records"] == 2
        assert written["studyOID"] == "S1"
        assert written["columns"] == DATASET["columns"]
        assert written["rows"][0][:2] == ["001", 41]


def test_dataset_ndjson_and_its_compressed_forms(tmp_path: Path) -> None:
    head = {key: value for key, value in DATASET.items() if key != "rows"}
    lines = "\n".join(json.dumps(part) for part in [head, *DATASET["rows"]]) + "\n"
    check_dataset(read(tmp_path, lines, "adsl.ndjson")["adsl"])
    for name, raw in {"a.dsjc": zlib.compress(lines.encode()), "b.dsjc": gzip.compress(lines.encode())}.items():
        (tmp_path / name).write_bytes(raw)
        check_dataset(read_study(tmp_path / name)[name[0]])
    (tmp_path / "c.dsjc").write_bytes(zlib.compress(lines.encode())[:-8])
    with pytest.raises(SourceError, match="cut"):
        read_study(tmp_path / "c.dsjc")
    write_study(read_study(tmp_path / "adsl.ndjson"), tmp_path / "out", format="same")
    check_dataset(read_study(tmp_path / "out")["adsl"])


def test_dataset_rows_must_fit_the_columns(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="1 values instead of 6") as caught:
        read(tmp_path, json.dumps(DATASET | {"rows": [DATASET["rows"][0], ["x"]]}))
    assert caught.value.place.row == 2
    with pytest.raises(SourceError, match="announces 2 rows and holds 1"):
        read(tmp_path, json.dumps(DATASET | {"rows": DATASET["rows"][:1]}))
    wrong = [*DATASET["rows"][:1], ["x", "old", None, "", None, None]]
    with pytest.raises(SourceError, match="declared type integer"):
        read(tmp_path, json.dumps(DATASET | {"rows": wrong}))


@pytest.mark.parametrize(
    ("text", "name", "message"),
    [
        ('{"a":', "s.json", "no JSON"),
        ("5", "s.json", "no list of records"),
        ("[1]", "s.json", "expected a record"),
        ('[{"A": [1]}]', "s.json", "flat table"),
        ('[{"A": 1, "A": 2}]', "s.json", "more than once"),
        ("[]", "s.json", "no row"),
        ("[" * 100_000, "s.json", "no JSON"),
        ('{"A": 1}\n{"A":\n', "s.ndjson", "row 2"),
        ('{"A": 1}\n[1]\n', "s.ndjson", "row 2"),
    ],
)
def test_bad_input_is_named(tmp_path: Path, text: str, name: str, message: str) -> None:
    with pytest.raises(SourceError, match=message) as caught:
        read(tmp_path, text, name)
    assert caught.value.place.file is not None
    assert caught.value.place.file.endswith(name)


def test_infinity_is_refused(tmp_path: Path) -> None:
    study = Study({"t": Table("t", pd.DataFrame({"A": [1.0, np.inf]}), {"A": Column("A", "float")})})
    with pytest.raises(WriteError, match="infinite") as caught:
        write_study(study, tmp_path / "out", format="json")
    assert caught.value.place.row == 2

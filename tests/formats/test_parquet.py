"""Parquet: types, metadata, and damaged files."""

import datetime as dt
import decimal
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from datareplicator.errors import SourceError, WriteError
from datareplicator.formats import open_writer, read_study, write_study
from datareplicator.study import Column, Study, Table


def many_types() -> pa.Table:
    return pa.table(
        {
            "small": pa.array([1, None], pa.int32()),
            "single": pa.array([1.5, None], pa.float32()),
            "clock": pa.array([dt.time(1, 2), None], pa.time64("us")),
            "zoned": pa.array([dt.datetime(2014, 1, 1, 3), None], pa.timestamp("ns", "Europe/Berlin")),
            "moment": pa.array([dt.datetime(2014, 1, 1, 3), None], pa.timestamp("ms")),
            "day": pa.array([dt.date(2014, 1, 1), None]),
            "exact": pa.array([decimal.Decimal("1.50"), None]),
            "coded": pa.array(["a", None]).dictionary_encode(),
            "flag": pa.array([True, None]),
            "nothing": pa.nulls(2),
            "blank": pa.array(["", "x"]),
            "huge": pa.array([2**64 - 1, None], pa.uint64()),
            "id": pa.array([12345678901234567, 1]),
            "span": pa.array([1, None], pa.duration("s")),
        }
    )


def test_every_type_has_its_place(tmp_path: Path) -> None:
    pq.write_table(many_types(), tmp_path / "t.parquet")
    table = read_study(tmp_path / "t.parquet")["t"]
    assert {name: column.type for name, column in table.columns.items()} == {
        "small": "integer",
        "single": "float",
        "clock": "time",
        "zoned": "datetime",
        "moment": "datetime",
        "day": "date",
        "exact": "float",
        "coded": "text",
        "flag": "boolean",
        "nothing": "text",
        "blank": "text",
        "huge": "text",
        "id": "integer",
        "span": "time",
    }
    assert {str(dtype) for dtype in table.frame.dtypes} == {
        "Int64",
        "int64",
        "float64",
        "str",
        "boolean",
        "datetime64[us]",
        "datetime64[us, Europe/Berlin]",
        "timedelta64[us]",
    }
    assert table.columns["blank"].blank
    assert table.frame["blank"].isna().tolist() == [True, False]
    assert table.frame["huge"][0] == "18446744073709551615"
    assert table.frame["id"][0] == 12345678901234567


def test_what_came_from_parquet_goes_back_as_it_came(tmp_path: Path) -> None:
    pq.write_table(many_types(), tmp_path / "t.parquet")
    study = read_study(tmp_path / "t.parquet")
    write_study(study, tmp_path / "out", format="same")
    back = read_study(tmp_path / "out")["t"]
    pd.testing.assert_frame_equal(back.frame, study["t"].frame)
    assert back.columns == study["t"].columns
    schema = pq.read_schema(tmp_path / "out" / "t.parquet")
    kinds = {"small": pa.int32(), "single": pa.float32(), "clock": pa.time64("us"), "coded": pa.string()}
    assert {name: schema.field(name).type for name in kinds} == kinds
    assert pq.read_table(tmp_path / "out" / "t.parquet")["blank"].to_pylist() == ["", "x"]


def test_metadata_travels_with_the_file(tmp_path: Path) -> None:
    columns = {"A": Column("A", "text", "Label µ", 20, "$20.", "$CHAR20."), "B": Column("B", "float", length=8)}
    frame = pd.DataFrame({"A": pd.Series(["x"]), "B": [1.0]})
    write_study(Study({"t": Table("t", frame, columns, "About t")}), tmp_path / "out")
    back = read_study(tmp_path / "out")["t"]
    assert back.columns == columns
    assert back.label == "About t"


def test_blocks_of_categoricals_make_one_file(tmp_path: Path) -> None:
    columns = {"A": Column("A", "text"), "N": Column("N", "integer")}
    with open_writer(tmp_path / "out", [("t", columns, "", None), ("none", columns, "", None)]) as writer:
        writer.append("t", pd.DataFrame({"A": pd.Categorical(["x", None]), "N": [1.0, float("nan")]}))
        writer.append("t", pd.DataFrame({"A": pd.Series(["y"]), "N": pd.Series([3], dtype="Int64")}))
        summary = writer.close()
    study = read_study(tmp_path / "out")
    assert study["t"].frame["A"].fillna("").tolist() == ["x", "", "y"]
    assert study["t"].frame["N"].fillna(-1).tolist() == [1, -1, 3]
    assert {file: entry["rows"] for file, entry in summary.items()} == {"t.parquet": 3, "none.parquet": 0}
    assert {name: column.type for name, column in study["none"].columns.items()} == {"A": "text", "N": "integer"}


def test_a_value_of_another_type_is_refused(tmp_path: Path) -> None:
    writer = open_writer(tmp_path / "out", [("t", {"N": Column("N", "integer")}, "", None)])
    with pytest.raises(WriteError, match="type integer") as caught:
        writer.append("t", pd.DataFrame({"N": [1.5]}))
    assert caught.value.place.column == "N"
    assert list(tmp_path.iterdir()) == []


def test_an_unnamed_pandas_index_is_no_column(tmp_path: Path) -> None:
    pd.DataFrame({"A": ["x", "y"]}, index=[5, 7]).to_parquet(tmp_path / "t.parquet")
    assert list(read_study(tmp_path / "t.parquet")["t"].columns) == ["A"]


@pytest.mark.parametrize("nested", [[[1], [2]], [{"a": 1}, {"a": 2}], [b"x", b"y"]])
def test_nested_columns_are_refused(tmp_path: Path, nested: list) -> None:
    pq.write_table(pa.table({"A": nested}), tmp_path / "t.parquet")
    with pytest.raises(SourceError, match="flat table") as caught:
        read_study(tmp_path / "t.parquet")
    assert caught.value.place.column == "A"


@pytest.mark.parametrize("cut", [4, 300, -30])
def test_a_cut_file_is_refused(tmp_path: Path, cut: int) -> None:
    pq.write_table(many_types(), tmp_path / "t.parquet")
    path = tmp_path / "t.parquet"
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(SourceError, match=r"t\.parquet"):
        read_study(path)


def test_a_note_beside_the_file_gives_labels(tmp_path: Path) -> None:
    pq.write_table(pa.table({"A": ["x"], "B": ["y"]}), tmp_path / "t.parquet")
    (tmp_path / "t.meta.json").write_text(
        '{"datasetJSONVersion": "1.1.0", "label": "About", "columns": '
        '[{"itemOID": "IT.A", "name": "A", "label": "Label A", "dataType": "string", "length": 7}]}'
    )
    table = read_study(tmp_path)["t"]
    assert (table.label, table.columns["A"].label, table.columns["A"].length) == ("About", "Label A", 7)
    assert table.columns["B"].label == ""

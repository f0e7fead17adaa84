"""The key in its forms, and the way back from each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from datareplicator.errors import RequestError, SourceError
from datareplicator.faults import Answers, corrupt, read_answers, repair
from datareplicator.faults.answers import COLUMNS
from datareplicator.faults.values import as_text, from_text
from datareplicator.structure.spec import Structure
from datareplicator.study import Column, Study

Known = tuple[Study, Structure]


@pytest.fixture(scope="module")
def dirty(known: Known) -> tuple[Study, Answers]:
    return corrupt(known[0], ["uat", "migration"], seed=5, structure=known[1])


@pytest.mark.parametrize("name", ["answers.parquet", "answers.json", "answers.csv"])
def test_a_key_survives_its_file(name: str, dirty: tuple[Study, Answers], tmp_path: Path) -> None:
    answers = dirty[1]
    back = read_answers(answers.write(tmp_path / name))
    pd.testing.assert_frame_equal(back.to_frame(), answers.to_frame())
    if not name.endswith("csv"):
        assert back == Answers(back.frame, answers.tables, answers.notes, answers.seed)


@pytest.mark.parametrize("name", ["answers.parquet", "answers.json"])
def test_a_key_from_a_file_repairs(
    name: str, dirty: tuple[Study, Answers], known: Known, tmp_path: Path, check: Callable
) -> None:
    check(known[0], dirty[0], read_answers(dirty[1].write(tmp_path / name)))


def test_cores_form_names_dataset_record_variable_and_value(dirty: tuple[Study, Answers], tmp_path: Path) -> None:
    core = dirty[1].to_core()
    assert {"Dataset", "Record", "Variable", "Value"} <= set(core)
    assert len(core) == len(dirty[1])
    assert len(pd.read_csv(dirty[1].write(tmp_path / "key.core.csv"))) == len(core)


def test_every_column_has_its_type(dirty: tuple[Study, Answers]) -> None:
    frame = dirty[1].to_frame()
    assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == COLUMNS
    assert frame.loc[frame["change"] == "cell", "key"].notna().all()
    assert dirty[1].summary()["changes"].sum() == len(frame)
    assert "faults" in dirty[1].to_text()


def test_another_study_is_refused(dirty: tuple[Study, Answers], known: Known) -> None:
    with pytest.raises(RequestError, match="does not belong"):
        repair(known[0], dirty[1])
    with pytest.raises(RequestError, match="no such table"):
        repair(Study({"x": known[0]["dm"]}), dirty[1])


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b'{"answers": 2, "rows": [], "tables": {}, "notes": []}'])
@pytest.mark.parametrize("name", ["a.json", "a.parquet", "a.csv"])
def test_a_damaged_key_is_refused(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SourceError):
        read_answers(tmp_path / name)
    with pytest.raises(SourceError, match="no such file"):
        read_answers(tmp_path / "none.json")


def test_another_suffix_is_refused(dirty: tuple[Study, Answers], tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="parquet"):
        dirty[1].write(tmp_path / "answers.txt")


@pytest.mark.parametrize(
    ("values", "column"),
    [
        (pd.Series([0.1, 1e-300, 1 / 3, None]), Column("x", "float")),
        (pd.Series([1, 2**62, None], dtype="Int64"), Column("x", "integer")),
        (pd.Series([True, False, None], dtype="boolean"), Column("x", "boolean")),
        (pd.Series([" a", "b\n", 'c,"', None], dtype="str"), Column("x", "text")),
        (
            pd.Series(pd.to_datetime(["2020-01-01T10:00:00.000001", None])).astype("datetime64[us]"),
            Column("x", "datetime"),
        ),
        (pd.Series(pd.to_timedelta([1, None], unit="us")).astype("timedelta64[us]"), Column("x", "time")),
    ],
)
def test_values_come_back_from_their_text(values: pd.Series, column: Column) -> None:
    back = pd.Series(from_text(as_text(values), column), dtype=values.dtype)
    pd.testing.assert_series_equal(back, values)

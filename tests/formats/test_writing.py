"""The output folder appears whole or not at all."""

import errno
import hashlib
import os
from pathlib import Path

import pandas as pd
import pytest

from datareplicator.errors import RequestError, WriteError
from datareplicator.formats import StudyWriter, open_writer, read_study, write_study
from datareplicator.formats.registry import FORMATS
from datareplicator.study import Column, Origin, Study, Table

COLUMNS = {"A": Column("A", "text"), "N": Column("N", "float")}
WRITABLE = [name for name, entry in FORMATS.items() if entry.open_writer is not None]


def study(name: str = "dm", origin: Origin | None = None) -> Study:
    frame = pd.DataFrame({"A": pd.Series(["x", None, "z"], dtype="str"), "N": [1.5, 2.0, float("nan")]})
    return Study({name: Table(name, frame, COLUMNS, "", origin)})


@pytest.mark.parametrize("format", WRITABLE)
def test_rows_and_hash_are_told_and_bytes_repeat(tmp_path: Path, format: str) -> None:
    summary = write_study(study(), tmp_path / "a" / "out", format=format)
    (file,) = summary
    raw = (tmp_path / "a" / "out" / file).read_bytes()
    assert summary[file] == {"rows": 3, "sha256": hashlib.sha256(raw).hexdigest()}
    assert write_study(study(), tmp_path / "b", format=format) == summary
    assert [entry.name for entry in (tmp_path / "a").iterdir()] == ["out"]
    back = read_study(tmp_path / "b")["dm"].frame
    assert back["A"].fillna("").tolist() == ["x", "", "z"]
    assert back["N"].fillna(-1.0).tolist() == [1.5, 2.0, -1.0]


@pytest.mark.parametrize("format", WRITABLE)
def test_blocks_give_the_same_bytes_as_one(tmp_path: Path, format: str) -> None:
    whole = write_study(study(), tmp_path / "whole", format=format)
    frame = study()["dm"].frame
    with open_writer(tmp_path / "blocks", [("dm", COLUMNS, "", None)], format) as writer:
        for row in range(len(frame)):
            writer.append("dm", frame.iloc[row : row + 1])
        assert writer.close() == whole


@pytest.mark.parametrize("format", WRITABLE)
@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_an_error_leaves_nothing(tmp_path: Path, format: str, error: type[BaseException]) -> None:
    with pytest.raises(error), open_writer(tmp_path / "out", [("dm", COLUMNS, "", None)], format) as writer:
        writer.append("dm", study()["dm"].frame)
        raise error
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("datareplicator.formats.parquet.pq.ParquetWriter.write_table", full)
    with pytest.raises(WriteError, match="no space is left") as caught:
        write_study(study(), tmp_path / "out")
    assert caught.value.code == "write"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write everywhere")
def test_no_permission(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(WriteError, match="permission"):
        write_study(study(), tmp_path / "out")


def test_a_refusing_system_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: object) -> str:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("datareplicator.formats.atomic.tempfile.mkdtemp", refuse)
    with pytest.raises(WriteError, match="no permission to write"):
        write_study(study(), tmp_path / "out")


def test_a_folder_in_use_is_kept_unless_it_may_be_replaced(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    write_study(study(), out)
    (out / "mine.txt").write_text("kept")
    with pytest.raises(WriteError, match="not empty"):
        write_study(study("ae"), out)
    with pytest.raises(RuntimeError), open_writer(out, [("ae", COLUMNS, "", None)], overwrite=True):
        raise RuntimeError
    assert (out / "mine.txt").read_text() == "kept"
    write_study(study("ae"), out, overwrite=True)
    assert [entry.name for entry in out.iterdir()] == ["ae.parquet"]
    assert [entry.name for entry in tmp_path.iterdir()] == ["out"]


def test_a_file_in_the_way_is_kept(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("kept")
    with pytest.raises(WriteError, match="in the way"):
        write_study(study(), tmp_path / "out", overwrite=True)
    with pytest.raises(WriteError):
        write_study(study(), tmp_path / "out" / "below")
    assert (tmp_path / "out").read_text() == "kept"


def test_further_files_may_join_before_the_folder_appears(tmp_path: Path) -> None:
    writer = open_writer(tmp_path / "out", [("dm", COLUMNS, "", None)])
    writer.append("dm", study()["dm"].frame)
    summary = writer.finish()
    assert not (tmp_path / "out").exists()
    (writer.path / "manifest.json").write_text(str(summary))
    writer.commit()
    assert sorted(entry.name for entry in (tmp_path / "out").iterdir()) == ["dm.parquet", "manifest.json"]


def test_same_writes_every_table_as_it_came(tmp_path: Path) -> None:
    tables = {}
    for name, kind in {"a": "csv", "b": "json", "c": "sas7bdat", "d": "frames", "e": "parquet", "f": "tsv"}.items():
        tables |= study(name, Origin(kind, name)).tables
    summary = write_study(Study(tables), tmp_path / "out", format="same")
    assert sorted(summary) == ["a.csv", "b.json", "c.parquet", "d.parquet", "e.parquet", "f.tsv"]


@pytest.mark.parametrize("name", ["../dm", "a/b", "", ".", "..", ".hidden", "a\0b", "a:b"])
def test_table_names_never_lead_elsewhere(tmp_path: Path, name: str) -> None:
    with pytest.raises(WriteError, match="file name"):
        write_study(study(name), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_requests_that_make_no_sense(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="cannot be written"):
        write_study(study(), tmp_path / "out", format="sas7bdat")
    both = Study(study("dm").tables | study("DM").tables)
    with pytest.raises(WriteError, match="share one file"):
        write_study(both, tmp_path / "out")
    writer: StudyWriter
    with (
        pytest.raises(RequestError, match="was announced"),
        open_writer(tmp_path / "o", [("dm", COLUMNS, "", None)]) as writer,
    ):
        writer.append("ae", study()["dm"].frame)
    with (
        pytest.raises(RequestError, match="lack the columns N"),
        open_writer(tmp_path / "o", [("dm", COLUMNS, "", None)]) as writer,
    ):
        writer.append("dm", study()["dm"].frame[["A"]])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("format", "options"),
    [
        ("csv", {"encoding": "no-such-encoding"}),
        ("csv", {"encoding": "zlib_codec"}),
        ("csv", {"encoding": ["utf-8"]}),
        ("csv", {"delimiter": "xx"}),
        ("csv", {"newline": "x"}),
        ("csv", {"styles": {"N": "fixed:999999999"}}),
        ("csv", {"styles": "plain"}),
        ("parquet", {"types": {"N": "list"}}),
        ("xpt", {"version": 7}),
        ("xpt", {"member": "A" * 1000}),
        ("xpt", {"encoding": "utf-16"}),
        ("json", {"shape": "unknown"}),
        ("json", {"shape": "dataset-json", "types": {"N": ["x"]}}),
        ("xlsx", {"sheet": 5}),
    ],
)
def test_notes_of_a_stranger_are_checked(tmp_path: Path, format: str, options: dict[str, object]) -> None:
    with pytest.raises(WriteError):
        write_study(study(origin=Origin(format, "dm", options)), tmp_path / "out", format="same")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("options", [{"styles": {"A": "fixed:2", "N": "upper"}}, {"unknown": 1}])
def test_notes_that_do_not_fit_the_columns_do_no_harm(tmp_path: Path, options: dict[str, object]) -> None:
    write_study(study(origin=Origin("csv", "dm", options)), tmp_path / "out", format="same")
    assert read_study(tmp_path / "out")["dm"].frame["N"].tolist()[:2] == [1.5, 2.0]

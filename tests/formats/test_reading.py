"""Folders, zips and single files: what is read, what is left out, and what is refused."""

import io
import os
import stat
import zipfile
from pathlib import Path

import numpy as np
import pytest

from datareplicator.errors import RequestError, SourceError
from datareplicator.formats import archive, read_study

CSV = b"USUBJID,A\n1,x\n"


def zip_of(path: Path, files: dict[str, bytes], mode: int = 0) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = mode << 16
            target.writestr(entry, data)
    return path


def test_a_folder_is_read_in_order_without_what_is_no_data(tmp_path: Path) -> None:
    for name in ("vs.csv", "AE.csv", "dm.csv"):
        (tmp_path / name).write_bytes(CSV)
    for name in ("define.xml", "README.md", "README.csv", "manifest.json", "report.html", ".hidden.csv", "notes.pdf"):
        (tmp_path / name).write_text("not a table")
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "ex.csv").write_bytes(CSV)
    assert list(read_study(tmp_path)) == ["AE", "dm", "vs"]


def test_a_folder_with_all_files_in_one_folder_below(tmp_path: Path) -> None:
    (tmp_path / "data" / "sdtm").mkdir(parents=True)
    (tmp_path / "data" / "sdtm" / "dm.csv").write_bytes(CSV)
    assert list(read_study(tmp_path)) == ["dm"]


def test_the_study_is_named_by_its_data_or_its_source(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "dm.csv").write_bytes(b"STUDYID,A\nABC,1\n")
    assert read_study(folder).name == "ABC"
    (folder / "dm.csv").write_bytes(CSV)
    assert read_study(str(folder)).name == "folder"


def test_of_a_table_in_two_formats_that_of_most_tables_is_read(tmp_path: Path) -> None:
    for name in ("dm.csv", "ae.csv", "vs.csv"):
        (tmp_path / name).write_bytes(CSV)
    (tmp_path / "DM.json").write_text('[{"A": 1}]')
    study = read_study(tmp_path)
    assert list(study) == ["ae", "dm", "vs"]
    (note,) = study.notes
    assert "dm.csv is read, DM.json (with" in note
    assert "name the format" in note
    assert list(read_study(tmp_path, format="json")) == ["DM"]


def test_a_table_in_two_files_is_refused_unless_a_format_is_named(tmp_path: Path) -> None:
    (tmp_path / "dm.csv").write_bytes(CSV)
    (tmp_path / "DM.json").write_text('[{"A": 1}]')
    with pytest.raises(SourceError, match="occurs twice") as caught:
        read_study(tmp_path)
    assert "dm.csv" in str(caught.value)
    assert "DM.json" in str(caught.value)
    assert list(read_study(tmp_path, format="csv")) == ["dm"]


def test_a_header_alone_is_an_empty_table_beside_others(tmp_path: Path) -> None:
    (tmp_path / "dm.csv").write_bytes(CSV)
    (tmp_path / "ae.csv").write_bytes(b"USUBJID,B\n")
    study = read_study(tmp_path)
    assert {name: (len(table), list(table.columns)) for name, table in study.tables.items()} == {
        "ae": (0, ["USUBJID", "B"]),
        "dm": (1, ["USUBJID", "A"]),
    }


def test_formats_by_name(tmp_path: Path) -> None:
    (tmp_path / "dm.txt").write_bytes(CSV)
    assert list(read_study(tmp_path / "dm.txt", format="csv")) == ["dm"]
    with pytest.raises(SourceError, match=r"suffix .txt are unknown"):
        read_study(tmp_path / "dm.txt")
    with pytest.raises(RequestError, match="format foo is unknown"):
        read_study(tmp_path / "dm.txt", format="foo")


def test_nothing_to_read(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no such file"):
        read_study(tmp_path / "missing")
    with pytest.raises(SourceError, match="no file that can be read"):
        read_study(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read everything")
def test_no_permission(tmp_path: Path) -> None:
    (tmp_path / "dm.csv").write_bytes(CSV)
    (tmp_path / "dm.csv").chmod(0)
    with pytest.raises(SourceError, match="permission"):
        read_study(tmp_path)


def test_a_refusing_system_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "dm.csv").write_bytes(CSV)

    def refuse(_: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(SourceError, match="no permission to read") as caught:
        read_study(tmp_path)
    assert caught.value.place.file == "dm.csv"


def test_a_zip_is_read_like_a_folder(tmp_path: Path) -> None:
    files = {"s/dm.csv": CSV, "s/ae.csv": CSV, "s/define.xml": b"", "__MACOSX/s/._dm.csv": b"junk", "s/acrf.pdf": b"x"}
    path = zip_of(tmp_path / "study.zip", files)
    study = read_study(path)
    assert list(study) == ["ae", "dm"]
    bad = zip_of(tmp_path / "bad.zip", {"dm.csv": b"A,B\n1\n"})
    with pytest.raises(SourceError) as caught:
        read_study(bad)
    assert caught.value.place.file == "bad.zip/dm.csv"


def nested() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as inner:
        inner.writestr("dm.csv", CSV)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("files", "mode", "message"),
    [
        ({"../dm.csv": CSV}, 0, "leads out"),
        ({"a/../../dm.csv": CSV}, 0, "leads out"),
        ({"/dm.csv": CSV}, 0, "leads out"),
        ({"C:\\dm.csv": CSV}, 0, "leads out"),
        ({"..\\dm.csv": CSV}, 0, "leads out"),
        ({"dm.csv": b"/etc/hosts"}, stat.S_IFLNK | 0o777, "is a link"),
        ({"dm.zip": nested()}, 0, "archive within"),
        ({"dm.csv": CSV, "DM.csv": CSV}, 0, "occurs twice"),
        ({"dm.csv": b"0" * 30_000_000}, 0, "zip bomb"),
        ({}, 0, "no file that can be read"),
    ],
)
def test_hostile_zips_are_refused(tmp_path: Path, files: dict[str, bytes], mode: int, message: str) -> None:
    path = zip_of(tmp_path / "study.zip", files, mode)
    with pytest.raises(SourceError, match=message) as caught:
        read_study(path)
    assert "study.zip" in str(caught.value)
    assert caught.value.hint
    assert [entry.name for entry in tmp_path.iterdir()] == ["study.zip"]


def test_too_many_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MAX_FILES", 2)
    path = zip_of(tmp_path / "study.zip", {f"t{i}.csv": CSV for i in range(3)})
    with pytest.raises(SourceError, match="holds 3 files"):
        read_study(path)


def test_damaged_zips_are_refused(tmp_path: Path) -> None:
    noise = np.random.default_rng(3).integers(32, 127, 200_000, dtype=np.uint8).tobytes()
    good = zip_of(tmp_path / "good.zip", {"dm.csv": b"A\n" + noise}).read_bytes()
    damaged = bytearray(good)
    damaged[50_000:50_100] = b"\0" * 100
    for raw in (b"junk", good[:1000], good[:-10], bytes(damaged)):
        path = tmp_path / "bad.zip"
        path.write_bytes(raw)
        with pytest.raises(SourceError, match="zip file cannot be read"):
            read_study(path)

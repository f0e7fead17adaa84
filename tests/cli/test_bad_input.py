"""What is wrong with a file, a request or a disk is said in one line, and nothing half-written stays."""

from __future__ import annotations

import errno
import json
import os
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from support import studies

from datareplicator.formats import delimited, read_study, write_study
from datareplicator.study import Study

DM = pd.DataFrame(
    {"USUBJID": [f"A{i:02d}" for i in range(12)], "AGE": range(30, 42), "SEX": [*"MF"] * 6, "ARM": [*"AAB"] * 4}
)
VS = pd.DataFrame(
    {
        "USUBJID": DM["USUBJID"].repeat(3).to_numpy(),
        "VISITNUM": [1, 2, 3] * 12,
        "VSTESTCD": "SYSBP",
        "VSSTRESN": 120 + np.arange(36) * 7 % 23,
    }
)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A sound little study of two CSV files."""
    folder = tmp_path / "study"
    folder.mkdir()
    DM.to_csv(folder / "dm.csv", index=False)
    VS.to_csv(folder / "vs.csv", index=False)
    return folder


@pytest.fixture
def replicate(call, tmp_path: Path):
    """Replicate a source into `out`, and tell what is left in the folder that held nothing else."""

    def _replicate(source: Path, *options: object):
        target = tmp_path / "target"
        target.mkdir()
        ran = call("replicate", source, "-n", 3, "-o", target / "out", "--workers", 1, *options)
        return ran, sorted(path.name for path in target.iterdir())

    return _replicate


def _as(form: str, source: Path) -> Path:
    """The study in another format; returns the file of the larger table."""
    study = read_study(source)
    for path in source.iterdir():
        path.unlink()
    source.rmdir()
    write_study(study, source, format=form)
    return source / f"vs.{form}"


def _cut(form: str) -> Callable[[Path], None]:
    def damage(source: Path) -> None:
        file = _as(form, source)
        data = file.read_bytes()
        file.write_bytes(data[: len(data) * 6 // 10 + 7])

    return damage


def _overwritten(form: str) -> Callable[[Path], None]:
    def damage(source: Path) -> None:
        file = _as(form, source)
        data = bytearray(file.read_bytes())
        data[len(data) // 3 : len(data) // 3 + 400] = bytes(range(200)) * 2
        file.write_bytes(data)

    return damage


def _more(name: str, content: bytes) -> Callable[[Path], None]:
    return lambda source: (source / name).write_bytes(content) and None


def _vs(**columns: object) -> Callable[[Path], None]:
    return lambda source: VS.assign(**columns).to_csv(source / "vs.csv", index=False)


def _only(frame: str) -> Callable[[Path], None]:
    def damage(source: Path) -> None:
        (source / "vs.csv").unlink()
        (source / "dm.csv").write_text(frame)

    return damage


@pytest.mark.parametrize(
    ("damage", "code", "message"),
    [
        pytest.param(_more("ae.csv", b""), 3, "file ae.csv: the file is empty. Export it again", id="empty"),
        pytest.param(_only("USUBJID,AGE\n"), 3, "column names at most, but no row", id="header-only"),
        pytest.param(_cut("xpt"), 3, "file vs.xpt, table vs, row 1", id="xpt-cut"),
        pytest.param(_overwritten("xpt"), 3, "file vs.xpt", id="xpt-corrupt"),
        pytest.param(_more("ae.xpt", b"hello " * 99), 3, "file ae.xpt: the file is no SAS XPORT file", id="xpt-none"),
        pytest.param(_cut("parquet"), 3, "file vs.parquet: the Parquet file cannot be read", id="parquet-cut"),
        pytest.param(_overwritten("parquet"), 3, "file vs.parquet", id="parquet-corrupt"),
        pytest.param(_cut("xlsx"), 3, "file vs.xlsx: the workbook cannot be read", id="xlsx-cut"),
        pytest.param(_cut("json"), 3, "file vs.json", id="json-cut"),
        pytest.param(_more("ae.sas7bdat", b"x" * 999), 3, "file ae.sas7bdat: the file is no sas7bdat", id="sas-none"),
        pytest.param(
            _more("ae.csv", b"USUBJID,AETERM,AETERM\nA01,x,y\n"),
            3,
            "file ae.csv, table ae, column AETERM: the column name occurs more than once",
            id="double-column",
        ),
        pytest.param(
            _more("ae.csv", b"USUBJID,AETERM\nA01,x\nA02,y,z\n"),
            3,
            "file ae.csv, table ae, row 2: the row has 3 cells instead of 2",
            id="ragged",
        ),
        pytest.param(
            _more("ae.csv", b"USUBJID,AETERM\nA01,x\nA01,he\0llo\n"),
            3,
            "file ae.csv, table ae, row 2: the line holds a NUL character",
            id="nul",
        ),
        pytest.param(
            _vs(USUBJID=VS["USUBJID"].where(VS.index != 12)),
            4,
            "file vs.csv, table vs, column USUBJID, row 13: the subject key is missing in 1 of 36 rows. Fill in",
            id="key-missing",
        ),
        pytest.param(
            lambda source: pd.concat([DM, DM.tail(1)]).to_csv(source / "dm.csv", index=False),
            4,
            "file dm.csv, table dm, column USUBJID, row 13: a subject stands here twice",
            id="subject-twice",
        ),
    ],
)
def test_a_damaged_source_is_named_with_its_place(
    replicate, source: Path, damage: Callable[[Path], None], code: int, message: str
) -> None:
    damage(source)
    ran, left = replicate(source)
    assert ran.code == code
    assert message in ran.err
    assert ran.err.startswith("error: ")
    assert ran.err.count("\n") == 1
    assert left == []


def test_a_cut_or_damaged_sas7bdat_is_named(replicate, tmp_path: Path) -> None:
    """The header of a sas7bdat file: the magic number, then nothing that it promises."""
    magic = bytes(12) + bytes.fromhex("c2ea8160b31411cfbd92080009c7318c181f1011")
    (tmp_path / "ae.sas7bdat").write_bytes(magic + bytes(200))
    ran, left = replicate(tmp_path / "ae.sas7bdat")
    assert ran.code == 3
    assert "file ae.sas7bdat" in ran.err
    assert left == []


@pytest.mark.parametrize("damage", ["cut", "corrupt", "trick"])
def test_a_bad_zip_is_named(replicate, source: Path, tmp_path: Path, damage: str) -> None:
    file = tmp_path / "study.zip"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(source.iterdir()):
            archive.write(path, f"../{path.name}" if damage == "trick" else path.name)
    data = file.read_bytes()
    if damage == "cut":
        file.write_bytes(data[: len(data) // 2])
    if damage == "corrupt":
        file.write_bytes(data[:60] + b"x" * 30 + data[90:])
    ran, left = replicate(file)
    assert ran.code == 3
    assert "file study.zip: the " in ran.err
    assert ("leads out of the archive" in ran.err) == (damage == "trick")
    assert left == []


@pytest.mark.parametrize("name", ["study.docx", "readme.txt"])
def test_an_unknown_format_is_named_with_the_known_ones(replicate, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("hello")
    ran, left = replicate(tmp_path / name)
    assert ran.code == 3
    assert f"file {name}" in ran.err
    assert ".parquet" in ran.err
    assert left == []


def test_odd_but_honest_tables_come_through(replicate, source: Path, tmp_path: Path) -> None:
    """No row, no subject key, mixed types, nothing but missing values, a cell of 10 MB."""
    (source / "ae.csv").write_text("USUBJID,AETERM\n")
    (source / "sites.csv").write_text("PLACE,BEDS\nnorth,20\nsouth,30\n")
    mixed = [*["1", "2", "abc", "4.5", "<3"] * 2, None, "007"]
    DM.assign(MIXED=mixed, EMPTY=None).to_csv(source / "dm.csv", index=False)
    (source / "cm.csv").write_text(f"USUBJID,CMTRT\nA01,{'x' * 10_000_000}\nA02,aspirin\n")
    ran, left = replicate(source, "--format", "parquet")  # which keeps types that three subjects do not show
    assert ran.code == 0, ran.err
    assert "note: ae: no rows; written empty" in ran.err
    assert "note: sites: no subject is named or reached; copied unchanged" in ran.err
    assert "note: Only 12 subjects to learn from" in ran.err
    assert left == ["out"]
    made = read_study(tmp_path / "target" / "out")
    assert len(made["ae"]) == 0
    assert list(made["sites"].frame["PLACE"]) == ["north", "south"]
    assert made["dm"].columns["MIXED"].type == "text"
    assert made["dm"].frame["EMPTY"].isna().all()
    assert set(made["dm"].frame["MIXED"].dropna()) <= {value for value in mixed if value is not None}


def _first(study: Study, subjects: int) -> Study:
    keep = study["dm"].frame["USUBJID"].head(subjects)
    tables = {
        name: replace(table, frame=table.frame[table.frame["USUBJID"].isin(keep)].reset_index(drop=True))
        if "USUBJID" in table.frame
        else table
        for name, table in study.tables.items()
    }
    return Study(tables, study.name)


@pytest.mark.parametrize("subjects", [1, 2, 5])
def test_a_tiny_source_works_and_says_what_it_cannot_teach(
    replicate, sample: Path, tmp_path: Path, subjects: int
) -> None:
    study = read_study(sample) if subjects == 1 else studies.sdtm(8)
    write_study(_first(study, subjects), tmp_path / "tiny", format="xpt")
    ran, left = replicate(tmp_path / "tiny")
    assert ran.code == 0, ran.err
    assert f"note: Only {subjects} subject{'s' if subjects > 1 else ''} to learn from: " in ran.err
    assert ran.err.count("copied unchanged") == 1
    assert left == ["out"]
    assert len(read_study(tmp_path / "target" / "out")["dm"]) == 3


def test_the_sample_study_is_small_and_says_so(call, model: Path, tmp_path: Path) -> None:
    ran = call("generate", model, "-n", 1, "-o", tmp_path / "out")
    assert ran.code == 0
    assert "a correlation to 0.24" in ran.err
    assert ran.out.startswith("1 subject, ")


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write anywhere")
def test_a_folder_without_permission_is_a_write_error(call, model: Path, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        ran = call("generate", model, "-n", 2, "-o", tmp_path / "out")
        assert ran.code == 6
        assert "ermission" in ran.err
    finally:
        tmp_path.chmod(0o700)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("number", "said"), [(errno.ENOSPC, "no space is left"), (errno.EACCES, "ermission")])
def test_a_disk_that_refuses_leaves_nothing(
    replicate, source: Path, monkeypatch: pytest.MonkeyPatch, number: int, said: str
) -> None:
    """The second table cannot be written: the first is taken back."""
    append = delimited.Writer.append

    def refuse(self: delimited.Writer, frame: pd.DataFrame) -> None:
        if "VISITNUM" in frame:
            raise OSError(number, os.strerror(number))
        append(self, frame)

    monkeypatch.setattr(delimited.Writer, "append", refuse)
    ran, left = replicate(source)
    assert ran.code == 6
    assert said in ran.err
    assert ran.err.count("error: ") == 1
    assert left == []


def test_a_model_that_the_disk_refuses_leaves_nothing(
    call, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Path, *args: object, **options: object) -> int:
        self.touch()
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_text", refuse)
    ran = call("fit", source, "-o", tmp_path / "target.json")
    assert ran.code == 6
    assert "target.json: the model cannot be written (No space left on device). Write elsewhere" in ran.err
    assert [path.name for path in tmp_path.iterdir()] == ["study"]


def _set(document: dict, path: str, value: object) -> None:
    *way, last = path.split("/")
    for step in way:
        document = document[int(step) if step.isdigit() else step]
    document[last] = value


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("version", 99, "the model is of version 99, this software reads version"),
        ("version", None, "version None"),
        ("format", "pickle", "the document is no model"),
        ("subjects", {"py/object": "os.system"}, "at subjects"),
        ("extra", "x", "at extra: Extra inputs are not permitted"),
        ("tables/0/table", "nowhere", "belongs to table 'nowhere'"),
        ("visits", "many", "at visits"),
        ("sources/0/columns", 3, "at sources.0.columns"),
        ("structure/tables", [], "at structure.tables"),
        ("subjects_learned", 1e400, "subjects_learned"),
    ],
)
def test_an_edited_model_is_a_model_error_that_names_the_place(
    call, model: Path, tmp_path: Path, path: str, value: object, message: str
) -> None:
    document = json.loads(model.read_text())
    _set(document, path, value)
    (tmp_path / "model.json").write_text(json.dumps(document))
    ran = call("generate", tmp_path / "model.json", "-n", 2, "-o", tmp_path / "out")
    assert ran.code == 5
    assert "model.json: " in ran.err
    assert message in ran.err
    assert ran.err.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["model.json"]


@pytest.mark.parametrize(
    "text",
    ["", "null", "[]", "{}", "[" * 100_000, '{"format": "datareplicator-model"}', "\ufeff{}", "9" * 5_000],
    ids=["empty", "null", "list", "object", "deep", "bare", "bom", "number"],
)
def test_a_document_that_is_no_model_is_a_model_error(call, tmp_path: Path, text: str) -> None:
    (tmp_path / "model.json").write_text(text, encoding="utf-8")
    ran = call("generate", tmp_path / "model.json", "-n", 2, "-o", tmp_path / "out")
    assert ran.code == 5
    assert "model.json: " in ran.err
    assert [path.name for path in tmp_path.iterdir()] == ["model.json"]


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "a/b", "..", "con\0x", ""])
def test_a_hostile_model_writes_nowhere_else(call, model: Path, tmp_path: Path, name: str) -> None:
    document = json.loads(model.read_text())
    table = document["sources"][0]["name"]
    text = json.dumps(document).replace(f'"{table}"', json.dumps(name))
    (tmp_path / "model.json").write_text(text)
    (tmp_path / "target").mkdir()
    ran = call("generate", tmp_path / "model.json", "-n", 2, "-o", tmp_path / "target" / "out", "--format", "csv")
    assert ran.code in (5, 6), ran.err
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["model.json", "target"]

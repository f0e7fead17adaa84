"""Faults of finished files, and the commands from files to files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from datareplicator import pipeline
from datareplicator.errors import RequestError, SourceError
from datareplicator.faults.files import Splice, _way_back, restore_file, spliced
from datareplicator.faults.kind import Scope, all_kinds
from datareplicator.formats import read_study, write_study

FILE_KINDS = [kind.name for kind in all_kinds() if kind.scope == Scope.FILES]


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory, sample: Path) -> Path:
    """The sample study as CSV."""
    folder = tmp_path_factory.mktemp("files") / "study"
    write_study(read_study(sample), folder, format="csv")
    return folder


def _plan(*kinds: str, **more: object) -> dict:
    return {"faults": [{"kind": kind, "count": 1, **more} for kind in kinds]}


@pytest.mark.parametrize("kind", FILE_KINDS)
def test_a_changed_file_comes_back_byte_for_byte(kind: str, study: Path, tmp_path: Path) -> None:
    done = pipeline.corrupt(str(study), _plan(kind), tmp_path / "dirty", seed=3)
    [row] = done.answers.to_frame().itertuples()
    assert (row.change, row.kind) == ("file", kind)
    changed = [f.name for f in study.iterdir() if f.read_bytes() != (tmp_path / "dirty" / f.name).read_bytes()]
    assert changed == [json.loads(row.old)["file"]]
    pipeline.repair(str(tmp_path / "dirty"), done.key, tmp_path / "clean")
    for file in study.iterdir():
        assert (tmp_path / "clean" / file.name).read_bytes() == file.read_bytes()


def test_faults_of_tables_and_files_come_back_together(study: Path, tmp_path: Path, learned: None) -> None:
    done = pipeline.corrupt(str(study), ["light", _as_file(tmp_path)], tmp_path / "dirty", seed=3)
    assert {"cell", "insert", "file"} <= set(done.answers.to_frame()["change"])
    again = pipeline.corrupt(str(study), ["light", _as_file(tmp_path)], tmp_path / "again", seed=3)
    for file in (tmp_path / "dirty").rglob("*.*"):
        assert file.read_bytes() == (tmp_path / "again" / file.relative_to(tmp_path / "dirty")).read_bytes()
    pipeline.repair(str(tmp_path / "dirty"), again.key.with_name("answers.json"), tmp_path / "clean")
    for file in study.iterdir():
        assert (tmp_path / "clean" / file.name).read_bytes() == file.read_bytes()


def _as_file(folder: Path) -> str:
    path = folder / "own.yaml"
    path.write_text("faults:\n  - {kind: mixed-line-ends, count: 2}\n  - {kind: byte-order-mark, count: 1}\n")
    return str(path)


def test_xport_comes_back_byte_for_byte(sample: Path, tmp_path: Path, learned: None) -> None:
    done = pipeline.corrupt(str(sample), ["uat", "edge-cases"], tmp_path / "dirty", seed=3)
    pipeline.repair(str(tmp_path / "dirty"), done.key, tmp_path / "clean")
    for file in sample.glob("*.xpt"):
        assert (tmp_path / "clean" / file.name).read_bytes() == file.read_bytes()


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ({"kind": "byte-order-mark", "count": 100}, "there are 19 files"),
        ({"kind": "byte-order-mark", "count": 1, "target": {"domain": "nothing"}}, "there are 0 files"),
    ],
)
def test_a_file_fault_without_a_place_is_refused(fault: dict, message: str, study: Path, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=message):
        pipeline.corrupt(str(study), {"faults": [fault]}, tmp_path / "dirty")
    assert not (tmp_path / "dirty").exists()


def test_text_faults_find_no_place_in_binary_files(sample: Path, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="there are 0 files"):
        pipeline.corrupt(str(sample), _plan("mixed-line-ends"), tmp_path / "dirty")


def test_what_cannot_be_repaired_is_refused(study: Path, tmp_path: Path) -> None:
    done = pipeline.corrupt(str(study), _plan("empty-file"), tmp_path / "dirty", seed=3)
    with pytest.raises(RequestError, match="CSV form"):
        pipeline.repair(str(tmp_path / "dirty"), done.key.with_suffix(".csv"), tmp_path / "clean")
    with pytest.raises(RequestError, match="not empty"):
        pipeline.repair(str(tmp_path / "dirty"), done.key, study)
    with pytest.raises(SourceError, match="no such file"):
        pipeline.repair(str(tmp_path / "dirty"), tmp_path / "none.json", tmp_path / "clean")
    [name] = [f.name for f in (tmp_path / "dirty").glob("*.csv") if not f.stat().st_size]
    (tmp_path / "dirty" / name).unlink()
    with pytest.raises(RequestError, match="not there"):
        pipeline.repair(str(tmp_path / "dirty"), done.key, tmp_path / "clean")


def test_splices_lead_back() -> None:
    rng = np.random.default_rng(1)
    for _ in range(50):
        clean = rng.bytes(40)
        places = np.sort(rng.choice(40, 6, replace=False)).reshape(3, 2)
        splices = [Splice(int(a), clean[a:b], rng.bytes(int(rng.integers(0, 5)))) for a, b in places]
        dirty = spliced(clean, splices)
        assert restore_file(dirty, {"file": "x", "splices": _way_back(splices)}) == clean
    with pytest.raises(RequestError, match="does not belong"):
        restore_file(b"", {"file": "x", "splices": [[3, 1, ""]]})

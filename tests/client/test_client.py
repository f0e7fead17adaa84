"""The client against a service that runs."""

from __future__ import annotations

import logging
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pandas as pd
import pytest
import structlog
from support.live import Live, live

import datareplicator as dr
from datareplicator.client import ServiceError, service, wire
from datareplicator.client.wire import raised

PAGE = Path(__file__).resolve().parents[2] / "docs/how-to/use-from-python.md"


@pytest.fixture(autouse=True, scope="module")
def _quiet() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with live(tmp_path_factory.mktemp("service")) as made:
        yield made


@pytest.fixture
def client(served: Live) -> Iterator[dr.Client]:
    with dr.Client(served.url, served.token()) as made:
        yield made


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "study"
    folder.mkdir()
    for name in ("dm.xpt", "ae.xpt"):
        shutil.copyfile(dr.sample_study_path() / name, folder / name)
    return folder


def test_the_page_runs_as_it_stands(
    served: Live, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATAREPLICATOR_URL", served.url)
    monkeypatch.setenv("DATAREPLICATOR_KEY", served.token())
    monkeypatch.setenv("STUDY", str(source))
    monkeypatch.chdir(tmp_path)
    (code,) = re.findall(r"^```py\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.M | re.S)
    steps: list[dict] = []
    made: dict = {"print": lambda *said: steps.append(said[0]) if isinstance(said[0], dict) else None}
    exec(compile(code, str(PAGE), "exec"), made)
    assert {"step", "done", "total", "remaining_seconds"} <= set(steps[0])
    assert len(made["synthetic"]["dm"].frame) == 30
    assert (tmp_path / "out/dm.csv").read_text().count("\n") == 31
    assert (made["run"].summary["subjects"], made["study"].shown["name"]) == (30, "study")
    local = dr.load_model("model.json").generate(subjects=30, seed=7)
    assert local["dm"].frame["AGE"].tolist() == made["synthetic"]["dm"].frame["AGE"].astype(float).tolist()
    with dr.Client(served.url, os.environ["DATAREPLICATOR_KEY"]) as again:
        project = again.project("Study 301")
        assert project.id == made["project"].id
        assert project.load_model("model.json").explain().subject_key == "USUBJID"
    with pytest.raises(dr.WriteError, match="not empty"):
        made["run"].write("out/")


def test_what_was_made_is_compared_and_what_was_broken_is_mended(client: dr.Client, source: Path) -> None:
    project = client.project("Compared")
    study = project.read_study(source)
    local = dr.read_study(source)
    dirty = project.corrupt(study, "light", seed=3)
    broken, mended = dirty.study(), project.repair(dirty)
    assert len(dirty.answers()) > 0
    assert not all(broken[name].frame.equals(local[name].frame) for name in ("dm", "ae"))
    for name in ("dm", "ae"):
        pd.testing.assert_frame_equal(mended[name].frame, local[name].frame)
    run = project.replicate(study, subjects=12, seed=5, check=False)
    found = project.compare(study, run)
    assert found.subjects == (20, 12)
    assert found.scores == dr.compare(local, run.study()).scores
    with pytest.raises(dr.RequestError, match="no answer key"):
        project.repair(run)


def test_files_go_in_parts_and_go_on_after_a_cut(
    client: dr.Client, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "AT_ONCE", 0)
    monkeypatch.setattr(wire, "PART", 3000)
    http, sent = client._wire._http, []
    plain = http.patch

    def cut(path, **options):
        sent.append(len(options["content"]))
        if len(sent) in (2, 5):
            raise httpx.ReadError("cut")
        return plain(path, **options)

    monkeypatch.setattr(http, "patch", cut)
    project = client.project("Parts")
    study = project.read_study(source)
    assert len(sent) > 5
    home = f"{study._path}/versions/1/files"
    for file in source.iterdir():
        client._wire.download(f"{home}/{file.name}", tmp_path / "copy")
        assert (tmp_path / "copy").read_bytes() == file.read_bytes()
    project.delete()


def test_errors_are_those_of_the_library(client: dr.Client, served: Live, source: Path, tmp_path: Path) -> None:
    project = client.project("Errors")
    (source / "ae.xpt").write_bytes((source / "ae.xpt").read_bytes()[:2000])
    with pytest.raises(dr.SourceError, match=r"ae\.xpt"):
        project.read_study(source)
    with pytest.raises(dr.SourceError, match="no such file"):
        project.read_study(tmp_path / "nowhere")
    (tmp_path / "bad.json").write_text('{"format": "x"}')
    with pytest.raises(dr.ModelError):
        project.load_model(tmp_path / "bad.json")
    assert client._wire.call("GET", f"{project._home}/datasets")["total"] == 0
    study = project.read_study(dr.sample_study_path() / "dm.xpt")
    with pytest.raises(dr.RequestError, match="subjcts"):
        project.replicate(study, subjcts=3)
    with dr.Client(served.url, served.token()) as stranger, pytest.raises(ServiceError) as refused:
        stranger._wire.call("GET", project._home)
    assert refused.value.status == 404
    with dr.Client(served.url, "dr_wrong") as nobody, pytest.raises(ServiceError) as refused:
        nobody.project("x")
    assert refused.value.status == 401
    with dr.Client("http://127.0.0.1:9", "x") as nowhere, pytest.raises(ServiceError, match="cannot be reached"):
        nowhere.project("x")
    with pytest.raises(dr.RequestError, match="no address"):
        dr.Client("localhost", "x")


def test_limits_say_when_to_come_back() -> None:
    error = raised({"code": "too-many-requests", "detail": "Too many."}, 429, 90.0)
    assert isinstance(error, ServiceError) and error.retry_after == 90.0

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from datareplicator.errors import RequestError, WriteError
from datareplicator.output import check_output, whole_file, whole_folder


def _tree(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


def test_a_folder_appears_whole(tmp_path: Path) -> None:
    with whole_folder(tmp_path / "a" / "out") as folder:
        (folder / "dm.csv").write_text("x")
        assert not (tmp_path / "a" / "out").exists()
    assert _tree(tmp_path) == {"a", "a/out", "a/out/dm.csv"}


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_nothing_is_left_after_an_error(tmp_path: Path, error: type[BaseException]) -> None:
    with pytest.raises(error), whole_folder(tmp_path / "out") as folder:
        (folder / "dm.csv").write_text("x")
        raise error
    assert _tree(tmp_path) == set()


def test_a_full_disk_is_a_write_error_and_keeps_the_old_output(tmp_path: Path) -> None:
    with whole_folder(tmp_path / "out") as folder:
        (folder / "old.csv").write_text("x")
    with pytest.raises(WriteError, match="No space left"), whole_folder(tmp_path / "out") as folder:
        (folder / "new.csv").write_text("x")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert _tree(tmp_path) == {"out", "out/old.csv"}


def test_an_older_output_is_replaced_as_a_whole(tmp_path: Path) -> None:
    for name in ("old.csv", "new.csv"):
        with whole_folder(tmp_path / "out") as folder:
            (folder / name).write_text("x")
    assert _tree(tmp_path) == {"out", "out/new.csv"}


def test_the_old_output_comes_back_when_the_move_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with whole_folder(tmp_path / "out") as folder:
        (folder / "old.csv").write_text("x")
    rename = os.rename

    def refuse(source: Path, target: Path) -> None:
        if (Path(source) / "new.csv").exists():
            raise PermissionError(errno.EACCES, "Permission denied")
        rename(source, target)

    monkeypatch.setattr(os, "rename", refuse)
    with pytest.raises(WriteError, match="Permission denied"), whole_folder(tmp_path / "out") as folder:
        (folder / "new.csv").write_text("x")
    assert _tree(tmp_path) == {"out", "out/old.csv"}


def test_a_place_below_a_file_is_a_write_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(WriteError, match="file/out"), whole_folder(tmp_path / "file" / "out"):
        pass


def test_a_file_appears_whole(tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    with pytest.raises(ValueError, match="stop"), whole_file(path) as partial:
        partial.write_text("half")
        raise ValueError("stop")
    assert _tree(tmp_path) == set()
    with whole_file(path) as partial:
        partial.write_text("whole")
    assert path.read_text() == "whole"
    assert _tree(tmp_path) == {"model.json"}


def test_new_outputs_have_the_usual_permissions(tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    with whole_folder(tmp_path / "out"):
        pass
    assert (tmp_path / "out").stat().st_mode == (tmp_path / "plain").stat().st_mode


class TestCheck:
    def test_new_and_empty_folders_are_fine(self, tmp_path: Path) -> None:
        check_output(tmp_path / "new", overwrite=False)
        check_output(tmp_path, overwrite=False)

    def test_a_full_folder_needs_overwrite(self, tmp_path: Path) -> None:
        (tmp_path / "manifest.json").write_text("{}")
        with pytest.raises(RequestError, match="--overwrite"):
            check_output(tmp_path, overwrite=False)
        check_output(tmp_path, overwrite=True)

    def test_a_folder_that_is_not_ours_is_never_replaced(self, tmp_path: Path) -> None:
        (tmp_path / "thesis.doc").write_text("x")
        with pytest.raises(RequestError, match=r"holds no manifest\.json"):
            check_output(tmp_path, overwrite=True)

    def test_a_file_is_no_folder(self, tmp_path: Path) -> None:
        (tmp_path / "out").write_text("x")
        with pytest.raises(RequestError, match="no folder"):
            check_output(tmp_path / "out", overwrite=True)

    @pytest.mark.parametrize("output", [".", "study"])
    def test_the_source_is_never_replaced(self, tmp_path: Path, output: str) -> None:
        (tmp_path / "study").mkdir()
        (tmp_path / "manifest.json").write_text("{}")
        with pytest.raises(RequestError, match="replace the source"):
            check_output(tmp_path / output, overwrite=True, source=tmp_path / "study")

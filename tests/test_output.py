from __future__ import annotations

from pathlib import Path

import pytest

from datareplicator.errors import RequestError
from datareplicator.output import check_output


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

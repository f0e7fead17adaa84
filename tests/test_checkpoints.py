"""Work that was broken off goes on with the blocks that were made, to the same bytes."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import datareplicator as dr
from datareplicator import pipeline
from datareplicator.pipeline import generation
from datareplicator.pipeline.checkpoints import Checkpoints
from datareplicator.run import Run


class _Cut(Exception):
    pass


def _bytes(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_a_run_goes_on_where_it_was_broken_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "source"
    source.mkdir()
    for name in ("dm.xpt", "ae.xpt", "ts.xpt"):
        shutil.copyfile(dr.sample_study_path() / name, source / name)
    model = pipeline.fit(dr.read_study(source))
    asked = {
        "subjects": 300,
        "seed": 5,
        "workers": 1,
        "rare_events": [{"domain": "AE", "where": "AESER = 'Y'", "times": 2}],
    }
    pipeline.produce(Run(**asked, output=str(tmp_path / "whole")), model)

    made: list[int] = []
    plain = generation.make_block
    monkeypatch.setattr(generation, "make_block", lambda *given: made.append(given[2].index) or plain(*given))

    def cut(block, frames):
        if block.index == 1:
            raise _Cut

    kept = Checkpoints(tmp_path / "kept")
    with pytest.raises(_Cut):
        pipeline.produce(Run(**asked, output=str(tmp_path / "parted")), model, observe=cut, checkpoints=kept)
    assert not (tmp_path / "parted").exists()
    (tmp_path / "kept/2-44.part").write_bytes(b"not whole")
    pipeline.produce(Run(**asked, output=str(tmp_path / "parted")), model, checkpoints=kept)
    assert made == [0, 1, 2]
    assert _bytes(tmp_path / "parted") == _bytes(tmp_path / "whole")

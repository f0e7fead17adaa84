"""The use cases: progress, limits, and that a failure at any point leaves nothing behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from datareplicator import pipeline
from datareplicator.errors import DataReplicatorError, ModelError, RequestError, WriteError
from datareplicator.generate.request import Block, GenerateRequest
from datareplicator.manifest import read_manifest
from datareplicator.model.store import load_model
from datareplicator.pipeline import Step, generation, replication
from datareplicator.run import Run


@pytest.fixture
def run(model: Path, tmp_path: Path) -> Run:
    return Run(model=str(model), output=str(tmp_path / "out"), subjects=130, workers=1, format="csv")


def test_progress_tells_every_step_to_its_end(run: Run) -> None:
    steps: list[Step] = []
    pipeline.generate(run, progress=steps.append)
    subjects = [(step.done, step.total) for step in steps if step.name == "generate"]
    assert subjects == [(0, 130), (128, 130), (130, 130)]
    last = {step.name: step for step in steps}
    assert list(last) == ["generate", "check"]
    assert all(step.done == step.total for step in last.values())


def test_replicate_reads_discovers_learns_and_generates(sample: Path, tmp_path: Path) -> None:
    steps: list[Step] = []
    asked = Run(source=str(sample), output=str(tmp_path / "out"), subjects=3, workers=1)
    outcome = pipeline.replicate(asked, progress=steps.append)
    assert list(dict.fromkeys(step.name for step in steps)) == ["read", "discover", "learn", "generate", "check"]
    assert outcome.folder == tmp_path / "out"
    assert outcome.manifest == read_manifest(outcome.folder)
    assert outcome.report is None
    assert outcome.notes


@pytest.mark.parametrize(
    "error", [ModelError("stop"), MemoryError(), KeyboardInterrupt(), OSError(28, "No space left on device")]
)
def test_a_failure_in_the_second_block_leaves_nothing(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    make = generation.make_block

    def fail(model, request: GenerateRequest, block: Block) -> object:
        if block.index == 1:
            raise error
        return make(model, request, block)

    monkeypatch.setattr(generation, "make_block", fail)
    with pytest.raises(type(error)):
        pipeline.generate(run)
    assert list(tmp_path.iterdir()) == []


def test_a_failure_of_the_checks_leaves_nothing(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object, **options: object) -> None:
        raise DataReplicatorError("stop")

    monkeypatch.setattr(replication, "validate_study", fail)
    with pytest.raises(DataReplicatorError, match="stop"):
        pipeline.generate(run)
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_written_is_a_write_error(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(WriteError):
        pipeline.generate(run.updated(output=str(tmp_path / "file" / "out")))


def test_a_report_needs_the_source(run: Run) -> None:
    with pytest.raises(RequestError, match="replicate"):
        pipeline.generate(run.updated(report=True))


def test_checks_beyond_the_limit_cover_the_first_subjects_and_say_so(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replication, "MOST_CHECKED_ROWS", 1)
    outcome = pipeline.generate(run)
    assert "checks and report cover the first 128 subjects." in outcome.notes
    assert outcome.manifest.files["dm.csv"].rows == 130


def test_a_study_in_memory_is_what_is_written(run: Run, model: Path) -> None:
    outcome = pipeline.generate(run)
    study = pipeline.generate_study(load_model(model), GenerateRequest(130), workers=2)
    rows = {f"{name}.csv": len(table) for name, table in study.tables.items()}
    assert rows == {name: entry.rows for name, entry in outcome.manifest.files.items() if entry.rows is not None}


def test_learning_is_repeatable_and_survives_the_document(sample: Path, model: Path, tmp_path: Path) -> None:
    pipeline.fit_to_file(str(sample), tmp_path / "model.json")
    assert (tmp_path / "model.json").read_bytes() == model.read_bytes()
    assert load_model(model).model_dump_json().encode() == model.read_bytes()


def test_a_model_holds_no_source_identifier(sample: Path, model: Path) -> None:
    from datareplicator import read_study

    text = model.read_text()
    subjects = read_study(sample)["dm"].frame["USUBJID"]
    assert not [subject for subject in subjects if subject in text]

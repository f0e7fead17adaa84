"""The commands on the sample study: what lies in the output folder, and that it is the same however it was made."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from datareplicator import read_study
from datareplicator.manifest import read_manifest


def _bytes(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_the_folder_holds_one_file_a_source_table(output: Path, sample: Path) -> None:
    tables = {path.stem for path in sample.glob("*.xpt")}
    assert {path.name for path in output.iterdir()} == {f"{name}.parquet" for name in tables} | {
        "manifest.json",
        "validation.json",
        "report.html",
    }


def test_the_manifest_tells_what_lies_there(output: Path) -> None:
    manifest = read_manifest(output)
    assert manifest.request.subjects == 150
    assert manifest.request.seed == 7
    assert manifest.request.source == "sample_study"
    for name, entry in manifest.files.items():
        assert hashlib.sha256((output / name).read_bytes()).hexdigest() == entry.sha256
        if entry.rows is not None:
            assert len(pd.read_parquet(output / name)) == entry.rows
    assert {path.name for path in output.iterdir()} == {*manifest.files, "manifest.json"}
    assert manifest.files["dm.parquet"].rows == 150


def test_columns_types_and_labels_are_those_of_the_source(output: Path, sample: Path) -> None:
    source, made = read_study(sample), read_study(output)
    assert set(source) == set(made)
    for name in source:
        wanted = {column.name: (column.type, column.label) for column in source[name].columns.values()}
        assert {column.name: (column.type, column.label) for column in made[name].columns.values()} == wanted


def test_findings_are_written(output: Path) -> None:
    assert isinstance(json.loads((output / "validation.json").read_text()), dict)


def test_the_report_is_one_file(output: Path) -> None:
    text = (output / "report.html").read_text()
    assert "<html" in text
    assert 'src="http' not in text


def test_a_model_in_use_is_kept(call, model: Path, sample: Path) -> None:
    before = model.read_bytes()
    ran = call("fit", sample, "-o", model)
    assert ran.code == 2
    assert model.read_bytes() == before


def test_an_output_below_a_file_is_a_write_error(call, model: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    ran = call("generate", model, "-n", 2, "-o", tmp_path / "file" / "out")
    assert ran.code == 6
    assert ran.err.count("error: ") == 1


@pytest.mark.parametrize("cut", [0.5, 0.99])
def test_a_cut_model_is_a_model_error(call, model: Path, tmp_path: Path, cut: float) -> None:
    data = model.read_bytes()
    (tmp_path / "model.json").write_bytes(data[: int(len(data) * cut)])
    ran = call("generate", tmp_path / "model.json", "-n", 2, "-o", tmp_path / "out")
    assert ran.code == 5
    assert "model.json" in ran.err
    assert not (tmp_path / "out").exists()


def test_a_run_document_says_the_same_as_options_and_workers_change_no_byte(
    call, sample: Path, output: Path, tmp_path: Path
) -> None:
    (tmp_path / "run.yaml").write_text(
        f"source: {sample}\nsubjects: 150\nseed: 7\noutput: out\nformat: parquet\nworkers: 2\nreport: true\n"
    )
    ran = call("replicate", "--config", tmp_path / "run.yaml")
    assert ran.code == 0, ran.err
    assert _bytes(tmp_path / "out") == _bytes(output)


def test_a_model_gives_what_replicate_gives(program, model: Path, output: Path, tmp_path: Path) -> None:
    """In a process of its own, with another seed for Python's hashes; a pipe sees results and notes, but no bars."""
    args = ("-n", 150, "--seed", 7, "--format", "parquet", "--workers", 1)
    ran = program("generate", model, "-o", tmp_path / "out", *args)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.splitlines()[0].startswith("150 subjects, ")
    assert f"data      {tmp_path / 'out'}" in ran.stdout.splitlines()
    assert all(line.startswith("note: ") for line in ran.stderr.splitlines())
    made, wanted = _bytes(tmp_path / "out"), _bytes(output)
    tables = [name for name in wanted if name.endswith(".parquet")]
    assert {name: made[name] for name in tables} == {name: wanted[name] for name in tables}
    assert read_manifest(tmp_path / "out").model == read_manifest(output).model


def _first(folder: Path, subjects: set[str]) -> dict[str, pd.DataFrame]:
    frames = {name: table.frame for name, table in read_study(folder).tables.items()}
    return {
        name: frame[frame["USUBJID"].isin(subjects)].reset_index(drop=True) if "USUBJID" in frame else frame
        for name, frame in frames.items()
    }


def test_more_subjects_do_not_change_the_first(few: Path, output: Path) -> None:
    made = {name: table.frame for name, table in read_study(few).tables.items()}
    subjects = set(made["dm"]["USUBJID"])
    assert len(subjects) == 3
    wanted = _first(output, subjects)
    for name, frame in made.items():
        pd.testing.assert_frame_equal(frame, wanted[name])


def test_the_source_format_is_the_default(few: Path) -> None:
    assert (few / "dm.xpt").is_file()


@pytest.mark.parametrize(("form", "seed"), [("csv", 8), ("xlsx", 7)])
def test_format_and_seed_can_be_asked_for(call, model: Path, few: Path, tmp_path: Path, form: str, seed: int) -> None:
    assert call("generate", model, "-n", 3, "-o", tmp_path / "out", "--format", form, "--seed", seed).code == 0
    made, other = (read_study(folder)["vs"].frame for folder in (tmp_path / "out", few))
    assert (tmp_path / "out" / f"vs.{form}").is_file()
    assert (list(made["VSORRES"]) == list(other["VSORRES"])) == (seed == 7)


def test_an_output_in_use_is_kept(call, model: Path, few: Path, tmp_path: Path) -> None:
    out = Path(shutil.copytree(few, tmp_path / "out"))
    ran = call("generate", model, "-n", 2, "-o", out)
    assert ran.code == 2
    assert "--overwrite" in ran.err
    assert _bytes(out) == _bytes(few)
    assert call("generate", model, "-n", 2, "-o", out, "--overwrite").code == 0
    assert read_manifest(out).request.subjects == 2
    (out / "manifest.json").unlink()
    ran = call("generate", model, "-n", 3, "-o", out, "--overwrite")
    assert ran.code == 2
    assert "manifest.json" in ran.err


def test_the_source_is_never_replaced(call, few: Path, tmp_path: Path) -> None:
    out = shutil.copytree(few, tmp_path / "study")
    ran = call("replicate", out, "-n", 3, "-o", out, "--overwrite")
    assert ran.code == 2
    assert "source" in ran.err
    assert _bytes(tmp_path / "study") == _bytes(few)


def test_validate_reads_what_was_written(call, few: Path) -> None:
    text = call("validate", few)
    assert text.code == 0
    assert "rules checked" in text.out
    findings = json.loads(call("validate", few, "--baseline", few, "--json").out)
    assert isinstance(findings, dict)


def test_profile_speaks_text_and_json(call, sample: Path, learned: None) -> None:
    text = call("profile", sample)
    assert text.code == 0
    assert "dm" in text.out.lower()
    assert isinstance(json.loads(call("profile", sample, "--json").out), dict)


def test_demo_makes_what_it_says(call, tmp_path: Path, learned: None) -> None:
    ran = call("demo", "-n", 5, "-o", tmp_path / "out")
    assert ran.code == 0
    assert f"report    {tmp_path / 'out' / 'report.html'}" in ran.out.splitlines()
    assert (tmp_path / "out" / "report.html").is_file()

"""The public face: what it exports, and the example of the architecture page as written."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import datareplicator as dr


def test_everything_promised_is_there_and_documented() -> None:
    for name in dr.__all__:
        value = getattr(dr, name)
        if name != "__version__":
            assert inspect.getdoc(value), name
    assert set(dr.__all__) <= set(dir(dr))


def test_unknown_names_are_attribute_errors() -> None:
    with pytest.raises(AttributeError, match="no attribute 'replicte'"):
        _ = dr.replicte


@pytest.mark.parametrize(
    "first",
    ["import datareplicator.validate", "import datareplicator.validate.running", "from datareplicator import validate"],
)
def test_validate_is_the_function_whatever_was_imported_before(first: str) -> None:
    lines = [
        first,
        "import datareplicator as dr",
        "from datareplicator.validate import Findings, validate",
        "assert dr.validate is validate and callable(validate) and dr.Findings is Findings",
    ]
    code = "\n".join(lines)
    subprocess.run([sys.executable, "-W", "error::ImportWarning", "-c", code], check=True)


@pytest.fixture(scope="module")
def study() -> dr.Study:
    return dr.read_study(dr.sample_study_path())


@pytest.fixture(scope="module")
def document(model: Path) -> dr.Model:
    return dr.load_model(model)


def test_a_model_generates_studies_that_write_themselves(document: dr.Model, tmp_path: Path) -> None:
    synthetic = document.generate(subjects=5, seed=7, variation=1.0)
    assert isinstance(synthetic, dr.Study)
    assert synthetic.write(tmp_path / "out", format="xpt") == tmp_path / "out"
    back = dr.read_study(tmp_path / "out")
    for name, table in synthetic.tables.items():
        pd.testing.assert_frame_equal(back[name].frame, table.frame)
    with pytest.raises(dr.WriteError):
        synthetic.write(tmp_path / "out", format="csv")
    synthetic.write(str(tmp_path / "out"), format="csv", overwrite=True)
    assert (tmp_path / "out" / "dm.csv").is_file()


def test_the_same_call_gives_the_same_study(document: dr.Model) -> None:
    one, two = (document.generate(130, seed=3, workers=workers) for workers in (1, 2))
    for name in one:
        pd.testing.assert_frame_equal(one[name].frame, two[name].frame)


def test_a_model_survives_its_document(document: dr.Model, tmp_path: Path) -> None:
    document.save(tmp_path / "model.json")
    again = dr.load_model(tmp_path / "model.json")
    assert again.structure == document.structure
    assert again.notes == document.notes
    pd.testing.assert_frame_equal(again.generate(4)["dm"].frame, document.generate(4)["dm"].frame)


def test_a_model_shows_what_it_is(document: dr.Model) -> None:
    assert "19 tables" in repr(document)


def test_findings_and_report(study: dr.Study, document: dr.Model, tmp_path: Path) -> None:
    synthetic = document.generate(30, seed=7)
    assert isinstance(dr.validate(synthetic, baseline=study), dr.Findings)
    dr.compare(study, synthetic).to_html(tmp_path / "report.html")
    assert "<html" in (tmp_path / "report.html").read_text()


def test_a_study_describes_itself(study: dr.Study) -> None:
    assert "USUBJID" in study.profile().to_text()


@pytest.mark.parametrize("subjects", [0, -5, 1.5, "20", True, 10**9])
def test_senseless_numbers_of_subjects_are_request_errors(document: dr.Model, subjects: object) -> None:
    with pytest.raises(dr.RequestError):
        document.generate(subjects)


def test_frames_in_memory_are_a_study() -> None:
    frame = pd.DataFrame({"customer": ["a", "b"], "age": [30, 40]})
    assert list(dr.read_study({"customers": frame})) == ["customers"]

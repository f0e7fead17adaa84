"""The run documents and the unit of the how-to page do what the page says, on the sample study."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from datareplicator.api import Model, load_model
from datareplicator.generate.conditions.candidates import Candidates
from datareplicator.generate.conditions.units import unit_names
from datareplicator.run import CONDITIONS, parse_run

PAGE = (Path(__file__).resolve().parents[3] / "docs/how-to/constrain-a-study.md").read_text(encoding="utf-8")
DOCUMENTS = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.M | re.S)
UNITS = re.findall(r"^```yaml unit\n(.*?)^```", PAGE, re.M | re.S)


@pytest.fixture(scope="module")
def sample_model(model: Path) -> Model:
    return load_model(model)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_each_run_document_is_kept(document: str, sample_model: Model) -> None:
    asked = parse_run(document).model_dump(include=set(CONDITIONS), by_alias=True, exclude_unset=True)
    made = sample_model.generate(80, seed=1, **asked)
    assert len(made.conditions) == sum(len(entries) for entries in asked.values()) > 0
    wanted = [entry.get("subjects") for entries in asked.values() for entry in entries]
    assert all(
        number is None or ended.subjects >= number for number, ended in zip(wanted, made.conditions, strict=True)
    )


def test_the_unit_can_be_used_as_it_stands(
    sample_model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Candidates, "patience", 0)  # its edits, rather than subjects that have such an event anyway
    assert len(UNITS) == 1
    path = tmp_path / "unit.yaml"
    path.write_text(UNITS[0], encoding="utf-8")
    made = sample_model.generate(30, scenarios=[{"name": str(path), "subjects": 16}])
    assert made.conditions[0].subjects >= 16
    assert made.conditions[0].edited > 0


def test_all_bundled_scenarios_are_listed() -> None:
    assert re.findall(r"^\| `([a-z-]+)` \|", PAGE, re.M) == unit_names()

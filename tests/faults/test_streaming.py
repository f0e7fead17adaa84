"""Faults in what is generated: block by block, the same for any number of workers, exact over all blocks."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from datareplicator import pipeline
from datareplicator.errors import RequestError
from datareplicator.faults import read_answers, repair
from datareplicator.formats import read_study
from datareplicator.model.store import load_model
from datareplicator.run import Run, parse_run

SUBJECTS = 150  # two blocks


def _run(
    model: Path, output: Path, faults: list[dict] | None = None, workers: int = 1, subjects: int = SUBJECTS
) -> pipeline.Outcome:
    """Unchecked: what rules find of faults is tested elsewhere."""
    run = Run(
        model=str(model), subjects=subjects, seed=3, output=str(output), format="parquet", workers=workers,
        faults={"faults": faults} if faults else None,
    )  # fmt: skip
    return pipeline.produce(run, load_model(model), check=False)


@pytest.fixture(scope="module")
def clean(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clean") / "out"
    _run(model, folder)
    return folder


FAULTS = [
    {"kind": "dropped-record", "rate": 0.013, "target": {"domain": "LB"}},
    {"kind": "misspelled", "rate": 0.01},
    {"kind": "exact-duplicate", "count": 17},
    {"kind": "swapped-subjects", "count": 5},
    {"kind": "site-drift", "count": 1},
    {"kind": "decimal-shift", "rate": 0.02, "mechanism": {"type": "observed", "variable": "AGE"}},
]


@pytest.fixture(scope="module")
def dirty(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dirty") / "out"
    _run(model, folder, FAULTS)
    return folder


def test_what_is_generated_leads_back(clean: Path, dirty: Path) -> None:
    answers = read_answers(dirty / "answers/answers.parquet")
    back = repair(read_study(dirty), answers)
    for name, table in read_study(clean).tables.items():
        pd.testing.assert_frame_equal(back[name].frame, table.frame)


def test_amounts_are_exact_over_all_blocks(clean: Path, dirty: Path) -> None:
    key = read_answers(dirty / "answers/answers.json").to_frame()
    rows = len(pd.read_parquet(clean / "lb.parquet"))
    found = key.groupby("kind")["incident"].nunique()
    assert found["dropped-record"] == round(0.013 * rows)
    assert found["exact-duplicate"] == 17
    assert found["swapped-subjects"] == 5
    assert list(key["answer"]) == list(range(1, len(key) + 1))
    site = pd.read_parquet(clean / "dm.parquet").set_index("USUBJID")["SITEID"]
    assert site[key.loc[key["kind"] == "site-drift", "subject"].unique()].nunique() == 1


def test_any_number_of_workers_gives_the_same_bytes(model: Path, dirty: Path, tmp_path: Path) -> None:
    _run(model, tmp_path / "two", FAULTS, workers=2)
    for file in dirty.rglob("*.parquet"):
        assert file.read_bytes() == (tmp_path / "two" / file.relative_to(dirty)).read_bytes()


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ({"kind": "column-missing", "count": 1}, "needs the whole study"),
        ({"kind": "misspelled", "count": 1, "target": {"domain": "XX"}}, "none of the study"),
        ({"kind": "misspelled", "rate": 0.5, "target": {"where": "AESEV = 'NEVER'"}}, "matches nothing"),
        ({"kind": "dropped-record", "count": 10**6}, "of 1000000 found a place"),
    ],
)
def test_a_fault_without_a_place_leaves_nothing_behind(fault: dict, message: str, model: Path, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=message):
        _run(model, tmp_path / "out", [fault], subjects=20)
    assert list(tmp_path.iterdir()) == []


def test_a_run_document_holds_faults(tmp_path: Path) -> None:
    run = parse_run("subjects: 3\nfaults:\n  include: [light]\n  faults:\n    - {kind: misspelled, count: 2}")
    assert run.faults is not None
    assert run.faults.include == ("light",)
    assert run.updated(seed=4).faults == run.faults
    with pytest.raises(RequestError, match=r"line 2: faults: .*Did you mean 'count'"):
        parse_run("subjects: 3\nfaults:\n  faults:\n    - {kind: misspelled, cuont: 2}")
    with pytest.raises(RequestError, match="must be less than or equal to 1"):
        parse_run("faults:\n  faults:\n    - {kind: misspelled, rate: 2}")

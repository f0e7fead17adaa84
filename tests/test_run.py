from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from datareplicator.errors import RequestError
from datareplicator.formats import FORMATS
from datareplicator.generate.request import MOST_SUBJECTS
from datareplicator.run import OUTPUT_FORMATS, Run, parse_run, read_run, run_schema

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("subjects: 0", "line 1: subjects must be greater than or equal to 1, not 0."),
        ("subjects: abc", "line 1: subjects must be a valid integer, not 'abc'."),
        ("subjects: true", "subjects must be a valid integer"),
        ("subjects: '300'", "subjects must be a valid integer"),
        ("seed: 1\nsubjects: 2.5", "line 2: subjects must be a valid integer, not 2.5"),
        ("variation: yes", "variation must be a valid number"),
        ("variation: .nan", "variation must be"),
        ("variation: 11", "variation must be less than or equal to 10"),
        ("format: parqet", "'parquet'"),
        ("subjects: 3\nsubjcts: 3", "line 2: unknown key 'subjcts'. Did you mean 'subjects'?"),
        ("zzz: 3", "Known are source"),
        ("privacy:\n  min_subject: 3", "line 1: unknown key 'min_subject'. Did you mean 'min_subjects'?"),
        ("privacy: {min_subjects: 0}", "privacy.min_subjects must be greater than or equal to 1, not 0."),
        ("privacy: 3", "privacy must be a mapping, not 3."),
        ("seed: 1\nseed: 2", "line 2: key 'seed' is given twice."),
        ("1: 2", "key 1 must be text"),
        ("? [a]\n: 1", "a key must be text"),
        ("- a", "must be a YAML mapping"),
        ("a: b: c", "line 1: mapping values are not allowed here."),
        ("\x00", "is not readable as YAML"),
        ("!!python/object/apply:os.getcwd []", "could not determine a constructor"),
    ],
)
def test_what_is_not_understood_is_named(text: str, message: str) -> None:
    with pytest.raises(RequestError) as caught:
        parse_run(text)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_empty_document_is_all_defaults() -> None:
    assert parse_run("# nothing yet\n") == Run()


def test_every_problem_is_named_at_once() -> None:
    with pytest.raises(RequestError, match=r"line 1.*line 2"):
        parse_run("subjects: 0\nseed: -1")


def test_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    (tmp_path / "run.yaml").write_text("source: study\noutput: /abs/out\n")
    run = read_run(tmp_path / "run.yaml")
    assert run.source == str(tmp_path / "study")
    assert run.output == "/abs/out"


def test_a_missing_or_huge_document_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="No such file"):
        read_run(tmp_path / "none.yaml")
    (tmp_path / "big.yaml").write_text("#" * 1_000_001)
    with pytest.raises(RequestError, match="no run document"):
        read_run(tmp_path / "big.yaml")


def test_options_override_the_file_and_are_checked() -> None:
    run = parse_run("subjects: 300\nseed: 7")
    assert run.updated(seed=9, format=None) == Run(subjects=300, seed=9)
    with pytest.raises(RequestError, match="subjects must be greater"):
        run.updated(subjects=-5)


def test_a_request_needs_a_number_of_subjects() -> None:
    with pytest.raises(RequestError, match="-n"):
        Run().request()


documents = st.fixed_dictionaries(
    {},
    optional={
        "source": st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1),
        "subjects": st.integers(1, MOST_SUBJECTS),
        "seed": st.integers(0, 2**70),
        "variation": st.floats(0, 10),
        "stratified": st.booleans(),
        "format": st.sampled_from(OUTPUT_FORMATS),
        "workers": st.integers(1, 64),
        "report": st.booleans(),
    },
)


@given(documents)
def test_a_document_survives_yaml(content: dict) -> None:
    run = parse_run(yaml.safe_dump(content, allow_unicode=True))
    assert run.model_dump(exclude_unset=True) == content


@given(st.text(max_size=80) | st.binary(max_size=80))
def test_any_text_is_a_document_or_a_request_error(text: str | bytes) -> None:
    with contextlib.suppress(RequestError):
        parse_run(text)


def test_the_published_schema_is_fresh() -> None:
    published = json.loads((ROOT / "docs/reference/run.schema.json").read_text())
    assert published == run_schema(), "run `make docs`"


def test_every_format_that_can_be_written_can_be_asked_for() -> None:
    writable = {entry.name for entry in FORMATS.values() if entry.open_writer is not None}
    assert set(OUTPUT_FORMATS) == writable | {"same"}


def test_every_key_is_described_in_the_schema() -> None:
    properties = run_schema()["properties"]
    assert set(properties) == set(Run.model_fields)
    assert all(item.get("description") for item in properties.values())

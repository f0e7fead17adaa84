"""The reference page: its examples run on the sample study, and it tells of every function."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest

from datareplicator.data import sample_study_path
from datareplicator.expressions import AGGREGATES, FUNCTIONS, parse
from datareplicator.formats import read_study

PAGE = Path(__file__).resolve().parents[2] / "docs/reference/expressions.md"
BLOCKS = re.findall(r"^```expression (\w+)\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.M | re.S)
EXAMPLES = [(table, line) for table, block in BLOCKS for line in block.splitlines()]


@pytest.fixture(scope="module")
def frames():
    return {name.upper(): frame for name, frame in read_study(sample_study_path()).frames().items()}


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 15


@pytest.mark.parametrize(("table", "text"), EXAMPLES, ids=[text for _, text in EXAMPLES])
def test_examples_run(table: str, text: str, frames) -> None:
    expression = parse(text)
    others = {name: frame for name, frame in frames.items() if name != table}
    found = expression.truth(frames[table], subject="USUBJID", others=others, table=table)
    assert len(found) == len(frames[table])
    assert (found != 0).any(), "the example says nothing of the sample study"
    assert parse(str(expression)) == expression


def test_the_python_example() -> None:
    failed, tried = doctest.testfile(
        str(PAGE), module_relative=False, optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    )
    assert tried
    assert not failed


@pytest.mark.parametrize("name", [*FUNCTIONS, *AGGREGATES])
def test_every_function_is_told_of(name: str) -> None:
    says = {known[name].says for known in (FUNCTIONS, AGGREGATES) if name in known}
    text = PAGE.read_text(encoding="utf-8")
    assert all(re.search(rf"\| `{name}\([^|]*` \| {re.escape(s)} \|", text) for s in says)

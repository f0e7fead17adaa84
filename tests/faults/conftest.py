"""What the tests of faults share: studies with what discovery finds in them, and the comparison with the key."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from support.studies import adam, shop
from support.tables import omop

from datareplicator.faults import Answers, repair
from datareplicator.faults.values import as_text
from datareplicator.formats import read_study
from datareplicator.model.store import load_model
from datareplicator.structure.discover import discover
from datareplicator.structure.spec import Structure
from datareplicator.study import Study

Known = tuple[Study, Structure]


@pytest.fixture(scope="session")
def known(model: Path, sample: Path) -> Known:
    """The sample study and its structure."""
    return read_study(sample), load_model(model).structure


@pytest.fixture(scope="session")
def others() -> dict[str, Known]:
    """Studies that are no SDTM: a shop, OMOP, ADaM."""
    studies = {"shop": shop(40), "omop": omop(40), "adam": adam(25)}
    return {name: (study, discover(study)) for name, study in studies.items()}


@pytest.fixture(scope="session")
def check() -> Callable[[Study, Study, Answers], None]:
    """The key leads back exactly, and says nothing that is not so."""

    def _check(clean: Study, dirty: Study, answers: Answers) -> None:
        assert_equal(repair(dirty, answers), clean)
        _assert_true(clean, dirty, answers)

    return _check


def assert_equal(left: Study, right: Study) -> None:
    """Two studies have the same values, types, order and metadata."""
    assert list(left.tables) == list(right.tables)
    for name, table in right.tables.items():
        pd.testing.assert_frame_equal(left[name].frame, table.frame, check_exact=True)
        assert list(left[name].columns.items()) == list(table.columns.items()), name
        assert left[name].label == table.label


def _assert_true(clean: Study, dirty: Study, answers: Answers) -> None:
    """Every answer is a change, with the values before and after as they stand in the two studies."""
    key = answers.to_frame()
    assert list(key["answer"]) == list(range(1, len(key) + 1))
    laid_out = {row.table for row in key[key["change"] == "column"].itertuples()}
    cells = key[key["change"] == "cell"]
    assert not cells.duplicated(["table", "row_before", "variable"]).any()
    for (table, variable), part in cells.groupby(["table", "variable"]):
        old = as_text(clean[table].frame[variable].iloc[_rows(part["row_before"])])
        assert list(old) == _told(part["old"])
        if table not in laid_out:
            assert list(as_text(dirty[table].frame[variable].iloc[_rows(part["row_after"])])) == _told(part["new"])
    assert (cells["old"].fillna("\0") != cells["new"].fillna("\0")).all()
    for what, study, row, told in (("delete", clean, "row_before", "old"), ("insert", dirty, "row_after", "new")):
        part = key[key["change"] == what]
        for answer in part.head(20).itertuples():
            if answer.table in laid_out:
                continue
            frame = study[answer.table].frame.iloc[[getattr(answer, row) - 1]]
            assert json.loads(getattr(answer, told)) == {c: as_text(frame[c])[0] for c in frame}


def _rows(numbers: pd.Series) -> np.ndarray:
    return numbers.to_numpy(dtype=np.int64) - 1


def _told(values: pd.Series) -> list[str | None]:
    return [None if pd.isna(v) else v for v in values]

"""Validation is for broken studies: it never ends in an exception, whatever is missing or wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from datareplicator.errors import RequestError
from datareplicator.faults import all_kinds, corrupt
from datareplicator.faults.kind import Kind, Scope
from datareplicator.formats import read_study
from datareplicator.model.store import load_model
from datareplicator.structure.spec import Structure
from datareplicator.study import Study
from datareplicator.validate import validate

SUBJECTS = 4


@pytest.fixture(scope="module")
def whole(model: Path, sample: Path) -> tuple[Study, Structure]:
    """A few subjects of the sample study, and what discovery found in all of it."""
    study = read_study(sample)
    some = study["dm"].frame["USUBJID"].iloc[:SUBJECTS]
    tables = {}
    for name, table in study.tables.items():
        frame = table.frame
        if "USUBJID" in frame:
            frame = frame[frame["USUBJID"].isin(some)].reset_index(drop=True)
        tables[name] = replace(table, frame=frame)
    return Study(tables, study.name), load_model(model).structure


def _groups() -> Iterator[list[Kind]]:
    """Kinds of tables, some together; those of the layout alone, since they close columns to others."""
    single = [kind for kind in all_kinds() if kind.scope != Scope.FILES]
    alone = [kind for kind in single if kind.scope == Scope.STUDY]
    others = [kind for kind in single if kind.scope != Scope.STUDY]
    yield from ([kind] for kind in alone)
    yield from (others[k : k + 9] for k in range(0, len(others), 9))


@pytest.mark.parametrize("kinds", list(_groups()), ids=lambda kinds: kinds[0].name)
def test_every_kind_of_fault_can_be_checked(kinds: list[Kind], whole: tuple[Study, Structure]) -> None:
    study, structure = whole
    faults = [{"kind": kind.name, "count": 1, "optional": True} for kind in kinds]
    try:
        dirty, _ = corrupt(study, {"faults": faults}, seed=4, structure=structure)
    except RequestError as error:
        pytest.skip(str(error))
    assert validate(dirty, structure=structure).tallies


def _without(study: Study, columns: Callable[[int, list[str]], set[str]]) -> Study:
    """The study with some columns less in each table."""
    tables = {}
    for number, (name, table) in enumerate(study.tables.items()):
        gone = columns(number, list(table.columns))
        kept = {c: held for c, held in table.columns.items() if c not in gone}
        tables[name] = replace(table, frame=table.frame[list(kept)], columns=kept)
    return Study(tables, study.name)


def test_any_column_may_be_missing(whole: tuple[Study, Structure]) -> None:
    """Two columns of each table at once, half its width apart and others in each table: validation costs most."""
    study, structure = whole
    longest = max(len(table.columns) for table in study.tables.values())
    for k in range(0, longest // 2, 2):

        def gone(number: int, names: list[str], k: int = k) -> set[str]:
            return {names[(k + 5 * number + far) % len(names)] for far in (0, longest // 2 + 1)}

        findings = validate(_without(study, gone), structure=structure, detectors=k % 4 == 0)
        assert findings.to_frame()["rule"].eq("DR1001").any()


def test_any_table_may_be_empty_or_absent(whole: tuple[Study, Structure]) -> None:
    study, structure = whole
    names = list(study.tables)
    for k in range(len(names) // 4 + 1):
        absent, empty = names[k::10], names[k + 5 :: 10]
        tables = {n: t for n, t in study.tables.items() if n not in absent}
        tables |= {n: replace(study[n], frame=study[n].frame.iloc[:0]) for n in empty}
        assert validate(Study(tables, study.name), structure=structure, detectors=False).tallies

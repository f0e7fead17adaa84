"""The closed loop on the sample study: what is marked detectable is found by the rules that the kind names."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from datareplicator.faults import all_kinds
from datareplicator.faults.kind import Kind, Scope, Unit
from datareplicator.faults.loop import TOGETHER, closed_loop
from datareplicator.structure.spec import Structure
from datareplicator.study import Study

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/reference/fault-detection.md").read_text(encoding="utf-8")
SECTIONS = {part.partition("\n")[0]: part for part in re.split(r"^## In ", PAGE, flags=re.M)[1:]}


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("closed_loop", ROOT / "scripts/closed_loop.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _side_by_side() -> list[Kind]:
    """Kinds that are injected many in one study, in the order in which the page has them."""
    rows = (Unit.CELL, Unit.ROW)
    return [k for k in all_kinds() if k.scope == Scope.SUBJECTS and k.unit in rows and not k.spreads]


def test_the_page_says_what_is_found(known: tuple[Study, Structure], script: ModuleType) -> None:
    kinds = _side_by_side()[TOGETHER : 3 * TOGETHER]
    result = closed_loop(*known, kinds, count=script.COUNT, seed=1)
    assert (result["named"] <= result["found"]).all() and (result["found"] <= result["faults"]).all()
    marked = result[result["detectable"]]
    assert len(marked) >= 20 and marked["named"].sum() >= 0.95 * marked["faults"].sum()
    measured = {str(row["kind"]): row for row in result.to_dict("records")}
    for kind in kinds:
        line = script._line(kind, measured.get(kind.name))
        assert line in SECTIONS[script.SAMPLE].splitlines(), "run scripts/closed_loop.py"


def test_the_page_tells_of_every_kind() -> None:
    def listed(name: str) -> set[str]:
        return set(re.findall(r"^\| `([a-z-]+)` \|", SECTIONS[name], re.M))

    known = {kind.name for kind in all_kinds() if kind.scope != Scope.FILES}
    for name in SECTIONS:
        of_files = {kind.name for kind in all_kinds()} - known
        assert listed(name) == (of_files if name == "files" else known), "run scripts/closed_loop.py"


def test_the_page_keeps_what_is_promised(script: ModuleType) -> None:
    """Of what a rule of single rows is named for, 95 % is found by that rule, in every study."""
    single = {kind.name for kind in all_kinds() if kind.detectable and not kind.detector}
    for name, section in SECTIONS.items():
        if name == "files":
            continue
        counts = [m for line in section.splitlines() if (m := script.LINE.match(line)) and m[1] in single]
        faults, named = sum(int(m[2]) for m in counts), sum(int(m[3] or 0) for m in counts)
        assert faults > 400 and named >= 0.95 * faults
        assert f"Of {faults} faults" in section and f"{named} ({named / faults:.1%})" in section

"""The closed loop on the sample study: what is marked detectable is found by the rules that the kind names."""

from __future__ import annotations

import re
from pathlib import Path

from datareplicator.faults import all_kinds
from datareplicator.faults.kind import Scope, Unit
from datareplicator.faults.loop import closed_loop
from datareplicator.structure.spec import Structure
from datareplicator.study import Study

PAGE = Path(__file__).resolve().parents[2] / "docs/reference/fault-detection.md"


def test_what_can_be_found_is_found(known: tuple[Study, Structure]) -> None:
    families = ("codes", "text", "dates")
    kinds = [k for k in all_kinds() if k.family in families and k.unit == Unit.CELL and not k.spreads]
    result = closed_loop(*known, kinds, count=4, seed=2)
    assert len(result) >= 25
    marked = result[result["detectable"]]
    assert marked["named"].sum() >= 0.95 * marked["faults"].sum()
    assert (result["named"] <= result["found"]).all()
    assert (result["found"] <= result["faults"]).all()


def test_the_page_tells_of_every_kind_in_tables() -> None:
    listed = set(re.findall(r"^\| `([a-z-]+)` \|", PAGE.read_text(encoding="utf-8"), re.M))
    known = {kind.name for kind in all_kinds() if kind.scope != Scope.FILES}
    assert known == listed, "run scripts/closed_loop.py"

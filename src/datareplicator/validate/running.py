"""Runs the rules on a study, and on a baseline to compare with."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from datareplicator.errors import StructureError
from datareplicator.standards.define import Define
from datareplicator.structure.discover import discover
from datareplicator.structure.spec import Structure
from datareplicator.study import Study
from datareplicator.validate.detectors import DETECTORS, DetectorView
from datareplicator.validate.findings import COLUMNS, Findings, Tally, kept
from datareplicator.validate.rule import Hits, Rule
from datareplicator.validate.sdtm import SDTM_RULES, SdtmView
from datareplicator.validate.structural import STRUCTURAL_RULES, StructuralView

LIMIT = 1000
EVERY = 10**9
"""A limit that no study reaches."""
Outcomes = list[tuple[Rule, list[Hits]]]


def validate(
    study: Study,
    *,
    baseline: Study | None = None,
    structure: Structure | None = None,
    define: Define | None = None,
    detectors: bool = True,
    limit: int = LIMIT,
    expected: frozenset[str] = frozenset(),
) -> Findings:
    """Check a study against the rules of SDTM, where its tables look like SDTM, and against a structure.

    `baseline`: the source study, whose own rate of findings is given beside each rule's. `structure`: what discovery
    found in the source; discovered from the baseline (or from the study itself) where none is given. `define`: the
    study's Define-XML, whose code lists come before those of the standard. `detectors`: also run the statistical
    detectors. `limit`: findings kept in full per rule; the counts are always complete.
    `expected`: categories that are no surprise though the baseline has none of them.

    Raises StructureError where no structure is given, none can be found, and the study does not look like SDTM.
    """
    notes: tuple[str, ...] = ()
    if structure is None:
        try:
            structure = discover(baseline or study)
        except StructureError as error:
            # A broken study is what validation is for: the rules of its standard still apply.
            if not SdtmView(study):
                raise
            notes = (f"the study's own structure was not checked: {error}",)
    source = StructuralView(baseline, structure) if baseline is not None and structure is not None else None
    view = StructuralView(study, structure, source, expected) if structure is not None else None
    outcomes = _run(SdtmView(study, define), view, detectors)
    before = None if baseline is None else _run(SdtmView(baseline, define), source, detectors)
    return Findings(
        _tallies(outcomes, before), _frame(outcomes, limit), _details(outcomes, before), baseline is not None, notes
    )


def every_finding(study: Study, structure: Structure, source: StructuralView) -> pd.DataFrame:
    """All findings of a study, without counts and rates; `source` is the view of the baseline, made once for many
    studies of one source. The columns are those of `Findings.to_frame`."""
    return _frame(_run(SdtmView(study), StructuralView(study, structure, source), True), EVERY)


def rules() -> tuple[Rule, ...]:
    """All rules: those of SDTM, those that a structure gives, and the statistical detectors, by id.

    >>> [rule.id for rule in rules() if "SD0005" in rule.p21]
    ['DR0104', 'DR1102']
    """
    return (*SDTM_RULES, *STRUCTURAL_RULES, *DETECTORS)


def _run(sdtm: SdtmView, structural: StructuralView | None, detectors: bool) -> Outcomes:
    """Every rule that applied to at least one row, with what it found."""
    outcomes = _apply(SDTM_RULES, sdtm) if sdtm else []
    if structural is not None:
        outcomes += _apply(STRUCTURAL_RULES, structural)
    return outcomes + (_apply(DETECTORS, DetectorView(sdtm, structural)) if detectors else [])


def _apply(rules: Iterable[Rule], view: Any) -> Outcomes:
    outcomes = []
    for rule in rules:
        hits = [hit for hit in rule.check(view) if hit.checked]
        if hits:
            outcomes.append((rule, hits))
    return outcomes


def _count(hits: Iterable[Hits]) -> int:
    return int(sum(np.count_nonzero(hit.bad) for hit in hits))


def _tallies(outcomes: Outcomes, before: Outcomes | None) -> tuple[Tally, ...]:
    rates = {} if before is None else {rule.id: _count(hits) / sum(h.checked for h in hits) for rule, hits in before}
    return tuple(Tally(rule, sum(h.checked for h in hits), _count(hits), rates.get(rule.id)) for rule, hits in outcomes)


def _frame(outcomes: Outcomes, limit: int) -> pd.DataFrame:
    frames = [frame for frame in (kept(rule, hits, limit) for rule, hits in outcomes) if len(frame)]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=list(COLUMNS))


def _details(outcomes: Outcomes, before: Outcomes | None) -> pd.DataFrame:
    """Counts by rule, table and detail, with the baseline's rate of the same."""
    rows = _by_detail(outcomes)
    rows["rate"] = rows["count"] / rows["checked"]
    if before is not None:
        old = _by_detail(before).set_index(["rule", "table", "detail"])
        rate = (old["count"] / old["checked"]).rename("baseline_rate")
        rows = rows.join(rate, on=["rule", "table", "detail"])
    return rows


def _by_detail(outcomes: Outcomes) -> pd.DataFrame:
    rows = [
        (rule.id, hit.part.name, hit.detail.strip("()"), int(np.count_nonzero(hit.bad)), hit.checked)
        for rule, hits in outcomes
        for hit in hits
    ]
    frame = pd.DataFrame(rows, columns=["rule", "table", "detail", "count", "checked"])
    return frame.groupby(["rule", "table", "detail"], sort=False, as_index=False).sum()

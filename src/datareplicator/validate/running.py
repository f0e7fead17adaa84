"""Runs the rules on a study, and on a baseline to compare with."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from datareplicator.structure.spec import Structure
from datareplicator.study import Study
from datareplicator.validate.findings import COLUMNS, Findings, Tally, kept
from datareplicator.validate.rule import Hits, Rule
from datareplicator.validate.sdtm import SDTM_RULES, SdtmView

LIMIT = 1000


def validate(
    study: Study, *, baseline: Study | None = None, structure: Structure | None = None, limit: int = LIMIT
) -> Findings:
    """Check a study against the rules of SDTM, where its tables look like SDTM.

    `baseline`: the source study, whose own rate of findings is given beside each rule's. `limit`: findings kept in
    full per rule; the counts are always complete.
    """
    outcomes = _run(study)
    rates = {} if baseline is None else {rule.id: _rate(hits) for rule, hits in _run(baseline)}
    tallies = tuple(
        Tally(rule, sum(h.checked for h in hits), _count(hits), rates.get(rule.id) if baseline is not None else None)
        for rule, hits in outcomes
    )
    frames = [frame for frame in (kept(rule, hits, limit) for rule, hits in outcomes) if len(frame)]
    frame = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=list(COLUMNS))
    return Findings(tallies, frame, baseline is not None)


def _run(study: Study) -> list[tuple[Rule, list[Hits]]]:
    """Every rule that applied to at least one row, with what it found."""
    view = SdtmView(study)
    return _apply(SDTM_RULES, view) if view else []


def _apply(rules: Iterable[Rule], view: Any) -> list[tuple[Rule, list[Hits]]]:
    outcomes = []
    for rule in rules:
        hits = [hit for hit in rule.check(view) if hit.checked]
        if hits:
            outcomes.append((rule, hits))
    return outcomes


def _count(hits: list[Hits]) -> int:
    return int(sum(np.count_nonzero(hit.bad) for hit in hits))


def _rate(hits: list[Hits]) -> float:
    return _count(hits) / sum(hit.checked for hit in hits)

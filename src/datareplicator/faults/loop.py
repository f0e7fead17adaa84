"""The closed loop: every kind injected into a study, the study checked, and what was found of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import pandas as pd

from datareplicator.errors import RequestError
from datareplicator.faults.answers import Answers
from datareplicator.faults.applying import corrupt
from datareplicator.faults.kind import Kind, Scope, Unit
from datareplicator.faults.plan import Fault, Plan, Target
from datareplicator.faults.score import score
from datareplicator.structure.encode import plain_text
from datareplicator.structure.spec import Structure
from datareplicator.study import Study
from datareplicator.validate.running import every_finding
from datareplicator.validate.structural import StructuralView

TOGETHER = 12
"""Kinds that are injected side by side where none of them spreads: a validation costs more than an injection."""
LEAST_AT_SITE = 10
"""Subjects of a site in which kinds of whole sites are injected, where there are such sites: fewer tell nothing."""
SOUND = 4
"""One site in so many gets a fault: a detector knows a site by comparing it with sound ones."""


def closed_loop(
    study: Study, structure: Structure, kinds: Iterable[Kind], *, count: int = 10, seed: int = 1
) -> pd.DataFrame:
    """One row a kind that finds a place: kind, unit, detectable, faults, named (found by the rules that the kind
    names), found (by any rule), precision (share of the findings of its rules that lie on a fault; those in the clean
    study do not count), rules (of all that found it, the most frequent first).

    `count` faults of each kind are injected, or as many as there is room for.
    """
    return pd.DataFrame(loop_rows(study, structure, kinds, count=count, seed=seed))


def loop_rows(
    study: Study, structure: Structure, kinds: Iterable[Kind], *, count: int = 10, seed: int = 1
) -> Iterator[dict[str, object]]:
    """The rows of `closed_loop`, as they come."""
    source = StructuralView(study, structure)
    clean = every_finding(study, structure, source)
    for batch in _batches(kinds):
        dirty, answers = _injected(study, structure, batch, count, seed)
        if len(answers):
            findings = every_finding(dirty, structure, source)
            yield from (_row(kind, findings, answers, clean) for kind in batch if _of(kind, answers))


def _batches(kinds: Iterable[Kind]) -> Iterator[list[Kind]]:
    """Kinds side by side, or alone where they spread, change whole subjects, or judge the data as a whole."""
    batch: list[Kind] = []
    for kind in kinds:
        if kind.scope == Scope.FILES:
            continue
        if kind.spreads or kind.unit not in (Unit.CELL, Unit.ROW) or kind.scope == Scope.STUDY:
            yield [kind]
            continue
        batch.append(kind)
        if len(batch) == TOGETHER:
            yield batch
            batch = []
    if batch:
        yield batch


def _injected(
    study: Study, structure: Structure, batch: Sequence[Kind], count: int, seed: int
) -> tuple[Study, Answers]:
    """The batch in one study; for a kind alone as many faults as there is room for."""
    for n in (count, max(count // 3, 1), 1):
        plan = Plan(faults=tuple(_fault(study, structure, kind, n, n == 1 or len(batch) > 1) for kind in batch))
        try:
            return corrupt(study, plan, seed=seed, structure=structure)
        except RequestError:
            continue
    raise ValueError("optional faults never fail")


def _fault(study: Study, structure: Structure, kind: Kind, count: int, optional: bool) -> Fault:
    if kind.unit != Unit.SITE:
        return Fault(kind=kind.name, count=count, optional=optional)
    sites = _sites(study, structure)
    few = max(1, min(count, len(sites) // SOUND))
    return Fault(kind=kind.name, count=few, target=Target(sites=tuple(sites)), optional=optional)


def _sites(study: Study, structure: Structure) -> list[str]:
    """The sites that can be judged, or all where none is large enough."""
    root = structure.tables.get(structure.root or "")
    if root is None or structure.site is None:
        return []
    people = study[root.members[0]].frame[structure.site].dropna().map(plain_text).value_counts()
    large = people[people >= LEAST_AT_SITE]
    return sorted(large.index if len(large) else people.index)


def _of(kind: Kind, answers: Answers) -> bool:
    return bool((answers.frame["kind"] == kind.name).any())


def _row(kind: Kind, findings: pd.DataFrame, answers: Answers, clean: pd.DataFrame) -> dict[str, object]:
    mine = Answers(answers.frame[answers.frame["kind"] == kind.name])
    named = findings[findings["rule"].isin(kind.rules)]
    every, by_name = score(findings, mine, clean=clean, rows=answers), score(named, mine, clean=clean, rows=answers)
    hit = every.rules[every.rules["right"] > 0].sort_values("right", ascending=False)
    return {
        "kind": kind.name,
        "unit": str(kind.unit),
        "detectable": kind.detectable,
        "faults": every.incidents,
        "named": by_name.found,
        "found": every.found,
        "precision": score(named, answers, clean=clean).precision if len(named) else float("nan"),
        "rules": " ".join(hit["rule"].head(6)),
    }

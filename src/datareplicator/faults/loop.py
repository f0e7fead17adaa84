"""The closed loop: every kind injected into a study, the study checked, and what was found of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pandas as pd

from datareplicator.errors import RequestError
from datareplicator.faults.answers import Answers
from datareplicator.faults.applying import corrupt
from datareplicator.faults.kind import Kind, Scope, Unit
from datareplicator.faults.plan import Fault, Plan, Target
from datareplicator.faults.score import Matches, match
from datareplicator.structure.encode import plain_text
from datareplicator.structure.spec import Structure
from datareplicator.study import Study
from datareplicator.validate.running import every_finding
from datareplicator.validate.structural import StructuralView

TOGETHER = 12
"""Kinds that are injected side by side where none of them spreads: a validation costs more than an injection."""
LEAST_AT_SITE = 10
"""Subjects of a site in which kinds of whole sites are injected, where there are such sites: fewer tell nothing."""
SHORT = 0.5
"""Share of the median number of rows under which a subject does not count as one of the site's."""
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
            matches = match(findings, answers, clean=clean)
            yield from (_row(kind, answers, matches) for kind in batch if _of(kind, answers))


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
    """The sites that can be judged, or all where none is large enough. Who left at once tells nothing of a site."""
    root = structure.tables.get(structure.root or "")
    if root is None or root.subject is None or structure.site is None:
        return []
    people = study[root.members[0]].frame[[root.subject, structure.site]].dropna()
    rows = pd.Series(0, index=people[root.subject].map(plain_text))
    for table in structure.tables.values():
        for name in table.members if table.subject else ():
            held = study[name].frame[table.subject].dropna().map(plain_text).value_counts()
            rows += held.reindex(rows.index).fillna(0).to_numpy(dtype=np.int64)
    stayed = (rows >= SHORT * rows.median()).to_numpy()
    sites = people[structure.site].map(plain_text)
    large = sites[stayed].value_counts()
    large = large[large >= LEAST_AT_SITE]
    return sorted(large.index if len(large) else sites.unique())


def _of(kind: Kind, answers: Answers) -> bool:
    return bool((answers.frame["kind"] == kind.name).any())


def _row(kind: Kind, answers: Answers, matches: Matches) -> dict[str, object]:
    incidents = answers.frame.loc[answers.frame["kind"] == kind.name, "incident"].unique()
    rule = matches.findings["rule"].to_numpy(dtype=object)
    named = np.isin(rule, kind.rules)
    finding, at = (matches.pairs[name].to_numpy() for name in ("finding", "incident"))
    mine = np.isin(at, incidents)
    hit = pd.Series(rule[np.unique(finding[mine])]).value_counts()
    hit = hit.reset_index().sort_values(["count", "index"], ascending=[False, True])["index"]
    right = np.zeros(len(rule), dtype=bool)
    right[finding] = True
    return {
        "kind": kind.name,
        "unit": str(kind.unit),
        "detectable": kind.detectable,
        "faults": len(incidents),
        "named": len(np.unique(at[mine & named[finding]])),
        "found": len(np.unique(at[mine])),
        "precision": float(right[named].mean()) if named.any() else float("nan"),
        "rules": " ".join(hit.head(6)),
    }

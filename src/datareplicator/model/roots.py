"""The root table's columns by the time they are known: before the study (covariates, which belong to the subject's
joint distribution), by the allocation (arm, site), and by its course (outcomes, drawn once the timeline is there)."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy.stats import kruskal

from datareplicator.model.prepare import Prepared
from datareplicator.structure.names import planned_and_actual
from datareplicator.structure.spec import SUPPLEMENT, ColumnSpec, Kind, Layout, Structure

OUTCOME_P = 1e-4
"""A root column whose relation to the length of stay is surer than this is an outcome."""


MOST_ARMS = 20
"""Distinct whole numbers of a column that may still be a code of arms."""
FEWEST = 10
"""Subjects from which on what a column depends on can be told."""


@dataclass
class RootColumns:
    """Names of the root's free columns by role. `births` are dates decades before the study; `assigned` go with the
    arm (the actual arm, the reason for none)."""

    group: str | None = None
    site: str | None = None
    identifiers: list[str] = field(default_factory=list)
    personal: list[str] = field(default_factory=list)
    dates: list[str] = field(default_factory=list)
    births: list[str] = field(default_factory=list)
    assigned: list[str] = field(default_factory=list)
    covariates: list[str] = field(default_factory=list)
    outcomes: list[str] = field(default_factory=list)


def free_source(structure: Structure, table: str, column: str | None) -> str | None:
    """The free column that decides a column: itself, or the one it is looked up from."""
    for _ in range(len(structure.derivations) + 1):
        if column is None:
            return None
        found = [d for d in structure.derivations if d.table == table and d.target == column]
        if not found:
            return column
        sources = [s.column for s in found[0].sources if s.table == table]
        if found[0].template not in ("lookup", "same") or len(sources) != 1:
            return None
        column = sources[0]
    return None


def sort_root(
    prepared: Prepared, last_visit: np.ndarray, stratum: np.ndarray, group: np.ndarray | None = None
) -> RootColumns:
    """Give each free column of the root its role. `group`: the arm by subject, once it is known."""
    structure = prepared.structure
    root = structure.tables[structure.root or ""]
    out = RootColumns(
        group=free_source(structure, root.name, structure.group), site=free_source(structure, root.name, structure.site)
    )
    flags = {link.root for link in structure.links if link.kind == "flag"}
    free = structure.free(root.name)
    if root.subject is not None and root.subject not in structure.derived(root.name):
        free = [root.subject, *free]
    for name in free:
        spec = root.column(name)
        if name in (out.group, out.site):
            continue
        if spec.kind == Kind.IDENTIFIER or name == root.subject:
            out.identifiers.append(name)
        elif spec.kind == Kind.PII:
            out.personal.append(name)
        elif spec.kind == Kind.DATE:
            (out.births if is_birth(prepared, root.name, name) else out.dates).append(name)
        elif group is not None and name not in flags and _is_assigned(prepared, spec, out.group, group):
            out.assigned.append(name)
        elif name in flags or _is_outcome(prepared, spec, last_visit, stratum):
            out.outcomes.append(name)
        else:
            out.covariates.append(name)
    return out


def is_birth(prepared: Prepared, table: str, column: str) -> bool:
    """Whether a date lies decades before the study for everybody."""
    away = prepared.moment(table, column).year - (1970 + prepared.per_row(table, prepared.anchor) / 365.25)
    away = away[np.isfinite(away)]
    return len(away) > 0 and float(np.max(away)) < -10


def _is_assigned(prepared: Prepared, spec: ColumnSpec, arm: str | None, group: np.ndarray) -> bool:
    """Whether a column goes with the arm: by name (planned and actual), because the arm nearly tells it, or because it
    is another one in some arm alone (of two subjects or more) and the same in all others."""
    if arm is None or spec.kind not in (Kind.CATEGORY, Kind.TEXT, Kind.FLAG, Kind.INTEGER):
        return False
    if spec.kind == Kind.INTEGER and spec.distinct > MOST_ARMS:
        return False
    code = _codes(prepared, spec.name)
    table = pd.crosstab(group, code).to_numpy()
    if planned_and_actual(arm, spec.name) or (prepared.n >= FEWEST and _decided(table, len(code))):
        return True
    pure, usual = (table > 0).sum(axis=1) == 1, table.sum(axis=0).argmax()
    other = table[:, usual] == 0
    return bool(prepared.n >= FEWEST and pure.all() and other.any() and (table.sum(axis=1)[other] >= 2).all())


def _codes(prepared: Prepared, column: str) -> np.ndarray:
    """The values of a root column as codes, int a subject, -1 missing."""
    root = prepared.structure.root or ""
    index, code = prepared.subject[root], np.full(prepared.n, -1)
    code[index[index >= 0]] = pd.factorize(prepared.frames[root][column])[0][index >= 0]
    return code


def _is_outcome(prepared: Prepared, spec: ColumnSpec, last_visit: np.ndarray, stratum: np.ndarray) -> bool:
    if spec.name.startswith(SUPPLEMENT) or spec.kind == Kind.FLAG:
        return True
    if spec.kind not in (Kind.CATEGORY, Kind.TEXT) or prepared.n < FEWEST:
        return False
    code = _codes(prepared, spec.name)
    return _depends(code, last_visit) or (len(np.unique(stratum)) > 1 and (code < 0).any() and _depends(code, stratum))


def _decided(table: np.ndarray, n: int) -> bool:
    """Whether the arm (rows of a table of counts) nearly tells a column, which its commonest value does not."""
    return bool(table.max(axis=1).sum() >= 0.9 * n and table.sum(axis=0).max() < 0.8 * n)


def _depends(code: np.ndarray, order: np.ndarray) -> bool:
    parts = [order[code == c] for c in np.unique(code)]
    parts = [p for p in parts if len(p) >= 3]
    if len(parts) < 2 or np.ptp(np.concatenate(parts)) == 0:
        return False
    return bool(kruskal(*parts).pvalue < OUTCOME_P)


def strata(prepared: Prepared, group: np.ndarray) -> tuple[np.ndarray, list[frozenset[str]]]:
    """The class of each subject by the tables its arm never has, and those tables by class.

    An arm without any row in tables that nearly everybody else has (a screen failure without exposure) is a class of
    its own. One table suffices for arms of three subjects or more, two tables for smaller ones.
    """
    groups = int(group.max(initial=-1)) + 1
    # Subjects without an arm (not assigned, screen failures of newer standards) are a class like any other.
    group = np.where(group >= 0, group, groups)
    groups += int((group == groups).any())
    share = {}
    for name, spec in prepared.structure.tables.items():
        index = prepared.subject.get(name, np.empty(0))
        if spec.layout in (Layout.REFERENCE, Layout.RELATION, Layout.COMMENT) or not (index >= 0).any():
            continue
        has = np.zeros(prepared.n, dtype=bool)
        has[index[index >= 0]] = True
        share[name] = np.array([has[group == g].mean() if (group == g).any() else np.nan for g in range(groups)])
    lacking: list[frozenset[str]] = []
    for g in range(groups):
        usual = [t for t, s in share.items() if s[g] == 0 and np.nanmax(s) >= 0.9]
        enough = 1 if (group == g).sum() >= 3 else 2
        lacking.append(frozenset(usual) if len(usual) >= enough else frozenset())
    classes = sorted(set(lacking), key=lambda s: (len(s), sorted(s))) or [frozenset()]
    if groups == 0:
        return np.zeros(prepared.n, dtype=np.int64), [frozenset()]
    code = np.array([classes.index(s) for s in lacking])
    return code[group], classes

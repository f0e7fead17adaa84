"""From a study and its structure to a profile."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

import numpy as np
import pandas as pd

from datareplicator import dates
from datareplicator.profile import words
from datareplicator.profile.columns import describe_column
from datareplicator.profile.description import Profile, Share, TableProfile, VisitProfile
from datareplicator.profile.labels import visit_labels
from datareplicator.profile.standard import recognise
from datareplicator.structure.encode import plain_text
from datareplicator.structure.logical import to_logical
from datareplicator.structure.spec import MEMBER, Layout, Structure, TableSpec
from datareplicator.study import Study

QUIET = {"constant", "lookup"}
"""Templates that have a place of their own, or none."""


def profile(study: Study, structure: Structure) -> Profile:
    """Describe a study: tables, columns, visits, arms, sites, and the relations in words.

    `structure` is what `discover` found in this study. Columns of personal data and identifiers show no values.
    """
    frames = to_logical(study, structure)
    index, n = _subjects(structure, frames)
    root = structure.tables[structure.root] if structure.root else None
    by_table, lookups = _computed(structure)
    return Profile(
        name=study.name,
        standard=recognise({name: table.columns for name, table in study.tables.items()}),
        subjects=n,
        subject_key=structure.subject,
        root=structure.root,
        reference_start=structure.anchor,
        rows=study.rows,
        tables=tuple(
            _table(study, structure, spec, frames.get(spec.name), index) for spec in structure.tables.values()
        ),
        visits=_visits(structure, frames, index, n),
        arm=structure.group,
        arms=_shares(frames, root, structure.group),
        site=structure.site,
        sites=_shares(frames, root, structure.site),
        computed=by_table,
        lookups=lookups,
        references=tuple(words.reference(k) for k in structure.foreign_keys if k.columns != (structure.subject,)),
        links=tuple(words.link(found, structure.root or "") for found in structure.links),
        orders=tuple(words.order(found) for found in structure.orders),
        supplements=tuple(words.supplement(found) for found in structure.supplements),
        pii=tuple(
            f"{t.name}.{c.name} ({c.pii})" for t in structure.tables.values() for c in t.columns if c.pii is not None
        ),
        notes=structure.notes,
    )


def _subjects(structure: Structure, frames: Mapping[str, pd.DataFrame]) -> tuple[dict[str, np.ndarray], int]:
    """Index of the subject by row for each table that names it, and the number of subjects."""
    if structure.root is None:
        return {}, 0
    root = structure.tables[structure.root]
    if root.subject is None:
        n = len(frames[root.name])
        return {root.name: np.arange(n)}, n
    known = pd.Index(frames[root.name][root.subject].dropna().unique())
    named = {t.name: t.subject for t in structure.tables.values() if t.subject is not None and t.name in frames}
    return {name: known.get_indexer(frames[name][subject]) for name, subject in named.items()}, len(known)


def _table(
    study: Study,
    structure: Structure,
    spec: TableSpec,
    frame: pd.DataFrame | None,
    index: Mapping[str, np.ndarray],
) -> TableProfile:
    members = [m for m in spec.members if m in study]
    if frame is None:  # a supplemental table: its rows stand as columns of the parent
        frame = pd.concat([study[m].frame for m in members], ignore_index=True)
    subject = index.get(spec.name, np.full(len(frame), -1))
    computed = {d.target: words.derivation(d) for d in structure.derivations if d.table == spec.name}
    labels = {c.name: c.label for m in reversed(members) for c in study[m].columns.values()}
    return TableProfile(
        name=spec.name,
        label=study[members[0]].label if members else "",
        layout=spec.layout.value,
        rows=spec.rows,
        subjects=spec.subjects,
        key=spec.key,
        members=tuple(members),
        tests=int(frame[spec.test].nunique()) if spec.test and spec.layout == Layout.FINDINGS else None,
        columns=tuple(
            describe_column(frame[c.name], c, subject, labels.get(c.name, ""), computed.get(c.name))
            for c in spec.columns
            if c.name in frame and c.name != MEMBER
        ),
    )


def _computed(structure: Structure) -> tuple[dict[str, tuple[str, ...]], dict[str, tuple[str, ...]]]:
    """Computed columns in words by table, and lookups (code to what it decides)."""
    computed, lookups = defaultdict(list), defaultdict(lambda: defaultdict(list))
    for d in structure.derivations:
        if d.template == "lookup":
            lookups[d.table][" + ".join(s.column for s in d.sources)].append(d.target)
        elif d.template not in QUIET:
            computed[d.table].append(words.derivation(d))
    said = {t: tuple(f"{code} -> {', '.join(held)}" for code, held in by.items()) for t, by in lookups.items()}
    return {t: tuple(held) for t, held in computed.items()}, said


def _visits(
    structure: Structure, frames: Mapping[str, pd.DataFrame], index: Mapping[str, np.ndarray], n: int
) -> tuple[VisitProfile, ...]:
    names = visit_labels(frames, structure)
    if not names:
        return ()
    tables = [t for t in structure.tables.values() if t.visit and t.name in index]
    where = [t for t in tables if t.name == structure.visit_table] or tables
    anchor = _anchor(structure, frames, index, n)
    seen = [_visit_days(frames[t.name], t, index[t.name], anchor) for t in where]
    rows = pd.concat(seen).groupby(["visit", "subject"])["day"].min().reset_index()
    result = []
    for visit, held in rows.groupby("visit"):
        day = held["day"].dropna().to_numpy()
        days = tuple(np.round(np.quantile(day, (0.05, 0.5, 0.95)), 1).tolist()) if len(day) else None
        result.append(VisitProfile(visit=plain_text(visit), label=names[visit], subjects=len(held), days=days))
    return tuple(result)


def _anchor(
    structure: Structure, frames: Mapping[str, pd.DataFrame], index: Mapping[str, np.ndarray], n: int
) -> np.ndarray:
    anchor = np.full(n + 1, np.nan)
    if structure.root and structure.anchor:
        anchor[index[structure.root]] = dates.parse(frames[structure.root][structure.anchor]).day
    anchor[n] = np.nan
    return anchor


def _visit_days(frame: pd.DataFrame, spec: TableSpec, subject: np.ndarray, anchor: np.ndarray) -> pd.DataFrame:
    column = spec.date or spec.start
    day = dates.parse(frame[column]).day - anchor[subject] if column in frame else np.full(len(frame), np.nan)
    rows = pd.DataFrame({"visit": frame[spec.visit].to_numpy(), "subject": subject, "day": day})
    return rows[(subject >= 0) & frame[spec.visit].notna().to_numpy()]


def _shares(frames: Mapping[str, pd.DataFrame], root: TableSpec | None, column: str | None) -> tuple[Share, ...]:
    if root is None or column is None:
        return ()
    counts = frames[root.name][column].value_counts()
    return tuple(Share(value=plain_text(value), subjects=int(count)) for value, count in counts.items())

"""The study as the learners see it: logical frames, one subject index over all tables, days from each subject's anchor.

Everything that refers to a calendar or to an identifier ends here; what leaves this module for the model are indices
and days relative to the subject's reference start.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from datareplicator import dates
from datareplicator.errors import Place, StructureError
from datareplicator.model.parts import Parts
from datareplicator.structure.logical import to_logical
from datareplicator.structure.spec import Kind, Layout, Structure, TableSpec
from datareplicator.study import Study

ON_SCHEDULE = (Layout.VISITS, Layout.FINDINGS)
"""Layouts whose dates tell when a subject was seen; events may begin decades before."""


@dataclass
class Prepared:
    """A study ready to be learned.

    `subject[table]`: int per row, -1 where the row has no subject. `anchor`: float per subject, days since
    1970-01-01 of the reference start, NaN where the subject has no date at all; `anchored`: whether the source
    states the anchor itself. `n` subjects, in the root's order. `parts`: what is known of an earlier model's parts.
    """

    structure: Structure
    frames: dict[str, pd.DataFrame]
    n: int
    subject: dict[str, np.ndarray]
    anchor: np.ndarray
    anchored: np.ndarray
    moments: dict[tuple[str, str], dates.Moments] = field(default_factory=dict)
    parts: Parts = field(default_factory=Parts)

    def moment(self, table: str, column: str) -> dates.Moments:
        """The parsed dates of a column, parsed once."""
        key = (table, column)
        if key not in self.moments:
            self.moments[key] = dates.parse(self.frames[table][column])
        return self.moments[key]

    def days(self, table: str, column: str) -> np.ndarray:
        """Days of a date column relative to the row's subject's anchor; NaN where the day or subject is unknown."""
        return self.moment(table, column).day - self.per_row(table, self.anchor)

    def per_row(self, table: str, values: np.ndarray) -> np.ndarray:
        """Spread a float per subject over a table's rows; NaN where a row has no subject."""
        return np.append(values, np.nan)[self.subject[table]]


def prepare(study: Study, structure: Structure) -> Prepared:
    """Index the subjects of a study and find each one's anchor.

    Raises StructureError when there is no table with subjects.
    """
    if structure.root is None:
        raise StructureError("no table with subjects was found", hint="Name the subject key or add the table.")
    frames = {name: frame.reset_index(drop=True) for name, frame in to_logical(study, structure).items()}
    subject = _index_subjects(structure, frames)
    n = int(subject[structure.root].max(initial=-1)) + 1
    if n == 0:
        raise StructureError("the subject table has no rows", place=Place(table=structure.root))
    prepared = Prepared(structure, frames, n, subject, np.full(n, np.nan), np.zeros(n, dtype=bool))
    prepared.anchor, prepared.anchored = _anchors(prepared)
    return prepared


def _index_subjects(structure: Structure, frames: dict[str, pd.DataFrame]) -> dict[str, np.ndarray]:
    root = structure.tables[structure.root or ""]
    if root.subject is None:
        index = {root.name: np.arange(len(frames[root.name]))}
        known = None
    else:
        known = pd.Index(frames[root.name][root.subject].dropna().unique())
        index = {root.name: known.get_indexer(frames[root.name][root.subject])}
    for spec in structure.tables.values():
        if spec.name == root.name or spec.name not in frames:
            continue
        if spec.subject is not None and known is not None:
            index[spec.name] = known.get_indexer(frames[spec.name][spec.subject])
    pending = [
        s for s in structure.tables.values() if s.name not in index and s.parent_key is not None and s.name in frames
    ]
    while pending:
        ready = [s for s in pending if s.parent_key is not None and s.parent_key.parent in index]
        if not ready:
            break
        for spec in ready:
            index[spec.name] = _through_parent(spec, frames, index)
        pending = [s for s in pending if s.name not in index]
    for name, frame in frames.items():
        index.setdefault(name, np.full(len(frame), -1))
    return index


def parent_rows(spec: TableSpec, frames: dict[str, pd.DataFrame]) -> np.ndarray:
    """Row of the parent for each row of a table with a parent key; -1 where there is none."""
    key = spec.parent_key
    assert key is not None
    own = pd.MultiIndex.from_frame(frames[spec.name][list(key.columns)])
    parent = pd.MultiIndex.from_frame(frames[key.parent][list(key.parent_columns)])
    first = ~parent.duplicated()
    position = np.flatnonzero(first)
    found = parent[first].get_indexer(own)
    return np.where(found >= 0, position[found], -1)


def _through_parent(spec: TableSpec, frames: dict[str, pd.DataFrame], index: dict[str, np.ndarray]) -> np.ndarray:
    rows = parent_rows(spec, frames)
    parent = spec.parent_key.parent if spec.parent_key else ""
    return np.append(index[parent], -1)[rows]


def _anchors(prepared: Prepared) -> tuple[np.ndarray, np.ndarray]:
    """Each subject's reference start; where the source has none, the first day seen less the usual lead."""
    structure, n = prepared.structure, prepared.n
    stated = np.full(n, np.nan)
    if structure.anchor is not None and structure.root is not None:
        day = prepared.moment(structure.root, structure.anchor).day
        index = prepared.subject[structure.root]
        stated[index[index >= 0]] = day[index >= 0]
    first = _first_day(prepared, [t for t in structure.tables.values() if t.layout in ON_SCHEDULE])
    rest = _first_day(prepared, [structure.tables[structure.root or ""]])
    others = _first_day(prepared, [t for t in structure.tables.values() if t.layout not in ON_SCHEDULE])
    lead = {id(source): _lead(source, stated) for source in (first, rest, others)}
    anchor = stated.copy()
    for source in (first, rest, others):
        anchor = np.where(np.isnan(anchor), source - lead[id(source)], anchor)
    return anchor, np.isfinite(stated)


def _lead(first: np.ndarray, stated: np.ndarray) -> float:
    both = np.isfinite(first) & np.isfinite(stated)
    return float(np.round(np.median((first - stated)[both]))) if both.any() else 0.0


def _first_day(prepared: Prepared, tables: list[TableSpec]) -> np.ndarray:
    first = np.full(prepared.n, np.inf)
    for spec in tables:
        for column in spec.columns:
            if column.kind != Kind.DATE or column.pii is not None or column.name.startswith("SUPP."):
                continue
            if spec.layout in (Layout.SUBJECT, *ON_SCHEDULE) and _looks_like_birth(prepared, spec.name, column.name):
                continue
            day, index = prepared.moment(spec.name, column.name).day, prepared.subject[spec.name]
            known = np.isfinite(day) & (index >= 0)
            np.minimum.at(first, index[known], day[known])
    return np.where(np.isfinite(first), first, np.nan)


def _looks_like_birth(prepared: Prepared, table: str, column: str) -> bool:
    """A date that spreads over decades is no date of the study."""
    year = prepared.moment(table, column).year
    year = year[np.isfinite(year)]
    return len(year) > 0 and (np.ptp(year) > 12 or any(word in column.upper() for word in ("BRTH", "BIRTH", "DOB")))

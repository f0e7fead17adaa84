"""A study seen through a structure: logical tables whose rows still know their place in the source tables."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from datareplicator.structure.derive import View
from datareplicator.structure.encode import plain_text
from datareplicator.structure.logical import to_logical
from datareplicator.structure.spec import MEMBER, Layout, Structure, Supplement, TableSpec
from datareplicator.study import Study, Table
from datareplicator.validate.part import Part
from datareplicator.validate.rule import Register, Scope

STRUCTURAL_RULES = Register(Scope.STRUCTURE)
ROW = "__row__"
"""Virtual column with the 0-based row in the source table."""


class StructuralView:
    """The tables of `study` that `structure` knows, and what of it is absent. `baseline` is the view of the source;
    `expected` are categories that the study may have beyond it."""

    def __init__(
        self,
        study: Study,
        structure: Structure,
        baseline: StructuralView | None = None,
        expected: frozenset[str] = frozenset(),
    ) -> None:
        self.study, self.baseline, self.expected = study, baseline, expected
        self.structure, self.absent = _present(study, structure)
        numbered = Study({name: _numbered(table) for name, table in study.tables.items()}, study.name)
        frames = to_logical(numbered, self.structure)
        self.parts = {name: _part(self.structure.tables[name], frame) for name, frame in frames.items()}
        self.view = View(frames)
        for name, part in self.parts.items():
            spec = self.structure.tables[name]
            self.absent += [(name, c.name) for c in spec.columns if c.name not in part.frame and c.name != MEMBER]

    def lacks(self, column: object) -> bool:
        """Whether a table that is there lacks a column of that name."""
        return any(name == column for _, name in self.absent if name is not None)

    def tables(self) -> Iterator[tuple[TableSpec, Part]]:
        """Logical tables with rows, and what discovery says of them."""
        for name, part in self.parts.items():
            if len(part):
                yield self.structure.tables[name], part

    def computed(self, table: str, column: str) -> set[object]:
        """The values that the structure's tables of codes and constants give a column."""
        made = [d.params for d in self.structure.derivations if (d.table, d.target) == (table, column)]
        return {value for p in made for value in (*p.get("values", ()), p.get("value"))}

    @property
    def root(self) -> Part | None:
        return self.parts.get(self.structure.root) if self.structure.root is not None else None

    def members(self, name: str) -> Part:
        """The rows of the source tables of a logical table, supplements included, as they lie in the files."""
        spec = self.structure.tables[name]
        return Part.of(name, {member: self.study[member].frame for member in spec.members}, spec.subject)


def _present(study: Study, structure: Structure) -> tuple[Structure, list[tuple[str, str | None]]]:
    """The structure cut down to the tables that are there, and the members that are not."""
    absent: list[tuple[str, str | None]] = []
    tables = {}
    for name, spec in structure.tables.items():
        held = tuple(member for member in spec.members if member in study)
        absent += [(member, None) for member in spec.members if member not in study]
        if held:
            tables[name] = spec.model_copy(update={"members": held})
    supplements = tuple(
        s.model_copy(update={"members": tables[s.table].members})
        for s in structure.supplements
        if s.table in tables and s.parent in tables and _usable(study, tables[s.table], tables[s.parent], s)
    )
    pivoted = {s.table for s in supplements}
    for name in [n for n, spec in tables.items() if spec.layout == Layout.SUPPLEMENT and n not in pivoted]:
        del tables[name]
    return structure.model_copy(update={"tables": tables, "supplements": supplements}), absent


def _usable(study: Study, own: TableSpec, parent: TableSpec, supplement: Supplement) -> bool:
    """Whether the columns that pivoting needs are in every member of the supplement and of the parent."""
    needed = {name for name in (supplement.pointer, parent.subject) if name is not None}
    roles = set(supplement.columns.values())
    return all(needed <= set(study[member].frame) for member in parent.members) and all(
        roles <= set(study[member].frame) for member in own.members
    )


def _numbered(table: Table) -> Table:
    frame = table.frame.assign(**{ROW: np.arange(len(table.frame))})
    return Table(table.name, frame, table.columns, table.label, table.origin)


def _part(spec: TableSpec, frame: pd.DataFrame) -> Part:
    subject = spec.subject if spec.subject in frame else None
    if MEMBER in frame:
        table = pd.Index(spec.members).get_indexer(frame[MEMBER])
    else:
        table = np.zeros(len(frame), dtype=np.int64)
    return Part(
        spec.name, frame.reset_index(drop=True), spec.members, table, frame[ROW].to_numpy(dtype=np.int64), subject
    )


def is_value(part: Part, name: str, value: str | None) -> np.ndarray:
    """bool a row: the value, as plain text, is this one; any present value for None."""
    if value is None:
        return part.present(name)
    return part.by_distinct(name, [plain_text(v) == value for v in part.distinct(name)])

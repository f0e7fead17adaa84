"""What the model knows of the values that a column can have at all."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from datareplicator.model.coding import Coding
from datareplicator.model.rows import RowsModel
from datareplicator.model.study_model import Events, Findings, Sets, StudyModel
from datareplicator.structure.spec import Kind, Ref

ROOM = 0.5
"""How far a number may lie beyond those learned, as a share of their range: wider spreads and rounding reach there."""


@dataclass(frozen=True)
class Known:
    """Texts that a column can have (None: not known), or the range of its numbers."""

    texts: frozenset[str] | None = None
    low: float = -np.inf
    high: float = np.inf

    @property
    def ranged(self) -> bool:
        """Whether a range is known."""
        return bool(np.isfinite(self.low) and np.isfinite(self.high))

    @property
    def range_said(self) -> str:
        """The range in words."""
        return f"from {self.low:.12g} to {self.high:.12g}"


def known_values(model: StudyModel, column: Ref) -> Known:
    """What is known of a column; nothing, where nothing is."""
    spec = model.structure.tables[column.table].column(column.column)
    if spec.kind == Kind.EMPTY:
        return Known(texts=frozenset())
    held = list(_values(model, column))
    if not held:
        return Known()
    numbers = spec.encoding in ("integer", "float")
    if numbers:
        found = np.array([v for v in map(_number, held) if v is not None and np.isfinite(v)])
        if not len(found):
            return Known()
        low, high = float(found.min()), float(found.max())
        return (
            Known(low=float(np.round(low)), high=float(np.round(high)))
            if spec.kind == Kind.INTEGER
            else Known(None, low, high)
        )
    if spec.kind not in (Kind.CATEGORY, Kind.FLAG) or spec.numeric_text:
        return Known()
    return Known(texts=frozenset(str(v) for v in held if v is not None))


def _number(value: object) -> float | None:
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None


def _values(model: StudyModel, column: Ref) -> Iterable[object]:
    """Values of a column as far as the part that makes it lists them."""
    computed = [d for d in model.structure.derivations if (d.table, d.target) == (column.table, column.column)]
    if computed:
        d = computed[0]
        if len(computed) == 1 and d.template == "lookup":
            return d.params["values"]
        if len(computed) == 1 and d.template in ("constant", "copy_subject", "same"):
            return [d.params["value"]] if "value" in d.params else _values(model, d.sources[0]) if d.sources else ()
        return ()
    if column.table == model.root.table:
        return _of_root(model, column.column)
    for table in model.tables:
        if table.table == column.table:
            return _of_table(table, column.column) or _of_rows(table.rows, column.column)
    return ()


def _of_root(model: StudyModel, name: str) -> Iterable[object]:
    root = model.root
    if name == root.group:
        return root.groups
    if name == root.site:
        return root.sites
    if root.assigned is not None and name in root.assigned.columns:
        at = root.assigned.columns.index(name)
        return [values[at] for values in root.assigned.values]
    for feature in model.subjects.features:
        if feature.name == name:
            return feature.categories or np.concatenate([m.values for m in feature.marginals]).tolist()
    return _of_rows(root.outcomes, name)


def _of_table(table: object, name: str) -> Iterable[object]:
    if isinstance(table, Sets) and name in table.columns:
        at = table.columns.index(name)
        return [code[at] for code in table.codes]
    if isinstance(table, Events):
        if name == table.term and table.model.terms is not None:
            return _of_coding(table.model.terms.coding)
        return _of_codings((*table.model.attributes.targets.values(), *table.model.lead.targets.values()), name)
    if isinstance(table, Findings):
        results = table.results
        if name in (results.value, results.text, results.original):
            return () if any(c.kind == "number" for c in results.cells) else _of_cells(table, name)
        if results.cells and name in results.cells[0].columns:
            return _of_cells(table, name)
    return ()


def _of_cells(table: Findings, name: str) -> list[object]:
    return [v for cell in table.results.cells for v in cell.columns.get(name, ())]


def _of_rows(rows: RowsModel, name: str) -> Iterable[object]:
    for node in rows.attributes.nodes:
        if node.number is not None and node.number.name == name:
            return node.number.value.tolist()
    return _of_codings(rows.attributes.targets.values(), name)


def _of_codings(codings: Iterable[Coding], name: str) -> Iterable[object]:
    for coding in codings:
        if coding.name == name:
            return _of_coding(coding)
    return ()


def _of_coding(coding: Coding) -> Iterable[object]:
    return coding.values if coding.kind in ("text", "boolean") else coding.numbers.tolist()

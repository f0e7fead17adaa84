"""Source and synthetic study side by side: the same structure, arms and codes for both."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from datareplicator.model.prepare import Prepared, prepare
from datareplicator.profile.labels import labels_of
from datareplicator.seeds import Streams
from datareplicator.structure.encode import plain_text
from datareplicator.structure.spec import Structure
from datareplicator.study import Column, Study, Table

DRAWS = 60
MOST_ARMS = 4


@dataclass
class Pair:
    """Two studies ready to be compared. `lacks`: tables and columns of the source that the synthetic study lacks."""

    structure: Structure
    source: Prepared
    synthetic: Prepared
    lacks: tuple[str, ...]

    @property
    def sides(self) -> tuple[Prepared, Prepared]:
        """Source, synthetic."""
        return self.source, self.synthetic

    @cached_property
    def draws(self) -> tuple[np.ndarray, np.ndarray]:
        """Weights of source subjects, (DRAWS, subjects) each, in two studies of the sizes at hand drawn from the
        source's own subjects: the measure of what chance alone does."""
        rng = Streams(0).get("pairs of studies")
        n = self.source.n
        even = np.full(n, 1 / n)
        return (
            rng.multinomial(n, even, size=DRAWS).astype(float),
            rng.multinomial(self.synthetic.n, even, size=DRAWS).astype(float),
        )

    @cached_property
    def arms(self) -> tuple[str, ...]:
        """The largest arms of the source in their own order; one that holds everybody where there are none."""
        column = self._arm_column
        if column is None:
            return ("all subjects",)
        counts = self.source.frames[self.structure.root or ""][column].value_counts()
        labels = self._arm_labels
        return tuple(labels.get(a, plain_text(a)) for a in sorted(counts.index[:MOST_ARMS], key=str))

    @cached_property
    def arm(self) -> tuple[np.ndarray, np.ndarray]:
        """Each subject's index into `arms`, -1 for the rest; source, synthetic."""
        return self._arm(self.source), self._arm(self.synthetic)

    @cached_property
    def _arm_column(self) -> str | None:
        group, root = self.structure.group, self.structure.root
        if group is None or root is None or not self.source.frames[root][group].notna().any():
            return None
        return group

    @cached_property
    def _arm_labels(self) -> dict[object, str]:
        root = self.structure.tables[self.structure.root or ""]
        return labels_of(self.source.frames[root.name], root, self._arm_column) if self._arm_column else {}

    def _arm(self, side: Prepared) -> np.ndarray:
        if self._arm_column is None:
            return np.zeros(side.n, dtype=np.int64)
        root = self.structure.root or ""
        names = side.frames[root][self._arm_column].map(
            lambda a: self._arm_labels.get(a, plain_text(a)), na_action="ignore"
        )
        code = pd.Index(self.arms).get_indexer(names)
        arm = np.full(side.n, -1, dtype=np.int64)
        known = side.subject[root] >= 0
        arm[side.subject[root][known]] = code[known]
        return arm

    def codes(self, table: str, column: str) -> tuple[np.ndarray, np.ndarray, list[object]]:
        """Codes of a column's values that mean the same on both sides (-1 missing), and the values."""
        a, b = (side.frames[table][column] for side in self.sides)
        if a.dtype != b.dtype:
            a, b = (s.map(plain_text, na_action="ignore").astype("str") for s in (a, b))
        codes, values = pd.factorize(pd.concat([a, b], ignore_index=True), sort=False)
        return codes[: len(a)], codes[len(a) :], list(values)


def make_pair(source: Study, synthetic: Study, structure: Structure) -> Pair:
    """Prepare both studies under the source's structure.

    Raises StructureError where there are no subjects on one side.
    """
    aligned, lacks = _aligned(source, synthetic)
    return Pair(structure, prepare(source, structure), prepare(aligned, structure), lacks)


def _aligned(source: Study, synthetic: Study) -> tuple[Study, tuple[str, ...]]:
    """The synthetic study with every table and column of the source; what it lacks is all missing."""
    tables, lacks = {}, []
    for name, table in source.tables.items():
        if name not in synthetic:
            lacks.append(f"{name}: the synthetic study lacks this table")
        frame = synthetic[name].frame if name in synthetic else table.frame.iloc[:0]
        absent = [c for c in table.frame if c not in frame]
        lacks += [f"{name}: the synthetic study lacks the column {column}" for column in absent]
        columns = {c: _plain(frame[c]) if c in frame else _nothing(table.frame[c], len(frame)) for c in table.frame}
        tables[name] = Table(name, pd.DataFrame(columns).reset_index(drop=True), dict(table.columns), table.label)
    return Study(tables, synthetic.name), tuple(lacks)


def _plain(values: pd.Series) -> pd.Series:
    values = values.reset_index(drop=True)
    return values.astype(values.cat.categories.dtype) if isinstance(values.dtype, pd.CategoricalDtype) else values


def _nothing(like: pd.Series, n: int) -> pd.Series:
    dtype = "Int64" if pd.api.types.is_integer_dtype(like.dtype) else like.dtype
    return pd.Series(pd.NA, index=range(n), dtype=dtype)


def column_labels(study: Study, structure: Structure) -> dict[tuple[str, str], str]:
    """Labels that the source declares, by logical table and column."""

    def of(members: tuple[str, ...]) -> dict[str, Column]:
        return {c: column for m in reversed(members) if m in study for c, column in study[m].columns.items()}

    return {
        (spec.name, name): column.label
        for spec in structure.tables.values()
        for name, column in of(spec.members).items()
        if column.label
    }

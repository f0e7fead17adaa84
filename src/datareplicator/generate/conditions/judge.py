"""Conditions looked at in a block that is not finished: only the columns that they need are computed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from datareplicator.expressions.vectors import Vector
from datareplicator.generate.conditions.condition import Condition
from datareplicator.generate.conditions.plan import Part
from datareplicator.generate.conditions.states import loose
from datareplicator.generate.finish import cast, settle
from datareplicator.generate.state import State
from datareplicator.model.study_model import StudyModel

Frames = dict[str, pd.DataFrame]


@dataclass
class Seen:
    """The tables that conditions are looked at in, and whose rows they are: int a row."""

    frames: Frames
    subject: dict[str, np.ndarray]
    n: int

    def truth(self, condition: Condition) -> np.ndarray:
        """int8 a row of the condition's table: 1 it holds, -1 it does not, 0 unknown."""
        return condition.expression.truth(
            self.frames[condition.table], others=self.frames, table=condition.table, schema=condition.schema
        )

    def vector(self, condition: Condition) -> Vector:
        """The values of an expression that is no condition, one a row of its table."""
        return condition.expression.vector(
            self.frames[condition.table], others=self.frames, table=condition.table, schema=condition.schema
        )

    def broken(self, condition: Condition) -> np.ndarray:
        """bool a subject: has a row in which the condition surely does not hold."""
        return self.count(condition.table, self.truth(condition) < 0) > 0

    def count(self, table: str, rows: np.ndarray) -> np.ndarray:
        """int a subject: how many of the rows (bool) are theirs."""
        return np.bincount(self.subject[table][rows], minlength=self.n)

    def shows(self, parts: Iterable[Part]) -> np.ndarray:
        """bool a subject: all parts are true."""
        out = np.ones(self.n, dtype=bool)
        for part in parts:
            truth = self.truth(part.condition)
            if part.rows == "every":
                out &= self.count(part.condition.table, truth != 1) == 0
            else:
                some = self.count(part.condition.table, truth == 1) > 0
                out &= some if part.rows == "some" else ~some
        return out


def look(model: StudyModel, state: State, conditions: Iterable[Condition]) -> Seen:
    """The tables of a block with all that the conditions read, in the types of the source."""
    held = list(conditions)
    trial = loose(state)
    settle(model, trial, frozenset().union(*(c.computed for c in held)) if held else frozenset())
    return seen(model, trial, held)


def seen(model: StudyModel, state: State, conditions: Iterable[Condition]) -> Seen:
    """As `look`, for a state in which everything is computed."""
    wanted: dict[str, set[str]] = {}
    for condition in conditions:
        for table in condition.tables:
            wanted.setdefault(table, set())
        for ref in condition.reads:
            wanted.setdefault(ref.table, set()).add(ref.column)
        for table in list(wanted):
            key = model.structure.tables[table].subject
            if key is not None:
                wanted[table].add(key)
    frames = {}
    for table, columns in wanted.items():
        frame = state.frames.get(table, pd.DataFrame())
        frames[table] = pd.DataFrame(
            {c: _column(model, table, frame, c) for c in sorted(columns)}, index=pd.RangeIndex(len(frame))
        )
    subject = {t: state.subject.get(t, np.empty(0, dtype=np.int64)) for t in wanted}
    return Seen(frames, subject, state.subjects.n)


def _column(model: StudyModel, table: str, frame: pd.DataFrame, name: str) -> pd.Series:
    if name not in frame:
        return pd.Series(np.nan, index=frame.index, dtype="str")
    members = model.structure.tables[table].members
    for source in model.sources:
        if source.name in members:
            for column, dtype in zip(source.columns, source.dtypes, strict=True):
                if column.name == name:
                    return cast(frame[name], dtype).reset_index(drop=True)
    return cast(frame[name], "str").reset_index(drop=True)

"""Tables without subjects tell facts of the study that was made: known once all of its blocks are."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from datareplicator import dates
from datareplicator.dates import Precision
from datareplicator.generate.request import GenerateRequest
from datareplicator.model.study_model import StudyModel
from datareplicator.model.summary import Told, span
from datareplicator.structure.spec import Ref

Frames = dict[str, pd.DataFrame]


class Telling:
    """Sees the blocks of a study go by, and then writes what its summary tells."""

    def __init__(self, model: StudyModel, request: GenerateRequest) -> None:
        """A plain request for more subjects leaves the trial's design as it came, its summary among it."""
        self._model = model
        self._told = [t for t in model.told if t.table in model.reference and request.controlled]
        self._root = model.structure.tables[model.root.table].members
        self._number: dict[int, int] = dict.fromkeys(range(len(self._told)), 0)
        self._span: dict[Ref, tuple[float, float]] = {
            ref: (np.nan, np.nan) for t in self._told if t.kind in ("first", "last") for ref in t.sources
        }
        self.tables = frozenset(t.table for t in self._told)

    def add(self, frames: Frames) -> None:
        """Take in a block."""
        for k, told in enumerate(self._told):
            if told.kind == "subjects":
                self._number[k] += sum(self._subjects(told, frames[m], m) for m in self._root)
        for ref, (first, last) in self._span.items():
            low, high = span(frames[ref.table][ref.column])
            self._span[ref] = float(np.fmin(first, low)), float(np.fmax(last, high))

    def _subjects(self, told: Told, frame: pd.DataFrame, member: str) -> int:
        column = next((ref.column for ref in told.sources if ref.table == member), None)
        return int(frame[column].notna().sum()) if column is not None else len(frame)

    def write(self, frames: Frames) -> Frames:
        """The tables (of those that `tables` names) with what is told of the whole study."""
        out = {name: frame.copy() for name, frame in frames.items()}
        for told, value in self._values():
            frame = out[told.table]
            values = frame[told.column].astype(object)
            values.iloc[told.row] = value
            frame[told.column] = values.astype(frame[told.column].dtype)
        return out

    def _values(self) -> Iterator[tuple[Told, str]]:
        for k, told in enumerate(self._told):
            if told.kind == "subjects":
                yield told, str(self._number[k])
            elif told.kind == "arms":
                yield told, str(self._arms(told))
            elif told.kind in ("first", "last"):
                days = [self._span[ref][told.kind == "last"] for ref in told.sources]
                known = [day for day in days if np.isfinite(day)]
                if known:
                    day = (max if told.kind == "last" else min)(known) + told.days
                    text = dates.to_text(np.array([day]), np.array([int(Precision.DAY)]))
                    yield told, str(text[0])

    def _arms(self, told: Told) -> int:
        if not told.sources:
            return len(self._model.root.groups)
        kept = self._model.reference[told.sources[0].table]
        return len({value for value in kept.values[told.sources[0].column] if value is not None})

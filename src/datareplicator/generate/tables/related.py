"""Rows that drive a relation."""

from __future__ import annotations

from datareplicator.generate.relations import draw_drivers
from datareplicator.generate.state import State
from datareplicator.model.study_model import StudyModel


def draw_related(model: StudyModel, table: str, state: State) -> None:
    """Choose the rows of this table that drive a relation; they ask their subjects for a partner."""
    for relation in model.relations:
        for k, kind in enumerate(relation.types):
            if kind.driver == table:
                name = f"relation:{relation.table}:{k}"
                state.marks[name] = draw_drivers(kind, state.frames[table], state.streams.under(relation.table, str(k)))

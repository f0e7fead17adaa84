"""Rows below the rows of another table."""

from __future__ import annotations

import numpy as np
import pandas as pd

from datareplicator.generate.children import sample_children
from datareplicator.generate.rows import fill_rows
from datareplicator.generate.state import State
from datareplicator.model.context import row_context, shown
from datareplicator.model.study_model import Children, StudyModel
from datareplicator.model.tables.children import parent_context
from datareplicator.model.training import day_anchors


def make_children(model: StudyModel, table: Children, state: State) -> None:
    """Rows below the rows of another table."""
    spec = model.structure.tables[table.table]
    key = spec.parent_key
    assert key is not None
    above, parent_spec = state.frames[key.parent], model.structure.tables[key.parent]
    context = parent_context(above, model.structure, key.parent)
    parent, attributes = sample_children(
        table.model,
        context,
        state.subject[key.parent],
        state.streams.under(table.table, "children"),
        state.request.variation,
    )
    subject = state.subject[key.parent][parent]
    frame = pd.DataFrame(index=pd.RangeIndex(len(parent)))
    state.frames[table.table], state.subject[table.table] = frame, subject
    for own, other in zip(key.columns, key.parent_columns, strict=True):
        if other in above:
            frame[own] = above[other].iloc[parent].array
    for name in attributes.columns:
        frame[name] = attributes[name].array
    start = parent_spec.start or parent_spec.date
    others = {"parent": state.days[key.parent, start][parent]} if (key.parent, start) in state.days else {}
    anchors = day_anchors(subject, None, None, state.subjects, others)
    known = {c: shown(frame[c]) for c in table.told}
    fill_rows(table.rows, state, row_context(state.context, subject, known), anchors, np.full(len(parent), -1))

"""Learning rows below the rows of another table."""

from __future__ import annotations

import numpy as np
import pandas as pd

from datareplicator.model.children import fit_children
from datareplicator.model.context import MARK, shown
from datareplicator.model.prepare import parent_rows
from datareplicator.model.rows import fit_rows
from datareplicator.model.study_model import Children
from datareplicator.model.tables.events import tells
from datareplicator.model.training import Training, day_anchors
from datareplicator.structure.spec import Kind, Structure, TableSpec


def fit_children_table(training: Training, spec: TableSpec) -> Children:
    """Learn rows below the rows of another table."""
    prepared = training.prepared
    key = spec.parent_key
    assert key is not None
    frame = prepared.frames[spec.name]
    own_key = set(key.columns)
    columns = [c for c in prepared.structure.free(spec.name) if c not in own_key]
    attributes = [c for c in columns if spec.column(c).kind not in (Kind.DATE, Kind.IDENTIFIER, Kind.PII)]
    parents = parent_rows(spec, prepared.frames)
    context = parent_context(prepared.frames[key.parent], prepared.structure, key.parent)
    known = parents >= 0
    below = frame[attributes][known].reset_index(drop=True)
    inputs = (parents[known], context, prepared.subject[key.parent], below)
    model = prepared.parts.take(
        f"children in {spec.name}",
        (*inputs, training.min_subjects),
        lambda: fit_children(*inputs, min_subjects=training.min_subjects),
    )
    rest = [c for c in columns if c not in attributes]
    parent_start = prepared.structure.tables[key.parent].start or prepared.structure.tables[key.parent].date
    others = {}
    if parent_start is not None:
        days = prepared.days(key.parent, parent_start)
        others["parent"] = np.append(days, np.nan)[parents]
    subject = prepared.subject[spec.name]
    anchors = day_anchors(subject, None, None, training.subjects, others)
    told = tuple(c for c in attributes if tells(spec.column(c)))
    rows = fit_rows(
        prepared,
        spec,
        rest,
        training.row_context(spec, {c: shown(frame[c]) for c in told}),
        anchors,
        np.full(len(frame), -1),
        ends=training.ends,
        min_subjects=training.min_subjects,
    )
    return Children(table=spec.name, model=model, told=told, rows=rows)


def parent_context(frame: pd.DataFrame, structure: Structure, table: str) -> pd.DataFrame:
    """Columns of a parent table that its children may depend on: drawn ones, since others may be totals over them."""
    kinds = (Kind.CATEGORY, Kind.FLAG, Kind.INTEGER, Kind.DECIMAL)
    spec, free = structure.tables[table], set(structure.free(table))
    names = [
        c.name
        for c in spec.columns
        if c.kind in kinds and c.name in free and c.name in frame and c.distinct <= max(60, len(frame) // 5)
    ]
    out = {}
    for name in names:
        numeric = pd.api.types.is_numeric_dtype(frame[name].dtype)
        out[MARK + name] = frame[name].astype(float) if numeric else frame[name].astype("category")
    return pd.DataFrame(out, index=frame.index)

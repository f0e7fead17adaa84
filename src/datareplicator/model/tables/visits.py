"""Learning tables with a row a visit, and the visit column of any table."""

from __future__ import annotations

import numpy as np
import pandas as pd

from datareplicator.model.context import MARK
from datareplicator.model.rows import fit_rows
from datareplicator.model.study_model import VisitColumn, Visits
from datareplicator.model.training import Training, day_anchors
from datareplicator.structure.spec import Layout, TableSpec

VISIT = "visit"
ALWAYS = 0.95
"""Share of a visit's rows that fill a column, from which on the visit asks for it."""
LEAST_ROWS = 5


def fit_visits(training: Training, spec: TableSpec) -> Visits:
    """Learn the columns of the visit table; its rows are the attended visits."""
    prepared = training.prepared
    subject, visit = prepared.subject[spec.name], training.visit[spec.name]
    columns = [c for c in prepared.structure.free(spec.name) if c != spec.visit]
    context = training.row_context(spec, {"visit": pd.Series(visit).astype(str).astype("category")})
    anchors = day_anchors(subject, visit, training.visits, training.subjects, {})
    rows = fit_rows(
        prepared,
        spec,
        columns,
        context,
        anchors,
        visit,
        hard=(MARK + VISIT,) if _decides(prepared.frames[spec.name][columns], visit) else (),
        ends=training.ends,
        min_subjects=training.min_subjects,
    )
    seen = np.unique(visit[visit >= 0])
    if training.visits is not None and spec.end in columns and spec.name == prepared.structure.visit_table:
        held = (subject >= 0) & (visit >= 0)
        training.visits.end[subject[held], visit[held]] = prepared.days(spec.name, spec.end)[held]
    return Visits(table=spec.name, seen=seen, share=_shares(training, spec, seen), rows=rows)


def _decides(frame: pd.DataFrame, visit: np.ndarray) -> bool:
    """Whether the visit says of some column that it is filled (a form of the first visit alone)."""
    share = frame[visit >= 0].notna().groupby(visit[visit >= 0]).mean()
    held = np.bincount(visit[visit >= 0]) if (visit >= 0).any() else np.empty(0)
    share = share[held[share.index.to_numpy()] >= LEAST_ROWS]
    always, never = share.max() >= ALWAYS, share.min() <= 1 - ALWAYS
    clear = ((share >= ALWAYS) | (share <= 1 - ALWAYS)).all()
    return bool((always & never & clear).any())


def one_row_a_visit(training: Training, spec: TableSpec) -> bool:
    """Whether the rows of a table are named by subject and visit alone: the table of visits, or whatever else is
    recorded once a visit."""
    if spec.name not in training.visit or training.visits is None or spec.layout not in (Layout.VISITS, Layout.EVENTS):
        return False
    return spec.name == training.prepared.structure.visit_table or spec.key == (spec.subject, spec.visit)


def _shares(training: Training, spec: TableSpec, seen: np.ndarray) -> np.ndarray:
    """The share of those who attended a visit that have a row of it; all in the table of visits."""
    if training.visits is None or spec.name == training.prepared.structure.visit_table:
        return np.ones(len(seen))
    rows = pd.DataFrame({"s": training.prepared.subject[spec.name], "v": training.visit[spec.name]})
    held = rows[(rows["s"] >= 0) & (rows["v"] >= 0)].drop_duplicates().groupby("v").size()
    return held.reindex(seen).to_numpy(dtype=float) / np.maximum(training.visits.attended[:, seen].sum(axis=0), 1)


def visit_codes(training: Training, spec: TableSpec) -> tuple[np.ndarray | None, VisitColumn | None]:
    """A table's visits as codes: catalogue index, or one code after the last index for the subject's last visit."""
    if spec.visit is None or spec.name not in training.visit or training.catalogue is None:
        return None, None
    if spec.visit in training.prepared.structure.derived(spec.name):
        return None, None
    visit, subject = training.visit[spec.name], training.prepared.subject[spec.name]
    last = (
        training.subjects.last_visit[np.maximum(subject, 0)]
        if len(training.subjects.last_visit)
        else np.full(len(visit), -1)
    )
    code = visit.copy()
    at_last = (visit >= 0) & (visit == last)
    if at_last.any():
        middle = visit < np.max(visit)
        if (at_last & middle).sum() > 0.2 * middle.sum():
            code[at_last] = len(training.catalogue)
    return code, VisitColumn(column=spec.visit, last=len(training.catalogue), seen=np.unique(visit[visit >= 0]))

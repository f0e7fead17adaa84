"""One block of subjects: from random numbers to the tables of the source, in the source's types."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import pandas as pd

from datareplicator.errors import ModelError
from datareplicator.generate.below import place_below
from datareplicator.generate.control.applying import change_columns, change_covariates
from datareplicator.generate.control.quota import BlockQuota
from datareplicator.generate.finish import finish
from datareplicator.generate.make_findings import make_findings
from datareplicator.generate.make_root import make_root
from datareplicator.generate.possible import make_possible
from datareplicator.generate.request import BLOCK, Block, GenerateRequest
from datareplicator.generate.rows import fill_references
from datareplicator.generate.state import State
from datareplicator.generate.subjects import SubjectDraw, sample_subjects
from datareplicator.generate.tables.children import make_children
from datareplicator.generate.tables.events import make_events
from datareplicator.generate.tables.sets import make_sets
from datareplicator.generate.tables.visits import make_visits
from datareplicator.generate.timeline import sample_timeline
from datareplicator.model.context import VisitDays, subject_context
from datareplicator.model.ends import LAST_DAY, visit_ends
from datareplicator.model.enrolment import sample_enrolment
from datareplicator.model.possible import beside
from datareplicator.model.stretch import as_learned
from datareplicator.model.study_model import Children, Events, Findings, Sets, StudyModel, TableModel, Visits
from datareplicator.model.subjects import Subjects
from datareplicator.model.timeline import TimelineModel, VisitRows
from datareplicator.model.training import stay_columns
from datareplicator.seeds import Streams


@dataclass
class Begun:
    """Subjects, their visits (`rows`, of the joint list) and their table: what all other tables rest on."""

    draw: SubjectDraw
    state: State
    rows: VisitRows


def generate_block(model: StudyModel, request: GenerateRequest, block: Block) -> dict[str, pd.DataFrame]:
    """The source tables of one block, by name; tables without subjects come with the first block only.

    A pure function of its arguments: the whole block is always made, and `block.keep` subjects are kept. Raises
    ModelError where parts of the model contradict each other.
    """
    with coherent():
        return finish(model, fill(model, begin(model, request, block, Streams(request.seed, block.index))))


@contextmanager
def coherent() -> Iterator[None]:
    """Name the model where making a block fails.

    Each part of a document is checked when it is read; that an index of one part is beyond another shows here.
    """
    try:
        yield
    except (LookupError, ValueError, TypeError, ArithmeticError, AttributeError) as error:
        raise ModelError(
            f"the parts of the model contradict each other ({type(error).__name__}: {error}).",
            hint="If the document was edited or is damaged, fit the model again; else report this as a defect.",
        ) from error


def begin(model: StudyModel, request: GenerateRequest, block: Block, streams: Streams, size: int = BLOCK) -> Begun:
    """Draw the subjects of a block (`size`: so many spare ones), their visits and their table."""
    quota = None
    if request.quota is not None:
        cell = request.quota.cells(block.first, size, min(block.keep, size), streams.under("subjects"))
        quota = BlockQuota(request.quota, cell)
    draw = sample_subjects(
        model.subjects,
        size,
        block.index,
        streams.under("subjects"),
        stratified=request.stratified,
        variation=request.variation,
        quota=quota,
    )
    _keep_possible(model, request, draw, streams)
    if request.altered is not None:
        change_covariates(request.altered, draw)
    state, rows = _start(model, request, block, streams, draw)
    make_root(model, state, draw)
    return Begun(draw, state, rows)


def _keep_possible(model: StudyModel, request: GenerateRequest, draw: SubjectDraw, streams: Streams) -> None:
    """Gaps where they belong, and no values together that never meet; what counts are asked of stays."""
    fixed = request.quota.fixed if request.quota is not None else ()
    asked = frozenset(model.subjects.features[part.feature].name for part in fixed)
    root, subjects = model.root, draw.subjects
    named = {root.group: root.groups, root.site: root.sites}
    allotted = {root.group: subjects.group, root.site: subjects.site}
    subjects.covariates = make_possible(
        model.possible,
        subjects.covariates,
        subjects.group,
        beside(named, allotted),
        streams.under("possible"),
        asked,
    )


def fill(model: StudyModel, begun: Begun) -> State:
    """Draw all other tables of a block, as far as nothing is computed."""
    cut_visits(model, begun)
    fill_tables(model, begun, drawn_before_findings(model))
    return fill_findings(model, begun)


def drawn_before_findings(model: StudyModel) -> tuple[TableModel, ...]:
    """The tables that are no findings, in the order in which they are drawn."""
    return tuple(table for table in model.tables if not isinstance(table, Findings))


def cut_visits(model: StudyModel, begun: Begun) -> None:
    """Leave the visits up to each subject's last day: what comes before any other table is drawn."""
    begun.rows = _cut(begun.state, begun.rows, model)


def fill_tables(model: StudyModel, begun: Begun, tables: Iterable[TableModel]) -> None:
    """Draw some of the tables that are no findings, of which each may rest on those before it."""
    state = begun.state
    for table in tables:
        if isinstance(table, Visits):
            make_visits(model, table, state, begun.rows)
        elif isinstance(table, Sets):
            make_sets(model, table, state)
        elif isinstance(table, Events):
            make_events(model, table, state)
        elif isinstance(table, Children):
            make_children(model, table, state)


def fill_findings(model: StudyModel, begun: Begun, subjects: np.ndarray | None = None) -> State:
    """Draw the findings, of some subjects only where `subjects` (bool) says so, and what waits for all tables."""
    state, rows = begun.state, begun.rows
    findings = [t for t in model.tables if isinstance(t, Findings)]
    if findings and model.findings is not None:
        rows = place_below(model, state, rows)
        if subjects is not None:
            here = subjects[rows.subject]
            rows = VisitRows(rows.subject[here], rows.visit[here], rows.day[here])
        make_findings(model, findings, state, begun.draw.levels, rows)
    fill_references(state)
    if state.request.altered is not None:
        change_columns(state.request.altered, state)
    return state


def _start(
    model: StudyModel, request: GenerateRequest, block: Block, streams: Streams, draw: SubjectDraw
) -> tuple[State, VisitRows]:
    """Anchors and visits; `rows` are the visits of the joint list, by subject and visit."""
    subjects = draw.subjects
    parts = [
        _visits(subjects, t.base, t.score, t.model, streams.under("timeline", t.table or ""), request)
        for t in model.timelines
    ]
    if LAST_DAY in draw.values and not len(subjects.last_day):
        subjects.last_day = np.round(draw.values[LAST_DAY])
        subjects.covariates = subjects.covariates.drop(columns=[LAST_DAY])
    together = [
        np.concatenate([getattr(p, f) for p in parts]) if parts else np.empty(0) for f in ("subject", "visit", "day")
    ]
    order = np.lexsort((together[1], together[0])) if parts else np.empty(0, dtype=np.int64)
    rows = VisitRows(together[0][order].astype(np.int64), together[1][order].astype(np.int64), together[2][order])
    site = subjects.site
    anchor = np.zeros(subjects.n)
    if model.enrolment is not None:
        anchor = sample_enrolment(model.enrolment, site, subjects.last_day, streams.get("enrolment"), request.window)
    visits = VisitDays(rows, subjects.n, model.visits, len(model.catalogue or ())) if parts else None
    context = subject_context(subjects)
    if model.timelines and model.timelines[0].table is None:
        context = pd.concat([context, stay_columns(model.timelines[0].model, parts[0], subjects)], axis=1)
        context = as_learned(model.stretch, context, subjects.last_visit)
    return State(request, block, streams, subjects, anchor, context, visits, people=model.people), rows


def _cut(state: State, rows: VisitRows, model: StudyModel) -> VisitRows:
    """The visits up to each subject's last day."""
    if not np.isfinite(state.last).any():
        return rows
    keep = ~(rows.day > state.last[rows.subject])
    kept = VisitRows(rows.subject[keep], rows.visit[keep], rows.day[keep])
    if state.visits is not None:
        state.visits = VisitDays(kept, state.subjects.n, model.visits, len(model.catalogue or ()))
    if len(state.subjects.last_day):
        state.subjects.last_day = np.minimum(state.subjects.last_day, state.last)
        state.ends.update(visit_ends(state.visits, state.subjects))
    return kept


def _visits(
    subjects: Subjects, base: int, score: str, timeline: TimelineModel, streams: Streams, request: GenerateRequest
) -> VisitRows:
    """Visits of one timeline; only the study's own decides the subjects' last visit and day."""
    who = subjects
    if base or score != "stay":
        who = Subjects(
            n=subjects.n,
            group=subjects.group,
            stratum=subjects.stratum,
            site=subjects.site,
            covariates=subjects.covariates,
            score={"stay": subjects.score[score]},
        )
    rows = sample_timeline(timeline, who, streams, request.variation)
    return VisitRows(rows.subject, rows.visit + base, rows.day)

"""Learning a study: structure first, then the subjects' timeline, then each table, then the subjects as a whole."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.metadata import version

import numpy as np
import pandas as pd

from datareplicator.model.below import Above, find_above
from datareplicator.model.cautions import cautions
from datareplicator.model.chains import fit_own_references
from datareplicator.model.context import VisitDays
from datareplicator.model.ends import LAST_DAY, visit_ends
from datareplicator.model.enrolment import fit_enrolment
from datareplicator.model.fit_findings import FINDINGS, fit_all_findings, fit_findings_rows
from datareplicator.model.fit_root import (
    age_of,
    allocate,
    covariate_features,
    covariate_frame,
    find_calls,
    find_flags,
    fit_root,
)
from datareplicator.model.parts import Parts
from datareplicator.model.people import fit_people
from datareplicator.model.possible import beside, drawn_apart, fit_by_arm, fit_possible
from datareplicator.model.prepare import Prepared, prepare
from datareplicator.model.ratios import draw_by_ratio
from datareplicator.model.reference import keep_reference
from datareplicator.model.relations import fit_relations
from datareplicator.model.roots import sort_root, strata
from datareplicator.model.schedule import Catalogue, Seen, build_schedule, occasions
from datareplicator.model.study_model import (
    Findings,
    Sets,
    SourceColumn,
    SourceTable,
    StudyModel,
    TableModel,
    Timeline,
    Visits,
)
from datareplicator.model.subject_model import Feature, fit_subjects
from datareplicator.model.subject_table import with_subject_table
from datareplicator.model.subjects import Subjects
from datareplicator.model.summary import learn_told
from datareplicator.model.tables.children import fit_children_table
from datareplicator.model.tables.endings import ending_date
from datareplicator.model.tables.events import fit_event_table
from datareplicator.model.tables.sets import fit_set_table
from datareplicator.model.tables.visits import fit_visits, one_row_a_visit
from datareplicator.model.texts.protect import Replaced, protect_texts
from datareplicator.model.timeline import TimelineModel, VisitRows, fit_timeline
from datareplicator.model.training import Training, stay_columns
from datareplicator.structure.discover import discover
from datareplicator.structure.spec import MEMBER, Layout, Structure, TableSpec
from datareplicator.study import Study, Table

Progress = Callable[[str, int, int], None]
"""Called with a step's name, how many parts are done, and how many there are."""

STAY, SUBJECTS = "stay", "subjects"
TEXT_SUBJECTS = 3
"""Subjects that must share a verbatim term or a free text, by default, for it to be learned."""

SET_LAYOUTS = (Layout.SETS, Layout.INTERVALS, Layout.ONCE, Layout.SUBJECT)


def fit(
    study: Study,
    *,
    structure: Structure | None = None,
    min_subjects: int = 1,
    text_subjects: int = TEXT_SUBJECTS,
    earlier: StudyModel | None = None,
    progress: Progress | None = None,
) -> StudyModel:
    """Learn a study.

    `structure`: what was found in it (discovered when None). `min_subjects`: categories, terms and patterns seen in
    fewer subjects are not learned; `text_subjects`: verbatim terms and free texts of fewer subjects give way to the
    coded term or a stand-in. `earlier`: a model of the same study, whose parts are taken over where they would be
    learned from the same. Raises StructureError when no subjects can be found.
    """
    tell = progress or (lambda step, done, total: None)
    if structure is None:
        structure = discover(study, progress=progress)
    sources = tuple(_source(table) for table in study.tables.values())
    if structure.root is None:
        study, structure = with_subject_table(study, structure)
    prepared = prepare(study, structure)
    prepared.parts = Parts(*(() if earlier is None else (earlier.parts, _parts_of(earlier))))
    tell("texts", 0, 1)
    structure, replaced = protect_texts(prepared, max(min_subjects, text_subjects))
    prepared.structure = structure
    prepared.structure = structure = draw_by_ratio(prepared)
    tell("timeline", 0, 1)
    training, timelines, seen_days = _start(prepared, min_subjects)
    training.ends.update(visit_ends(training.visits, training.subjects))
    find_flags(training)
    find_calls(training)
    relations, marks = fit_relations(prepared)
    _add_relation_marks(training, relations, marks)
    root = fit_root(training)
    tables = _fit_tables(training, tell)
    tell("findings", 0, 1)
    scheduled = [(spec, rng) for spec, rng, _ in seen_days.tables]
    findings, effects, cells = fit_all_findings(training, scheduled, seen_days.day)
    made: list[TableModel] = [*tables, *(fit_findings_rows(training, part) for part in cells)]
    tell("subjects", 0, 1)
    covariates = covariate_features(training, [*root.covariates, *(b.column for b in root.births if b.age is None)])
    named = {root.group: root.groups, root.site: root.sites}
    allotted = {root.group: training.subjects.group, root.site: training.subjects.site}
    own = training.subjects.covariates[list(root.covariates)]
    possible, gaps = fit_possible(own, beside(named, allotted), min_subjects)
    by_arm, scores = fit_by_arm(own, training.subjects.group)
    possible = possible.model_copy(update={"by_arm": by_arm})
    features = drawn_apart([*covariates, *gaps], possible, scores)
    features = [*features, *training.features]
    subjects = prepared.parts.take(
        SUBJECTS,
        (features, training.subjects, prepared.parts.digests.get(FINDINGS)),
        lambda: fit_subjects(features, effects(), training.subjects),
    )
    site = training.subjects.site
    reference = _references(study, prepared, {m.table for m in made} | {r.table for r in relations} | {root.table})
    return StudyModel(
        software=version("datareplicator"),
        name=study.name,
        subjects_learned=prepared.n,
        structure=structure,
        sources=sources,
        reference=reference,
        told=learn_told(structure, {name: table.frame for name, table in study.tables.items()}, reference),
        enrolment=fit_enrolment(
            np.where(prepared.anchored | ~prepared.anchored.any(), prepared.anchor, np.nan),
            site,
            training.subjects.last_day,
        ),
        strata=tuple(tuple(sorted(s)) for s in seen_days.strata),
        subjects=subjects,
        catalogue=training.catalogue,
        timelines=tuple(timelines),
        visits=len(seen_days.day),
        findings=findings,
        root=root,
        people=fit_people(prepared, [*root.covariates, *(root.assigned.columns if root.assigned else ())]),
        possible=possible,
        tables=tuple(made),
        relations=tuple(relations),
        own_references=fit_own_references(prepared),
        notes=(*_as_copied(structure.notes, replaced), *training.notes, *cautions(prepared.n)),
        replaced=replaced.count,
        parts=prepared.parts.digests,
    )


def _parts_of(model: StudyModel) -> dict[str, object]:
    """The parts of a model by the names under which they are learned."""
    out: dict[str, object] = {FINDINGS: model.findings, SUBJECTS: model.subjects}
    out[f"rows of {model.root.table}"] = model.root.outcomes
    for table in model.tables:
        out[f"rows of {table.table}"] = table.rows
        if not isinstance(table, Findings | Visits):
            out[f"{table.kind} in {table.table}"] = table.model
        if isinstance(table, Sets):
            out[f"periods in {table.table}"] = table.periods
    return {name: part for name, part in out.items() if part is not None}


def _as_copied(notes: Sequence[str], replaced: Replaced) -> list[str]:
    """Notes of tables that are copied, with what was replaced in them."""
    out = []
    for note in notes:
        columns = sorted(c for table, c in replaced.columns if note.startswith(f"{table}: "))
        out.append(
            note.replace("copied unchanged", f"copied, but for stand-ins in {', '.join(columns)}") if columns else note
        )
    return out


class _Schedule:
    """The joint list of visits: the study's own, then the occasions of tables without visits."""

    def __init__(self) -> None:
        self.day = np.empty(0)
        self.tables: list[tuple[TableSpec, tuple[int, int], bool]] = []
        self.strata: list[frozenset[str]] = []


def _start(prepared: Prepared, min_subjects: int) -> tuple[Training, list[Timeline], _Schedule]:
    """Subjects with arm, site and stratum; the timelines; the visits of every table."""
    blank = np.zeros(prepared.n, dtype=np.int64)
    first_roles = sort_root(prepared, blank, blank)
    group, _ = allocate(prepared, first_roles.group)
    site, sites = allocate(prepared, first_roles.site)
    stratum, lacking = strata(prepared, group)
    subjects = Subjects(
        n=prepared.n,
        group=group,
        stratum=stratum,
        site=site if sites else np.full(prepared.n, -1),
        covariates=pd.DataFrame(index=pd.RangeIndex(prepared.n)),
    )
    training = Training(prepared=prepared, subjects=subjects, roles=first_roles, min_subjects=min_subjects)
    schedule = _Schedule()
    schedule.strata = lacking
    timelines = _timelines(training, schedule)
    last_visit = subjects.last_visit if len(subjects.last_visit) else blank
    training.roles = sort_root(prepared, last_visit, stratum, group)
    covariates = training.roles.covariates
    births = [b for b in training.roles.births if age_of(prepared, b, covariates) is None]
    subjects.covariates = covariate_frame(prepared, covariates, births)
    if not len(subjects.last_day):
        _last_days_without_visits(training)
    return training, timelines, schedule


def _timelines(training: Training, schedule: _Schedule) -> list[Timeline]:
    prepared, subjects = training.prepared, training.subjects
    built = build_schedule(prepared)
    out: list[Timeline] = []
    seen: list[Seen] = []
    days: list[np.ndarray] = []
    if built is not None:
        training.catalogue, own, training.visit = built
        rows = VisitRows(own.subject, own.visit, own.day)
        model, score = fit_timeline(rows, _numbers(training.catalogue), training.catalogue.day, subjects)
        training.stay = stay_columns(model, rows, subjects)
        out.append(Timeline(table=None, base=0, score=STAY, model=model))
        training.features.append(Feature(name=STAY, kind="score", values=score))
        seen.append(own)
        days.append(training.catalogue.day)
    base = len(training.catalogue) if training.catalogue is not None else 0
    for spec in prepared.structure.tables.values():
        if spec.layout != Layout.FINDINGS or not _has_subjects(prepared, spec):
            continue
        if spec.name in training.visit:
            schedule.tables.append((spec, (0, len(training.catalogue or ())), True))
            continue
        own, model, day, above = _occasions(training, spec, base)
        score_name = occasion_score(spec.name)
        out.append(Timeline(table=spec.name, above=above, base=base, score=score_name, model=model))
        schedule.tables.append((spec, (base, base + len(day)), False))
        seen.append(own)
        days.append(day)
        base += len(day)
    schedule.day = np.concatenate(days) if days else np.empty(0)
    if seen:
        rows = VisitRows(*(np.concatenate([getattr(s, f) for s in seen]) for f in ("subject", "visit", "day")))
        training.visits = VisitDays(rows, prepared.n, base, len(training.catalogue or ()))
    return out


def _numbers(catalogue: Catalogue) -> np.ndarray:
    return catalogue.number if catalogue.numeric else np.arange(len(catalogue), dtype=float) + 1


def _occasions(training: Training, spec: TableSpec, base: int) -> tuple[Seen, TimelineModel, np.ndarray, Above | None]:
    """A timeline of its own for a findings table without visits: the rows of another table that its rows name, else
    the days on which a subject was seen, in order."""
    prepared = training.prepared
    subject = prepared.subject[spec.name]
    column = spec.date or spec.start
    day = prepared.days(spec.name, column) if column is not None else np.full(len(subject), np.nan)
    index, count = occasions(subject, day)
    above = find_above(prepared, spec)
    if above is not None:
        _, index, day = above
        count = above[0].most
        day = np.where(np.isfinite(day), day, 0.0)
    undated = (index < 0) & (subject >= 0) & (above is None)
    index = np.where(undated, 0, index)
    day = np.where(undated, 0.0, day)
    count = max(count, 1)
    use = (subject >= 0) & (index >= 0)
    table = pd.DataFrame({"s": subject, "v": index, "d": day})[use].groupby(["s", "v"], as_index=False).d.min()
    rows = VisitRows(table["s"].to_numpy(), table["v"].to_numpy(), table["d"].to_numpy(dtype=float))
    middle = table.groupby("v").d.median().reindex(range(count)).to_numpy(dtype=float)
    aside = Subjects(
        n=prepared.n,
        group=training.subjects.group,
        stratum=training.subjects.stratum,
        site=training.subjects.site,
        covariates=training.subjects.covariates,
    )
    model, score = fit_timeline(rows, np.arange(count, dtype=float) + 1, middle, aside)
    training.features.append(Feature(name=occasion_score(spec.name), kind="score", values=score))
    training.visit[spec.name] = np.where(index >= 0, index + base, -1)
    return Seen(rows.subject, rows.visit + base, rows.day), model, middle, above[0] if above is not None else None


def occasion_score(table: str) -> str:
    """The name of the score that says how many occasions of a table without visits a subject has."""
    return f"occasions of {table}"


def _last_days_without_visits(training: Training) -> None:
    """Without a schedule the last dated row of a subject ends its follow-up, and is learned as a feature."""
    prepared = training.prepared
    last = np.full(prepared.n, -np.inf)
    for spec in prepared.structure.tables.values():
        column = spec.start or spec.date
        if column is None or spec.layout == Layout.REFERENCE or not _has_subjects(prepared, spec):
            continue
        day, subject = prepared.days(spec.name, column), prepared.subject[spec.name]
        known = np.isfinite(day) & (subject >= 0)
        np.maximum.at(last, subject[known], day[known])
    if not np.isfinite(last).any():
        return
    training.subjects.last_day = np.where(np.isfinite(last), last, np.nan)
    training.features.append(Feature(name=LAST_DAY, kind="number", values=training.subjects.last_day))


def _add_relation_marks(training: Training, relations: list, marks: dict[str, np.ndarray]) -> None:
    """A driver row that is there before the events asks its subject for an event to be tied to."""
    prepared = training.prepared
    for model in relations:
        for k, kind in enumerate(model.types):
            name = f"relation:{model.table}:{k}"
            drives = prepared.structure.tables[kind.driver].layout in SET_LAYOUTS
            if drives and prepared.structure.tables[kind.partner].layout == Layout.EVENTS and name in marks:
                training.marks[name] = (kind.partner, marks[name])


def _fit_tables(training: Training, tell: Progress) -> list[TableModel]:
    """Visits and sets before events, which may be asked for by them; children after their parents."""
    prepared = training.prepared
    order = sorted(prepared.structure.tables.values(), key=lambda t: (_place(prepared, t), _later(training, t)))
    made: list[TableModel] = []
    todo = [t for t in order if _place(prepared, t) < 9]
    for done, spec in enumerate(todo):
        tell("tables", done, len(todo))
        if one_row_a_visit(training, spec):
            made.append(fit_visits(training, spec))
        elif spec.layout == Layout.CHILDREN:
            made.append(fit_children_table(training, spec))
        elif spec.layout in SET_LAYOUTS:
            made.append(fit_set_table(training, spec))
        else:
            made.append(fit_event_table(training, spec))
    return made


def _later(training: Training, spec: TableSpec) -> bool:
    """Among the tables of patterns the one that ends the study comes first: others keep to it."""
    return (
        spec.layout not in SET_LAYOUTS
        or spec.name == training.prepared.structure.root
        or not ending_date(training, spec)
    )


def _place(prepared: Prepared, spec: TableSpec) -> int:
    """Order of the tables; 9 for those that are made elsewhere or copied."""
    elsewhere = (Layout.REFERENCE, Layout.SUPPLEMENT, Layout.RELATION, Layout.FINDINGS)
    if spec.layout in elsewhere or spec.name == prepared.structure.root or not _has_subjects(prepared, spec):
        return 9
    ranks = {
        Layout.VISITS: 0,
        Layout.SUBJECT: 1,
        Layout.ONCE: 1,
        Layout.SETS: 2,
        Layout.INTERVALS: 3,
        Layout.CHILDREN: 5,
    }
    return ranks.get(spec.layout, 4)


def _has_subjects(prepared: Prepared, spec: TableSpec) -> bool:
    return bool((prepared.subject.get(spec.name, np.empty(0)) >= 0).any())


def _source(table: Table) -> SourceTable:
    origin = table.origin
    return SourceTable(
        name=table.name,
        label=table.label,
        columns=tuple(
            SourceColumn(
                name=c.name,
                type=c.type,
                label=c.label,
                length=c.length,
                format=c.format,
                informat=c.informat,
                blank=c.blank,
                written=c.written,
            )
            for c in table.columns.values()
        ),
        dtypes=tuple(str(table.frame[c].dtype) for c in table.columns),
        format=origin.format if origin else None,
        file=origin.file if origin else None,
        options=dict(origin.options) if origin else {},
    )


def _references(study: Study, prepared: Prepared, made: set[str]) -> dict:
    """Source tables that no model makes: kept as they are when no subject is in them."""
    out = {}
    for name, spec in prepared.structure.tables.items():
        if name in made or spec.layout == Layout.SUPPLEMENT or (prepared.subject.get(name, np.empty(0)) >= 0).any():
            continue
        for member in spec.members:
            frame = study[member].frame
            now = prepared.frames[name]
            now = now[(now[MEMBER] == member).to_numpy(dtype=bool)] if MEMBER in now else now
            texts = [c for c in frame.columns if c in now and spec.column(c).encoding == "text"]
            out[member] = keep_reference(frame.assign(**{c: now[c].array for c in texts}))
    return out

"""Events and interventions: tables with a varying number of dated rows a subject (AE, CM, MH, orders).

Rows fall into two regimes. *On study* rows begin on or after the reference start: their number follows a count model
on the cumulative hazard over the subject's stay. *Before* rows began earlier (history, medication): their number
does not depend on the stay, and their start is a lead before the anchor. Terms, then attributes together with the
precision of both dates, then durations are drawn in sequence. An ongoing event is one whose end has precision 0, so
that outcome and end date agree as in the source.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from pydantic import Field, model_validator

from datareplicator.dates import Precision
from datareplicator.document import Document, Floats, Ints
from datareplicator.model.attributes import AttributeModel, fit_attributes
from datareplicator.model.counts import CountModel, fit_counts
from datareplicator.model.digests import subject_digests
from datareplicator.model.durations import DurationModel, fit_durations
from datareplicator.model.eventcontext import (
    CODE,
    find_donors,
    impute_starts,
    lead_context,
    record_groups,
    row_context,
    subject_context,
    term_context,
    usable_covariates,
)
from datareplicator.model.eventkeys import Apart, fit_apart, fit_labels
from datareplicator.model.eventrows import EventRows
from datareplicator.model.onset import OnsetModel, fit_onset, same_day_share
from datareplicator.model.subjects import Subjects
from datareplicator.model.terms import TermModel, fit_terms
from datareplicator.seeds import Streams

START, END = "__start__", "__end__"
"""Attribute columns that hold the precision of the two dates."""
MARK = "mark:"


class MarkModel(Document):
    """Rows with a named fact. `on_study`: whether they begin on study. `counts[k]`: share of flagged subjects with
    k + 1 such rows. `together[j]`: share of subjects with this and the j-th earlier mark that have both in one row."""

    name: str
    on_study: bool
    counts: Floats
    together: Floats


class EventModel(Document):
    """What `fit_events` learned of one table.

    `linked`: correlation of the two regimes' propensities. `on_leads`: whether the score of a subject is that of the
    on-study rows. `same_fresh`, `same_repeat`: shares of rows with a new term, and with a term the subject has already,
    that begin on the day of an earlier row; before the study and on it. `clock`: quantiles of the time of day (fraction
    of a day) of starts and of ends, rows 0 and 1, empty where no date has a time. `reach`: days before the anchor at
    which a start is known to the day at most; `coarse`: the precision of starts further back (0: there are none).
    `apart`: how rows of one term and start differ;
    `labels`: attributes that no two records of a subject share, and all rows of one do (the sponsor's number).
    `digests`: of the term and start sets of the source's subjects, which are not to be made; terms count by their
    `alias`, the coarser one that follows from them.
    """

    name: str
    covariates: tuple[str, ...]
    on: CountModel
    before: CountModel
    on_leads: bool
    linked: float
    onset: OnsetModel
    same_fresh: Floats
    same_repeat: Floats
    terms: TermModel | None
    lead: AttributeModel
    attributes: AttributeModel
    duration: DurationModel
    clock: Floats
    reach: float
    coarse: int
    marks: tuple[MarkModel, ...]
    apart: Apart
    labels: tuple[str, ...]
    digests: Ints
    alias: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _ranges(self) -> EventModel:
        if not -1 <= self.linked <= 1:
            raise ValueError(f"the event model of {self.name} has a parameter out of its range")
        for share in (self.same_fresh, self.same_repeat):
            if share.shape != (2,) or not ((share >= 0) & (share <= 1)).all():
                raise ValueError(f"the event model of {self.name} needs two shares of rows on one day")
        if not {START, END} <= set(self.attributes.columns):
            raise ValueError(f"the event model of {self.name} does not say how precise its dates are")
        return self


def fit_events(
    name: str,
    rows: EventRows,
    subjects: Subjects,
    *,
    covariates: tuple[str, ...] | None = None,
    min_subjects: int = 1,
    named: tuple[str, ...] = (),
    bound: tuple[str, ...] = (),
    alias: dict[str, str] | None = None,
) -> tuple[EventModel, np.ndarray]:
    """Learn one table of events; returns the model and each subject's propensity score.

    The score (float[n]) is the standard normal score of the subject's number of rows given exposure, arm and
    stratum, NaN where rows are impossible. `covariates`: the columns of `subjects.covariates` that rows may depend
    on; by default all with few enough values. `named`: attributes that
    are no columns of the table; `bound`: attributes that describe what the code names; `alias`: coarser terms by which
    the sets of a subject's events are told apart from the source's.
    """
    chosen = usable_covariates(subjects.covariates) if covariates is None else covariates
    rows, on = _in_regimes(rows)
    last_day = subjects.last_day if len(subjects.last_day) else np.full(subjects.n, np.nan)
    onset = _fit_onset(rows, on, subjects, last_day)
    models, score, on_leads, linked = _fit_counts(rows.subject, on, subjects, onset.total(last_day))
    donor, same_day = find_donors(rows, on, Streams(0).get(name, "donors"))
    base = subject_context(subjects, chosen).iloc[rows.subject].reset_index(drop=True)
    base = base.assign(**{MARK + mark: pd.Categorical(flag) for mark, flag in rows.marks.items()})
    terms = _fit_terms(rows, on, donor, same_day, base, onset, last_day, min_subjects)
    lead = _fit_lead(rows, on, base, min_subjects)
    start = impute_starts(
        rows, on, onset, last_day, Streams(0).get(name, "starts")
    )  # fitting is a function of the data
    context = row_context(base, rows.code, rows.group, on, start, last_day[rows.subject], same_day)
    hard = tuple(MARK + mark for mark in rows.marks)
    targets = rows.attributes.assign(**{START: _precision_text(rows, "start"), END: _precision_text(rows, "end")})
    attributes = fit_attributes(
        targets,
        context,
        rows.subject,
        apart=(START,),
        min_subjects=min_subjects,
        hard=hard,
        bound=(CODE, bound),
    )
    same_fresh, same_repeat = _fit_same_days(rows, on)
    model = EventModel(
        name=name,
        covariates=chosen,
        on=models[True],
        before=models[False],
        on_leads=on_leads,
        linked=linked,
        onset=onset,
        same_fresh=same_fresh,
        same_repeat=same_repeat,
        terms=terms,
        lead=lead,
        attributes=attributes,
        duration=_fit_duration(rows, last_day, pd.concat([context, targets], axis=1), hard, min_subjects),
        clock=_fit_clock(rows),
        reach=_reach(rows),
        coarse=_coarse(rows),
        marks=_fit_marks(rows, on),
        apart=fit_apart(rows, named),
        labels=fit_labels(rows, named),
        digests=np.unique(subject_digests(rows, alias, undated=_mostly_dated(rows))[1]),
        alias=alias or {},
    )
    return model, score


def event_scores(rows: EventRows, subjects: Subjects) -> np.ndarray:
    """Each subject's propensity score, as `fit_events` returns it with the model."""
    rows, on = _in_regimes(rows)
    last_day = subjects.last_day if len(subjects.last_day) else np.full(subjects.n, np.nan)
    return _fit_counts(rows.subject, on, subjects, _fit_onset(rows, on, subjects, last_day).total(last_day))[1]


def _in_regimes(rows: EventRows) -> tuple[EventRows, np.ndarray]:
    """The rows with a subject, by subject, regime and start, and which of them began on study (bool)."""
    rows = rows.take(np.flatnonzero(np.asarray(rows.subject) >= 0))
    dated = rows.start[np.isfinite(rows.start)]
    undated_on = bool(len(dated)) and (dated >= 0).mean() > 0.5
    on = np.where(np.isfinite(rows.start), rows.start >= 0, undated_on)
    order = np.lexsort((rows.start, on, rows.subject))
    return rows.take(order), on[order]


def _reach(rows: EventRows) -> float:
    """Days before the anchor of the earliest start that is known to the day, with a tenth to spare."""
    exact = rows.start[(rows.precision("start") >= Precision.DAY) & np.isfinite(rows.start)]
    return float(np.ceil(-1.1 * min(exact.min(initial=0.0), 0.0)))


def _coarse(rows: EventRows) -> int:
    """The usual precision of starts that are known to the month or year only."""
    precision = rows.precision("start")
    partial = precision[(precision > 0) & (precision < Precision.DAY)]
    return int(np.bincount(partial).argmax()) if len(partial) else 0


def _fit_onset(rows: EventRows, on: np.ndarray, subjects: Subjects, last_day: np.ndarray) -> OnsetModel:
    has = np.isin(subjects.stratum, np.unique(subjects.stratum[rows.subject])) | (not len(rows))
    known = on & np.isfinite(rows.start)
    return fit_onset(rows.subject[known], rows.start[known], last_day, has)


def _fit_counts(
    subject: np.ndarray, on: np.ndarray, subjects: Subjects, hazard: np.ndarray
) -> tuple[dict[bool, CountModel], np.ndarray, bool, float]:
    """Count models by regime (True on study), the leading regime's scores, which it is, and the correlation."""
    strata, groups = int(subjects.stratum.max(initial=0)) + 1, int(subjects.group.max(initial=0)) + 1
    models, scores, totals = {}, {}, {}
    for regime, exposure in ((True, hazard), (False, np.ones(subjects.n))):
        count = np.bincount(subject[on == regime], minlength=subjects.n)
        model = fit_counts(count, exposure, subjects.stratum, subjects.group, strata, groups)
        models[regime] = model
        scores[regime] = model.scores(count, model.mean(exposure, subjects.stratum, subjects.group))
        totals[regime] = count.sum()
    lead = bool(totals[True] >= totals[False])
    both = np.isfinite(scores[True]) & np.isfinite(scores[False])
    linked = 0.0
    if both.sum() > 3 and min(totals.values()) > 0 and min(scores[k][both].std() for k in scores) > 0:
        linked = float(np.corrcoef(scores[True][both], scores[False][both])[0, 1]) * both.sum() / (both.sum() + 10)
    return models, scores[lead], lead, linked


def _mostly_dated(rows: EventRows) -> bool:
    return bool(len(rows)) and bool((rows.precision("start") >= Precision.DAY).mean() >= 0.5)


def _fit_terms(
    rows: EventRows,
    on: np.ndarray,
    donor: np.ndarray,
    same_day: np.ndarray,
    base: pd.DataFrame,
    onset: OnsetModel,
    last_day: np.ndarray,
    min_subjects: int,
) -> TermModel | None:
    if rows.code is None or not len(rows):
        return None
    context = term_context(base, on, rows.start, same_day, onset)
    exclusive = tuple(name for name in base.columns if not name.startswith("__"))
    hard = tuple(MARK + mark for mark in rows.marks)
    return fit_terms(
        rows.code,
        rows.group,
        rows.subject,
        donor,
        on,
        context,
        exclusive=exclusive,
        hard=hard,
        min_subjects=min_subjects,
    )


def _fit_lead(rows: EventRows, on: np.ndarray, base: pd.DataFrame, min_subjects: int) -> AttributeModel:
    """Days before the anchor, of the rows that began before it and whose start is known."""
    use = np.flatnonzero(~on & np.isfinite(rows.start))
    context = lead_context(base, rows.code, rows.group).iloc[use]
    target = pd.DataFrame({"lead": -np.floor(rows.start[use])}, index=context.index)
    return without_repeats(
        fit_attributes(target, context, rows.subject[use], numbers=("lead",), min_subjects=min_subjects)
    )


def without_repeats(model: AttributeModel) -> AttributeModel:
    """The model without repeats: starts of one day are drawn as such, not as attributes."""
    return model.model_copy(
        update={"nodes": tuple(node.model_copy(update={"repeats": type(node.repeats)()}) for node in model.nodes)}
    )


def _fit_same_days(rows: EventRows, on: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    code = np.arange(len(rows)) if rows.code is None else pd.factorize(rows.code)[0]
    group = pd.factorize(pd.MultiIndex.from_arrays([rows.subject, on, code]))[0]
    repeated = pd.Series(group).duplicated().to_numpy()
    fresh, again = np.zeros(2), np.zeros(2)
    for regime in (0, 1):
        here = (on == regime) & np.isfinite(rows.start)
        fresh[regime] = same_day_share(rows.subject[here & ~repeated], np.floor(rows.start[here & ~repeated]))
        again[regime] = same_day_share(group[here], np.floor(rows.start[here]))
    return fresh, again


def _precision_text(rows: EventRows, which: str) -> pd.Categorical:
    level = rows.precision(which)
    names = [str(int(p)) for p in Precision]
    return pd.Categorical.from_codes(np.searchsorted([int(p) for p in Precision], level), categories=names)


def _fit_duration(
    rows: EventRows, last_day: np.ndarray, context: pd.DataFrame, hard: tuple[str, ...], min_subjects: int
) -> DurationModel:
    """Durations of rows with both dates; at partial precision approximately. Rows of one record (term and start), as
    of a medicine listed at each visit, repeat each other."""
    use = np.flatnonzero(np.isfinite(rows.start) & np.isfinite(rows.end))
    start = np.floor(rows.start[use])
    record = record_groups(rows.subject, rows.code, np.nan_to_num(rows.start, nan=-1e9))[use]
    return fit_durations(
        np.maximum(np.floor(rows.end[use]) - start, 0.0),
        last_day[rows.subject[use]] - start,
        pd.factorize(record)[0].astype(np.int64),
        context.iloc[use].drop(columns="__room__"),
        rows.subject[use],
        hard=hard,
        min_subjects=min_subjects,
    )


def _fit_clock(rows: EventRows) -> np.ndarray:
    tables = []
    for which in ("start", "end"):
        day = getattr(rows, which)
        timed = day[(rows.precision(which) > Precision.DAY) & np.isfinite(day)]
        tables.append(np.quantile(timed % 1, np.linspace(0, 1, 25)) if len(timed) else np.full(25, np.nan))
    return np.stack(tables) if np.isfinite(np.stack(tables)).any() else np.empty((2, 0))


def _fit_marks(rows: EventRows, on: np.ndarray) -> tuple[MarkModel, ...]:
    models = []
    names = list(rows.marks)
    for index, name in enumerate(names):
        flag = rows.marks[name]
        who = pd.unique(rows.subject[flag])
        size = np.bincount(np.unique(rows.subject[flag], return_counts=True)[1])[1:] if len(who) else np.ones(1)
        together = []
        for other in names[:index]:
            shared = np.intersect1d(who, rows.subject[rows.marks[other]])
            same = np.unique(rows.subject[flag & rows.marks[other]])
            together.append(len(same) / len(shared) if len(shared) else 0.0)
        on_study = bool(on[flag].mean() >= 0.5) if flag.any() else bool(not len(on) or on.mean() >= 0.5)
        models.append(MarkModel(name=name, on_study=on_study, counts=size / size.sum(), together=np.array(together)))
    return tuple(models)

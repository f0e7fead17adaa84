"""Draw dated rows of a block of subjects by the model of `model/events.py`."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.special import ndtr

from datareplicator.dates import Precision
from datareplicator.generate.attributes import sample_attributes
from datareplicator.generate.eventkeys import draw_apart, own_labels
from datareplicator.generate.terms import sample_terms
from datareplicator.model.coding import is_number, to_float
from datareplicator.model.digests import subject_digests
from datareplicator.model.durations import POSITION
from datareplicator.model.eventcontext import lead_context, record_groups, row_context, subject_context, term_context
from datareplicator.model.eventkeys import numbered_records
from datareplicator.model.eventrows import EventRows
from datareplicator.model.events import END, MARK, START, EventModel
from datareplicator.model.subjects import Subjects
from datareplicator.seeds import Streams

SHIFTS = 7


@dataclass(frozen=True)
class Pin:
    """The day (float[n], NaN: free) on which the marked row of a subject starts and ends, where something else in
    the study says so (the death of a fatal event)."""

    start: np.ndarray | None = None
    end: np.ndarray | None = None


def sample_events(
    model: EventModel,
    subjects: Subjects,
    streams: Streams,
    variation: float = 1.0,
    *,
    flags: dict[str, np.ndarray] | None = None,
    pins: dict[str, Pin] | None = None,
    earliest: np.ndarray | None = None,
) -> EventRows:
    """Rows of `subjects.n` subjects, sorted by subject and start.

    The propensity of a subject is `subjects.score[model.name]`, or drawn where that is absent. `flags[mark]` (bool[n])
    names the subjects that have at least one row with that mark; no other row has it. `earliest` (float[n]) is a day
    before which nothing of a subject can begin (birth). `variation` scales the spread of propensities and durations.
    Starts and ends are days, with the time of day as a fraction where the precision asks for one; the caller cuts
    them to `start_precision` and `end_precision`.
    """
    nobody = np.zeros(subjects.n, dtype=bool)
    flags = {mark.name: np.asarray((flags or {}).get(mark.name, nobody), dtype=bool) for mark in model.marks}
    last_day = subjects.last_day if len(subjects.last_day) else np.full(subjects.n, np.nan)
    frame = _Frame.draw(model, subjects, last_day, flags, streams, variation)
    base = subject_context(subjects, model.covariates).iloc[frame.subject].reset_index(drop=True)
    base = base.assign(**{MARK + mark: pd.Categorical(flag) for mark, flag in frame.marks.items()})
    start = _draw_onsets(model, frame, last_day, streams)
    code = group = None
    if model.terms is not None:
        fixed = np.any(list(frame.marks.values()), axis=0) if frame.marks else np.zeros(len(frame.subject), bool)
        context = term_context(base, frame.on, start, frame.same, model.onset)
        regime = frame.subject * 2 + frame.on
        code, group, took = sample_terms(
            model.terms, regime, frame.on, frame.donor, fixed, context, streams.under("term")
        )
        frame.follow(took, model.same_repeat, streams)
        start = _share_days(start, frame)
        group = group if model.terms.classes.size > 1 else None
    start = _draw_leads(model, frame, start, lead_context(base, code, group), streams)
    if earliest is not None:
        start = np.fmax(start, np.minimum(np.ceil(earliest[frame.subject]), -1.0))
    for mark, pin in (pins or {}).items():
        if pin.start is not None and mark in frame.marks:
            start = _put(start, pin.start[frame.subject], frame.marks[mark])
    context = row_context(base, code, group, frame.on, start, last_day[frame.subject], frame.same)
    drawn = sample_attributes(model.attributes, context, frame.subject, streams.under("attribute"), variation)
    fixed = np.any(list(frame.marks.values()), axis=0) if frame.marks else np.zeros(len(start), dtype=bool)
    drawn, again = draw_apart(
        model.apart,
        numbered_records(frame.subject, code, start),
        drawn,
        fixed,
        lambda rows: sample_attributes(
            model.attributes, context.iloc[rows], frame.subject[rows], streams.under("again"), variation
        ),
    )
    if again.any():
        start = _begin_anew(model, frame, start, again, last_day, lead_context(base, code, group), streams)
    rows = EventRows(
        subject=frame.subject,
        start=start,
        end=np.full(len(start), np.nan),
        code=code,
        group=group,
        attributes=drawn.drop(columns=[START, END]),
        start_precision=_to_precision(drawn[START]),
        end_precision=_to_precision(drawn[END]),
        marks=frame.marks,
    )
    for name in model.labels:
        rows.attributes[name] = own_labels(rows.attributes[name], rows)
    _coarsen(model, rows)
    limit = np.where(np.isfinite(last_day), last_day, np.inf)[frame.subject]
    rows.end = _draw_ends(model, rows, pd.concat([context, drawn], axis=1), limit, streams, variation)
    pinned = _pin_ends(rows, pins or {})
    _avoid_copies(model, rows, limit, pinned)
    _set_clock(model, rows, streams)
    return rows.take(np.lexsort((rows.start, rows.subject)))


@dataclass
class _Frame:
    """Which rows there are, before anything is known of them. Rows of a subject and regime stand together; `donor`
    is an earlier row of the same subject and regime, -1 for the first; `same`: begins on its donor's day."""

    subject: np.ndarray
    on: np.ndarray
    donor: np.ndarray
    same: np.ndarray
    marks: dict[str, np.ndarray]

    @classmethod
    def draw(
        cls,
        model: EventModel,
        subjects: Subjects,
        last_day: np.ndarray,
        flags: dict[str, np.ndarray],
        streams: Streams,
        variation: float,
    ) -> _Frame:
        needed, where = _place_marks(model, flags, streams)
        count = _draw_counts(model, subjects, last_day, streams, variation)
        count = {on: np.maximum(count[on], needed[on]) for on in count}
        both = np.stack([count[False], count[True]], axis=1).ravel()
        group = np.repeat(np.arange(len(both)), both)
        m = len(group)
        begin = (np.cumsum(both) - both)[group]
        place = np.arange(m) - begin
        subject, on = group // 2, group % 2 == 1
        rng = streams.get("donor")
        donor = np.where(place > 0, begin + np.floor(rng.random(m) * place).astype(np.int64), -1)
        share = model.same_fresh[on.astype(np.int64)]
        marks = {mark.name: np.zeros(m, dtype=bool) for mark in model.marks}
        for name, (regime, first, number) in where.items():
            mine = (on == regime) & (place >= first[subject]) & (place < (first + number)[subject])
            marks[name] = mine
        marked = np.any(list(marks.values()), axis=0) if marks else np.zeros(m, dtype=bool)
        same = (donor >= 0) & (rng.random(m) < share) & ~marked
        return cls(subject, on, donor, same, marks)

    def follow(self, took: np.ndarray, share: np.ndarray, streams: Streams) -> None:
        """Rows that `took` their donor's term begin on its day with the probability of such rows."""
        drawn = streams.get("same repeat").random(len(took)) < share[self.on.astype(np.int64)]
        self.same = np.where(took, drawn, self.same)


def _begin_anew(
    model: EventModel,
    frame: _Frame,
    start: np.ndarray,
    again: np.ndarray,
    last_day: np.ndarray,
    context: pd.DataFrame,
    streams: Streams,
) -> np.ndarray:
    """Starts of which those of the rows `again` are drawn for themselves, as no other row's."""
    alone = replace(frame, same=np.zeros(len(start), dtype=bool))
    fresh = streams.under("apart")
    own = _draw_leads(model, alone, _draw_onsets(model, alone, last_day, fresh), context, fresh)
    return np.where(again & np.isfinite(own), own, start)


def _coarsen(model: EventModel, rows: EventRows) -> None:
    """What began longer ago than any day is known for is known by its month or year, or began later after all."""
    precision = rows.precision("start")
    far = (precision >= Precision.DAY) & (rows.start < -model.reach)
    if model.coarse:
        rows.start_precision = np.where(far, model.coarse, precision)
    else:
        rows.start = np.where(far, -model.reach, rows.start)


def _place_marks(
    model: EventModel, flags: dict[str, np.ndarray], streams: Streams
) -> tuple[dict[bool, np.ndarray], dict[str, tuple[bool, np.ndarray, np.ndarray]]]:
    """How many rows each regime needs for the marks, and per mark its regime, first place and number of rows."""
    n = len(next(iter(flags.values()))) if flags else 0
    needed: dict[bool, np.ndarray] = {True: np.zeros(n, np.int64), False: np.zeros(n, np.int64)}
    if not flags:
        return {True: np.int64(0), False: np.int64(0)}, {}  # type: ignore[dict-item]
    where: dict[str, tuple[bool, np.ndarray, np.ndarray]] = {}
    for mark in model.marks:
        rng = streams.get("mark", mark.name)
        number = 1 + np.searchsorted(np.cumsum(mark.counts)[:-1], rng.random(n), side="right")
        number = np.where(flags[mark.name], number, 0)
        first = needed[mark.on_study].copy()
        for share, (regime, other_first, other_number) in zip(mark.together, where.values(), strict=True):
            shared = (rng.random(n) < share) & (other_number > 0) & (number > 0) & (regime == mark.on_study)
            first = np.where(shared, other_first, first)
        where[mark.name] = (mark.on_study, first, number)
        needed[mark.on_study] = np.maximum(needed[mark.on_study], first + number)
    return needed, where


def _draw_counts(
    model: EventModel, subjects: Subjects, last_day: np.ndarray, streams: Streams, variation: float
) -> dict[bool, np.ndarray]:
    n = subjects.n
    rng = streams.get("count")
    own, other = rng.standard_normal(n), rng.standard_normal(n)
    score = subjects.score.get(model.name, own)
    score = np.where(np.isfinite(score), score, own)
    second = model.linked * score + np.sqrt(1 - model.linked**2) * other
    scores = {model.on_leads: score, not model.on_leads: second}
    rest = {on: streams.get("rest", str(on)).random(n) if variation != 1.0 else None for on in (True, False)}
    stratum, group = subjects.stratum, subjects.group
    return {
        True: model.on.draw(
            scores[True], model.on.mean(model.onset.total(last_day), stratum, group), variation, rest[True]
        ),
        False: model.before.draw(scores[False], model.before.mean(np.ones(n), stratum, group), variation, rest[False]),
    }


def _draw_onsets(model: EventModel, frame: _Frame, last_day: np.ndarray, streams: Streams) -> np.ndarray:
    """Start days of on-study rows (NaN for the others)."""
    m, onset = len(frame.subject), model.onset
    rng = streams.get("onset")
    shared = streams.get("onset", "subject").standard_normal(len(last_day))
    score = np.sqrt(onset.likeness) * shared[frame.subject] + np.sqrt(1 - onset.likeness) * rng.standard_normal(m)
    stay = onset.stay(last_day)[frame.subject]
    day = onset.onset(ndtr(score), onset.total(last_day)[frame.subject])
    day = np.clip(day, 0, np.maximum(np.floor(stay), 0))
    late, gap = rng.random(m) < onset.late, rng.random(m)
    if len(onset.late_gap):
        beyond = np.interp(gap, np.linspace(0, 1, len(onset.late_gap)), onset.late_gap)
        day = np.where(late, np.floor(stay + np.maximum(beyond, 1)), day)
    return _share_days(np.where(frame.on, day, np.nan), frame)


def _draw_leads(
    model: EventModel, frame: _Frame, start: np.ndarray, context: pd.DataFrame, streams: Streams
) -> np.ndarray:
    before = np.flatnonzero(~frame.on)
    lead = sample_attributes(model.lead, context.iloc[before], frame.subject[before], streams.under("lead"))
    value = _number(lead["lead"])
    start = start.copy()
    start[before] = -np.maximum(value, 1.0)
    return _share_days(start, frame)


def _share_days(start: np.ndarray, frame: _Frame) -> np.ndarray:
    """Rows that begin on the day of their donor, through chains of donors."""
    source = np.where(frame.same, frame.donor, np.arange(len(start)))
    while (frame.same[source]).any():
        source = source[source]
    return start[source]


def _number(values: pd.Series) -> np.ndarray:
    """Floats; NaN where nothing was learned (then the column is a categorical without categories)."""
    return to_float(values) if is_number(values) else np.full(len(values), np.nan)


def _put(value: np.ndarray, pinned: np.ndarray, rows: np.ndarray) -> np.ndarray:
    return np.where(rows & np.isfinite(pinned), pinned, value)


def _to_precision(values: pd.Series) -> np.ndarray:
    level = values.cat.categories.astype(int).to_numpy()
    return np.append(level, 0)[values.cat.codes.to_numpy()].astype(np.int64)


def _draw_ends(
    model: EventModel, rows: EventRows, context: pd.DataFrame, limit: np.ndarray, streams: Streams, variation: float
) -> np.ndarray:
    """Ends of rows that have one: start and a duration within the room, or a follow-up past the last day."""
    end = np.full(len(rows), np.nan)
    need = np.flatnonzero((rows.precision("end") > 0) & np.isfinite(rows.start))
    record = pd.factorize(record_groups(rows.subject, rows.code, rows.start)[need])[0].astype(np.int64)
    model_of, branch = model.duration, streams.under("duration")
    drawn = sample_attributes(model_of.position, context.iloc[need], record, branch, variation)[POSITION]
    room = np.where(np.isfinite(limit[need]), limit[need] - rows.start[need], np.nan)
    if len(model_of.over_gap):
        uniform = branch.get("over").random((2, len(rows)))[:, record]
        gap = np.interp(uniform[1], np.linspace(0, 1, len(model_of.over_gap)), model_of.over_gap)
        room = room + np.where(uniform[0] < model_of.over, np.ceil(gap), 0.0)
    end[need] = rows.start[need] + model_of.days(_number(drawn), room)
    return end


def _pin_ends(rows: EventRows, pins: dict[str, Pin]) -> np.ndarray:
    """Put pinned ends in place; returns which rows are pinned at either end."""
    pinned = np.zeros(len(rows), dtype=bool)
    for mark, pin in pins.items():
        if mark not in rows.marks:
            continue
        if pin.start is not None:
            pinned |= rows.marks[mark] & np.isfinite(pin.start[rows.subject])
        if pin.end is not None:
            day = pin.end[rows.subject]
            mine = rows.marks[mark] & np.isfinite(day) & (rows.precision("end") > 0)
            rows.end = np.where(mine, day, rows.end)
            rows.start = np.where(mine, np.fmin(rows.start, day), rows.start)
            pinned |= mine
    return pinned


def _avoid_copies(model: EventModel, rows: EventRows, limit: np.ndarray, pinned: np.ndarray) -> None:
    """Shift one dated row by a day or more where a subject's terms and days equal those of a source subject; where no
    row is dated, one becomes so."""
    for shift in range(1, SHIFTS + 1):
        dated = rows.precision("start") >= Precision.DAY
        free = np.isfinite(rows.start) & ~pinned
        who, digest = subject_digests(rows, model.alias)
        hit = np.zeros(int(rows.subject.max(initial=-1)) + 1, dtype=bool)
        hit[who[np.isin(digest, model.digests)]] = True
        candidates = np.flatnonzero(free & hit[rows.subject])
        if not len(candidates):
            return
        order = candidates[np.lexsort((candidates, ~dated[candidates], rows.subject[candidates]))]
        chosen = order[np.unique(rows.subject[order], return_index=True)[1]]
        day, stop = rows.start[chosen], np.minimum(limit[chosen], np.nan_to_num(rows.end[chosen], nan=np.inf))
        later = (day + shift <= stop) & ((day >= 0) | (day + shift < 0))
        moved = np.where(later, day + shift, np.where(day >= 0, np.maximum(day - shift, 0), day - shift))
        rows.start, rows.start_precision = rows.start.copy(), rows.precision("start").copy()
        rows.start[chosen] = np.where(dated[chosen], moved, np.floor(day))
        rows.start_precision[chosen] = np.maximum(rows.start_precision[chosen], int(Precision.DAY))


def _set_clock(model: EventModel, rows: EventRows, streams: Streams) -> None:
    """Add the time of day, in whole minutes, where the precision goes beyond the day."""
    if not model.clock.shape[1]:
        return
    for index, which in enumerate(("start", "end")):
        table = model.clock[index]
        timed = (rows.precision(which) > Precision.DAY) & np.isfinite(table).all()
        uniform = streams.get("clock", which).random(len(rows))
        part = np.floor(np.interp(uniform, np.linspace(0, 1, len(table)), np.nan_to_num(table)) * 1440) / 1440
        day = getattr(rows, which)
        setattr(rows, which, np.where(timed, np.floor(day) + part, day))
    rows.end = np.where(rows.end < rows.start, np.fmax(rows.end, rows.start), rows.end)


__all__ = ["Pin", "sample_events"]

"""A longer follow-up: more planned visits after the last, as the schedule and its names go on.

The last planned visit keeps its place and new ones follow it; the end of the schedule, with what comes after, moves
with them. Until then subjects leave at the rate of the visits before. Results keep their last means and their course
within a subject; events go on as often as they were.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Any

import numpy as np

from datareplicator.errors import RequestError
from datareplicator.generate.control.asked import FollowUp, label
from datareplicator.generate.control.planned import number_step, numbered_end, visit_columns, with_names
from datareplicator.model.discrete import Discrete, DiscreteTables
from datareplicator.model.findings.model import FindingsModel
from datareplicator.model.offsets import OffsetModel
from datareplicator.model.periods import PeriodModel
from datareplicator.model.reference import ReferenceTable
from datareplicator.model.rows import DateColumn, RowsModel
from datareplicator.model.schedule import Catalogue
from datareplicator.model.stretch import Stretch
from datareplicator.model.study_model import Events, Findings, Sets, StudyModel, TableModel, Timeline, Visits
from datareplicator.model.summary import longer
from datareplicator.model.timeline import StratumTimeline

MOST_HAZARD = 0.5


@dataclass(frozen=True)
class Plan:
    """`more` visits every `gap` days after the visit `end` of the catalogue, put in at the place `at`; `visits` learned
    ones of the joint list, `own` of them in the catalogue; `before`: the planned visit before the end; `main`: the
    stratum that the schedule is of; `same`: the learned visit that the new ones are like."""

    more: int
    gap: float
    end: int
    before: int
    at: int
    visits: int
    own: int
    main: StratumTimeline
    same: int

    @property
    def days(self) -> float:
        """By how many days the schedule is longer."""
        return self.more * self.gap

    @property
    def away(self) -> float:
        """Days from the visit that the new ones are like to the last one."""
        regular = self.main.regular.tolist()
        return float(self.main.typical[regular.index(self.end)] - self.main.typical[regular.index(self.same)])

    @property
    def long(self) -> float:
        """The days from which on a distance spans the schedule: from its start to halfway between the last two visits
        that were planned."""
        typical, regular = self.main.typical, self.main.regular.tolist()
        return float(typical[regular.index(self.before)] + typical[regular.index(self.end)]) / 2

    @property
    def like(self) -> np.ndarray:
        """The learned visit of each visit of the joint list."""
        return np.r_[np.arange(self.at), np.full(self.more, self.same), np.arange(self.at, self.visits)]

    @property
    def fresh(self) -> np.ndarray:
        """The places of the new visits."""
        return np.arange(self.at, self.at + self.more)

    def place(self, visit: np.ndarray) -> np.ndarray:
        """Where learned visits stand now."""
        return visit + self.more * (visit >= self.at)

    def stretched(self, values: np.ndarray, axis: int = 0) -> np.ndarray:
        """Values by learned visit, with those of the one that they are like for the new ones."""
        return np.take(values, self.like, axis=axis)


def with_follow_up(model: StudyModel, asked: FollowUp) -> StudyModel:
    """The model with more planned visits. Raises RequestError where the study plans none that could go on."""
    plan = _plan(model, asked)
    model, number, label = with_names(model, plan.end, plan.more, plan.gap, plan.at, _planned(plan))
    assert model.catalogue is not None
    day = model.catalogue.day[plan.like[: plan.own + plan.more]]
    day[plan.fresh] = model.catalogue.day[plan.end]
    late = (np.arange(len(day)) >= plan.at + plan.more) & (day >= model.catalogue.day[plan.end])
    day[plan.fresh] += plan.gap * np.arange(1, plan.more + 1)
    day[late] += plan.days
    role = plan.place(np.arange(plan.visits))
    role[plan.end] = plan.fresh[-1]
    stops = plan.like[: len(day)].copy()
    stops[[plan.end, *plan.fresh[:-1]]], stops[plan.fresh[-1]] = plan.before, plan.end
    stretch = Stretch(like=plan.like, stops=stops, later=day - model.catalogue.day[stops], role=role)
    closed = _closed(model, asked)
    update: dict[str, Any] = {
        "catalogue": Catalogue(number=number, label=label, day=day),
        "timelines": tuple(_timeline(t, plan) for t in model.timelines),
        "visits": plan.visits + plan.more,
        "stretch": stretch,
        "findings": None if model.findings is None else _findings(model.findings, plan),
        "tables": tuple(_table(t, plan, t.table in closed) for t in model.tables),
        "root": model.root.model_copy(update={"outcomes": _ends(model.root.outcomes, plan)}),
    }
    update["reference"] = _durations(model, plan)
    if model.enrolment is not None and model.enrolment.latest is not None:
        update["enrolment"] = model.enrolment.model_copy(update={"latest": model.enrolment.latest + plan.days})
    return model.model_copy(update=update)


def _plan(model: StudyModel, asked: FollowUp) -> Plan:
    schedule = model.timelines[0] if model.timelines and model.timelines[0].table is None else None
    if schedule is None or model.catalogue is None:
        raise RequestError("variation: follow_up: the study names no visits, so that no schedule can go on.")
    main = max(schedule.model.strata, key=lambda s: (len(s.regular) > 1, s.subjects))
    if len(main.regular) < 2:
        raise RequestError("variation: follow_up: the study has fewer than two planned visits, so no pattern goes on.")
    own = len(model.catalogue)
    place = numbered_end(model, main)
    end, before = int(main.regular[place]), int(main.regular[place - 1])
    gap = asked.every if asked.every is not None else float(main.typical[place] - main.typical[place - 1])
    if gap <= 0:
        raise RequestError(
            "variation: follow_up: the last two planned visits are on one day.", hint="Say `every:`, in days."
        )
    at = end + 1
    if model.catalogue.numeric:
        number = model.catalogue.number
        at = end + 1 + int(np.searchsorted(number[end + 1 :], number[end] + number_step(number, end, before) - 1e-9))
    following = main.regular[place + 1 :]
    at = min([at, *following.tolist()])
    same = end if asked.like is None else _visit(model, main, asked.like)
    return Plan(asked.visits, float(gap), end, before, at, model.visits, own, main, same)


def _visit(model: StudyModel, main: StratumTimeline, name: str) -> int:
    """The planned visit of a name, or of any other value that tells it. Raises RequestError."""
    planned = main.regular.tolist()
    columns = [column for column in visit_columns(model, main.regular).values() if column.names]
    for column in columns:
        found = [v for v in planned if v in column.values and label(column.values[v]).casefold() == name.casefold()]
        if found:
            return found[0]
    known = {label(column.values[v]): None for column in columns for v in planned if v in column.values}
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"Did you mean {near[0]!r}?" if near else f"There are {', '.join(known)}."
    raise RequestError(f"variation: follow_up: there is no planned visit {name!r}.", hint=hint)


def _durations(model: StudyModel, plan: Plan) -> dict[str, ReferenceTable]:
    """What tables without subjects tell of how long the study takes."""
    out = dict(model.reference)
    for told in model.told:
        if told.kind == "length":
            kept = out[told.table]
            values = list(kept.values[told.column])
            values[told.row] = longer(str(values[told.row]), plan.days)
            out[told.table] = kept.model_copy(update={"values": {**kept.values, told.column: tuple(values)}})
    return out


def _planned(plan: Plan) -> tuple[np.ndarray, np.ndarray]:
    return plan.main.regular, plan.main.typical


def _closed(model: StudyModel, asked: FollowUp) -> set[str]:
    """The findings tables that have no rows at the new visits."""
    if asked.domains is None:
        return set()
    known = {t.table: model.structure.tables[t.table] for t in model.tables if isinstance(t, Findings)}
    names = {part.casefold(): name for name, spec in known.items() for part in (*spec.members, name)}
    for name in asked.domains:
        if name.casefold() not in names:
            raise RequestError(
                f"variation: follow_up: {name!r} has no results of visits.",
                hint=f"There are {', '.join(sorted(known))}.",
            )
    return set(known) - {names[name.casefold()] for name in asked.domains}


def _timeline(timeline: Timeline, plan: Plan) -> Timeline:
    if timeline.table is not None:
        return timeline.model_copy(update={"base": timeline.base + plan.more})
    strata = tuple(_stratum(s, plan) for s in timeline.model.strata)
    made = timeline.model.model_copy(update={"visits": timeline.model.visits + plan.more, "strata": strata})
    return timeline.model_copy(update={"model": made})


def _stratum(s: StratumTimeline, plan: Plan) -> StratumTimeline:
    """The schedule of one class of subjects; a class that does not come to the last planned visit keeps its own."""
    moved = s.extras.model_copy(update={"visit": plan.place(s.extras.visit)})
    place = int(np.searchsorted(s.regular, plan.end))
    if place == 0 or place >= len(s.regular) or s.regular[place] != plan.end:
        return s.model_copy(update={"regular": plan.place(s.regular), "extras": moved})
    q, m, size = place + 1, plan.more, len(s.regular)
    take = np.r_[np.arange(q), np.full(m, place), np.arange(q, size)]
    ends = np.r_[np.arange(place), np.full(m, place - 1), place, np.arange(q, size)]
    usual = np.where(take == place, place - 1 if q == size else place, take)
    shift = np.r_[np.zeros(q), plan.gap * np.arange(1, m + 1), np.full(size - q, plan.days)]
    extras = moved.model_copy(
        update={
            "parent": s.extras.parent + m * (s.extras.parent >= q),
            "rate": s.extras.rate[:, ends],
            "gap": _taken(
                s.extras.gap, np.arange(len(s.extras)), plan.days * ((s.extras.absolute == 1) & (s.extras.parent < 0))
            ),
        }
    )
    return s.model_copy(
        update={
            "regular": np.r_[plan.place(s.regular[:q]), plan.fresh, plan.place(s.regular[q:])],
            "typical": s.typical[take] + shift,
            "stay": _stay(s, place, plan),
            "usual": s.usual[:, usual],
            "before_last": s.before_last[:, usual],
            "jitter": _taken(s.jitter, np.r_[take, size + take]),
            "copula": _copula(s, take, q, m),
            "step": s.step[take],
            "extras": extras,
        }
    )


def _stay(s: StratumTimeline, place: int, plan: Plan) -> np.ndarray:
    """P(last regular visit | arm): up to the new end subjects leave at the rate, by day, of the visits before."""
    reached = s.stay[:, ::-1].cumsum(axis=1)[:, ::-1]
    hazard = np.divide(s.stay, reached, out=np.zeros_like(s.stay), where=reached > 0)
    earlier = np.flatnonzero((s.typical >= 0) & (np.arange(len(s.typical)) < place))
    span = max(float(s.typical[place] - s.typical[earlier[0]]), 1.0) if len(earlier) else 1.0
    on_the_way = np.minimum(hazard[:, earlier].sum(axis=1) / span * plan.gap, MOST_HAZARD)[:, None]
    moved = np.hstack([hazard[:, :place], np.repeat(on_the_way, plan.more, axis=1), hazard[:, place:]])
    moved[:, -1] = 1.0
    kept = np.cumprod(np.hstack([np.ones((len(moved), 1)), 1 - moved[:, :-1]]), axis=1)
    return kept * moved


def _copula(s: StratumTimeline, take: np.ndarray, q: int, m: int) -> np.ndarray:
    """The correlation of days, falling with the number of visits between."""
    if not s.copula.size:
        return s.copula
    out = s.copula[np.ix_(take, take)]
    away = np.zeros(len(take))
    away[q : q + m] = np.arange(1, m + 1)
    out = out * s.lag ** np.abs(away[:, None] - away[None, :])
    np.fill_diagonal(out, 1.0)
    return out


def _taken(tables: DiscreteTables, which: np.ndarray, shift: np.ndarray | float = 0.0) -> DiscreteTables:
    """Some of the tables in another order (one may come twice), their days moved."""
    shift = np.broadcast_to(shift, (len(which),))
    parts = []
    for k, more in zip(which, shift, strict=True):
        part = slice(int(tables.start[k]), int(tables.start[k + 1]))
        parts.append(Discrete(tables.day[part] + more, np.diff(tables.cumulated[part], prepend=0.0)))
    return DiscreteTables.of(parts)


def _findings(findings: FindingsModel, plan: Plan) -> FindingsModel:
    presence = findings.presence.model_copy(
        update={
            "pattern_share": plan.stretched(findings.presence.pattern_share, 1),
            "panel_rate": plan.stretched(findings.presence.panel_rate, 1),
            "unknown": plan.stretched(findings.presence.unknown),
        }
    )
    day = plan.stretched(findings.visit_day)
    day[plan.fresh] += plan.gap * np.arange(1, plan.more + 1) + plan.away
    return findings.model_copy(
        update={
            "visit_day": day,
            "mean": plan.stretched(findings.mean),
            "arm": plan.stretched(findings.arm, 1),
            "presence": presence,
        }
    )


def _table(table: TableModel, plan: Plan, closed: bool) -> TableModel:
    if isinstance(table, Findings):
        low, high = table.visits
        visits = (low, high + plan.more) if low == 0 else (low + plan.more, high + plan.more)
        seen = plan.place(table.seen) if closed else _seen(table.seen, plan)
        return table.model_copy(update={"visits": visits, "seen": seen, "rows": _rows(table.rows, plan)})
    if isinstance(table, Visits):
        seen = _seen(table.seen, plan)
        share = dict(zip(table.seen.tolist(), table.share.tolist(), strict=True))
        share = np.array([share[int(v)] for v in plan.like[seen]])
        return table.model_copy(update={"seen": seen, "share": share, "rows": _rows(table.rows, plan)})
    if isinstance(table, Events):
        counts = table.model.on
        most = int(np.ceil(counts.most * (1 + plan.days / max(table.model.onset.usual_stay, 1.0))))
        events = table.model.model_copy(update={"on": counts.model_copy(update={"most": most})})
        table = table.model_copy(update={"model": events, "over": _over(table.over, plan)})
    if isinstance(table, Sets):
        over = (_over(table.over[0], plan), _over(table.over[1], plan))
        table = table.model_copy(
            update={"periods": _periods(table.periods, plan), "rows": _ends(table.rows, plan), "over": over}
        )
    if isinstance(table, Events | Sets) and table.visit is not None:
        column = table.visit.model_copy(update={"seen": _seen(table.visit.seen, plan)})
        table = table.model_copy(update={"visit": column})
    return table


def _periods(periods: PeriodModel | None, plan: Plan) -> PeriodModel | None:
    if periods is None:
        return None
    return periods.model_copy(update={"start": _later(periods.start, plan), "end": _later(periods.end, plan)})


def _ends(rows: RowsModel, plan: Plan) -> RowsModel:
    dates = tuple(
        d.model_copy(update={"offsets": _later(d.offsets, plan), "over": _over(d.over, plan)}) for d in rows.dates
    )
    return rows.model_copy(update={"dates": dates})


def _later(offsets: OffsetModel, plan: Plan) -> OffsetModel:
    """Distances that span the schedule, with the longer one."""
    day = _spanning(offsets.habits.day, plan)
    habits = offsets.habits.model_copy(update={"day": day})
    return offsets.model_copy(update={"habits": habits, "knots": _spanning(offsets.knots, plan)})


def _spanning(days: np.ndarray, plan: Plan) -> np.ndarray:
    return days + plan.days * np.sign(days) * (np.abs(days) >= plan.long)


def _over(over: dict[str, float], plan: Plan) -> dict[str, float]:
    return {name: days + plan.days * (days >= plan.long) for name, days in over.items()}


def _seen(seen: np.ndarray, plan: Plan) -> np.ndarray:
    """The visits at which a table has rows, the new ones too where it has some at the one that they are like."""
    now = plan.place(seen)
    return np.sort(np.r_[now, plan.fresh]) if plan.same in seen else now


def _rows(rows: RowsModel, plan: Plan) -> RowsModel:
    return rows.model_copy(update={"dates": tuple(_date(date, plan) for date in rows.dates)})


def _date(date: DateColumn, plan: Plan) -> DateColumn:
    """The range of days of each visit, moved with the visits."""
    if not len(date.low):
        return date
    more = np.zeros(plan.visits + plan.more)
    more[plan.fresh] = plan.gap * np.arange(1, plan.more + 1) + plan.away
    more[plan.at + plan.more :] = plan.days
    size = len(date.low)
    like = plan.like
    inside = like < size
    low, high = (
        np.where(inside, np.append(x, np.nan)[np.minimum(like, size)], np.nan) + more for x in (date.low, date.high)
    )
    # Visits that float with the end of a stay still come as early as they did.
    early = np.arange(len(like)) >= plan.at + plan.more
    low = np.where(early, low - plan.days, low)
    return date.model_copy(update={"low": low, "high": high})

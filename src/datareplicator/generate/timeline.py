"""Visits of generated subjects: how long each stays, which visits it attends, and on which days."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr

from datareplicator.errors import ModelError
from datareplicator.model.extravisits import ExtraVisits
from datareplicator.model.subjects import Subjects
from datareplicator.model.timeline import StratumTimeline, TimelineModel, VisitRows, last_days
from datareplicator.seeds import Streams


def sample_timeline(model: TimelineModel, subjects: Subjects, streams: Streams, variation: float = 1.0) -> VisitRows:
    """Draw the visits of a block of subjects.

    Reads `group`, `stratum` and `score["stay"]` (standard normal; drawn where absent) and fills `last_visit` and
    `last_day`. `variation` scales the spread of visit days (0: everybody on the typical day) and, up to 1, of stays.
    Days never go back from one visit to the next. Raises ModelError for a stratum that the model does not know.
    """
    known = {stratum.code for stratum in model.strata}
    unknown = set(np.unique(subjects.stratum).tolist()) - known
    if unknown:
        raise ModelError(f"the timeline knows no subjects of stratum {sorted(unknown)}")
    stay = subjects.score.get("stay")
    if stay is None:
        stay = streams.get("stay").standard_normal(subjects.n)
    # A wider spread of stays would shorten them on average: most subjects stay to the end.
    stay = stay * min(variation, 1.0)
    day = np.full((subjects.n, model.visits), np.nan)
    attended = np.zeros((subjects.n, model.visits), dtype=bool)
    subjects.last_visit = np.full(subjects.n, -1, dtype=np.int64)
    for stratum in model.strata:
        mine = np.flatnonzero(subjects.stratum == stratum.code)
        if len(mine) and len(stratum.regular):
            own = streams.under(str(stratum.code))
            there, when, last = _sample_stratum(stratum, subjects.group[mine], stay[mine], model.visits, own, variation)
            attended[mine], day[mine] = there, when
            subjects.last_visit[mine] = np.where(last >= 0, stratum.regular[last], -1)
    subject, visit = np.nonzero(attended)
    rows = VisitRows(subject, visit, day[subject, visit])
    subjects.last_day = last_days(rows, subjects.n)
    return rows


def _sample_stratum(
    stratum: StratumTimeline, group: np.ndarray, stay: np.ndarray, visits: int, streams: Streams, variation: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Attendance (bool[n, V]), days (float[n, V]) and the place of the last regular visit (int[n], -1 none)."""
    n = len(group)
    group = np.minimum(group, len(stratum.stay) - 1)
    last = _last_visit(stratum, group, stay)
    went = _attendance(stratum, group, last, streams)
    absent = streams.get("absent").random(n) < stratum.absent
    last, went = np.where(absent, -1, last), went & ~absent[:, None]
    attended = np.zeros((n, visits), dtype=bool)
    day = np.full((n, visits), np.nan)
    attended[:, stratum.regular] = went
    day[:, stratum.regular] = np.where(went, _regular_days(stratum, went, last, streams, variation), np.nan)
    _add_extras(stratum.extras, stratum.regular, last, attended, day, streams)
    if stratum.unknown > 0:
        day[streams.get("unknown").random(day.shape) < stratum.unknown] = np.nan
    return attended, day, last


def _last_visit(stratum: StratumTimeline, group: np.ndarray, stay: np.ndarray) -> np.ndarray:
    cumulated = np.cumsum(stratum.stay, axis=1)[group]
    cumulated /= cumulated[:, -1:]
    return (ndtr(stay)[:, None] >= cumulated[:, :-1]).sum(axis=1)


def _attendance(stratum: StratumTimeline, group: np.ndarray, last: np.ndarray, streams: Streams) -> np.ndarray:
    """A probit with a subject's own tendency to miss visits; the last visit is attended by definition."""
    n, visits = len(group), len(stratum.regular)
    tendency = streams.get("tendency").standard_normal((n, 1))
    noise = streams.get("miss").standard_normal((n, visits))
    column = np.arange(visits)[None, :]
    rate = np.where(column == last[:, None] - 1, stratum.before_last[group], stratum.usual[group])
    latent = np.sqrt(stratum.frailty) * tendency + np.sqrt(1 - stratum.frailty) * noise
    return np.where(column < last[:, None], ndtr(latent) < rate, column == last[:, None])


def _regular_days(
    stratum: StratumTimeline, went: np.ndarray, last: np.ndarray, streams: Streams, variation: float
) -> np.ndarray:
    """Typical days plus correlated jitter, then put in order."""
    n, visits = went.shape
    u = ndtr(_latent_jitter(stratum, streams.get("jitter").standard_normal((n, visits))))
    column = np.arange(visits)[None, :]
    table = np.where((column == last[:, None]) & (column < visits - 1), column + visits, column)
    away = stratum.jitter.pick(table, u)
    if variation != 1.0:
        centre = stratum.jitter.pick(table, np.full(u.shape, 0.5))
        away = np.round(centre + variation * (away - centre))
    return _in_order(np.round(stratum.typical + away), went, stratum)


def _latent_jitter(stratum: StratumTimeline, noise: np.ndarray) -> np.ndarray:
    if stratum.copula.size:
        value, vector = np.linalg.eigh(stratum.copula)
        return noise @ (vector * np.sqrt(np.maximum(value, 0))) @ vector.T
    z = noise.copy()
    for v in range(1, z.shape[1]):
        z[:, v] = stratum.lag * z[:, v - 1] + np.sqrt(1 - stratum.lag**2) * noise[:, v]
    return z


def _in_order(day: np.ndarray, went: np.ndarray, stratum: StratumTimeline) -> np.ndarray:
    """Make the days of attended visits ascend: from the anchor on each is at least the one before (plus the least gap
    of the schedule), before the anchor each at most the one after. Visits at the anchor do not move."""
    steps = np.cumsum(stratum.step)
    level = day - steps
    before = np.cumsum(stratum.typical >= 0) == 0
    late = np.where(went & ~before, level, -np.inf)
    late = np.maximum.accumulate(late, axis=1)
    early = np.where(went & before, level, np.inf)
    first = np.where(went & ~before, late, np.inf).min(axis=1)
    early = np.minimum(np.minimum.accumulate(early[:, ::-1], axis=1)[:, ::-1], first[:, None])
    return np.where(before, early, late) + steps


def _add_extras(
    extras: ExtraVisits,
    regular: np.ndarray,
    last: np.ndarray,
    attended: np.ndarray,
    day: np.ndarray,
    streams: Streams,
) -> None:
    """Unscheduled and tail visits into `attended` and `day`, in the catalogue's order."""
    n = len(last)
    chance = streams.get("extra", "presence").random((n, len(extras)))
    place = streams.get("extra", "day").random((n, len(extras)))
    visits = np.arange(attended.shape[1])
    for e, v in enumerate(extras.visit):
        possible = last >= 0
        if extras.parent[e] >= 0:
            possible = possible & attended[:, regular[extras.parent[e]]]
        if extras.previous[e] >= 0:
            possible = possible & attended[:, extras.visit[extras.previous[e]]]
        had = possible & (chance[:, e] < extras.rate[e, np.maximum(last, 0)])
        before = np.where(visits < v, np.where(np.isfinite(day), day, -np.inf), -np.inf).max(axis=1)
        after = np.where(visits > v, np.where(np.isfinite(day), day, np.inf), np.inf).min(axis=1)
        after = np.where(after - 1 >= before, after - 1, after)
        away = extras.gap.pick(np.full(n, e), place[:, e])
        start = np.where(np.isfinite(before) & (extras.absolute[e] == 0), before, 0.0)
        attended[:, v] = had
        day[:, v] = np.where(had, np.minimum(np.maximum(start + away, before), after), np.nan)

"""The timeline of a study: which visits subjects attend, how long they stay, and on which days they come.

One visit table is learned for all domains. Strata (treated subjects, screen failures) are learned apart, since one's
schedule says nothing of the other's; only the shape of the day jitter is shared where a stratum is small.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from pydantic import model_validator
from scipy.stats import norm

from datareplicator.document import Document, Floats, Ints
from datareplicator.model.discrete import EMPTY, Discrete, DiscreteTables, learn_days
from datareplicator.model.extravisits import ExtraVisits, fit_extras
from datareplicator.model.stay import Attendance, learn_attendance, stay_scores, stop_distribution
from datareplicator.model.subjects import Subjects
from datareplicator.model.visitkinds import VisitKind, typical_days, visit_kinds

_POOL = 8.0  # values' worth of the pooled jitter in a visit's own
_PAIRS = 20.0  # pairs' worth of the lag structure in the correlation of two visits' jitter
_MATRIX = 60  # schedules longer than this keep the lag structure of the jitter only


@dataclass
class VisitRows:
    """Distinct subject x visit pairs: `subject` int, `visit` int (index into the catalogue), `day` float relative to
    the anchor (NaN unknown); in generated rows ordered by subject and visit."""

    subject: np.ndarray
    visit: np.ndarray
    day: np.ndarray

    def __len__(self) -> int:
        return len(self.subject)


class StratumTimeline(Document):
    """The schedule of one stratum of subjects: R regular visits, G arms.

    `regular` int[R]: catalogue indices. `typical` float[R]: median days. `stay` float[G, R]: P(last regular visit |
    arm). `usual`, `before_last` float[G, R] and `frailty`: see `Attendance`. `jitter`: 2R tables of days from
    `typical`, first for subjects who went on, then for those who stopped there. `copula` float[R, R] (or [0, 0]) and
    `lag`: correlation of the latent jitter. `step` float[R]: least gap to the regular visit before. `unknown`: share
    of visits without a day. `absent`: share of subjects without any regular visit.
    """

    code: int
    subjects: int
    absent: float
    regular: Ints
    typical: Floats
    stay: Floats
    usual: Floats
    before_last: Floats
    frailty: float
    jitter: DiscreteTables
    copula: Floats
    lag: float
    step: Floats
    extras: ExtraVisits
    unknown: float

    @model_validator(mode="after")
    def _check(self) -> StratumTimeline:
        r, shape = len(self.regular), self.stay.shape
        if len(shape) != 2 or shape[1] != r or self.usual.shape != shape or self.before_last.shape != shape:
            raise ValueError("stay, usual and before_last must have one row an arm and one column a regular visit")
        if self.typical.shape != (r,) or self.step.shape != (r,) or len(self.jitter) != 2 * r:
            raise ValueError("typical, step and jitter must match the regular visits")
        if len(self.extras) and ((self.extras.parent >= r).any() or self.extras.rate.shape[1] != r):
            raise ValueError("the extra visits do not match the regular ones")
        if self.copula.size and self.copula.shape != (r, r):
            raise ValueError("copula must be square over the regular visits")
        if r and not np.allclose(self.stay.sum(axis=1), 1, atol=1e-4):
            raise ValueError("the probabilities of the last visit must add up to 1")
        return self


class TimelineModel(Document):
    """All strata. `visits`: length of the catalogue."""

    visits: int
    strata: tuple[StratumTimeline, ...]

    @model_validator(mode="after")
    def _check(self) -> TimelineModel:
        for stratum in self.strata:
            used = np.concatenate([stratum.regular, stratum.extras.visit])
            if len(used) and (used.min() < 0 or used.max() >= self.visits):
                raise ValueError("a stratum names a visit outside the catalogue")
        return self


@dataclass
class _Grid:
    """Attendance and days of a stratum's subjects over the whole catalogue, [n, V] each."""

    attended: np.ndarray
    day: np.ndarray
    group: np.ndarray
    groups: int
    planned: np.ndarray


def fit_timeline(
    rows: VisitRows, visit_number: np.ndarray, planned_day: np.ndarray, subjects: Subjects
) -> tuple[TimelineModel, np.ndarray]:
    """Learn the timeline from distinct subject x visit rows.

    `visit_number` float[V] ascending: the catalogue; `planned_day` float[V] relative to the anchor, NaN where none is
    stated. Also fills `subjects.last_visit` and `subjects.last_day`. Returns the model and, per subject, the mid-rank
    normal score of the length of stay given arm and stratum (0 for subjects without a regular visit).
    """
    visits = len(visit_number)
    attended = np.zeros((subjects.n, visits), dtype=bool)
    day = np.full((subjects.n, visits), np.nan)
    attended[rows.subject, rows.visit] = True
    day[rows.subject, rows.visit] = np.round(rows.day)
    groups = int(subjects.group.max(initial=0)) + 1
    grids, score = {}, np.zeros(subjects.n)
    for code in np.unique(subjects.stratum):
        mine = subjects.stratum == code
        grids[int(code)] = _Grid(attended[mine], day[mine], subjects.group[mine], groups, planned_day)
    shared = _shared_jitter(list(grids.values()))
    strata = []
    subjects.last_visit = np.full(subjects.n, -1, dtype=np.int64)
    for code, grid in grids.items():
        stratum, last = _fit_stratum(code, grid, shared)
        mine = np.flatnonzero(subjects.stratum == code)
        present = last >= 0
        if present.any():
            score[mine[present]] = stay_scores(last[present], grid.group[present], stratum.stay)
            subjects.last_visit[mine[present]] = stratum.regular[last[present]]
        strata.append(stratum)
    subjects.last_day = last_days(rows, subjects.n)
    return TimelineModel(visits=visits, strata=tuple(strata)), score


def last_days(rows: VisitRows, n: int) -> np.ndarray:
    """Day of each subject's last visit (float[n], NaN where unknown)."""
    last = np.full(n, -np.inf)
    known = np.isfinite(rows.day)
    np.maximum.at(last, rows.subject[known], rows.day[known])
    return np.where(np.isfinite(last), last, np.nan)


def last_regular_days(rows: VisitRows, subjects: Subjects) -> np.ndarray:
    """Day of each subject's last regular visit (float[n], NaN where unknown): where its treatment usually ends."""
    day = np.full(subjects.n, np.nan)
    mine = rows.visit == subjects.last_visit[rows.subject]
    day[rows.subject[mine]] = rows.day[mine]
    return day


def reached_end(model: TimelineModel, subjects: Subjects) -> np.ndarray:
    """Whether each subject's last regular visit is the last that subjects of its stratum and arm come to (bool[n])."""
    end = np.zeros(subjects.n, dtype=bool)
    for stratum in model.strata:
        if not len(stratum.regular):
            continue
        final = [stratum.regular[np.flatnonzero(share > 0)[-1]] for share in stratum.stay]
        mine = subjects.stratum == stratum.code
        end |= mine & (subjects.last_visit == np.asarray(final)[np.minimum(subjects.group, len(final) - 1)])
    return end


def stay_context(model: TimelineModel, rows: VisitRows, subjects: Subjects) -> pd.DataFrame:
    """What a stay tells of a subject, one row each, for patterns that depend on it.

    `last_visit`: catalogue index (-1 none); `reached_end` 0 or 1; `followed` 0 or 1: visits came after the last regular
    one; `followed_<v>` 0 or 1: catalogue visit v did, for each visit that follows the schedule in the source.
    """
    after = rows.visit > subjects.last_visit[rows.subject]
    context = {
        "last_visit": subjects.last_visit,
        "reached_end": reached_end(model, subjects).astype(np.int64),
        "followed": np.isin(np.arange(subjects.n), rows.subject[after]).astype(np.int64),
    }
    tails = {int(v) for s in model.strata for v, p in zip(s.extras.visit, s.extras.parent, strict=True) if p < 0}
    for v in sorted(tails):
        had = rows.subject[after & (rows.visit == v)]
        context[f"followed_{v}"] = np.isin(np.arange(subjects.n), had).astype(np.int64)
    return pd.DataFrame(context)


def _shared_jitter(grids: list[_Grid]) -> Discrete:
    """Days from the typical day over all strata and visits, visits at the anchor left out: what a small stratum
    borrows."""
    values = []
    for grid in grids:
        typical = typical_days(grid.attended, grid.day, grid.planned)
        away = grid.day - typical
        values.append(away[:, typical != 0][grid.attended[:, typical != 0]])
    known = np.concatenate(values or [np.empty(0)])
    known = known[np.isfinite(known)]
    wide = np.quantile(np.abs(known), 0.95) if len(known) else 0.0
    return learn_days(known[np.abs(known) <= wide])


def _fit_stratum(code: int, grid: _Grid, shared: Discrete) -> tuple[StratumTimeline, np.ndarray]:
    """One stratum, and the index of each subject's last regular visit (-1 none)."""
    kinds = visit_kinds(grid.attended, grid.day, grid.group, grid.planned)
    regular = np.flatnonzero(kinds == VisitKind.REGULAR)
    all_typical = typical_days(grid.attended, grid.day, grid.planned)
    attended, day, typical = grid.attended[:, regular], grid.day[:, regular], all_typical[regular]
    present = attended.any(axis=1)
    last = np.full(len(attended), -1)
    if present.any():
        last[present] = len(regular) - 1 - np.argmax(attended[present, ::-1], axis=1)
        attendance = learn_attendance(attended[present], last[present], grid.group[present], grid.groups)
        stay = stop_distribution(last[present], grid.group[present], grid.groups, typical, attendance.usual > 0)
    else:
        attendance = Attendance(np.ones((grid.groups, 0)), np.ones((grid.groups, 0)), 0.0)
        stay = np.ones((grid.groups, 0))
    tables = _jitter_tables(day, attended, last, typical, shared)
    copula, lag = _jitter_copula(tables, day - typical, attended, last)
    known = np.isfinite(grid.day[grid.attended])
    return StratumTimeline(
        code=code,
        subjects=len(attended),
        absent=float(1 - present.mean()),
        regular=regular,
        typical=typical,
        stay=stay,
        usual=attendance.usual,
        before_last=attendance.before_last,
        frailty=attendance.frailty,
        jitter=tables,
        copula=copula,
        lag=lag,
        step=_least_gaps(day, attended),
        extras=fit_extras(grid.attended, grid.day, kinds, last),
        unknown=float(1 - known.mean()) if len(known) else 1.0,
    ), last


def _jitter_tables(
    day: np.ndarray, attended: np.ndarray, last: np.ndarray, typical: np.ndarray, shared: Discrete
) -> DiscreteTables:
    """Tables of days from the typical day: R for subjects who went on, R for those who stopped at the visit.

    Early terminations come on other days than planned visits do, so that the two are learned apart; the end of the
    schedule counts as a planned visit.
    """
    visits = len(typical)
    away = day - typical
    stopped = (np.arange(visits) == last[:, None]) & (np.arange(visits) < visits - 1)
    went_on = attended & ~stopped
    moving = np.array([_spread_out(away[went_on[:, v], v]) for v in range(visits)], dtype=bool)
    moving &= typical != 0
    before = _pool(away, went_on, moving & (typical < 0), shared)
    after = _pool(away, went_on, moving & (typical >= 0), shared)
    end = learn_days(away[stopped & (typical > 0)], after, _POOL / 2)
    tables: list[Discrete] = []
    for v in range(visits):
        fixed = not moving[v] and np.isfinite(away[went_on[:, v], v]).any()
        prior = EMPTY if fixed else before if typical[v] < 0 else after
        tables.append(learn_days(away[went_on[:, v], v], prior, _POOL))
    for v in range(visits):
        own = away[stopped[:, v], v]
        if not stopped[:, v].any() or typical[v] <= 0:
            tables.append(learn_days(np.append(own, away[went_on[:, v], v])) if len(own) else tables[v])
        else:
            tables.append(learn_days(own, end, _POOL))
    return DiscreteTables.of([t if len(t.day) or np.isnan(away).all() else after for t in tables])


def _spread_out(values: np.ndarray) -> bool:
    """Whether a visit's day varies at all (nine in ten on one day: a visit that defines the anchor does not)."""
    values = values[np.isfinite(values)]
    return len(values) == 0 or np.unique(values, return_counts=True)[1].max() < 0.9 * len(values) or len(values) < 5


def _pool(away: np.ndarray, mask: np.ndarray, use: np.ndarray, shared: Discrete) -> Discrete:
    return learn_days(away[:, use][mask[:, use]], shared, 4.0)


def _least_gaps(day: np.ndarray, attended: np.ndarray) -> np.ndarray:
    """1 for visits that never fall on the day of the regular visit before, else 0; at most one in fifty counts as
    never."""
    step = np.zeros(day.shape[1])
    for v in range(1, day.shape[1]):
        gap = (day[:, v] - day[:, v - 1])[attended[:, v] & attended[:, v - 1]]
        gap = gap[np.isfinite(gap)]
        step[v] = float(len(gap) > 0 and (gap <= 0).mean() < 0.02)
    return step


def _jitter_copula(
    tables: DiscreteTables, away: np.ndarray, attended: np.ndarray, last: np.ndarray
) -> tuple[np.ndarray, float]:
    """Correlation of the latent jitter's normal scores over visits, shrunk to a power of the lag; and that of
    neighbours."""
    visits = away.shape[1]
    if visits < 2:
        return np.empty((0, 0)), 0.0
    column = np.arange(visits)
    stopped = (column == last[:, None]) & (column < visits - 1)
    table = np.where(stopped, column + visits, column)
    use = attended & np.isfinite(away)
    z = np.where(use, norm.ppf(tables.rank(table, away)), np.nan)
    correlation, pairs = _pairwise(np.where(use, z, 0.0), use.astype(float))
    lag = _lag_one(correlation, pairs)
    if visits > _MATRIX:
        return np.empty((0, 0)), lag
    target = lag ** np.abs(column[:, None] - column[None, :]).astype(float)
    matrix = (pairs * correlation + _PAIRS * target) / (pairs + _PAIRS)
    value, vector = np.linalg.eigh(matrix)
    matrix = (vector * np.maximum(value, 1e-3)) @ vector.T
    scale = np.sqrt(np.diag(matrix))
    return np.round(matrix / np.outer(scale, scale), 4), lag


def _pairwise(z: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Correlation of each pair of columns over the rows that know both, and their number (float[R, R]; pairs of fewer
    than four rows count as none). `z` is 0 where unknown."""
    pairs = known.T @ known
    count = np.maximum(pairs, 1)
    mean = z.T @ known / count
    spread = np.maximum((z**2).T @ known / count - mean**2, 0.0)
    product = z.T @ z / count - mean * mean.T
    scale = np.sqrt(spread * spread.T)
    usable = (pairs >= 4) & (scale > 1e-9)
    correlation = np.divide(product, scale, out=np.zeros_like(product), where=usable)
    np.fill_diagonal(correlation, 1.0)
    return np.clip(correlation, -1, 1), np.where(usable, pairs, 0)


def _lag_one(correlation: np.ndarray, pairs: np.ndarray) -> float:
    """Correlation of neighbouring visits, with a prior of 0.3."""
    r, n = np.diag(correlation, 1), np.diag(pairs, 1)
    return float(np.clip(((r * n).sum() + _PAIRS * 0.3) / (n.sum() + _PAIRS), 0.0, 0.95))

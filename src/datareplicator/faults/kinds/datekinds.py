"""Wrong dates. Where a study day follows from the date, it is computed anew, as after a wrong entry, unless the kind
is about just that; `days: kept` leaves it as it was."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Literal

import numpy as np
import pandas as pd
from pydantic import Field

from datareplicator import dates
from datareplicator.document import Document
from datareplicator.faults.job import Job, Pool, Values
from datareplicator.faults.kind import Family, Severity
from datareplicator.faults.roles import (
    birth_column,
    date_columns,
    day_columns,
    death_column,
    event_dates,
    on,
    study_days,
    subject_days,
)
from datareplicator.faults.scene import Piece
from datareplicator.structure.spec import Layout

FAMILY = Family("dates")


class Days(Document):
    """What becomes of the study day."""

    days: Literal["recomputed", "kept"] = Field("recomputed", description="The study day of the date.")


class KeptDays(Document):
    """What becomes of the study day."""

    days: Literal["kept", "recomputed"] = Field("kept", description="The study day of the date; recomputed: missing.")


def _pools(job: Job, columns: Callable[[Piece], list[str]], *, text: bool, whole: bool = True) -> list[Pool]:
    """Free cells with dates; `whole`: known to the day. `data`: day, and the study days that follow."""
    pools = []
    for piece in job.pieces():
        target = job.rows(piece)
        for column in job.columns(piece, columns(piece)):
            if text and not piece.is_text(column):
                continue
            moments = dates.parse(piece.clean[column])
            follow = tuple(day_columns(job.scene, piece, column))
            rows = target & piece.free([column, *follow]) & piece.present(column)
            rows &= np.isfinite(moments.day) if whole else moments.valid
            pools.append(Pool(piece, np.flatnonzero(rows), column, follow, {"day": moments.day}))
    return pools


def _dated(job: Job, pool: Pool, rows: np.ndarray, days: np.ndarray, recompute: bool) -> Values:
    """New dates of rows with their study days; NaN leaves a date as it is."""
    column = str(pool.column)
    old = pool.data["day"][rows]
    days = np.where(np.isfinite(days), days, old)
    values: Values = {column: on(pool.piece, column, rows, days)}
    if recompute:
        for name in pool.also:
            values[name] = study_days(job.scene, pool.piece, rows, days)
    for name, new in values.items():
        held = pool.piece.texts(name, rows)
        values[name] = [h if d == o else v for v, h, d, o in zip(new, held, days, old, strict=True)]
    return values


def _worded(pool: Pool, rows: np.ndarray, alter: Callable[[str, float], str], rng: np.random.Generator) -> Values:
    column = str(pool.column)
    draws = rng.random(len(rows))
    return {column: [alter(str(t), r) for t, r in zip(pool.piece.texts(column, rows), draws, strict=True)]}


def _latest(job: Job) -> float:
    """The last day of the study."""
    days = [
        dates.parse(piece.clean[c]).day
        for piece in job.scene.pieces.values()
        for c in date_columns(piece, text=False)
        if piece.spec.subject
    ]
    known = [d[np.isfinite(d)] for d in days]
    return max((d.max() for d in known if len(d)), default=0.0)


@FAMILY.kind(
    "end-before-start",
    "An end date lies before its start.",
    severity=Severity.MAJOR,
    rules="DR0205 DR1401",
    parameters=Days,
)
def end_before_start(job: Job, params: Days) -> None:
    pools = []
    for pool in _pools(job, lambda piece: [c for c in (piece.spec.end,) if c is not None], text=False):
        start = pool.piece.spec.start
        if start is None or not pool.piece.has(start):
            continue
        begun = dates.parse(pool.piece.clean[start]).day
        pool.rows = pool.rows[np.isfinite(begun[pool.rows]) & pool.piece.free([start])[pool.rows]]
        pools.append(Pool(pool.piece, pool.rows, pool.column, pool.also, {**pool.data, "start": begun}))

    def change(pool: Pool, rows: np.ndarray, rng: np.random.Generator) -> Values:
        return _dated(job, pool, rows, pool.data["start"][rows] - rng.integers(1, 30, len(rows)), params.days != "kept")

    job.cells(pools, change, "rows with a start and an end")


@FAMILY.kind(
    "future-date", "A date years after the study.", severity=Severity.MAJOR, rules="DR0212 DR0210", parameters=Days
)
def future_date(job: Job, params: Days) -> None:
    last = _latest(job)

    def change(pool: Pool, rows: np.ndarray, rng: np.random.Generator) -> Values:
        return _dated(job, pool, rows, last + 365 + rng.integers(0, 3650, len(rows)), params.days != "kept")

    job.cells(_pools(job, lambda piece: event_dates(job.scene, piece, text=False), text=False), change, "dates")


@FAMILY.kind(
    "date-before-birth",
    "Something happened before the subject was born.",
    severity=Severity.MAJOR,
    parameters=Days,
    rules="DR0213",
)
def date_before_birth(job: Job, params: Days) -> None:
    born = subject_days(job.scene, birth_column(job.scene))
    pools = _pools(job, lambda piece: event_dates(job.scene, piece, text=False), text=False)
    for pool in pools:
        birth = np.append(born, np.nan)[pool.piece.subject]
        pool.data["birth"] = birth
        pool.rows = pool.rows[np.isfinite(birth[pool.rows])]

    def change(pool: Pool, rows: np.ndarray, rng: np.random.Generator) -> Values:
        return _dated(
            job, pool, rows, pool.data["birth"][rows] - rng.integers(1, 3650, len(rows)), params.days != "kept"
        )

    job.cells(pools, change, "dates of subjects with a date of birth")


@FAMILY.kind(
    "date-after-death",
    "Something was measured or happened after the subject's death.",
    severity=Severity.CRITICAL,
    rules="DR0608",
    parameters=Days,
)
def date_after_death(job: Job, params: Days) -> None:
    died = subject_days(job.scene, death_column(job.scene))

    def begins(piece: Piece) -> list[str]:
        known = event_dates(job.scene, piece, text=False)
        return [c for c in known if c in (piece.spec.date, piece.spec.start)]

    pools = _pools(job, begins, text=False)
    for pool in pools:
        death = np.append(died, np.nan)[pool.piece.subject]
        pool.data["death"] = death
        pool.rows = pool.rows[np.isfinite(death[pool.rows])]

    def change(pool: Pool, rows: np.ndarray, rng: np.random.Generator) -> Values:
        return _dated(job, pool, rows, pool.data["death"][rows] + rng.integers(1, 60, len(rows)), params.days != "kept")

    job.cells(pools, change, "dates of subjects who died")


@FAMILY.kind(
    "partial-date",
    "A date without its day, or with the year alone; the study day stays.",
    rules="DR0204",
    parameters=KeptDays,
)
def partial_date(job: Job, params: KeptDays) -> None:
    def change(pool: Pool, rows: np.ndarray, rng: np.random.Generator) -> Values:
        values = _worded(pool, rows, lambda text, draw: text[:7] if draw < 0.7 else text[:4], rng)
        if params.days == "recomputed":
            values |= {name: [None] * len(rows) for name in pool.also}
        return values

    pools = _pools(job, lambda piece: event_dates(job.scene, piece), text=True)
    if params.days == "kept" and not job.explicit:
        for pool in pools:
            held = (
                np.any([pool.piece.present(name) for name in pool.also], axis=0)
                if pool.also
                else np.zeros(len(pool.piece), bool)
            )
            pool.rows = pool.rows[held[pool.rows]]
    job.cells(pools, change, "whole dates in text")


@FAMILY.kind(
    "impossible-date", "A day that does not exist: 30 February, month 13.", severity=Severity.MAJOR, rules="DR0201"
)
def impossible_date(job: Job, params: Document) -> None:
    def alter(text: str, draw: float) -> str:
        return text[:4] + ("-02-30", "-13-01", "-04-31", "-00-15")[int(draw * 4)] + text[10:]

    _words(job, alter)


@FAMILY.kind("other-date-format", "A date that is not ISO 8601: 12/31/2013, 31DEC2013.", rules="DR0201")
def other_date_format(job: Job, params: Document) -> None:
    def alter(text: str, draw: float) -> str:
        stamp = pd.Timestamp(text[:10])
        return stamp.strftime(("%m/%d/%Y", "%d.%m.%Y", "%d%b%Y", "%Y/%m/%d")[int(draw * 4)]).upper()

    _words(job, alter)


@FAMILY.kind("time-zone", "A time with an offset that no other has.", rules="DR0216")
def time_zone(job: Job, params: Document) -> None:
    def alter(text: str, draw: float) -> str:
        clock = text if "T" in text else f"{text}T{int(draw * 24):02d}:00"
        return clock + ("Z", "+09:00", "-05:00")[int(draw * 3)]

    _words(job, alter)


def _words(job: Job, alter: Callable[[str, float], str]) -> None:
    """Whole dates in text, written otherwise; the study day stays."""

    def change(pool: Pool, rows: np.ndarray, rng: np.random.Generator) -> Values:
        return _worded(pool, rows, alter, rng)

    pools = _pools(job, lambda piece: event_dates(job.scene, piece), text=True)
    job.cells(pools, change, "whole dates in text")


@FAMILY.kind(
    "day-month-swapped",
    "Day and month are exchanged; both are possible. Without a target in dates at visits.",
    severity=Severity.MAJOR,
    parameters=Days,
    rules="DR2018 DR0214 DR0414 DR0407",
)
def day_month_swapped(job: Job, params: Days) -> None:
    def change(pool: Pool, rows: np.ndarray, rng: np.random.Generator) -> Values:
        days = pool.data["day"][rows]
        stamps = [np.datetime64(int(d), "D").astype(object) for d in days]
        swapped = [s.replace(month=s.day, day=s.month) if s.day <= 12 else s for s in stamps]
        new = np.array([np.datetime64(s, "D").astype("int64") for s in swapped], dtype=float)
        return _dated(job, pool, rows, new, params.days != "kept")

    # Of an event nobody can tell when it began: without a target, dates that a visit speaks for.
    anywhere = job.fault.target.domain or job.explicit
    usual = partial(event_dates, job.scene, text=False) if anywhere else partial(_at_visits, job)
    job.cells(_pools(job, usual, text=False), change, "dates with a day up to 12 that is not the month")


@FAMILY.kind(
    "outside-window",
    "A visit or finding weeks off the day that is usual for it.",
    rules="DR0407 DR0214 DR0414 DR1302",
    parameters=Days,
)
def outside_window(job: Job, params: Days) -> None:
    def change(pool: Pool, rows: np.ndarray, rng: np.random.Generator) -> Values:
        shift = rng.integers(21, 60, len(rows)) * np.where(rng.random(len(rows)) < 0.5, -1, 1)
        return _dated(job, pool, rows, pool.data["day"][rows] + shift, params.days != "kept")

    job.cells(_pools(job, partial(_at_visits, job), text=False), change, "dates at visits")


def _at_visits(job: Job, piece: Piece) -> list[str]:
    """The dates of findings and visits, their ends apart."""
    known = piece.spec.layout in (Layout.FINDINGS, Layout.VISITS) and piece.has(piece.spec.visit)
    return [c for c in event_dates(job.scene, piece, text=False) if c != piece.spec.end] if known else []


def _study_day_pools(job: Job) -> list[Pool]:
    pools = []
    for piece in job.pieces():
        target = job.rows(piece)
        usual = [d for c in date_columns(piece, text=False) for d in day_columns(job.scene, piece, c)]
        for column in job.columns(piece, usual):
            rows = target & piece.free([column]) & np.isfinite(piece.number(column))
            pools.append(Pool(piece, np.flatnonzero(rows), column, (), {"x": piece.number(column)}))
    return pools


@FAMILY.kind("study-day-zero", "A study day 0, which does not exist.", rules="DR0203 DR0202")
def study_day_zero(job: Job, params: Document) -> None:
    def change(pool: Pool, rows: np.ndarray, rng: np.random.Generator) -> Values:
        return {str(pool.column): [0] * len(rows)}

    job.cells(_study_day_pools(job), change, "study days")


@FAMILY.kind("wrong-study-day", "A study day that does not follow from its date.", rules="DR0202 DR1303")
def wrong_study_day(job: Job, params: Document) -> None:
    def change(pool: Pool, rows: np.ndarray, rng: np.random.Generator) -> Values:
        x = pool.data["x"][rows]
        new = x + rng.choice([-30, -7, -1, 1, 7, 30], len(rows))
        return {str(pool.column): [int(v) if v else -2 for v in new]}

    job.cells(_study_day_pools(job), change, "study days")

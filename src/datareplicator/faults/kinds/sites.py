"""Whole sites: invented values, unit errors, drift, late entry, events that are not reported. `rate` and `count` choose
sites; every changed cell stands in the key."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
from pydantic import Field

from datareplicator import dates
from datareplicator.document import Document
from datareplicator.faults.job import Job, Pool
from datareplicator.faults.kind import Family, Severity, Unit
from datareplicator.faults.kinds.pools import numbers, renumbered
from datareplicator.faults.kinds.subjects import followed
from datareplicator.faults.roles import date_columns, day_columns, on, study_days
from datareplicator.faults.scene import Piece
from datareplicator.faults.units import other_unit
from datareplicator.structure.spec import Layout

FAMILY = Family("sites")


def _sites(job: Job) -> Iterator[tuple[str, int]]:
    """Each chosen site and its incident: what is wrong at a site is one fault."""
    for site in job.choose_sites("sites"):
        yield site, int(job.scene.incidents(1)[0])


def _at(piece: Piece, site: str) -> np.ndarray:
    """bool a row: of a subject of the site."""
    return (piece.sites == site)[piece.subject]


def _renumber(job: Job, pool: Pool, rows: np.ndarray, y: np.ndarray, incident: int) -> None:
    """Give rows new numbers, as far as they are free."""
    free = pool.piece.free([str(pool.column), *pool.also])[rows]
    rows, y = rows[free], y[free]
    for column, new in renumbered(pool, rows, y).items():
        job.edit_where_unlike(pool.piece, column, rows, new, np.full(len(rows), incident))


@FAMILY.kind(
    "fabricated-values",
    "A site's results are made up: close to the middle of each test, nearly without spread, with even last digits.",
    unit=Unit.SITE,
    severity=Severity.CRITICAL,
    detector=True,
    rules="DR2003 DR2001",
)
def fabricated_values(job: Job, params: Document) -> None:
    pools = numbers(job, findings=True)
    for site, incident in _sites(job):
        for pool in pools:
            rows = pool.rows[_at(pool.piece, site)[pool.rows]]
            middle, spread = _middle(pool)
            draws = job.rng("invent", site, pool.piece.name).standard_normal(len(rows))
            y = middle[rows] + 0.1 * spread[rows] * draws
            places = np.array(
                [len(str(t).removesuffix(".0").partition(".")[2]) for t in pool.piece.texts(str(pool.column), rows)]
            )
            step = 2 / 10.0**places
            _renumber(job, pool, rows, np.round(y / step) * step, incident)


def _middle(pool: Pool) -> tuple[np.ndarray, np.ndarray]:
    """float a row: median and standard deviation of the row's test."""
    held = pd.Series(pool.data["x"]).groupby(pool.data["group"])
    return held.transform("median").to_numpy(), np.nan_to_num(held.transform("std").to_numpy(), nan=1.0)


@FAMILY.kind(
    "site-unit-error",
    "A site reports one test in another unit throughout, under the usual label.",
    unit=Unit.SITE,
    severity=Severity.CRITICAL,
    detector=True,
    rules="DR2009 DR2005 DR0317 DR1602",
)
def site_unit_error(job: Job, params: Document) -> None:
    pools = [p for p in numbers(job, findings=True) if p.piece.has(p.piece.spec.unit, p.piece.spec.test)]
    for site, incident in _sites(job):
        rng = job.rng("test", site)
        choices = []
        for pool in pools:
            units = pool.piece.texts(str(pool.piece.spec.unit))
            known = np.array([u is not None and other_unit(str(u)) is not None for u in units], dtype=bool)
            rows = pool.rows[(known & _at(pool.piece, site))[pool.rows]]
            choices += [(pool, rows[pool.data["group"][rows] == g], units) for g in np.unique(pool.data["group"][rows])]
        if not choices:
            raise job.nothing(f"site {site} has no test in a unit that is mistaken for another")
        pool, rows, units = choices[int(rng.integers(len(choices)))]
        x = pool.data["x"][rows]
        others = [other_unit(str(u)) for u in units[rows]]
        y = np.array([v * o.factor + o.offset if o is not None else np.nan for v, o in zip(x, others, strict=True)])
        _renumber(job, pool, rows, y, incident)


class Drift(Document):
    """How much."""

    size: float = Field(1.5, description="Shift at the end of the study, in standard deviations of the test.")


@FAMILY.kind(
    "site-drift",
    "A site's results drift away over the time of the study, as with a device that was not calibrated.",
    unit=Unit.SITE,
    severity=Severity.MAJOR,
    detector=True,
    parameters=Drift,
    rules="DR2017 DR2005",
)
def site_drift(job: Job, params: Drift) -> None:
    pools = [p for p in numbers(job, findings=True) if p.piece.has(p.piece.spec.date)]
    for site, incident in _sites(job):
        for pool in pools:
            rows = pool.rows[_at(pool.piece, site)[pool.rows]]
            day = dates.parse(pool.piece.clean[str(pool.piece.spec.date)]).day[rows]
            span = np.nanmax(day) - np.nanmin(day) if np.isfinite(day).any() else 0.0
            if not span:
                continue
            part = np.nan_to_num((day - np.nanmin(day)) / span)
            _renumber(job, pool, rows, pool.data["x"][rows] + params.size * part * _middle(pool)[1][rows], incident)


Moved = Callable[[Piece, np.ndarray, np.ndarray], np.ndarray]
"""New days of rows of a table from their days."""


def _move_dates(job: Job, site: str, incident: int, moved: Moved) -> None:
    for piece in followed(job, Layout.FINDINGS, Layout.VISITS):
        target = job.rows(piece) & _at(piece, site)
        for column in job.columns(piece, date_columns(piece, text=False)):
            day = dates.parse(piece.clean[column]).day
            follow = day_columns(job.scene, piece, column)
            rows = np.flatnonzero(target & piece.free([column, *follow]) & np.isfinite(day))
            new = moved(piece, rows, day[rows])
            rows, new = rows[new != day[rows]], new[new != day[rows]]
            if not len(rows):
                continue
            same = np.full(len(rows), incident)
            job.edit_where_unlike(piece, column, rows, on(piece, column, rows, new), same)
            for name in follow:
                job.edit_where_unlike(piece, name, rows, study_days(job.scene, piece, rows, new), same)


class Late(Document):
    """How late."""

    least: int = Field(14, ge=1, description="Least delay in days.")
    most: int = Field(45, ge=1, description="Greatest delay in days.")


@FAMILY.kind(
    "late-entry",
    "A site dates its findings by the day of entry, weeks after the visit.",
    unit=Unit.SITE,
    severity=Severity.MAJOR,
    detector=True,
    parameters=Late,
    rules="DR2012 DR0214",
)
def late_entry(job: Job, params: Late) -> None:
    for site, incident in _sites(job):
        rng = job.rng("delay", site)

        def moved(piece: Piece, rows: np.ndarray, day: np.ndarray, rng: np.random.Generator = rng) -> np.ndarray:
            if piece.spec.layout != Layout.FINDINGS:
                return day
            # One delay a subject and day: what was seen together is entered together.
            codes, distinct = pd.factorize(pd.MultiIndex.from_arrays([piece.subject[rows], day]))
            return day + rng.integers(params.least, max(params.most, params.least) + 1, len(distinct))[codes]

        _move_dates(job, site, incident, moved)


class Weekday(Document):
    """Which day."""

    weekday: int = Field(0, ge=0, le=6, description="0 Monday to 6 Sunday.")


@FAMILY.kind(
    "weekday-pattern",
    "All visits and findings of a site fall on one weekday.",
    unit=Unit.SITE,
    severity=Severity.MAJOR,
    detector=True,
    parameters=Weekday,
    rules="DR2006",
)
def weekday_pattern(job: Job, params: Weekday) -> None:
    def moved(piece: Piece, rows: np.ndarray, day: np.ndarray) -> np.ndarray:
        off = (day.astype(np.int64) + 3 - params.weekday) % 7  # 1970-01-01 was a Thursday
        return day - np.where(off <= 3, off, off - 7)

    for site, incident in _sites(job):
        _move_dates(job, site, incident, moved)


class Share(Document):
    """How many."""

    share: float = Field(0.9, gt=0, le=1, description="Share of the events that are not reported; DR2013 tells 0.9.")


@FAMILY.kind(
    "under-reported-events",
    "A site does not report most of its events.",
    unit=Unit.SITE,
    severity=Severity.CRITICAL,
    detector=True,
    spreads=True,
    parameters=Share,
    rules="DR2013",
)
def under_reported_events(job: Job, params: Share) -> None:
    pieces = followed(job, Layout.EVENTS)
    if not pieces:
        raise job.nothing("no table of events was found")
    for site, incident in _sites(job):
        for piece in pieces:
            rows = np.flatnonzero(job.rows(piece) & piece.whole & _at(piece, site))
            lost = job.rng("lost", site, piece.name).permutation(len(rows))[: round(params.share * len(rows))]
            job.delete(piece, rows[np.sort(lost)], np.full(len(lost), incident))

"""Wrong numbers. Where a result stands in several columns (as collected, standard text, standard number), all of them
carry the fault, as after a wrong entry; name a column as the target's `variable` to change that one alone."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from pydantic import Field

from datareplicator.document import Document
from datareplicator.faults.job import Job, Pool, Values
from datareplicator.faults.kind import Family, Severity
from datareplicator.faults.kinds.pools import filled, numbers, renumbered, spread
from datareplicator.faults.roles import decimals_of, earlier
from datareplicator.faults.units import other_unit
from datareplicator.structure.spec import Layout

FAMILY = Family("numbers and units")


class Distance(Document):
    """How far out."""

    least: float = Field(1.5, gt=0, description="Least distance from the range of the test, in widths of that range.")
    most: float = Field(3.0, gt=0, description="Greatest distance.")


@FAMILY.kind(
    "out-of-range",
    "A number far outside the range of its test, though one that could be written down.",
    severity=Severity.MAJOR,
    rules="DR1602 DR0317",
    parameters=Distance,
)
def out_of_range(job: Job, params: Distance) -> None:
    def change(pool: Pool, rows: np.ndarray, rng: np.random.Generator) -> Values:
        low, high = (side[rows] for side in spread(pool))
        wide = np.maximum(high - low, np.maximum(np.abs(high), 1) * 0.1)
        far = wide * rng.uniform(params.least, max(params.most, params.least), len(rows))
        below = (low - far > 0) & (rng.random(len(rows)) < 0.5)
        return renumbered(pool, rows, np.where(below, low - far, high + far))

    job.cells(numbers(job), change, "numbers")


@FAMILY.kind(
    "impossible-value",
    "A number that cannot be: 100 times the highest of its test and more, or negative.",
    severity=Severity.CRITICAL,
    rules="DR0317 DR1602",
)
def impossible_value(job: Job, params: Document) -> None:
    def change(pool: Pool, rows: np.ndarray, rng: np.random.Generator) -> Values:
        low, high = (side[rows] for side in spread(pool))
        top = np.maximum(np.abs(high), np.maximum(np.abs(low), 1))
        size = top * rng.uniform(100, 999, len(rows))
        return renumbered(pool, rows, np.where((low >= 0) & (rng.random(len(rows)) < 0.3), -size, size))

    job.cells(numbers(job), change, "numbers")


@FAMILY.kind(
    "decimal-shift",
    "The decimal point is one place off.",
    severity=Severity.MAJOR,
    rules="DR2010 DR0317 DR1602 DR2008 DR2015",
)
def decimal_shift(job: Job, params: Document) -> None:
    def change(pool: Pool, rows: np.ndarray, rng: np.random.Generator) -> Values:
        x = pool.data["x"][rows]
        places = max((decimals_of(t) for t in pool.piece.texts(str(pool.column), rows)), default=0)
        up = rng.random(len(rows)) < 0.5
        shifted = np.where(up, x * 10, x / 10)
        return renumbered(pool, rows, np.round(shifted, places + 1), None if up.all() else min(places + 1, 6))

    job.cells(numbers(job), change, "numbers")


@FAMILY.kind("digits-swapped", "Two neighbouring digits stand in the wrong order.")
def digits_swapped(job: Job, params: Document) -> None:
    def change(pool: Pool, rows: np.ndarray, rng: np.random.Generator) -> Values:
        texts = pool.piece.texts(str(pool.column), rows)
        return renumbered(pool, rows, np.array([_swap(str(t).removesuffix(".0"), rng.random()) for t in texts]))

    job.cells(numbers(job), change, "numbers with two different digits")


def _swap(text: str, draw: float) -> float:
    """The number after swapping one of the pairs of neighbouring digits that differ; NaN where there is none."""
    digits = [i for i, mark in enumerate(text) if mark.isdigit()]
    pairs = [(i, j) for i, j in pairwise(digits) if text[i] != text[j]]
    if not pairs:
        return np.nan
    i, j = pairs[int(draw * len(pairs))]
    marks = list(text)
    marks[i], marks[j] = marks[j], marks[i]
    try:
        return float("".join(marks))
    except ValueError:
        return np.nan


@FAMILY.kind(
    "sign-flipped", "A number has the wrong sign.", severity=Severity.MAJOR, rules="DR0318 DR0317 DR1602 DR0504"
)
def sign_flipped(job: Job, params: Document) -> None:
    def change(pool: Pool, rows: np.ndarray, rng: np.random.Generator) -> Values:
        return renumbered(pool, rows, -pool.data["x"][rows])

    job.cells(numbers(job), change, "numbers other than 0")


@FAMILY.kind("rounded", "A number is rounded more coarsely than its test is measured.")
def rounded(job: Job, params: Document) -> None:
    def change(pool: Pool, rows: np.ndarray, rng: np.random.Generator) -> Values:
        x = pool.data["x"][rows]
        places = np.array([decimals_of(t) for t in pool.piece.texts(str(pool.column), rows)])
        scale = 10.0 ** (places - 1)
        return renumbered(pool, rows, np.round(x * scale) / scale)

    job.cells(numbers(job), change, "numbers that are not round already")


@FAMILY.kind("digit-preference", "The last digit is made 0 or 5, whichever is nearer, as by reading off by eye.")
def digit_preference(job: Job, params: Document) -> None:
    def change(pool: Pool, rows: np.ndarray, rng: np.random.Generator) -> Values:
        x = pool.data["x"][rows]
        places = np.array([decimals_of(t) for t in pool.piece.texts(str(pool.column), rows)])
        step = 5 / 10.0**places
        return renumbered(pool, rows, np.round(x / step) * step)

    job.cells(numbers(job), change, "numbers that do not end in 0 or 5")


@FAMILY.kind("copied-forward", "A result repeats that of the visit before instead of a new measurement.")
def copied_forward(job: Job, params: Document) -> None:
    pools = []
    for pool in numbers(job, findings=True):
        spec = pool.piece.spec
        if spec.date is None or not pool.piece.has(spec.date, spec.subject):
            continue
        by = [c for c in (spec.subject, spec.test, *spec.axes) if pool.piece.has(c)]
        before = earlier(pool.piece, [str(c) for c in by], spec.date)
        x = pool.data["x"]
        held = np.append(x, np.nan)[before]
        rows = pool.rows[np.isfinite(held[pool.rows]) & (held[pool.rows] != x[pool.rows])]
        pools.append(Pool(pool.piece, rows, pool.column, pool.also, {**pool.data, "before": before}))

    def change(pool: Pool, rows: np.ndarray, rng: np.random.Generator) -> Values:
        source = pool.data["before"][rows]
        return {c: pool.piece.texts(c, source).tolist() for c in (str(pool.column), *pool.also)}

    job.cells(pools, change, "results with an earlier one of the same test")


@FAMILY.kind(
    "unit-value-swapped",
    "The number is in another unit than the label says (pounds under kg).",
    severity=Severity.MAJOR,
    rules="DR2009 DR0317 DR1602 DR2008 DR2015",
)
def unit_value_swapped(job: Job, params: Document) -> None:
    pools = _with_unit(job)

    def change(pool: Pool, rows: np.ndarray, rng: np.random.Generator) -> Values:
        x, units = pool.data["x"][rows], pool.piece.texts(str(pool.piece.spec.unit), rows)
        known = [other_unit(str(unit)) for unit in units]
        y = [v * o.factor + o.offset if o is not None else np.nan for v, o in zip(x, known, strict=True)]
        return renumbered(pool, rows, np.array(y, dtype=float))

    job.cells(pools, change, "results in a unit that is mistaken for another")


def _with_unit(job: Job) -> list[Pool]:
    """Results in a unit that has a counterpart."""
    pools = []
    for pool in numbers(job, findings=True):
        unit = pool.piece.spec.unit
        if not pool.piece.has(unit):
            continue
        known = np.array([u is not None and other_unit(str(u)) is not None for u in pool.piece.texts(str(unit))])
        pools.append(Pool(pool.piece, pool.rows[known[pool.rows]], pool.column, pool.also, pool.data))
    return pools


@FAMILY.kind(
    "unit-label-swapped",
    "The label names another unit than the number is in.",
    severity=Severity.MAJOR,
    rules="DR0306 DR0314 DR0315 DR1601",
)
def unit_label_swapped(job: Job, params: Document) -> None:
    def known(piece, column: str) -> np.ndarray:
        return np.array([u is not None and other_unit(str(u)) is not None for u in piece.texts(column)], dtype=bool)

    def change(pool: Pool, rows: np.ndarray, rng: np.random.Generator) -> Values:
        column = str(pool.column)
        return {column: [getattr(other_unit(str(u)), "name", u) for u in pool.piece.texts(column, rows)]}

    pools = filled(job, lambda piece: [c for c in (piece.spec.unit,) if c], Layout.FINDINGS, text=True, allowed=known)
    job.cells(pools, change, "units that are mistaken for another")


@FAMILY.kind("unit-missing", "A result has lost its unit.", rules="DR0305")
def unit_missing(job: Job, params: Document) -> None:
    def change(pool: Pool, rows: np.ndarray, rng: np.random.Generator) -> Values:
        return {str(pool.column): [None] * len(rows)}

    pools = filled(job, lambda piece: [c for c in (piece.spec.unit,) if c], Layout.FINDINGS)
    job.cells(pools, change, "units of results")


@FAMILY.kind("decimal-comma", "A collected result is written with a comma for the point.", rules="DR0319 DR0323")
def decimal_comma(job: Job, params: Document) -> None:
    def change(pool: Pool, rows: np.ndarray, rng: np.random.Generator) -> Values:
        column = str(pool.column)
        return {column: [str(t).replace(".", ",") for t in pool.piece.texts(column, rows)]}

    def pointed(piece, column: str) -> np.ndarray:
        return np.isfinite(piece.number(column)) & np.array(["." in (t or "") for t in piece.texts(column)], dtype=bool)

    usual = filled(
        job, lambda piece: [c for c in (piece.spec.original,) if c], Layout.FINDINGS, text=True, allowed=pointed
    )
    job.cells(usual, change, "results in text with a decimal point")

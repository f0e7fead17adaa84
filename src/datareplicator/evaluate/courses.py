"""Findings by test: distribution, course over the visits by arm, and what holds within subjects."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from datareplicator.evaluate import grouped
from datareplicator.evaluate.distances import Counts, binned, count
from datareplicator.evaluate.pair import Pair
from datareplicator.evaluate.results import Test
from datareplicator.profile.columns import numbers
from datareplicator.profile.labels import labels_of
from datareplicator.structure.encode import plain_text
from datareplicator.structure.spec import Layout, TableSpec

LEAST_VALUES = 10
SEEN_OFTEN = 0.1
"""Visits at which fewer of a test's subjects have a value are left out of its course."""

Labels = tuple[np.ndarray, np.ndarray]


@dataclass
class Cells:
    """One findings table on one side: the mean value of each subject, test and visit."""

    subject: np.ndarray
    test: np.ndarray
    visit: np.ndarray
    value: np.ndarray

    def of(self, test: int) -> Cells:
        """The cells of one test."""
        rows = self.test == test
        return Cells(self.subject[rows], self.test[rows], self.visit[rows], self.value[rows])


@dataclass
class Findings:
    """A findings table on both sides. `tests`, `visits`: what the codes mean; visits are in order."""

    spec: TableSpec
    sides: tuple[Cells, Cells]
    tests: list[object]
    visits: list[object]


def read_findings(pair: Pair) -> list[Findings]:
    """All findings tables with numeric results."""
    specs = [t for t in pair.structure.tables.values() if t.layout == Layout.FINDINGS and t.test and t.value]
    return [_read(pair, spec) for spec in specs if (pair.source.subject[spec.name] >= 0).any()]


def _read(pair: Pair, spec: TableSpec) -> Findings:
    *test, tests = pair.codes(spec.name, spec.test or "")
    visit, visits = _visits(pair, spec, (test[0], test[1]))
    sides = []
    for side, t, v in zip(pair.sides, test, visit, strict=True):
        value = numbers(side.frames[spec.name][spec.value])
        subject = side.subject[spec.name]
        use = (t >= 0) & (v >= 0) & (subject >= 0) & np.isfinite(value)
        key = (subject[use].astype(np.int64) * len(tests) + t[use]) * max(len(visits), 1) + v[use]
        cell, inverse = np.unique(key, return_inverse=True)
        mean = np.bincount(inverse, value[use]) / np.bincount(inverse) if len(cell) else np.empty(0)
        rest, visit_of = np.divmod(cell, max(len(visits), 1))
        sides.append(Cells(rest // len(tests), rest % len(tests), visit_of, mean))
    return Findings(spec, (sides[0], sides[1]), tests, visits)


def _visits(pair: Pair, spec: TableSpec, test: Labels) -> tuple[Labels, list[object]]:
    """Visit codes in the order of the visits; without visits, a subject's first, second, ... value of a test."""
    if spec.visit is not None:
        *codes, values = pair.codes(spec.name, spec.visit)
        order = sorted(range(len(values)), key=lambda i: (isinstance(values[i], str), values[i]))
        rank = np.append(np.argsort(order), -1)
        return (rank[codes[0]], rank[codes[1]]), [values[i] for i in order]
    ranks = [
        pd.DataFrame({"s": side.subject[spec.name], "t": t}).groupby(["s", "t"]).cumcount().to_numpy()
        for side, t in zip(pair.sides, test, strict=True)
    ]
    most = int(max((r.max(initial=0) for r in ranks), default=0)) + 1
    return (ranks[0], ranks[1]), list(range(1, most + 1))


def compare_tests(pair: Pair, findings: list[Findings]) -> list[Test]:
    """Each test that has at least ten differing values in the source."""
    result = []
    for found in findings:
        source, synthetic = found.sides
        within = [_within(cells, len(found.tests)) for cells in found.sides]
        digits = _digits(pair, found)
        labels = labels_of(pair.source.frames[found.spec.name], found.spec, found.spec.test or "")
        held = np.bincount(source.test, minlength=len(found.tests))
        for t in np.flatnonzero(held >= LEAST_VALUES).tolist():
            a, b = source.of(t), synthetic.of(t)
            if np.ptp(a.value) == 0:
                continue
            name = found.tests[t]
            result.append(
                Test(
                    table=found.spec.name,
                    test=plain_text(name),
                    label=labels.get(name, ""),
                    rows=(len(a.value), len(b.value)),
                    **_overall(pair, a, b),
                    icc=(_number(within[0][0][t]), _number(within[1][0][t])),
                    lag=(_number(within[0][1][t]), _number(within[1][1][t])),
                    digits=_number(digits[t]),
                    **_course(pair, a, b, found.visits),
                )
            )
    return result


def _overall(pair: Pair, a: Cells, b: Cells) -> dict[str, float]:
    code_a, code_b, bins = binned(a.value, b.value)
    counts = Counts(
        count(a.subject, code_a, pair.source.n, bins), count(b.subject, code_b, pair.synthetic.n, bins), ordered=True
    )
    distance, sd = counts.distance(), float(np.std(a.value))
    return {
        "distance": distance if np.isfinite(distance) else 1.0,
        "chance": counts.chance(pair.draws),
        "level": float((b.value.mean() - a.value.mean()) / sd) if len(b.value) else float("nan"),
        "spread": float(np.std(b.value) / sd) if len(b.value) else float("nan"),
    }


def _within(cells: Cells, tests: int) -> tuple[np.ndarray, np.ndarray]:
    """Intraclass correlation and lag-one correlation by test, of values cut at 0.5 and 99.5 %."""
    limits = grouped.quantiles(cells.test, cells.value, tests, (0.005, 0.995))
    value = np.clip(cells.value, limits[cells.test, 0], limits[cells.test, 1])
    return (
        grouped.icc(cells.test, cells.subject, value, tests),
        grouped.lag_one(cells.test, cells.subject, cells.visit, value, tests),
    )


def _digits(pair: Pair, found: Findings) -> np.ndarray:
    """Total variation distance of the last digits of the results as collected, by test."""
    spec, tests = found.spec, len(found.tests)
    column = spec.original or spec.text or spec.value
    *test, _ = pair.codes(spec.name, spec.test or "")
    shares = []
    for side, t in zip(pair.sides, test, strict=True):
        codes, distinct = pd.factorize(side.frames[spec.name][column])
        text = pd.Series(distinct, dtype=object).map(plain_text).astype("str")
        last = pd.to_numeric(text.where(text.str.fullmatch(r"-?\d+(?:\.\d+)?")).str[-1], errors="coerce")
        digit = np.append(last.to_numpy(dtype=float, na_value=-1), -1.0)[codes].astype(np.int64)
        counts = count(t, np.where(np.isfinite(digit), digit, -1), tests, 10)
        with np.errstate(invalid="ignore", divide="ignore"):
            shares.append(counts / counts.sum(1, keepdims=True))
    return 0.5 * np.abs(shares[0] - shares[1]).sum(1)


def _course(pair: Pair, a: Cells, b: Cells, visits: list[object]) -> dict[str, object]:
    kept, where = seen_often(a, len(visits))
    course = [
        by_visit(cells, arm[cells.subject], where[cells.visit], len(pair.arms), len(kept))
        for cells, arm in zip((a, b), pair.arm, strict=True)
    ]
    return {"visits": tuple(plain_text(visits[i]) for i in kept), "course": np.array(course)}


def seen_often(cells: Cells, visits: int) -> tuple[np.ndarray, np.ndarray]:
    """The visits at which a good part of the test's subjects have a value, and for all visits their place among these,
    -1 for the others."""
    seen = np.bincount(cells.visit, minlength=visits)
    kept = np.flatnonzero(seen >= max(SEEN_OFTEN * seen.max(initial=0), 1))
    where = np.full(visits, -1)
    where[kept] = np.arange(len(kept))
    return kept, where


def by_visit(cells: Cells, arm: np.ndarray, visit: np.ndarray, arms: int, visits: int) -> np.ndarray:
    """Number, mean, and quantiles at 10, 50 and 90 %: (arms, visits, 5)."""
    use = (arm >= 0) & (visit >= 0)
    group, value = arm[use] * visits + visit[use], cells.value[use]
    n, mean, _ = grouped.mean_sd(group, value, arms * visits)
    q = grouped.quantiles(group, value, arms * visits, (0.1, 0.5, 0.9))
    return np.column_stack([n, mean, q]).reshape(arms, visits, 5)


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None

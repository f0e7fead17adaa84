"""A subject in numbers: what a classifier and a search for near copies look at."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from datareplicator.evaluate import grouped
from datareplicator.evaluate.courses import Cells, Findings
from datareplicator.evaluate.events import rows_per_subject
from datareplicator.evaluate.pair import Pair
from datareplicator.evaluate.timeline import last_day
from datareplicator.profile.columns import NUMBERS, numbers
from datareplicator.structure.encode import plain_text
from datareplicator.structure.spec import Kind, Layout

MOST_TESTS = 40
TOP = 4  # categories of a column
Named = dict[str, tuple[np.ndarray, np.ndarray]]


def subject_features(pair: Pair, findings: Sequence[Findings]) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Names and matrices (subjects, features) of source and synthetic study; NaN where unknown. Features that do not
    vary in either are left out."""
    found = _root(pair) | _rows(pair) | _tests(pair, findings)
    found["last day"] = (last_day(pair, pair.source), last_day(pair, pair.synthetic))
    kept = [name for name, values in found.items() if _varies(np.concatenate(values))]
    a, b = (
        np.column_stack([found[name][s] for name in kept]) if kept else np.empty((side.n, 0))
        for s, side in enumerate(pair.sides)
    )
    return kept, a, b


def _varies(values: np.ndarray) -> bool:
    known = values[np.isfinite(values)]
    return len(known) > 1 and float(np.ptp(known)) > 0


def _root(pair: Pair) -> Named:
    root = pair.structure.tables[pair.structure.root or ""]
    found: Named = {}
    for column in root.columns:
        if column.name in (root.subject, root.sequence) or column.name not in pair.source.frames[root.name]:
            continue
        if column.kind in NUMBERS and column.distinct > 2:
            values = [numbers(side.frames[root.name][column.name]) for side in pair.sides]
            found[column.name] = _spread(pair, root.name, values)
        elif column.kind in (Kind.CATEGORY, Kind.FLAG, *NUMBERS) and column.distinct > 1:
            *codes, names = pair.codes(root.name, column.name)
            top = np.argsort(-np.bincount(codes[0][codes[0] >= 0], minlength=len(names)), kind="stable")[:TOP]
            for i in top[1:] if len(names) == 2 else top:
                marked = [(code == i).astype(float) for code in codes]
                found[f"{column.name} = {plain_text(names[i])}"] = _spread(pair, root.name, marked)
    return found


def _spread(pair: Pair, table: str, values: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Values of the root's rows by subject."""
    result = []
    for side, column in zip(pair.sides, values, strict=True):
        by_subject, index = np.full(side.n, np.nan), side.subject[table]
        by_subject[index[index >= 0]] = column[index >= 0]
        result.append(by_subject)
    return result[0], result[1]


def _rows(pair: Pair) -> Named:
    """Rows per table, and the mean day of events."""
    found: Named = {}
    for spec in pair.structure.tables.values():
        if spec.layout in (Layout.REFERENCE, Layout.SUBJECT) or spec.name not in pair.source.frames:
            continue
        if not (pair.source.subject[spec.name] >= 0).any():
            continue
        a, b = rows_per_subject(pair, spec)
        found[f"{spec.name} rows"] = (a.astype(float), b.astype(float))
        if spec.layout == Layout.EVENTS and spec.start is not None:
            days = [_mean_day(side.days(spec.name, spec.start), side.subject[spec.name], side.n) for side in pair.sides]
            found[f"{spec.name} mean day"] = (days[0], days[1])
    return found


def _mean_day(day: np.ndarray, subject: np.ndarray, n: int) -> np.ndarray:
    use = np.isfinite(day) & (subject >= 0)
    return grouped.mean_sd(subject[use], day[use], n)[1]


def _tests(pair: Pair, findings: Sequence[Findings]) -> Named:
    """Mean, spread, change and number of values of the tests with most values in the source."""
    ranked = sorted(
        ((-int(n), t, i) for t, f in enumerate(findings) for i, n in enumerate(np.bincount(f.sides[0].test)) if n)
    )
    found: Named = {}
    for _, table, test in ranked[:MOST_TESTS]:
        name = f"{findings[table].spec.name} {plain_text(findings[table].tests[test])}"
        parts = [_course(cells.of(test), side.n) for cells, side in zip(findings[table].sides, pair.sides, strict=True)]
        for key in parts[0]:
            found[f"{name} {key}"] = (parts[0][key], parts[1][key])
    return found


def _course(cells: Cells, n: int) -> dict[str, np.ndarray]:
    count, mean, sd = grouped.mean_sd(cells.subject, cells.value, n)
    order = np.lexsort((cells.visit, cells.subject))
    subject, value = cells.subject[order], cells.value[order]
    new = np.concatenate([[True], subject[1:] != subject[:-1]]) if len(subject) else np.empty(0, dtype=bool)
    last = np.concatenate([new[1:], [True]]) if len(subject) else new
    change, jump = np.full(n, np.nan), np.full(n, np.nan)
    change[subject[new]] = value[last] - value[new]
    steps = np.flatnonzero(~new)
    if len(steps):
        jump = grouped.mean_sd(subject[steps], np.abs(value[steps] - value[steps - 1]), n)[1]
    return {"mean": mean, "spread": sd, "change": change, "jump": jump, "values": count}

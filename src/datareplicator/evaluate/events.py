"""Rows per subject of every table; events by arm and by term."""

from __future__ import annotations

import numpy as np

from datareplicator.evaluate.distances import Counts, binned, count
from datareplicator.evaluate.pair import Pair
from datareplicator.evaluate.results import Events, Size, Term
from datareplicator.structure.encode import plain_text
from datareplicator.structure.spec import Layout, TableSpec
from datareplicator.study import Study

COUNTED = (Layout.EVENTS, Layout.INTERVALS, Layout.SETS, Layout.CHILDREN, Layout.COMMENT)
TERMS = 15


def rows_per_subject(pair: Pair, spec: TableSpec) -> tuple[np.ndarray, np.ndarray]:
    """Number of rows of each subject on both sides."""
    counts = []
    for side in pair.sides:
        index = side.subject[spec.name]
        counts.append(np.bincount(index[index >= 0], minlength=side.n))
    return counts[0], counts[1]


def compare_sizes(pair: Pair, source: Study, synthetic: Study) -> list[Size]:
    """Every table's rows, and the rows of a subject."""
    return [_size(pair, spec, source, synthetic) for spec in pair.structure.tables.values()]


def _size(pair: Pair, spec: TableSpec, source: Study, synthetic: Study) -> Size:
    members = [m for m in spec.members if m in source]
    rows = tuple(sum(len(study[m]) for m in members if m in study) for study in (source, synthetic))
    base = Size(table=spec.name, label=source[members[0]].label if members else "", layout=spec.layout.value, rows=rows)
    if spec.layout == Layout.REFERENCE or not (pair.source.subject.get(spec.name, np.empty(0)) >= 0).any():
        return base
    a, b = rows_per_subject(pair, spec)
    counts = _as_counts(a, b)
    return base.model_copy(
        update={
            "mean": (float(a.mean()), float(b.mean())),
            "sd": (float(a.std()), float(b.std())),
            "none": (float((a == 0).mean()), float((b == 0).mean())),
            "distance": counts.distance(),
            "chance": counts.chance(pair.draws),
        }
    )


def _as_counts(a: np.ndarray, b: np.ndarray) -> Counts:
    """One number per subject, as counts."""
    code_a, code_b, bins = binned(a.astype(float), b.astype(float))
    return Counts(
        count(np.arange(len(a)), code_a, len(a), bins), count(np.arange(len(b)), code_b, len(b), bins), ordered=True
    )


def one_per_subject(pair: Pair, a: np.ndarray, b: np.ndarray) -> tuple[float, float]:
    """Distance and chance of a number per subject (NaN: unknown)."""
    counts = _as_counts(a, b)
    return counts.distance(), counts.chance(pair.draws)


def compare_events(pair: Pair, labels: dict[str, str]) -> list[Events]:
    """Tables of events, interventions and the like: counts by arm, and who has which term."""
    specs = [t for t in pair.structure.tables.values() if t.layout in COUNTED and t.name in pair.source.frames]
    return [_events(pair, spec, labels.get(spec.name, "")) for spec in specs]


def _events(pair: Pair, spec: TableSpec, label: str) -> Events:
    by_arm = np.full((2, len(pair.arms), 3), np.nan)
    for s, (counts, arm) in enumerate(zip(rows_per_subject(pair, spec), pair.arm, strict=True)):
        for a in range(len(pair.arms)):
            held = counts[arm == a]
            if len(held):
                by_arm[s, a] = held.mean(), held.var() / held.mean() if held.any() else np.nan, (held == 0).mean()
    terms, fresh = _terms(pair, spec)
    return Events(
        table=spec.name,
        label=label,
        arms=pair.arms,
        counts=by_arm,
        terms=tuple(terms),
        coded=spec.code,
        new_terms=fresh,
    )


def _terms(pair: Pair, spec: TableSpec) -> tuple[list[Term], int]:
    if spec.code is None:
        return [], 0
    *codes, values = pair.codes(spec.name, spec.code)
    share = np.zeros((2, len(values)))
    for s, (side, code) in enumerate(zip(pair.sides, codes, strict=True)):
        share[s] = (count(side.subject[spec.name], code, side.n, len(values)) > 0).mean(0)
    top = np.argsort(-share[0], kind="stable")[:TERMS]
    fresh = int(((share[0] == 0) & (share[1] > 0)).sum())
    return [Term(term=plain_text(values[i]), share=(float(share[0, i]), float(share[1, i]))) for i in top], fresh

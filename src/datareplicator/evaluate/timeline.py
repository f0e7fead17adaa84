"""When subjects are seen, and how long they stay."""

from __future__ import annotations

import numpy as np

from datareplicator.evaluate import grouped
from datareplicator.evaluate.events import one_per_subject
from datareplicator.evaluate.pair import Pair
from datareplicator.evaluate.results import Timeline
from datareplicator.model.prepare import Prepared
from datareplicator.profile.labels import visit_labels
from datareplicator.structure.encode import plain_text
from datareplicator.structure.spec import Layout, TableSpec

SEEN_OFTEN = 0.05
MOST_VISITS = 30
GRID = 80
AT = (0.05, 0.25, 0.5, 0.75, 0.95)
SEEN = (Layout.VISITS, Layout.FINDINGS)


def compare_timeline(pair: Pair) -> Timeline:
    """Days of the visits, who attends them, and who is still in the study when. Empty where there are no dates."""
    stay = last_day(pair, pair.source), last_day(pair, pair.synthetic)
    if not np.isfinite(stay[0]).any():
        return Timeline(**_visits(pair))
    grid, retention = _retention(pair, stay)
    distance, chance = one_per_subject(pair, *stay)
    return Timeline(
        **_visits(pair),
        arms=pair.arms,
        grid=grid,
        retention=retention,
        stay=(float(np.nanmedian(stay[0])), float(np.nanmedian(stay[1])) if np.isfinite(stay[1]).any() else np.nan),
        distance=distance if np.isfinite(distance) else 1.0,
        chance=chance,
    )


def last_day(pair: Pair, side: Prepared) -> np.ndarray:
    """Last day on which each subject was seen, from the reference start; NaN where there is none.

    Visits and findings tell; without such tables the start of any dated row does.
    """
    tables = [t for t in pair.structure.tables.values() if t.name in side.frames and t.layout != Layout.REFERENCE]
    seen = [t for t in tables if t.layout in SEEN and _date(t)] or [t for t in tables if _date(t)]
    last = np.full(side.n, -np.inf)
    for spec in seen:
        day, index = side.days(spec.name, _date(spec) or ""), side.subject[spec.name]
        use = np.isfinite(day) & (index >= 0)
        np.maximum.at(last, index[use], day[use])
    return np.where(np.isfinite(last), last, np.nan)


def _date(spec: TableSpec) -> str | None:
    if spec.layout in (Layout.SUBJECT, Layout.ONCE):
        return None
    return spec.date or spec.start


def _retention(pair: Pair, stay: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    end = np.nanquantile(stay[0], 0.99)
    grid = np.linspace(min(0.0, float(end)), max(float(end) * 1.05, 1.0), GRID)
    shares = np.full((2, len(pair.arms), GRID), np.nan)
    for s, (days, arm) in enumerate(zip(stay, pair.arm, strict=True)):
        for a in range(len(pair.arms)):
            held = days[(arm == a) & np.isfinite(days)]
            if len(held):
                shares[s, a] = (held[:, None] >= grid[None, :]).mean(0)
    return grid, shares


def _visits(pair: Pair) -> dict[str, object]:
    structure = pair.structure
    tables = [t for t in structure.tables.values() if t.visit and _date(t) and t.layout in SEEN]
    spec = next((t for t in tables if t.name == structure.visit_table), max(tables, key=lambda t: t.rows, default=None))
    if spec is None or spec.visit is None:
        return {}
    *codes, values = pair.codes(spec.name, spec.visit)
    first = [_first_days(side, spec, code, len(values)) for side, code in zip(pair.sides, codes, strict=True)]
    seen = np.array([np.bincount(v, minlength=len(values)) / s.n for (v, _), s in zip(first, pair.sides, strict=True)])
    days = np.array([
        grouped.quantiles(v[np.isfinite(d)], d[np.isfinite(d)], len(values), AT) for v, d in first
    ])  # fmt: skip
    kept = np.flatnonzero(seen[0] >= SEEN_OFTEN)
    middle = np.where(np.isfinite(days[0, :, 2]), days[0, :, 2], np.inf)
    kept = kept[np.argsort(middle[kept], kind="stable")][:MOST_VISITS]
    labels = visit_labels(pair.source.frames, structure)
    names = tuple(labels.get(values[i], plain_text(values[i])) for i in kept)
    return {"visits": names, "seen": seen[:, kept], "days": days[:, kept]} if len(kept) else {}


def _first_days(side: Prepared, spec: TableSpec, visit: np.ndarray, visits: int) -> tuple[np.ndarray, np.ndarray]:
    """Visit and first day of each subject at each visit."""
    day, subject = side.days(spec.name, _date(spec) or ""), side.subject[spec.name]
    use = (visit >= 0) & (subject >= 0)
    key, inverse = np.unique(subject[use].astype(np.int64) * visits + visit[use], return_inverse=True)
    first = np.full(len(key), np.inf)
    np.fmin.at(first, inverse, day[use])
    return key % visits, np.where(np.isfinite(first), first, np.nan)

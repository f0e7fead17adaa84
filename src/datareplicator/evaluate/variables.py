"""Each column against its counterpart."""

from __future__ import annotations

import numpy as np

from datareplicator.evaluate.distances import Counts, binned, count
from datareplicator.evaluate.pair import Pair
from datareplicator.evaluate.results import Variable
from datareplicator.profile.columns import NUMBERS, numbers
from datareplicator.structure.encode import plain_text
from datareplicator.structure.spec import MEMBER, ColumnSpec, Kind, Layout, TableSpec

REPEATS = {"constant", "same", "same_day", "study_day", "copy_subject", "copy_by_key", "row_number"} | {
    "text_of_number",
    "concat",
}
"""Templates whose column says nothing that its sources do not."""

NO_SUBJECT_ROWS = (Layout.REFERENCE, Layout.SUPPLEMENT, Layout.RELATION)
LEAST_SUBJECTS = 5
"""Source subjects with a value, under which a distribution is not worth the name."""
BARS = 12
HISTOGRAM = 24
Sides = tuple[np.ndarray, np.ndarray]


def compare_variables(pair: Pair, labels: dict[tuple[str, str], str]) -> list[Variable]:
    """Every column that is not an identifier, a constant or a repetition of another. Results of findings tables stand
    by test (see `courses`), dates as days from the reference start, free text by its length."""
    result = []
    for spec in pair.structure.tables.values():
        if spec.layout in NO_SUBJECT_ROWS or spec.name not in pair.source.frames:
            continue
        for column in _columns(pair, spec):
            variable = _compare(pair, spec, column, labels.get((spec.name, column.name), ""))
            if variable is not None:
                result.append(variable)
        result += _duration(pair, spec)
    return result


def _columns(pair: Pair, spec: TableSpec) -> list[ColumnSpec]:
    templates = {d.target: d.template for d in pair.structure.derivations if d.table == spec.name}
    skip = {spec.subject, spec.sequence, MEMBER}
    if spec.layout == Layout.FINDINGS:
        skip |= {spec.value, spec.text, spec.original}
    kept = []
    for c in spec.columns:
        dull = c.kind in (Kind.EMPTY, Kind.IDENTIFIER, Kind.PII) or c.distinct + (c.missing > 0) < 2
        by_test = spec.layout == Layout.FINDINGS and c.kind in NUMBERS
        if c.name in skip or dull or templates.get(c.name) in REPEATS or c.name not in pair.source.frames[spec.name]:
            continue
        if by_test and c.name != spec.visit:
            continue
        kept.append(c)
    return kept


def _compare(pair: Pair, spec: TableSpec, column: ColumnSpec, label: str) -> Variable | None:
    where = {"table": spec.name, "column": column.name, "label": label}
    if column.kind in NUMBERS and column.distinct > 2:
        values = tuple(numbers(side.frames[spec.name][column.name]) for side in pair.sides)
        return _numbers(pair, spec.name, values, {**where, "kind": "number"})
    if column.kind == Kind.DATE:
        return _numbers(pair, spec.name, _days(pair, spec.name, column.name), {**where, "kind": "days"})
    if column.kind == Kind.TEXT:
        lengths = tuple(side.frames[spec.name][column.name].str.len().to_numpy(dtype=float) for side in pair.sides)
        return _numbers(pair, spec.name, lengths, {**where, "kind": "characters"})
    if column.kind in (Kind.CATEGORY, Kind.FLAG, *NUMBERS):
        return _categories(pair, spec.name, column.name, where)
    return None


def _days(pair: Pair, table: str, column: str) -> Sides:
    if (table, column) != (pair.structure.root, pair.structure.anchor):
        return pair.source.days(table, column), pair.synthetic.days(table, column)
    # The reference start itself is compared on the calendar: the pace of enrolment.
    a, b = (side.moment(table, column).day for side in pair.sides)
    start = np.nanmin(a) if np.isfinite(a).any() else 0.0
    return a - start, b - start


def _duration(pair: Pair, spec: TableSpec) -> list[Variable]:
    if spec.start is None or spec.end is None or spec.layout == Layout.SUBJECT:
        return []
    if not {spec.start, spec.end} <= set(pair.source.frames[spec.name]):
        return []
    days = tuple(side.days(spec.name, spec.end) - side.days(spec.name, spec.start) for side in pair.sides)
    label = f"days from {spec.start} to {spec.end}"
    where = {"table": spec.name, "column": "duration", "label": label, "kind": "days"}
    found = _numbers(pair, spec.name, days, where)
    return [found] if found is not None else []


def _numbers(pair: Pair, table: str, values: Sides, where: dict[str, str]) -> Variable | None:
    a, b = values
    known = [v[np.isfinite(v) & (side.subject[table] >= 0)] for v, side in zip(values, pair.sides, strict=True)]
    both = np.concatenate(known)
    if _holders(pair, table, np.isfinite(a)) < LEAST_SUBJECTS or not len(both) or both.min() == both.max():
        return None
    code_a, code_b, bins = binned(a, b)
    counts = _counts(pair, table, code_a, code_b, bins, ordered=True)
    edges = _edges(known[0], both)
    shares = [np.histogram(np.clip(v, edges[0], edges[-1]), edges)[0] / max(len(v), 1) for v in known]
    middle = [np.quantile(v, (0.05, 0.5, 0.95)).tolist() if len(v) else [float("nan")] * 3 for v in known]
    return Variable(
        **where,
        measure="KS",
        distance=_full(counts.distance()),
        chance=counts.chance(pair.draws),
        missing=_missing(pair, table, np.isnan(a), np.isnan(b)),
        rows=(len(a), len(b)),
        edges=edges,
        shares=np.array(shares),
        median=(middle[0][1], middle[1][1]),
        spread=((middle[0][0], middle[0][2]), (middle[1][0], middle[1][2])),
    )


def _edges(source: np.ndarray, both: np.ndarray) -> np.ndarray:
    """Edges of a histogram; what lies beyond 0.5 and 99.5 % of the source goes into the outer bins."""
    low, high = np.quantile(source, (0.005, 0.995))
    whole = np.all(both == np.round(both))
    if low == high:
        low, high = both.min(), both.max()
    if whole and high - low < HISTOGRAM:
        return np.arange(np.floor(low), np.ceil(high) + 2) - 0.5
    step = (high - low) / HISTOGRAM
    if whole:
        step = np.ceil(step)
    start = low - 0.5 if whole else low
    return start + step * np.arange(int(np.ceil((high - start) / step)) + 1)


def _categories(pair: Pair, table: str, column: str, where: dict[str, str]) -> Variable | None:
    code_a, code_b, values = pair.codes(table, column)
    counts = _counts(pair, table, code_a, code_b, len(values), ordered=False)
    totals = np.array([counts.source.sum(0), counts.synthetic.sum(0)])
    # Missing against present is all that a flag with one value says.
    missing = _missing(pair, table, code_a < 0, code_b < 0)
    if len(values) < 2:
        gaps = [(code < 0).astype(np.int64) for code in (code_a, code_b)]
        counts = _counts(pair, table, gaps[0], gaps[1], 2, ordered=False)
        totals = np.array([counts.source.sum(0), counts.synthetic.sum(0)])
        values = [*values, "(missing)"]
    shares = totals / np.maximum(totals.sum(1, keepdims=True), 1)
    order = np.argsort(-shares[0], kind="stable")
    top, rest = order[:BARS], order[BARS:]
    labels = [plain_text(values[i]) for i in top]
    shown = shares[:, top]
    if len(rest):
        labels.append(f"{len(rest)} others")
        shown = np.column_stack([shown, shares[:, rest].sum(1)])
    return Variable(
        **where,
        kind="category",
        measure="TVD",
        distance=_full(counts.distance()),
        chance=counts.chance(pair.draws),
        missing=missing,
        rows=(len(code_a), len(code_b)),
        labels=tuple(labels),
        shares=shown,
    )


def _counts(pair: Pair, table: str, a: np.ndarray, b: np.ndarray, bins: int, *, ordered: bool) -> Counts:
    source = count(pair.source.subject[table], a, pair.source.n, bins)
    return Counts(source, count(pair.synthetic.subject[table], b, pair.synthetic.n, bins), ordered)


def _missing(pair: Pair, table: str, a: np.ndarray, b: np.ndarray) -> tuple[float, float]:
    held = [gap[side.subject[table] >= 0] for gap, side in zip((a, b), pair.sides, strict=True)]
    return tuple(float(gap.mean()) if len(gap) else 0.0 for gap in held)


def _holders(pair: Pair, table: str, known: np.ndarray) -> int:
    """Source subjects with a value."""
    index = pair.source.subject[table]
    return len(np.unique(index[known & (index >= 0)]))


def _full(distance: float) -> float:
    """A side without any value lies as far away as can be."""
    return distance if np.isfinite(distance) else 1.0

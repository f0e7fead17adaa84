"""How measurements go together: between subjects (their means) and within subjects (deviations at one visit)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.stats import rankdata

from datareplicator.evaluate import grouped
from datareplicator.evaluate.courses import Cells, Findings
from datareplicator.evaluate.pair import Pair
from datareplicator.evaluate.results import Correlations
from datareplicator.profile.columns import NUMBERS, numbers
from datareplicator.seeds import Streams
from datareplicator.structure.encode import plain_text

MOST = 24
LEAST_SHARE = 0.3  # of subjects with a value, under which a measurement is left out
LEAST_SUBJECTS = 8
DRAWS = 12
WORST = 10

Names = list[tuple[int, int]]  # findings table, test


def compare_correlations(pair: Pair, findings: Sequence[Findings]) -> list[Correlations]:
    """Correlations between subjects and, where there are visits, within them; empty where there is too little."""
    names = chosen_tests(pair, findings)
    labels = [label_of(findings, t, i) for t, i in names]
    means = [subject_means(pair, findings, names, side) for side in (0, 1)]
    numbered, columns = covariates(pair)
    both = [np.hstack(parts) for parts in zip(numbered, means, strict=True)]
    result = []
    if len(columns) + len(labels) >= 2 and min(len(m) for m in both) >= LEAST_SUBJECTS:
        result.append(_compare("between subjects", [*columns, *labels], both[0], both[1], chance=True))
    cells = [_deviations(findings, names, side) for side in (0, 1)]
    if len(labels) >= 2 and min(len(m) for m in cells) >= LEAST_SUBJECTS:
        result.append(_compare("within subjects, at the same visit", labels, cells[0], cells[1], chance=False))
    return result


def chosen_tests(pair: Pair, findings: Sequence[Findings]) -> Names:
    """The tests most subjects have, in turn from each table so that none crowds out the rest."""
    queues = []
    for t, found in enumerate(findings):
        cells = found.sides[0]
        pairs = np.unique(cells.test.astype(np.int64) * pair.source.n + cells.subject)
        held = np.bincount(pairs // pair.source.n, minlength=len(found.tests))
        spread = grouped.mean_sd(cells.test, cells.value, len(found.tests))[2]
        order = np.argsort(-held, kind="stable")
        enough = (held >= max(LEAST_SHARE * pair.source.n, 3)) & (spread > 0)
        queues.append([(t, int(i)) for i in order if enough[i]])
    chosen: Names = []
    while len(chosen) < MOST and any(queues):
        for queue in queues:
            chosen += [queue.pop(0)] if queue and len(chosen) < MOST else []
    return sorted(chosen)


def label_of(findings: Sequence[Findings], table: int, test: int) -> str:
    """The name of a test, with its table where others have one of that name."""
    name = plain_text(findings[table].tests[test])
    alone = sum(name in map(plain_text, found.tests) for found in findings) == 1
    return name if alone else f"{findings[table].spec.name}.{name}"


def subject_means(pair: Pair, findings: Sequence[Findings], names: Names, side: int) -> np.ndarray:
    """Mean of each subject and test, (subjects, tests)."""
    n = pair.sides[side].n
    means = np.full((n, len(names)), np.nan)
    for i, (table, test) in enumerate(names):
        cells = findings[table].sides[side].of(test)
        means[:, i] = grouped.mean_sd(cells.subject, cells.value, n)[1]
    return means


def covariates(pair: Pair) -> tuple[list[np.ndarray], list[str]]:
    """Numbers of the subjects' own table by side, (subjects, names), and their names."""
    root = pair.structure.tables[pair.structure.root or ""]
    names = [c.name for c in root.columns if c.kind in NUMBERS and c.distinct > 5 and c.name != root.sequence]
    names = [n for n in names if n in pair.source.frames[root.name]][:4]
    result = []
    for side in pair.sides:
        values = np.full((side.n, len(names)), np.nan)
        index = side.subject[root.name]
        for i, name in enumerate(names):
            values[index[index >= 0], i] = numbers(side.frames[root.name][name])[index >= 0]
        result.append(values)
    return result, names


def _deviations(findings: Sequence[Findings], names: Names, side: int) -> np.ndarray:
    """Values less the subject's mean, a row for each subject and visit: (cells, tests)."""
    visits = sorted({_key(v) for found in findings for v in found.visits}, key=str)
    rank = {v: i for i, v in enumerate(visits)}
    keys, columns, values = [], [], []
    for i, (table, test) in enumerate(names):
        found = findings[table]
        cells: Cells = found.sides[side].of(test)
        n, mean, _ = grouped.mean_sd(cells.subject, cells.value, int(cells.subject.max(initial=-1)) + 1)
        several = n[cells.subject] >= 2
        common = np.array([rank[_key(v)] for v in found.visits], dtype=np.int64)
        keys.append(cells.subject[several].astype(np.int64) * len(visits) + common[cells.visit[several]])
        columns.append(np.full(int(several.sum()), i))
        values.append((cells.value - mean[cells.subject])[several])
    if not keys:
        return np.empty((0, 0))
    rows, inverse = np.unique(np.concatenate(keys), return_inverse=True)
    result = np.full((len(rows), len(names)), np.nan)
    result[inverse, np.concatenate(columns)] = np.concatenate(values)
    return result


def _key(visit: object) -> object:
    return float(visit) if isinstance(visit, int | float | np.number) else visit


def _compare(kind: str, names: list[str], a: np.ndarray, b: np.ndarray, *, chance: bool) -> Correlations:
    left, right = spearman(a), spearman(b)
    upper = np.triu(np.isfinite(left) & np.isfinite(right), 1)
    difference = np.where(upper, np.abs(right - left), -1.0)
    i, j = np.unravel_index(np.argsort(-difference, axis=None)[:WORST], difference.shape)
    worst = [
        (names[x], names[y], float(left[x, y]), float(right[x, y])) for x, y in zip(i, j, strict=True) if upper[x, y]
    ]
    return Correlations(
        kind=kind,
        names=tuple(names),
        source=left,
        synthetic=right,
        mean=float(difference[upper].mean()) if upper.any() else float("nan"),
        chance=_chance(a, len(b)) if chance else None,
        worst=tuple(worst),
    )


def _chance(source: np.ndarray, n: int) -> float:
    """Mean absolute difference of the correlations of two studies drawn from the source's subjects, the usual one."""
    rng = Streams(0).get("pairs")
    found = []
    for _ in range(DRAWS):
        one, two = (spearman(source[rng.integers(0, len(source), size)]) for size in (len(source), n))
        upper = np.triu(np.isfinite(one) & np.isfinite(two), 1)
        found.append(np.abs(one - two)[upper].mean() if upper.any() else np.nan)
    return float(np.nanmedian(found)) if np.isfinite(found).any() else float("nan")


def spearman(values: np.ndarray) -> np.ndarray:
    """Rank correlations of columns with gaps, (columns, columns); ranks over each column's own values, correlations
    over the rows that both have; NaN where these are fewer than eight.

    >>> spearman(np.column_stack([np.arange(9.0), np.arange(9.0) ** 2])).round(6).tolist()
    [[1.0, 1.0], [1.0, 1.0]]
    """
    known = np.isfinite(values)
    ranks = np.where(known, rankdata(values, axis=0, nan_policy="omit"), 0.0)
    ranks = np.where(known, ranks - ranks.sum(0) / np.maximum(known.sum(0), 1), 0.0)
    mask = known.astype(float)
    n = mask.T @ mask
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = (ranks.T @ mask) / n  # mean of the row's column over the rows that both have
        cross = (ranks.T @ ranks) / n - mean * mean.T
        variance = ((ranks**2).T @ mask) / n - mean**2
        r = cross / np.sqrt(variance * variance.T)
    return np.where((n >= LEAST_SUBJECTS) & (np.minimum(variance, variance.T) > 1e-9), np.clip(r, -1, 1), np.nan)

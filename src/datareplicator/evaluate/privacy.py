"""Does a synthetic subject repeat a real one? Every figure stands beside the same figure among real subjects, since
with few subjects and coarse values a coincidence proves nothing and a distance alone proves nothing either."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from datareplicator.evaluate.courses import Cells, Findings
from datareplicator.evaluate.pair import Pair
from datareplicator.evaluate.results import Privacy
from datareplicator.seeds import Streams
from datareplicator.structure.spec import MEMBER, Kind, Layout, TableSpec

LEAST_SEQUENCE = 4
LEAST_DISTINCT = 3  # values in a sequence: a constant one is no fingerprint
LEAST_ROWS = 3  # rows of a set
HALVES = 25
LEAST_SUBJECTS = 10
CLIP = 5.0
COPIED_ANYWAY = {"constant", "same", "same_day", "copy_subject", "row_number", "study_day"}


def compare_privacy(
    pair: Pair,
    findings: Sequence[Findings],
    source: np.ndarray,
    synthetic: np.ndarray,
    holdout: np.ndarray | None = None,
) -> Privacy:
    """`source`, `synthetic`, `holdout`: features by subject (see `features`), all with the same columns."""
    return Privacy(
        identifiers=tuple(_identifiers(pair)),
        **_sequences(findings),
        copied_sets=tuple(_sets(pair)),
        **_nearness(source, synthetic),
        membership=_membership(source, synthetic, holdout),
    )


def _identifiers(pair: Pair) -> list[tuple[str, float]]:
    """Share of synthetic values of identifiers and personal data that the source has too. Numbers that merely count
    (1, 2, 3 ...) repeat by nature and are left out."""
    found = []
    for spec in pair.structure.tables.values():
        if spec.layout == Layout.REFERENCE or spec.name not in pair.source.frames:
            continue
        own = {spec.subject} if spec.name == pair.structure.root else set()
        for column in spec.columns:
            named = column.kind == Kind.PII or column.name in own
            if not named or column.name not in pair.source.frames[spec.name] or _counts_up(pair, spec, column.name):
                continue
            a, b, _ = pair.codes(spec.name, column.name)
            distinct = np.unique(b[b >= 0])
            reused = float(np.isin(distinct, a).mean()) if len(distinct) else 0.0
            found.append((f"{spec.name}.{column.name}", reused))
    return found


def _counts_up(pair: Pair, spec: TableSpec, column: str) -> bool:
    values = pair.source.frames[spec.name][column]
    if not pd.api.types.is_numeric_dtype(values.dtype):
        return False
    known = np.unique(values.dropna().to_numpy(dtype=float))
    return len(known) > 1 and float(np.ptp(known)) + 1 <= 1.2 * len(known)


def _sequences(findings: Sequence[Findings]) -> dict[str, int]:
    """Whole sequences of a test's values over the visits, at least four and not all alike."""
    totals = np.zeros(4, dtype=np.int64)
    for found in findings:
        real, made = (_hashes(cells) for cells in found.sides)
        distinct, times = np.unique(real, return_counts=True)
        totals += [len(made), np.isin(made, distinct).sum(), times[times > 1].sum(), len(real)]
    names = ("sequences", "copied_sequences", "repeated_sequences", "real_sequences")
    return dict(zip(names, totals.tolist(), strict=True))


def _hashes(cells: Cells) -> np.ndarray:
    """A 64-bit hash of each subject's sequence of each test, where it is long and varied enough."""
    order = np.lexsort((cells.visit, cells.subject, cells.test))
    test, subject, value = cells.test[order], cells.subject[order], np.round(cells.value[order], 6)
    if not len(test):
        return np.empty(0, dtype=np.uint64)
    new = np.concatenate([[True], (test[1:] != test[:-1]) | (subject[1:] != subject[:-1])])
    key = np.cumsum(new) - 1
    start = np.flatnonzero(new)
    n = np.bincount(key)
    place = np.arange(len(key)) - start[key]
    words = pd.util.hash_array(np.ascontiguousarray(value + 0.0)) ^ pd.util.hash_array(place.astype(np.int64))
    total = np.add.reduceat(_mixed(words), start)
    kinds = np.bincount(np.unique(np.column_stack([key, value]), axis=0)[:, 0].astype(np.int64), minlength=len(n))
    keep = (n >= LEAST_SEQUENCE) & (kinds >= LEAST_DISTINCT)
    return (total ^ pd.util.hash_array(test[start].astype(np.int64)))[keep]


def _mixed(words: np.ndarray) -> np.ndarray:
    """Bits stirred once more, so that sums of words do not collide."""
    words = words * np.uint64(0x9E3779B97F4A7C15)
    return words ^ (words >> np.uint64(29))


def _sets(pair: Pair) -> list[tuple[str, int, int, int, int]]:
    """By table: synthetic subjects whose rows all equal those of a real one, of how many; the same among real ones."""
    found = []
    for spec in pair.structure.tables.values():
        if spec.layout in (Layout.REFERENCE, Layout.SUPPLEMENT, Layout.RELATION, Layout.VISITS):
            continue
        if spec.name not in pair.source.frames:
            continue
        columns = _telling(pair, spec)
        if not columns:
            continue
        least = 1 if spec.layout in (Layout.SUBJECT, Layout.ONCE) else LEAST_ROWS
        real, made = _set_hashes(pair, spec, columns, least)
        distinct, times = np.unique(real, return_counts=True)
        copied = int(np.isin(made, distinct).sum())
        found.append((spec.name, copied, len(made), int(times[times > 1].sum()), len(real)))
    return found


def _telling(pair: Pair, spec: TableSpec) -> list[str]:
    """Columns that carry content: no identifiers, nothing copied or counted."""
    computed = {d.target for d in pair.structure.derivations if d.table == spec.name and d.template in COPIED_ANYWAY}
    skip = computed | {spec.subject, spec.sequence, MEMBER}
    kinds = (Kind.EMPTY, Kind.IDENTIFIER, Kind.PII)
    held = pair.source.frames[spec.name]
    return [c.name for c in spec.columns if c.name not in skip and c.kind not in kinds and c.name in held]


def _set_hashes(pair: Pair, spec: TableSpec, columns: list[str], least: int) -> tuple[np.ndarray, np.ndarray]:
    words = [np.zeros(len(side.frames[spec.name]), dtype=np.uint64) for side in pair.sides]
    for name in columns:
        if spec.column(name).kind == Kind.DATE:
            parts = [side.days(spec.name, name) for side in pair.sides]
        else:
            parts = [code.astype(float) for code in pair.codes(spec.name, name)[:2]]
        for i, part in enumerate(parts):
            words[i] = _mixed(words[i] + pd.util.hash_array(np.nan_to_num(part, nan=-1e9)))
    result = []
    for side, word in zip(pair.sides, words, strict=True):
        index = side.subject[spec.name]
        order = np.argsort(index, kind="stable")[int((index < 0).sum()) :]
        if not len(order):
            result.append(np.empty(0, dtype=np.uint64))
            continue
        owner = index[order]
        start = np.flatnonzero(np.concatenate([[True], owner[1:] != owner[:-1]]))
        size = np.diff(np.append(start, len(owner)))
        result.append(np.add.reduceat(_mixed(word[order]), start)[size >= least])
    return result[0], result[1]


def _nearness(source: np.ndarray, synthetic: np.ndarray) -> dict[str, object]:
    if min(len(source), len(synthetic)) < LEAST_SUBJECTS or not source.shape[1]:
        return {}
    a, b = _standard(source, source), _standard(source, synthetic)
    among = _distances(a, a)
    np.fill_diagonal(among, np.inf)
    own = float(np.median(among.min(1)))
    if own == 0:
        return {}
    rng, ratios = Streams(0).get("half splits"), []
    for _ in range(HALVES):
        order = rng.permutation(len(a))
        train, rest = order[: len(a) // 2], order[len(a) // 2 :]
        inner = float(np.median(among[np.ix_(train, train)].min(1)))
        ratios.append(float(np.median(among[np.ix_(rest, train)].min(1))) / inner if inner else np.nan)
    low, high = np.nanquantile(ratios, (0.05, 0.95))
    return {"nearness": float(np.median(_distances(b, a).min(1))) / own, "band": (float(low), float(high))}


def _membership(source: np.ndarray, synthetic: np.ndarray, holdout: np.ndarray | None) -> float | None:
    """Guess that a person was in the source from how near the nearest synthetic subject is."""
    if holdout is None or min(len(source), len(synthetic), len(holdout)) < 2 or not source.shape[1]:
        return None
    made = _standard(source, synthetic)
    inside = _distances(_standard(source, source), made).min(1)
    outside = _distances(_standard(source, holdout), made).min(1)
    nearer = (inside[:, None] < outside[None, :]).mean() + 0.5 * (inside[:, None] == outside[None, :]).mean()
    return float(nearer)


def _standard(reference: np.ndarray, values: np.ndarray) -> np.ndarray:
    known = np.isfinite(reference)
    n = np.maximum(known.sum(0), 1)
    mean = np.where(known, reference, 0).sum(0) / n
    sd = np.sqrt(np.where(known, (reference - mean) ** 2, 0).sum(0) / n)
    scaled = np.clip((values - mean) / np.where(sd > 0, sd, np.inf), -CLIP, CLIP)
    return np.nan_to_num(scaled, nan=0.0)


def _distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    squares = (a**2).sum(1)[:, None] + (b**2).sum(1)[None, :] - 2 * a @ b.T
    return np.sqrt(np.maximum(squares, 0) / a.shape[1])

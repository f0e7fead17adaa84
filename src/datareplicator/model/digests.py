"""Digests of what a subject has, so that no made subject has the very same without the model holding it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import numpy as np
import pandas as pd

from datareplicator.dates import Precision
from datareplicator.model.eventrows import EventRows

_BITS = np.uint64(24)  # 40 bits remain: whole in JSON, and chance hits are one in a million for a million subjects
NO_DAY = -(1 << 40)


def subject_digests(
    rows: EventRows, alias: Mapping[str, str] | None = None, *, undated: bool = True
) -> tuple[np.ndarray, np.ndarray]:
    """(subjects, digests), int64 each, of the set of (term, start day) of every subject with a fully dated row, and of
    the terms of those without one where `undated` (which says something where rows are dated as a rule). `alias`: the
    coarser terms that stand for the finest ones."""
    dated = (rows.precision("start") >= Precision.DAY) & np.isfinite(rows.start)
    with_date = np.zeros(int(rows.subject.max(initial=-1)) + 1, dtype=bool)
    with_date[rows.subject[dated]] = True
    told = dated | (~with_date[rows.subject] if undated and rows.code is not None else False)
    day = np.where(dated, np.floor(rows.start), NO_DAY)[told].astype(np.int64).astype(np.uint64)
    term = (
        np.zeros(int(told.sum()), dtype=np.uint64) if rows.code is None else _term_hashes(rows.code[told], alias or {})
    )
    mixed = _mix(term + _mix(day))
    who, unit = np.unique(rows.subject[told], return_inverse=True)
    total = np.zeros(len(who), dtype=np.uint64)
    with np.errstate(over="ignore"):
        np.add.at(total, unit, mixed)  # a sum does not depend on the order of the rows
    return who.astype(np.int64), (_mix(total) >> _BITS).astype(np.int64)


def _term_hashes(code: pd.Series, alias: Mapping[str, str]) -> np.ndarray:
    codes, labels = pd.factorize(code)
    hashed = [
        int.from_bytes(hashlib.blake2b(alias.get(str(x), str(x)).encode(), digest_size=8).digest(), "little")
        for x in labels
    ]
    return np.array([*hashed, 0], dtype=np.uint64)[codes]


def _mix(x: np.ndarray) -> np.ndarray:
    """The finalizer of SplitMix64 (Steele, Lea & Flood, 2014, "Fast splittable pseudorandom number generators")."""
    with np.errstate(over="ignore"):
        x = x + np.uint64(0x9E3779B97F4A7C15)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return x ^ (x >> np.uint64(31))

"""Measured numbers as quantile functions: atoms, last digits and range kept, the rest smooth."""

from __future__ import annotations

import numpy as np
import pandas as pd
from pydantic import model_validator

from datareplicator.document import Document, Exact, Floats, Ints
from datareplicator.model.backoff import Candidate

KNOTS = 129
FEWEST_ROWS = 12
STEP_VALUES = 64
RECURRING = 0.4
"""Share of rows whose number another row has too, from which on numbers are chosen ones (doses), none between them."""


class NumberLeaves(Document):
    """Quantile functions of one number by the codes of `parent` (one leaf for all where None).

    Leaf l holds `value[start[l]:start[l+1]]` at cumulative shares `share[...]`, both ascending. Where `step[l]` is 1
    the shares are the right ends of atoms; else values between knots are interpolated and rounded to `decimals`.
    `leaf[code]` is the leaf of a parent code; the last entry serves codes never seen. Outcome 0 is missing, outcome b
    the b-th of `bins` equal parts of the leaf.
    """

    name: str
    parent: str | None
    bins: int
    leaf: Ints
    start: Ints
    value: Exact
    share: Floats
    step: Ints
    decimals: int

    @model_validator(mode="after")
    def _shapes(self) -> NumberLeaves:
        leaves = len(self.step)
        if self.start.shape != (leaves + 1,) or self.value.shape != self.share.shape or self.bins < 1:
            raise ValueError(f"the quantile functions of {self.name} have arrays of different lengths")
        if leaves and (self.start[-1] != len(self.value) or (np.diff(self.start) < 1).any()):
            raise ValueError(f"the quantile functions of {self.name} have an empty leaf")
        if len(self.leaf) < 1 or self.leaf.max() >= max(leaves, 1) or self.leaf.min() < 0:
            raise ValueError(f"the quantile functions of {self.name} name a leaf that does not exist")
        return self

    @property
    def outcomes(self) -> int:
        """Codes of the conditional table: missing and the bins."""
        return self.bins + 1


def fit_leaves(
    name: str, x: np.ndarray, parent: str | None, codes: Candidate | None, subject: np.ndarray, min_subjects: int
) -> tuple[NumberLeaves, np.ndarray]:
    """Quantile functions and each row's outcome code. Leaves under `FEWEST_ROWS` rows share one."""
    known = np.isfinite(x)
    code = codes.codes if codes is not None else np.zeros(len(x), dtype=np.int64)
    size = codes.size if codes is not None else 1
    rows = np.bincount(code[known & (code >= 0)], minlength=size)
    own = rows >= FEWEST_ROWS
    leaf = np.append(np.where(own, np.cumsum(own), 0), 0)  # leaf 0 holds everything, for the rare and unseen
    members = [np.flatnonzero(known)] + [np.flatnonzero(known & (code == c)) for c in np.flatnonzero(own)]
    decimals = count_decimals(x[known])
    parts = [_quantiles(x[rows], subject[rows], min_subjects) for rows in members]
    bins = int(np.clip(np.sqrt(known.sum() / 8), 1, 12))
    outcome = np.zeros(len(x), dtype=np.int64)
    placed = leaf[code]
    for index in range(len(members)):
        rows = members[index][placed[members[index]] == index]
        outcome[rows] = _bins(x[rows], bins)
    if any(part is None for part in parts):
        parts, leaf, outcome = (
            [part for part in parts[:1] if part is not None],
            np.zeros(1, dtype=np.int64),
            outcome * 0,
        )
    return (
        NumberLeaves(
            name=name,
            parent=parent if len(parts) > 1 else None,
            bins=bins,
            leaf=leaf.astype(np.int64) if len(parts) > 1 else np.zeros(1, dtype=np.int64),
            start=np.append(0, np.cumsum([len(value) for value, _, _ in parts])).astype(np.int64),
            value=np.concatenate([value for value, _, _ in parts]) if parts else np.empty(0),
            share=np.concatenate([share for _, share, _ in parts]) if parts else np.empty(0),
            step=np.array([step for _, _, step in parts], dtype=np.int64),
            decimals=decimals,
        ),
        outcome,
    )


def place_in_bin(leaves: NumberLeaves, parent: np.ndarray | None, outcome: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Where each number lies within its bin, 0 to 1 (float[n]), by its rank among the bin's numbers of its leaf."""
    leaf = (
        np.zeros(len(x), dtype=np.int64)
        if parent is None
        else leaves.leaf[np.where(parent < len(leaves.leaf), parent, -1)]
    )
    frame = pd.DataFrame({"leaf": leaf, "bin": outcome, "x": x})
    groups = frame.groupby(["leaf", "bin"])["x"]
    return ((groups.rank() - 0.5) / groups.transform("count")).fillna(0.5).to_numpy()


def _bins(x: np.ndarray, bins: int) -> np.ndarray:
    """Bin 1 .. bins by rank; tied values are spread over the bins they cover, evenly and in row order."""
    order = np.argsort(x, kind="stable")
    rank = np.empty(len(x))
    rank[order] = np.arange(len(x))
    return (rank * bins // max(len(x), 1)).astype(np.int64) + 1


def _quantiles(x: np.ndarray, subject: np.ndarray, min_subjects: int) -> tuple[np.ndarray, np.ndarray, int] | None:
    if min_subjects > 1:
        if len(np.unique(subject)) < min_subjects:
            return None
        low, high = np.sort(x)[[min(min_subjects - 1, len(x) - 1), max(len(x) - min_subjects, 0)]]
        x = np.clip(x, min(low, high), max(low, high))  # the extremes are single subjects
    if not len(x):
        return None
    value, count = np.unique(x, return_counts=True)
    recurring = count[count > 1].sum() / len(x)
    if len(value) <= STEP_VALUES and (len(value) <= 5 or recurring >= RECURRING):
        return value, np.cumsum(count) / len(x), 1
    knots = min(KNOTS, len(x) + 1)
    share = np.linspace(0, 1, knots)
    return np.quantile(x, share, method="inverted_cdf"), share, 0


def count_decimals(x: np.ndarray, most: int = 9) -> int:
    """Digits after the point that reproduce 99 % of the numbers.

    >>> count_decimals(np.array([1.25, 3.5, 2.0]))
    2
    """
    if not len(x):
        return 0
    sample = x[:: max(len(x) // 2000, 1)]
    for digits in range(most):
        if (np.abs(sample - np.round(sample, digits)) <= 1e-9 * np.maximum(1, np.abs(sample))).mean() >= 0.99:
            return digits
    return most

"""Functions over the rows of a group. A group is a code from 0; rows of code -1 belong to none."""

from __future__ import annotations

import numpy as np

from datareplicator.expressions.vectors import Dates, Numbers, Texts, Truths, Vector


def by_group(name: str, argument: Vector | None, group: np.ndarray, n: int, by: np.ndarray | None) -> Vector:
    """One value for each of `n` groups. `by` orders the rows (NaN last); None is the order of the rows."""
    inside = group >= 0
    if name in ("any", "all"):
        return _quantified(name, argument, group, n)
    present = inside if argument is None else inside & ~argument.missing
    if name == "count":
        return Numbers(np.bincount(group[present], minlength=n).astype(float))
    assert argument is not None
    if name == "distinct":
        return _distinct(argument, group, present, n)
    if name in ("sum", "mean"):
        return _sums(name, argument, group, present, n)
    if name in ("min", "max"):
        by = argument.order
        present &= ~np.isnan(by)
    backward = name in ("last", "max")
    rows = np.flatnonzero(present)
    keys = np.arange(len(group), dtype=float) if by is None else by
    order = rows[np.lexsort((rows, keys[rows], group[rows]))]
    starts = np.flatnonzero(np.r_[True, np.diff(group[order]) != 0]) if len(order) else np.empty(0, dtype=int)
    picks = np.r_[starts[1:], len(order)] - 1 if backward else starts
    chosen = np.full(n, -1)
    chosen[group[order[starts]]] = order[picks]
    return argument.take(chosen)


def _quantified(name: str, argument: Vector | None, group: np.ndarray, n: int) -> Truths:
    """`or` over the rows is the greatest of -1, 0, 1 and false where there are none, `and` the least and true."""
    assert isinstance(argument, Truths)
    sign = 1 if name == "any" else -1
    result = np.full(n, -1, dtype=np.int8)
    inside = group >= 0
    np.maximum.at(result, group[inside], sign * argument.values[inside])
    return Truths((sign * result).astype(np.int8))


def _distinct(argument: Vector, group: np.ndarray, present: np.ndarray, n: int) -> Numbers:
    pairs = np.unique(np.stack([group[present], identities(argument)[present]], axis=1), axis=0)
    return Numbers(np.bincount(pairs[:, 0].astype(np.int64), minlength=n).astype(float))


def _sums(name: str, argument: Vector, group: np.ndarray, present: np.ndarray, n: int) -> Numbers:
    size = np.bincount(group[present], minlength=n)
    total = np.bincount(group[present], weights=argument.order[present], minlength=n)
    value = total / np.maximum(size, 1) if name == "mean" else total
    return Numbers(np.where(size > 0, value, np.nan))


def identities(vector: Vector) -> np.ndarray:
    """Int64 codes, equal for equal values; -1 where missing."""
    if isinstance(vector, Texts):
        _, same = np.unique(vector.distinct.astype(str), return_inverse=True)
        return np.append(same.reshape(-1), -1)[vector.codes]
    if isinstance(vector, Dates):
        cells = np.stack([np.nan_to_num(vector.low), vector.precision.astype(float)], axis=1)
        codes = np.unique(cells, axis=0, return_inverse=True)[1].reshape(-1)
    else:
        codes = np.unique(np.nan_to_num(vector.order), return_inverse=True)[1].reshape(-1)
    return np.where(vector.missing, -1, codes)


def previous(argument: Vector, group: np.ndarray, by: np.ndarray | None) -> Vector:
    """The value of the row before in the group; missing in its first row."""
    rows = np.flatnonzero(group >= 0)
    keys = np.arange(len(group), dtype=float) if by is None else by
    order = rows[np.lexsort((rows, keys[rows], group[rows]))]
    before = np.full(len(group), -1)
    follows = np.flatnonzero(np.diff(group[order]) == 0) + 1
    before[order[follows]] = order[follows - 1]
    return argument.take(before)


def unique(arguments: list[Vector], group: np.ndarray) -> Truths:
    """Whether each row's values stand nowhere else in its group; unknown where one of them is missing."""
    cells = np.stack([group, *(identities(a) for a in arguments)], axis=1)
    known = (cells >= 0).all(axis=1)
    _, codes, size = np.unique(cells[known], axis=0, return_inverse=True, return_counts=True)
    values = np.zeros(len(group), dtype=np.int8)
    values[known] = np.where(size[codes.reshape(-1)] == 1, 1, -1)
    return Truths(values)

"""Places that several kinds share."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from datareplicator.faults.job import Job, Pool, Values
from datareplicator.faults.roles import Results, _like, numeric_columns, results
from datareplicator.faults.scene import Piece
from datareplicator.structure.spec import Layout

Usual = Callable[[Piece], Iterable[str]]


def filled(
    job: Job,
    usual: Usual,
    *layouts: Layout,
    text: bool = False,
    allowed: Callable[[Piece, str], np.ndarray] | None = None,
) -> list[Pool]:
    """Free cells with a value in the target's columns, or in the usual ones. `text`: only columns of text."""
    pools = []
    for piece in job.pieces(*layouts):
        target = job.rows(piece)
        for column in job.columns(piece, usual(piece)):
            if text and not piece.is_text(column):
                continue
            rows = target & piece.free([column]) & piece.present(column)
            if allowed is not None:
                rows &= allowed(piece, column)
            pools.append(Pool(piece, np.flatnonzero(rows), column))
    return pools


def numbers(job: Job, *, findings: bool = False) -> list[Pool]:
    """Free numbers: results as a whole (collected, standard text, standard number), and other measured columns.

    `data` holds the results (`Results`) where the pool is one of results, and always ``x``, the number a row.
    """
    pools = []
    for piece in job.pieces():
        target = job.rows(piece)
        held = results(piece)
        if held is not None and not job.explicit:
            rows = target & piece.free(held.columns) & np.isfinite(held.collected) & np.isfinite(held.number)
            pools.append(
                Pool(
                    piece,
                    np.flatnonzero(rows),
                    held.main,
                    held.columns[1:],
                    {"results": held, "x": held.collected, "group": held.group},
                )
            )
            continue
        if findings and held is None:
            continue
        for column in job.columns(piece, numeric_columns(piece)):
            x = piece.number(column)
            rows = target & piece.free([column]) & np.isfinite(x)
            group = held.group if held is not None else np.zeros(len(piece), dtype=np.int64)
            pools.append(Pool(piece, np.flatnonzero(rows), column, (), {"x": x, "group": group}))
    return pools


def renumbered(pool: Pool, rows: np.ndarray, y: np.ndarray, decimals: int | None = None) -> Values:
    """New numbers of rows as values of all the columns that carry them; NaN leaves a cell as it is."""
    x = pool.data["x"][rows]
    y = np.where(np.isfinite(y), y, x)
    held: Results | None = pool.data.get("results")
    if held is not None:
        values = held.values(rows, y, decimals)
    else:
        values = {str(pool.column): _like(pool.piece, str(pool.column), rows, y, decimals)}
    same = np.flatnonzero(y == x)
    for column, new in values.items():
        old = pool.piece.texts(column, rows[same])
        for i, value in zip(same, old, strict=True):
            new[i] = value
    return values


def spread(pool: Pool) -> tuple[np.ndarray, np.ndarray]:
    """float a row of the piece: least and greatest number of the row's test."""
    x, group = pool.data["x"], pool.data["group"]
    known = np.isfinite(x)
    low, high = np.full(group.max(initial=0) + 1, np.inf), np.full(group.max(initial=0) + 1, -np.inf)
    np.minimum.at(low, group[known], x[known])
    np.maximum.at(high, group[known], x[known])
    return low[group], high[group]

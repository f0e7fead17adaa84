"""Exact numbers by cell: whole numbers that keep every margin and lie as near as they can to what is expected.

Iterative proportional fitting (Deming and Stephan, 1940) bends the expected cells to the margins; controlled rounding
(Cox and Ernst, 1982) makes them whole, here as an integer programme, which also tells what cannot be satisfied.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array, eye_array, hstack

from datareplicator.errors import RequestError

ROUNDS = 200
MOST_SAID = 12
"""Clashing claims that a message names."""
FAINT = 1e-9
"""Share of a cell that can be but never came in the sample of expectations."""


@dataclass(frozen=True)
class Claim:
    """`number` subjects in the cells `cells` (bool), as asked for by `said`."""

    said: str
    cells: np.ndarray
    number: int


def whole_cells(expected: np.ndarray, claims: Sequence[Claim], subjects: int) -> np.ndarray:
    """int64[C] numbers by cell that keep all claims and sum to `subjects`.

    `expected`: float[C], relative sizes; 0 where a cell cannot be. Raises RequestError, naming the claims that cannot
    hold together.

    >>> half = np.array([True, True, False, False])
    >>> odd = np.array([True, False, True, False])
    >>> whole_cells(np.ones(4), [Claim("a", half, 3), Claim("b", odd, 5)], 7).tolist()
    [2, 1, 3, 1]
    """
    everything = [Claim("the number of subjects", np.ones(len(expected), dtype=bool), subjects), *claims]
    target = _fitted(expected, everything)
    for solve in (_rounded, _nearest):
        found = solve(target, expected > 0, everything)
        if found is not None:
            return found
    raise RequestError(_clash(expected > 0, everything))


def _fitted(expected: np.ndarray, claims: Sequence[Claim]) -> np.ndarray:
    """Expected cells bent to the claims, as far as they go together."""
    part = np.where(expected > 0, expected / expected.sum() + FAINT, 0.0) * claims[0].number
    for _ in range(ROUNDS):
        away = 0.0
        for claim in claims:
            own = part[claim.cells].sum()
            if own > 0:
                away = max(away, abs(own - claim.number))
                part[claim.cells] *= claim.number / own
        if away < 1e-6:
            break
    return part


def _rows(claims: Sequence[Claim]) -> tuple[csr_array, np.ndarray]:
    return (
        csr_array(np.array([claim.cells for claim in claims], dtype=float)),
        np.array([claim.number for claim in claims], dtype=float),
    )


def _rounded(target: np.ndarray, possible: np.ndarray, claims: Sequence[Claim]) -> np.ndarray | None:
    """Every cell rounded up or down, the larger rests up; None where that keeps the claims nowhere."""
    low = np.floor(target + 1e-7)
    rest = np.maximum(target - low, 0.0)
    matrix, number = _rows(claims)
    left = number - matrix @ low
    found = milp(
        c=-rest,
        integrality=np.ones(len(target)),
        bounds=Bounds(0, np.where(possible, 1, 0)),
        constraints=LinearConstraint(matrix, left, left),
    )
    return (low + np.round(found.x)).astype(np.int64) if found.success and found.x is not None else None


def _nearest(target: np.ndarray, possible: np.ndarray, claims: Sequence[Claim]) -> np.ndarray | None:
    """The whole numbers with the least sum of distances to the target; None where there are none."""
    size = len(target)
    matrix, number = _rows(claims)
    one, none = eye_array(size), csr_array((len(claims), size))
    found = milp(
        c=np.r_[np.zeros(size), np.ones(size)],
        integrality=np.r_[np.ones(size), np.zeros(size)],
        bounds=Bounds(0, np.r_[np.where(possible, number[0], 0), np.full(size, np.inf)]),
        constraints=[
            LinearConstraint(hstack([matrix, none], format="csr"), number, number),
            LinearConstraint(hstack([one, -one], format="csr"), -np.inf, target),
            LinearConstraint(hstack([one, one], format="csr"), target, np.inf),
        ],
    )
    return np.round(found.x[:size]).astype(np.int64) if found.success and found.x is not None else None


def _holds(possible: np.ndarray, claims: Sequence[Claim]) -> bool:
    matrix, number = _rows(claims)
    found = milp(
        c=np.zeros(len(possible)),
        integrality=np.ones(len(possible)),
        bounds=Bounds(0, np.where(possible, number[0], 0)),
        constraints=LinearConstraint(matrix, number, number),
    )
    return bool(found.success)


def _clash(possible: np.ndarray, claims: Sequence[Claim]) -> str:
    """The fewest claims found that cannot hold together: each is left out in turn as long as the rest still clashes."""
    whole, left = claims[0], list(claims[1:])
    for claim in reversed(claims[1:]):
        fewer = [c for c in left if c is not claim]
        if not _holds(possible, [whole, *fewer]):
            left = fewer
    said = [f"{claim.number:,} with {claim.said}" for claim in left]
    if len(said) == 1:
        return f"{said[0]}, of {whole.number:,} subjects, cannot be: the study shows none, or too few are asked for."
    more = f"; and {len(said) - MOST_SAID} more" if len(said) > MOST_SAID else ""
    return f"these counts cannot hold together for {whole.number:,} subjects: {'; '.join(said[:MOST_SAID])}{more}."

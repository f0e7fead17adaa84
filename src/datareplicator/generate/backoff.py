"""Draw codes from the conditional tables of `model/backoff.py`, all rows at once."""

from __future__ import annotations

import numpy as np

from datareplicator.model.backoff import Conditional, Level, find_cells


def draw_codes(table: Conditional, parents: dict[str, np.ndarray], n: int, rng: np.random.Generator) -> np.ndarray:
    """Outcome codes, int64[n], given the parents' codes (int64[n] each, -1 for a value never seen).

    A row uses its deepest cell with probability w, else it goes one level up: sampling the mixture by its
    components costs two uniforms a row, whatever the number of outcomes.
    """
    backing, within = rng.random((len(table.levels), n)), rng.random(n)
    result = np.zeros(n, dtype=np.int64)
    waiting = np.arange(n)
    for index in range(len(table.levels) - 1, -1, -1):
        level = table.levels[index]
        cell = find_cells(table, level, parents, n)[waiting]
        use = (cell >= 0) & ((backing[index][waiting] < level.trust[cell]) | (index == 0))
        result[waiting[use]] = _draw_in(level, cell[use], within[waiting[use]])
        waiting = waiting[~use]
    return result


def draw_ranks(
    table: Conditional, parents: dict[str, np.ndarray], uniform: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Outcomes above 0 (int64[n]) by `uniform` (float[n]), smallest first, and where within its outcome each uniform
    lies (0 .. 1). Rows whose cells hold nothing but 0 get outcome 1."""
    n = len(uniform)
    backing = rng.random((len(table.levels), n))
    outcome, place = np.ones(n, dtype=np.int64), uniform.copy()
    waiting = np.arange(n)
    for index in range(len(table.levels) - 1, -1, -1):
        level = table.levels[index]
        cell = find_cells(table, level, parents, n)[waiting]
        low = level.start[cell] + (level.outcome[np.minimum(level.start[cell], len(level.outcome) - 1)] == 0)
        high = level.start[cell + 1]
        use = (cell >= 0) & (low < high) & ((backing[index][waiting] < level.trust[cell]) | (index == 0))
        rows, low, high = waiting[use], low[use], high[use]
        total = np.append(0.0, np.cumsum(level.weight))
        aim = total[low] + uniform[rows] * (total[high] - total[low])
        at = np.clip(np.searchsorted(total, aim, side="right") - 1, low, high - 1)
        outcome[rows], place[rows] = level.outcome[at], np.clip((aim - total[at]) / level.weight[at], 0, 1)
        waiting = waiting[~use]
    return outcome, place


def supported(table: Conditional, parents: dict[str, np.ndarray], codes: np.ndarray) -> np.ndarray:
    """True where `codes` occurs in the row's cell at every strict level (strength 0) that has such a cell."""
    n = len(codes)
    fits = np.ones(n, dtype=bool)
    for level in table.levels[1:]:
        if level.strength > 0:
            continue
        cell = find_cells(table, level, parents, n)
        owner = np.repeat(np.arange(len(level.keys)), np.diff(level.start))
        entry = owner * table.outcomes + level.outcome
        want = cell * table.outcomes + codes
        place = np.minimum(np.searchsorted(entry, want), len(entry) - 1)
        fits &= (cell < 0) | (entry[place] == want)
    return fits


def _draw_in(level: Level, cell: np.ndarray, uniform: np.ndarray) -> np.ndarray:
    total = np.append(0.0, np.cumsum(level.weight))
    low, high = level.start[cell], level.start[cell + 1]
    aim = total[low] + uniform * (total[high] - total[low])
    return level.outcome[np.clip(np.searchsorted(total, aim, side="right") - 1, low, high - 1)]

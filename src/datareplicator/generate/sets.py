"""Rows of generated subjects whose codes form a pattern."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from datareplicator.model.sets import ChainModel, SetModel
from datareplicator.model.tree import TreeModel, find_leaves
from datareplicator.seeds import Streams


class SetRows(NamedTuple):
    """Rows ordered by subject and position: `subject`, `position` (from 0), `code`, int[m] each."""

    subject: np.ndarray
    position: np.ndarray
    code: np.ndarray


def sample_tree(model: TreeModel, context: pd.DataFrame, u: np.ndarray) -> np.ndarray:
    """Outcomes (int[n]) of rows of context at the uniform numbers `u` (float[n])."""
    return np.nan_to_num(model.outcomes.pick(find_leaves(model, context), u)).astype(np.int64)


def sample_sets(model: SetModel, context: pd.DataFrame, streams: Streams) -> SetRows:
    """Draw the rows of subjects, one row of `context` each."""
    drawn = sample_tree(model.tree, context, streams.get("pattern").random(len(context)))
    count = drawn if model.chain is not None else np.diff(model.start)[drawn] if len(model.start) > 1 else 0 * drawn
    subject = np.repeat(np.arange(len(context)), count)
    position = np.arange(len(subject)) - np.repeat(np.cumsum(count) - count, count)
    if model.chain is None:
        code = model.code[model.start[drawn[subject]] + position] if len(subject) else np.empty(0, dtype=np.int64)
        return SetRows(subject, position, code)
    code = _follow(model.chain, find_leaves(model.tree, context), count, streams)
    return SetRows(subject, position, code[subject, position])


def _follow(chain: ChainModel, leaf: np.ndarray, count: np.ndarray, streams: Streams) -> np.ndarray:
    """Codes of each subject (int[n, most rows]), one position after another.

    Codes that the subject's leaf never has, and codes that it has already where the source never repeats one, are
    passed over as long as others are left.
    """
    n, most = len(leaf), int(count.max(initial=0))
    places = np.zeros((n, most), dtype=np.int64)
    chance = _dense(chain)
    free = chain.allowed[leaf].astype(bool)
    u = streams.get("following").random((n, most))
    row = np.zeros(n, dtype=np.int64)
    for position in range(most):
        weight = np.where(free, chance[row], 0.0)
        weight += np.where(weight.sum(axis=1, keepdims=True) > 0, 0.0, free + 1e-9)
        cumulated = np.cumsum(weight, axis=1)
        places[:, position] = (u[:, position : position + 1] * cumulated[:, -1:] >= cumulated[:, :-1]).sum(axis=1)
        row = places[:, position] + 1
        if not chain.repeats:
            free[np.arange(n), places[:, position]] = False
    return chain.codes[places]


def _dense(chain: ChainModel) -> np.ndarray:
    """Transition probabilities as a matrix, float[C+1, C]."""
    tables = chain.following
    matrix = np.zeros((len(tables), len(chain.codes)))
    row = np.repeat(np.arange(len(tables)), np.diff(tables.start))
    mass = np.diff(tables.cumulated, prepend=0.0)
    mass[tables.start[:-1][np.diff(tables.start) > 0]] = tables.cumulated[tables.start[:-1][np.diff(tables.start) > 0]]
    matrix[row, tables.day.astype(np.int64)] = np.maximum(mass, 0)
    return matrix

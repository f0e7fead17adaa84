"""Subjects of a block made to hold what can stand together; see `model/possible.py`."""

from __future__ import annotations

import numpy as np
import pandas as pd

from datareplicator.model.context import shown
from datareplicator.model.possible import Apart, Possible
from datareplicator.seeds import Streams


def make_possible(
    possible: Possible,
    covariates: pd.DataFrame,
    group: np.ndarray,
    beside: pd.DataFrame,
    streams: Streams,
    fixed: frozenset[str],
) -> pd.DataFrame:
    """The covariates (one row a subject) with numbers by arm, with gaps where they belong, and without values that
    never meet.

    `group`: int a subject, the arm (-1 none); `beside`: what else decides gaps (the arm, the site). Columns in `fixed`
    keep their values, as a request asks for them: the other one of a pair gives way. The columns of gap patterns are
    taken out.
    """
    out = covariates.copy()
    for number in possible.by_arm:
        score = out[number.column].to_numpy(dtype=float)
        value = np.full(len(score), np.nan)
        for arm, marginal in enumerate(number.marginals):
            here = np.isfinite(score) & (group == (arm if arm < len(number.marginals) - 1 else -1))
            value[here] = marginal.sample(score[here])
        out[number.column] = value
    for pair in possible.apart:
        if pair.first in out and pair.second in out and pair.second not in fixed:
            out[pair.second] = _drawn_again(pair, out, streams.get("apart", pair.first, pair.second))
    for pattern in possible.patterns:
        code = pd.to_numeric(out[pattern.name].astype(object), errors="coerce").fillna(0).to_numpy(dtype=np.int64)
        there = pattern.present[np.clip(code, 0, len(pattern.present) - 1)].astype(bool)
        for k, column in enumerate(pattern.columns):
            out[column] = out[column].where(there[:, k])
    for gate in possible.gates:
        source = out if gate.by in out else beside
        out[gate.column] = out[gate.column].where(shown(source[gate.by]).isin(gate.values).to_numpy())
    return out.drop(columns=[p.name for p in possible.patterns])


def _drawn_again(pair: Apart, frame: pd.DataFrame, rng: np.random.Generator) -> pd.Series:
    """The second column, with a new value beside the first where the two never meet."""
    first = pd.Index(pair.first_values).get_indexer(frame[pair.first].astype("str"))
    second = pd.Index(pair.second_values).get_indexer(frame[pair.second].astype("str"))
    share = np.vstack([pair.share, np.zeros(pair.share.shape[1])])[first]
    u = rng.random(len(frame))
    known = (first >= 0) & (second >= 0)
    wrong = known & (share[np.arange(len(frame)), second] == 0)
    drawn = np.minimum((u[:, None] >= np.cumsum(share, axis=1)).sum(axis=1), share.shape[1] - 1)
    values = frame[pair.second].astype(object).to_numpy().copy()
    values[wrong] = np.array(pair.second_values, dtype=object)[drawn[wrong]]
    return pd.Series(pd.Categorical(values, categories=frame[pair.second].cat.categories), index=frame.index)

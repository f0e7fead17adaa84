"""Draw row attributes by the model of `model/attributes.py`."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

from datareplicator.generate.backoff import draw_codes, draw_ranks, supported
from datareplicator.model.attributes import AttributeModel, Node
from datareplicator.model.coding import decode, encode
from datareplicator.model.levels import Levels
from datareplicator.model.quantiles import NumberLeaves
from datareplicator.seeds import Streams


def sample_attributes(
    model: AttributeModel, context: pd.DataFrame, subject: np.ndarray, streams: Streams, variation: float = 1.0
) -> pd.DataFrame:
    """One row of attributes for each row of `context`; `subject` (int[n]) says which rows belong together.

    Text comes as categoricals, numbers as float64. `variation` draws measured numbers nearer to (0: onto) the middle
    of their distribution. A context column that is absent counts as never seen.
    """
    n = len(context)
    codes = {
        name: encode(coding, context[name]) if name in context else np.full(n, -1, dtype=np.int64)
        for name, coding in model.context.items()
    }
    columns: dict[str, pd.Series] = {}
    subject = pd.factorize(np.asarray(subject))[0].astype(np.int64)
    ranks = _ranks(model.levels, subject, streams.under("levels"))
    for node in model.nodes:
        branch = streams.under(*node.columns[:1])
        if node.patterns is not None:
            outcome = _repeat(node, draw_codes(node.table, codes, n, branch.get("draw")), codes, subject, branch)
            for coding, code in zip(node.patterns.codings, node.patterns.codes.T, strict=True):
                columns[coding.name] = decode(coding, code[outcome])
                codes[coding.name] = code[outcome]
        else:
            series = _draw_number(node, codes, subject, branch, variation, ranks.get(node.columns[0]))
            columns[str(series.name)] = series
            codes[str(series.name)] = encode(model.targets[str(series.name)], series)
    return pd.DataFrame({name: columns[name].set_axis(context.index) for name in model.columns}, index=context.index)


def _ranks(levels: Levels | None, subject: np.ndarray, streams: Streams) -> dict[str, np.ndarray]:
    """By column, the rank (0 to 1) that each row's number takes given its context: the subject's level and a residual
    of the row."""
    if levels is None:
        return {}
    people, k = int(subject.max(initial=-1)) + 1, len(levels.columns)
    own = streams.get("subject").standard_normal((people, k)) @ np.linalg.cholesky(levels.subject).T
    rest = streams.get("row").standard_normal((len(subject), k)) @ np.linalg.cholesky(levels.row).T
    score = np.sqrt(levels.between) * own[subject] + np.sqrt(1 - levels.between) * rest
    return {name: ndtr(score[:, j]) for j, name in enumerate(levels.columns)}


def _draw_number(
    node: Node,
    codes: dict[str, np.ndarray],
    subject: np.ndarray,
    streams: Streams,
    variation: float,
    rank: np.ndarray | None,
) -> pd.Series:
    leaves = node.number
    assert leaves is not None
    n = len(subject)
    outcome = draw_codes(node.table, codes, n, streams.get("draw"))
    place = streams.get("within").random(n)
    if rank is not None:
        there, place = draw_ranks(node.table, codes, rank, streams.get("rank"))
        outcome = np.where(outcome == 0, 0, there)
    parent = codes[leaves.parent] if leaves.parent else np.zeros(n, dtype=np.int64)
    leaf = leaves.leaf[np.where((parent < 0) | (parent >= len(leaves.leaf) - 1), -1, parent)]
    uniform = (outcome - 1 + place) / leaves.bins
    if variation != 1.0:
        uniform = ndtr(variation * ndtri(np.clip(uniform, 1e-9, 1 - 1e-9)))
    value = read_quantiles(leaves, leaf, uniform)
    index = np.arange(n)
    index = _repeat(node, index, codes, subject, streams)
    return pd.Series(np.where(outcome == 0, np.nan, value)[index], name=leaves.name)


def read_quantiles(leaves: NumberLeaves, leaf: np.ndarray, uniform: np.ndarray) -> np.ndarray:
    """The quantile functions at `uniform` (0..1), one leaf a row; NaN where the model holds no leaf."""
    if not len(leaves.step):
        return np.full(len(leaf), np.nan)
    place = np.repeat(np.arange(len(leaves.step)), np.diff(leaves.start)) * 2.0 + leaves.share
    step = leaves.step[leaf] == 1
    low, high = leaves.start[leaf], leaves.start[leaf + 1] - 1
    at = np.clip(np.searchsorted(place, leaf * 2.0 + uniform, side="right"), low, high)
    before = np.maximum(at - 1, low)
    gap = leaves.share[at] - leaves.share[before]
    part = np.where(gap > 0, (uniform - leaves.share[before]) / np.where(gap > 0, gap, 1), 0.0)
    left, right = leaves.value[before], leaves.value[at]
    between = np.round(left + np.clip(part, 0, 1) * (right - left), leaves.decimals)
    return np.where(step | (left == right), right, np.clip(between, left, right))


def _repeat(
    node: Node, outcome: np.ndarray, codes: dict[str, np.ndarray], subject: np.ndarray, streams: Streams
) -> np.ndarray:
    """Let rows take over the outcome of the first row of their subject, and of their subject and scope."""
    repeats = node.repeats
    if repeats.subject > 0:
        outcome = _take_first(node, outcome, subject, repeats.subject, codes, streams.get("repeat subject"))
    if repeats.inner > 0 and node.scope:
        inner = subject * (codes[node.scope].max(initial=0) + 2) + codes[node.scope] + 1
        outcome = _take_first(node, outcome, inner, repeats.inner, codes, streams.get("repeat scope"))
    return outcome


def _take_first(
    node: Node,
    outcome: np.ndarray,
    group: np.ndarray,
    share: float,
    codes: dict[str, np.ndarray],
    rng: np.random.Generator,
) -> np.ndarray:
    code, _ = pd.factorize(group)
    first = np.unique(code, return_index=True)[1][code]
    take = rng.random(len(outcome)) < share
    if node.patterns is not None:
        take &= supported(node.table, codes, outcome[first])
    return np.where(take, outcome[first], outcome)

"""New series: their names, lengths and times, and values that remember the row before."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from datareplicator.generate.single.columns import NumberMaker, arrow_type
from datareplicator.generate.single.groups import grouped_latent
from datareplicator.generate.single.table import Plan, make_table
from datareplicator.model.identity import sample_identifier
from datareplicator.model.single import document as parts
from datareplicator.model.single.marginals import scores_of
from datareplicator.seeds import Streams

DRAWN = 256
"""Series whose lengths are drawn at once."""


def make_series(model: parts.SingleModel, plan: Plan) -> dict[str, pa.Array]:
    """`plan.rows` rows of whole series, the last one cut."""
    sequence = model.sequence
    assert sequence is not None
    streams, n = plan.streams.under("sequence"), plan.rows
    group = _groups(sequence.length, n, streams)
    columns = {column.name: (k, column) for k, column in enumerate(model.columns)}
    at, time = columns[sequence.time]
    when = _times(sequence, group, streams)
    maker = NumberMaker(time, f"columns[{at}]", n, streams, True, plan.date)
    maker.value[:] = when
    made = {**(plan.made or {}), sequence.time: maker.finish(None)}
    if sequence.key is not None:
        at, key = columns[sequence.key]
        names = _names(key, f"columns[{at}]", int(group.max(initial=-1)) + 1)
        made[sequence.key] = names.take(pa.array(group))
    moment = isinstance(time, parts.DatetimeColumn)
    marginal = time.params.marginal if isinstance(time.params, parts.Number) else None
    count = 0 if model.correlation is None else model.correlation.given
    given = np.zeros((n, count))
    if marginal is not None and count:
        given[:] = np.clip(scores_of(marginal, when), -3.0, 3.0)[:, None]
    latent = grouped_latent(model, sequence.within, group, given, when if moment else None, streams)
    return make_table(model, Plan(n, plan.streams, "copula", plan.date, latent=latent, made=made))


def _groups(length: parts.Marginal, n: int, streams: Streams) -> np.ndarray:
    rng, total, drawn = streams.get("length"), 0, []
    while total < n:
        some = np.maximum(np.round(length.sample(rng.standard_normal(DRAWN))), 1).astype(np.int64)
        drawn.append(some)
        total += int(some.sum())
    lengths = np.concatenate(drawn) if drawn else np.empty(0, dtype=np.int64)
    return np.repeat(np.arange(len(lengths)), lengths)[:n]


def _times(sequence: parts.Sequence, group: np.ndarray, streams: Streams) -> np.ndarray:
    """The first time of each series and the distances after it, added up."""
    series = int(group.max(initial=-1)) + 1
    start = sequence.start.sample(streams.get("start").standard_normal(series))
    gap = np.maximum(sequence.gap.sample(streams.get("gap").standard_normal(len(group))), 0.0)
    first = np.r_[True, group[1:] != group[:-1]] if len(group) else np.empty(0, dtype=bool)
    gap[first] = 0.0
    passed = np.cumsum(gap)
    return start[group] + passed - passed[np.flatnonzero(first)][group]


def _names(column: Any, path: str, series: int) -> pa.Array:
    """One name a series: by its pattern, or the learned names in turn and then with a number."""
    params = column.params
    kind = arrow_type(params.dtype, path) if params.dtype else pa.large_string()
    identifier = getattr(params, "identifier", None)
    if identifier is not None:
        made = sample_identifier(identifier, np.arange(series), pd.DataFrame())
        return pa.array(made, from_pandas=True).cast(kind, safe=False)
    if isinstance(params, parts.CategoricalParams) and params.weights:
        keys = sorted(params.weights)
        texts = [keys[j % len(keys)] + (f"-{j // len(keys) + 1}" if j >= len(keys) else "") for j in range(series)]
        wanted = kind if series <= len(keys) else pa.large_string()
        return pa.array(texts, pa.large_string()).cast(wanted)
    return pa.array(np.arange(1, series + 1)).cast(kind, safe=False)

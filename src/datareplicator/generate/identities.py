"""Results that follow from others, and those that lie above others, put right in the matrix of values."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from datareplicator.model.findings.identity_model import Identity, Order
from datareplicator.model.marginals import Marginal
from datareplicator.seeds import Streams


def keep_identities(
    value: np.ndarray, laws: Sequence[Identity], marginals: Sequence[Marginal], streams: Streams
) -> None:
    """Compute what follows from two other results of the row, in place. `value`: (rows, cells), NaN not measured."""
    for law in laws:
        noise = streams.get(str(law.target)).standard_normal(len(value))
        a, b = value[:, law.first], value[:, law.second]
        rows = np.flatnonzero(np.isfinite(value[:, law.target]) & (a > 0) & (b > 0))
        log = law.log_factor + np.log(a[rows]) + law.power * np.log(b[rows]) + law.spread * noise[rows]
        value[rows, law.target] = on_grid(marginals[law.target], np.exp(log))


def keep_orders(value: np.ndarray, orders: Sequence[Order], marginals: Sequence[Marginal]) -> None:
    """Lower results that do not lie below the one that they should, in place."""
    for order in orders:
        marginal = marginals[order.below]
        most = value[:, order.above] - order.gap
        rows = np.flatnonzero(value[:, order.below] > most)
        lower = on_grid(marginal, most[rows])
        value[rows, order.below] = np.where(lower > most[rows], _step_down(marginal, lower), lower)


def on_grid(marginal: Marginal, value: np.ndarray) -> np.ndarray:
    """The nearest values that the source could write."""
    if not marginal.lattice:
        return np.round(value, marginal.decimals)
    right = np.clip(np.searchsorted(marginal.values, value), 0, len(marginal.values) - 1)
    left = np.maximum(right - 1, 0)
    nearer = np.abs(marginal.values[left] - value) <= np.abs(marginal.values[right] - value)
    return marginal.values[np.where(nearer, left, right)]


def _step_down(marginal: Marginal, value: np.ndarray) -> np.ndarray:
    """The next value below that the source could write."""
    if not marginal.lattice:
        return np.round(value - 10.0**-marginal.decimals, marginal.decimals)
    return marginal.values[np.maximum(np.searchsorted(marginal.values, value) - 1, 0)]

"""The rows of one table.

Latent scores are drawn in parts of a fixed number of rows, each a whole, so that the first rows of a longer table are
those of a shorter one, and the memory beyond the table itself stays small.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa
from scipy.special import ndtri

from datareplicator.generate.single.columns import CategoryMaker, Crowd, NumberMaker, TextMaker
from datareplicator.model.single import document as parts
from datareplicator.seeds import Streams

Method = Literal["copula", "normal"]
PART = 8192
"""Rows of one part."""
Latent = Callable[[int, int], np.ndarray]
"""From first and last row to the scores (PART, k) of the own variables of the correlation."""


@dataclass
class Plan:
    """What a table is to be made of. `made`: columns that exist already (keys, times); `below`: moments of the parent's
    row by column name with ``../`` before it."""

    rows: int
    streams: Streams
    method: Method = "copula"
    date: int = 0
    path: str = ""
    latent: Latent | None = None
    made: dict[str, pa.Array] | None = None
    below: dict[str, np.ndarray] | None = None
    count: dict[parts.Variable, np.ndarray] | None = None


def own_variables(table: parts.TableModel | parts.SingleModel) -> list[parts.Variable]:
    """The variables of the table's own rows, in the order of the correlation."""
    found = table.correlation
    return [] if found is None else list(found.variables[: len(found.variables) - found.given])


def plain_latent(table: parts.TableModel | parts.SingleModel, streams: Streams) -> Latent:
    """Independent rows."""
    k = len(own_variables(table))
    matrix = np.empty((0, 0)) if table.correlation is None else table.correlation.matrix[:k, :k]
    root, rng = root_of(matrix), streams.get("latent")
    return lambda lo, hi: rng.standard_normal((PART, k)) @ root.T


def root_of(matrix: np.ndarray) -> np.ndarray:
    """A square root of a correlation matrix, rounded or not quite definite as it may be."""
    if not len(matrix):
        return matrix
    value, vector = np.linalg.eigh((matrix + matrix.T) / 2)
    root = vector * np.sqrt(np.maximum(value, 1e-9))
    return root / np.sqrt((root**2).sum(1, keepdims=True))


def make_table(table: parts.TableModel | parts.SingleModel, plan: Plan) -> dict[str, pa.Array]:
    """The columns of `plan.rows` new rows."""
    n, normal = plan.rows, plan.method == "normal"
    made = plan.made or {}
    makers, crowd = {}, Crowd(table.columns, n, plan.streams)
    for k, column in enumerate(table.columns):
        if column.name not in made:
            makers[column.name] = _maker(column, f"{plan.path}columns[{k}]", plan, normal, crowd)
    variables = own_variables(table)
    place = {v: k for k, v in enumerate(variables)}
    known = place if not normal else {}
    gone = {
        c.name: _Missing(c, plan, known.get(parts.Variable(column=c.name, part="missing")))
        for c in table.columns
        if c.name in makers and c.params.nan_probability > 0
    }
    order = _order(list(makers.values()))
    apart = {name: plan.streams.get(name, "value") for name in makers if parts.Variable(column=name) not in known}
    latent = plan.latent or plain_latent(table, plan.streams)
    for lo in range(0, n, PART):
        hi = min(lo + PART, n)
        score = latent(lo, hi) if variables else np.empty((PART, 0))
        for missing in gone.values():
            missing.fill(lo, hi, score)
        for name in order:
            maker = makers[name]
            own = apart[name].standard_normal(PART) if name in apart else score[:, place[parts.Variable(column=name)]]
            maker.fill(lo, hi, own[: hi - lo], _below(maker, makers, gone, plan, lo, hi))
        for variable, counts in (plan.count or {}).items():
            counts[lo:hi] = score[: hi - lo, place[variable]]
    for name, maker in makers.items():
        made[name] = maker.finish(gone[name].flag if name in gone else None)
    return {c.name: made[c.name] for c in table.columns}


def _maker(
    column: parts.Column, path: str, plan: Plan, normal: bool, crowd: Crowd
) -> NumberMaker | CategoryMaker | TextMaker:
    if isinstance(column, parts.CategoricalColumn):
        return CategoryMaker(column, path, plan.rows)
    born = isinstance(column, parts.PiiColumn) and column.params.pii_type == "date_of_birth"
    identifier = isinstance(column, parts.NumericalColumn) and column.params.identifier is not None
    if identifier or (isinstance(column, parts.PiiColumn) and not born):
        return TextMaker(column, path, plan.rows, plan.streams, crowd)
    return NumberMaker(column, path, plan.rows, plan.streams, normal, plan.date)


class _Missing:
    """Where a column has no value: by its latent variable where it has one, else at random."""

    def __init__(self, column: parts.Column, plan: Plan, place: int | None) -> None:
        self.flag = np.zeros(plan.rows, dtype=bool)
        self.share, self.place = column.params.nan_probability, place
        self.edge = ndtri(1 - self.share)
        self.rng = plan.streams.get(column.name, "missing")

    def fill(self, lo: int, hi: int, score: np.ndarray) -> None:
        if self.place is not None:
            self.flag[lo:hi] = score[: hi - lo, self.place] > self.edge
        else:
            self.flag[lo:hi] = self.rng.random(hi - lo) < self.share


def _below(maker: object, makers: dict, gone: dict, plan: Plan, lo: int, hi: int) -> np.ndarray | None:
    """Values of the column that this one follows; NaN where that is missing."""
    after = getattr(maker, "params", None) and getattr(maker.params, "after", None)  # type: ignore[attr-defined]
    if after is None:
        return None
    if plan.below is not None and after in plan.below:
        return plan.below[after][lo:hi]
    other = makers.get(after)
    if not isinstance(other, NumberMaker):
        return None
    value = other.value[lo:hi]
    return np.where(gone[after].flag[lo:hi], np.nan, value) if after in gone else value


def _order(makers: list) -> list[str]:
    """Names so that each comes behind the one it follows; a circle (in a document by hand) is cut."""
    after = {m.name: getattr(m.params, "after", None) for m in makers}
    done: list[str] = []

    def visit(name: str, seen: frozenset[str]) -> None:
        if name in done or name in seen or name not in after:
            return
        if after[name] is not None:
            visit(after[name], seen | {name})
        done.append(name)

    for name in after:
        visit(name, frozenset())
    return done

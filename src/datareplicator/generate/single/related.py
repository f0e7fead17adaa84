"""Several tables that refer to each other: parents first, as many children each as learned, every key resolved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from datareplicator.errors import ModelError, RequestError
from datareplicator.generate.single.columns import arrow_type
from datareplicator.generate.single.groups import grouped_latent
from datareplicator.generate.single.table import Method, Plan, make_table, own_variables, plain_latent
from datareplicator.model.single import document as parts
from datareplicator.model.single.detect import wall_clock
from datareplicator.model.single.orders import UP
from datareplicator.model.single.related import check_keys, leading, parents_first, split_target
from datareplicator.seeds import Streams


def referring(
    model: parts.SingleModel, parents: Mapping[str, Mapping[str, pa.Array]], rows: int, streams: Streams
) -> dict[str, pa.Array]:
    """The foreign key columns of a single table, from keys of tables that exist already.

    Of `metadata.foreign_keys` those entries count whose columns the model has. Raises RequestError where a column that
    is referred to is not there, ModelError where the keys fit no column.
    """
    columns = {column.name: column for column in model.columns}
    keys = {c: t for entry in (model.metadata.foreign_keys or {}).values() for c, t in entry.items() if c in columns}
    if parents and not keys:
        raise ModelError("metadata.foreign_keys: no column of the model refers to another table.")
    made: dict[str, pa.Array] = {}
    for column, target in keys.items():
        parent, there = split_target(target)
        if parent not in parents:
            continue
        if there not in parents[parent]:
            raise RequestError(f"{column} refers to {target}, which is not there.", hint=f"Give {parent} with {there}.")
        known = parents[parent][there].drop_null().unique()
        if not len(known) and rows:
            raise RequestError(f"{column} refers to {target}, which holds no value.")
        places = (streams.get(column, "choice").random(rows) * len(known)).astype(np.int64)
        gone = streams.get(column, "missing").random(rows) < columns[column].params.nan_probability
        made[column] = known.take(pa.array(places, mask=gone))
    return made


class Tables:
    """The tables of a model, in the making. `made` holds columns, `score` the latent scores of each table's rows."""

    def __init__(self, model: parts.SingleModel, seed: int, method: Method, date: int) -> None:
        self.tables: dict[str, parts.TableModel] = model.tables or {}
        self.keys = model.metadata.foreign_keys or {}
        try:
            check_keys({n: [c.name for c in t.columns] for n, t in self.tables.items()}, self.keys)
            self.order = parents_first(list(self.tables), self.keys)
        except RequestError as error:
            raise ModelError(f"metadata.{error.message}") from error
        self.seed, self.method, self.date = seed, method, date
        self.made: dict[str, dict[str, pa.Array]] = {}
        self.score: dict[str, np.ndarray] = {}

    def make(self, rows: int | Mapping[str, int]) -> dict[str, dict[str, pa.Array]]:
        """All tables. `rows`: of the first table without a parent (others in proportion), or by table."""
        wanted = self._rows(rows)
        for name in self.order:
            self._make(name, wanted.get(name))
        return {name: self.made[name] for name in self.tables}

    def _rows(self, rows: int | Mapping[str, int]) -> dict[str, int]:
        roots = [n for n in self.tables if leading(self.keys.get(n, {}), n) is None]
        if isinstance(rows, Mapping):
            if unknown := [n for n in rows if n not in roots]:
                raise RequestError(
                    f"the rows of {unknown[0]!r} cannot be chosen.", hint=f"Choose those of {', '.join(roots)}."
                )
            return {n: rows.get(n, self.tables[n].rows) for n in roots}
        first = max(self.tables[roots[0]].rows, 1)
        return {n: rows if n == roots[0] else round(rows * self.tables[n].rows / first) for n in roots}

    def _make(self, name: str, rows: int | None) -> None:
        table, keys = self.tables[name], self.keys.get(name, {})
        streams = Streams(self.seed).under(name)
        links = {link.column: link for link in table.links}
        lead = leading(keys, name)
        made: dict[str, pa.Array] = {}
        group, below = None, None
        if lead is not None:
            group = self._children(name, lead, links.get(lead), streams)
            made[lead] = self._refer(table, lead, keys[lead], group)
            rows = len(group)
            below = self._below(split_target(keys[lead])[0], group)
        n = int(rows or 0)
        for column, target in keys.items():
            if column != lead and split_target(target)[0] != name:
                places = self._choose(table, column, target, links.get(column), n, streams)
                made[column] = self._refer(table, column, target, places)
        latent = plain_latent(table, streams)
        if group is not None and self.method == "copula":
            latent = grouped_latent(table, table.within, group, self._given(table, keys, group), None, streams)
        kept = np.zeros((n, len(own_variables(table))))

        def keeping(lo: int, hi: int) -> np.ndarray:
            score = latent(lo, hi)
            kept[lo:hi] = score[: hi - lo]
            return score

        own = {c: t for c, t in keys.items() if split_target(t)[0] == name}
        made |= {column: pa.nulls(n) for column in own}
        path = f"tables.{name}."
        plan = Plan(n, streams, self.method, self.date, path, latent=keeping, made=made, below=below)
        self.made[name], self.score[name] = make_table(table, plan), kept
        for column, target in own.items():
            places = self._choose(table, column, target, links.get(column), n, streams)
            places = np.where(places == np.arange(n), (places + 1) % max(n, 1), places)
            self.made[name][column] = self._refer(table, column, target, places)

    def _column(self, table: parts.TableModel, name: str) -> parts.Column:
        return next(c for c in table.columns if c.name == name)

    def _children(self, name: str, lead: str, link: parts.Link | None, streams: Streams) -> np.ndarray:
        """The parent's row of each new row, ascending; -1 at the end for rows without a parent."""
        table, parent = self.tables[name], split_target(self.keys[name][lead])[0]
        n = len(self.score[parent])
        rng = streams.get(lead, "children")
        if link is None:
            ratio = table.rows / max(self.tables[parent].rows, 1)
            count = rng.poisson(ratio if table.rows else 1.0, n)
        else:
            count = np.maximum(np.round(link.counts.sample(self._count_scores(parent, name, lead, n, rng))), 0)
        group = np.repeat(np.arange(n), count.astype(np.int64))
        share = self._column(table, lead).params.nan_probability
        alone = round(len(group) * share / (1 - share)) if share < 1 else 0
        return np.r_[group, np.full(alone, -1)].astype(np.int64)

    def _count_scores(self, parent: str, name: str, lead: str, n: int, rng: np.random.Generator) -> np.ndarray:
        variable = parts.Variable(column=lead, part="count", table=name)
        known = own_variables(self.tables[parent])
        if variable in known and self.method == "copula":
            return self.score[parent][:, known.index(variable)]
        return rng.standard_normal(n)

    def _choose(
        self, table: parts.TableModel, column: str, target: str, link: parts.Link | None, n: int, streams: Streams
    ) -> np.ndarray:
        """The referred row of each row: some are referred to often, others never, as learned."""
        parent = split_target(target)[0]
        many = len(self.score[parent]) if parent in self.score else 0
        if not many:
            return np.full(n, -1)
        rng = streams.get(column, "weight")
        weight = np.ones(many) if link is None else np.maximum(link.counts.sample(rng.standard_normal(many)), 0)
        weight = weight if weight.sum() > 0 else np.ones(many)
        edges = np.cumsum(weight) / weight.sum()
        places = np.minimum(np.searchsorted(edges, streams.get(column, "choice").random(n), side="right"), many - 1)
        gone = streams.get(column, "missing").random(n) < self._column(table, column).params.nan_probability
        return np.where(gone, -1, places)

    def _refer(self, table: parts.TableModel, column: str, target: str, places: np.ndarray) -> pa.Array:
        parent, there = split_target(target)
        values = self.made[parent][there].take(pa.array(places, mask=places < 0))
        dtype = self._column(table, column).params.dtype
        return values if dtype is None else values.cast(arrow_type(dtype, column), safe=False)

    def _below(self, parent: str, group: np.ndarray) -> dict[str, np.ndarray]:
        """The moments of the parent's row, microseconds a row."""
        found: dict[str, np.ndarray] = {}
        for column in self.tables[parent].columns:
            values = self.made[parent][column.name]
            if isinstance(column, parts.DatetimeColumn) and pa.types.is_temporal(values.type):
                micro = wall_clock(values)
                number = np.where(np.asarray(values.is_null()), np.nan, np.asarray(micro.fill_null(0), dtype=float))
                found[UP + column.name] = np.append(number, np.nan)[group]
        return found

    def _given(self, table: parts.TableModel, keys: Mapping[str, str], group: np.ndarray) -> np.ndarray:
        found = table.correlation
        if found is None or not found.given:
            return np.zeros((len(group), 0))
        columns: list[Any] = []
        for variable in found.variables[len(found.variables) - found.given :]:
            known = own_variables(self.tables[variable.table]) if variable.table in self.tables else []
            same = parts.Variable(column=variable.column)
            score = self.score[variable.table or ""][:, known.index(same)] if same in known else np.zeros(1)
            columns.append(np.append(score, np.nan)[np.minimum(group, len(score))])
        return np.column_stack(columns)

"""A model document to Arrow columns: one table, or several that refer to each other."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import pyarrow as pa

from datareplicator.generate.single.related import Tables, referring
from datareplicator.generate.single.sequences import make_series
from datareplicator.generate.single.table import Method, Plan, make_table
from datareplicator.model.single.document import SingleModel, moment
from datareplicator.seeds import Streams


def make_single(
    model: SingleModel,
    rows: int,
    seed: int,
    method: Method = "copula",
    parents: Mapping[str, Mapping[str, pa.Array]] | None = None,
) -> dict[str, pa.Array]:
    """The columns of `rows` new rows of a model of one table. `parents`: columns of tables that exist already, whose
    keys the foreign keys of the model take. Raises RequestError, ModelError."""
    plan = Plan(rows, Streams(seed), method, made_on(model))
    plan.made = referring(model, parents or {}, rows, plan.streams)
    return make_series(model, plan) if model.sequence is not None and method == "copula" else make_table(model, plan)


def make_related(
    model: SingleModel, rows: int | Mapping[str, int], seed: int, method: Method = "copula"
) -> dict[str, dict[str, pa.Array]]:
    """The columns of all tables; `rows` of the first table without a parent, or by table. Raises RequestError, and
    ModelError where a foreign key names what is not there."""
    return Tables(model, seed, method, made_on(model)).make(rows)


def made_on(model: SingleModel) -> int:
    """When the model was made (microseconds since 1970-01-01): what ages count from."""
    try:
        return moment(model.metadata.date) if model.metadata.date is not None else 0
    except ValueError:
        return moment(datetime(2026, 1, 1, tzinfo=UTC).isoformat())

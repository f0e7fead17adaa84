"""A model document to Arrow columns: one table, or several that refer to each other."""

from __future__ import annotations

from datetime import UTC, datetime

import pyarrow as pa

from datareplicator.generate.single.table import Method, Plan, make_table
from datareplicator.model.single.document import SingleModel, moment
from datareplicator.seeds import Streams


def make_single(model: SingleModel, rows: int, seed: int, method: Method = "copula") -> dict[str, pa.Array]:
    """The columns of `rows` new rows of a model of one table."""
    return make_table(model, Plan(rows, Streams(seed), method, made_on(model)))


def made_on(model: SingleModel) -> int:
    """When the model was made (microseconds since 1970-01-01): what ages count from."""
    try:
        return moment(model.metadata.date) if model.metadata.date is not None else 0
    except ValueError:
        return moment(datetime(2026, 1, 1, tzinfo=UTC).isoformat())

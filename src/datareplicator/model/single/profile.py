"""One table: from its columns to its part of the document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from datareplicator.model.single.calibrate import calibrate
from datareplicator.model.single.columns import Learned, learn_column
from datareplicator.model.single.detect import detect
from datareplicator.model.single.document import Variable
from datareplicator.model.single.joint import Scores, column_scores, correlations, is_given
from datareplicator.model.single.orders import learn_orders
from datareplicator.model.single.persons import learn_persons
from datareplicator.model.single.source import SourceTable
from datareplicator.seeds import Streams

ENOUGH = 25_000
"""Rows that tell a correlation to 0.006."""


@dataclass
class TableProfile:
    """A table as the document has it, with the scores of its variables (rows, k) for what is learned on top."""

    part: dict[str, Any]
    columns: list[Learned]
    variables: list[Variable]
    scores: np.ndarray


def profile_table(
    source: SourceTable,
    *,
    keys: frozenset[str] = frozenset(),
    apart: frozenset[str] = frozenset(),
    given: Scores | None = None,
    counted: Scores | None = None,
    above: dict[str, np.ndarray] | None = None,
    table: str | None = None,
    whole: bool = False,
) -> TableProfile:
    """Learn a table.

    `keys`: columns that other tables refer to; `apart`: columns that are made by other means (foreign keys, the time
    of a sequence) and do not hang together with others; `given`: scores of the parent's row; `counted`: of the number
    of children; `above`: moments of the parent's row. `whole`: keep the scores of all rows, instead of
    learning correlations of a long table from a random part of it.
    """
    columns = [learn_column(c, detect(c, key=c.name in keys, table=table)) for c in source.columns.values()]
    learn_persons(columns, source)
    free = [c for c in columns if c.name not in apart]
    if source.rows:
        learn_orders(free, above)
    rows: np.ndarray | slice = slice(None)
    if not whole and source.rows > ENOUGH:
        rows = np.sort(Streams(0).get("correlation rows").choice(source.rows, ENOUGH, replace=False))
    found = column_scores(free, given, counted, rows)
    variables, matrix, own = correlations(found)
    matrix = calibrate(variables, matrix, {c.name: c for c in free}, rows)
    part: dict[str, Any] = {"columns": [c.entry for c in columns]}
    if len(variables) > 1 or given is not None:
        part["correlation"] = {
            "variables": [v.model_dump(exclude_defaults=True) for v in variables],
            "matrix": [[float(f"{x:.6g}") for x in row] for row in matrix.tolist()],
            "given": sum(is_given(v) for v in variables),
        }
    return TableProfile(part, columns, variables, found.scores[:, own] if len(own) else np.empty((source.rows, 0)))

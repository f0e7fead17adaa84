"""What a table holds and how it is read, as a digest: what was found in it holds as long as that is the same."""

from __future__ import annotations

import hashlib
import json

import numpy as np

from datareplicator.structure.encode import Context, EncodedColumn


def content(ctx: Context, table: str) -> str:
    """SHA-256 of a table's rows, of whose subjects they are, and of how its columns are read."""
    held = hashlib.sha256()
    own = ctx.tables[table]
    read = [ctx.constant.get(table), ctx.same.get(table), ctx.sequence.get(table), ctx.test.get(table), own.n]
    held.update(json.dumps([table, ctx.root, ctx.subject, *read], default=str).encode())
    if table in ctx.subject_codes:
        held.update(np.ascontiguousarray(ctx.subject_codes[table]).data)
    for name, column in own.columns.items():
        held.update(json.dumps([name, column.spec.model_dump(mode="json")]).encode())
        _feed(held, column)
    return held.hexdigest()


def _feed(held: hashlib._Hash, column: EncodedColumn) -> None:
    held.update(np.ascontiguousarray(column.codes).data)
    held.update(json.dumps([str(value) for value in column.distinct]).encode())

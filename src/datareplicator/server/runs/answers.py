"""The answer key of a run with faults, page by page: what was put where, and what was there before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from datareplicator.pipeline.corruption import ANSWERS, FORMS
from datareplicator.server.previews.service import connect
from datareplicator.server.runs.schemas import FaultFound, FaultKind, FaultPage
from datareplicator.server.runs.work import FILES

KEY = f"{FILES}/{ANSWERS}/{FORMS[0]}"
"""The key's file in the result of a run."""


def page(path: Path, *, kind: str | None, table: str | None, offset: int, limit: int) -> FaultPage:
    """Some of the faults in the order of the key, and how many there are of each kind."""
    clause, values = "TRUE", list[Any]()
    for name, value in (("kind", kind), ("table", table)):
        if value is not None:
            clause += f' AND "{name}" = ?'
            values.append(value)
    source = "read_parquet(?)"
    columns = ", ".join(f'"{name}"' for name in FaultFound.model_fields if name != "row") + ", row_after"
    names = [*(name for name in FaultFound.model_fields if name != "row"), "row"]
    with connect() as database:
        kinds = database.execute(
            f"SELECT kind, severity, count(DISTINCT incident), count(*), bool_or(detectable) FROM {source} "
            "GROUP BY 1, 2 ORDER BY 4 DESC, 1",
            [str(path)],
        ).fetchall()
        matching = database.execute(f"SELECT count(*) FROM {source} WHERE {clause}", [str(path), *values]).fetchall()
        found = database.execute(
            f"SELECT {columns} FROM {source} WHERE {clause} ORDER BY answer LIMIT ? OFFSET ?",
            [str(path), *values, limit, offset],
        ).fetchall()
    return FaultPage(
        kinds=[FaultKind(**dict(zip(FaultKind.model_fields, row, strict=True))) for row in kinds],
        items=[FaultFound(**dict(zip(names, row, strict=True))) for row in found],
        matching=matching[0][0],
    )

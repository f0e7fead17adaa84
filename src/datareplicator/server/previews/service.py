"""Pages of tables by DuckDB over Parquet: only what a page needs is read, however large the table.

Nothing of what a client sends becomes SQL: names are looked up among the table's columns, values are parameters.
"""

from __future__ import annotations

import asyncio
import json
import math
import time as clock
import uuid
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
from sqlalchemy import Row

from datareplicator.server.cache.tables import Result
from datareplicator.server.exports.work import quoted
from datareplicator.server.jobs.tablesout import INDEX
from datareplicator.server.previews.schemas import (
    ColumnOut,
    ColumnSummary,
    Condition,
    Mark,
    Rows,
    TableOut,
    TableQuery,
)
from datareplicator.server.problems import Problem, not_found
from datareplicator.server.settings import Settings
from datareplicator.server.storage import Missing, Storage

SIGNS = {"eq": "=", "ne": "<>", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}
TOP = 10
COPIES_KEPT = 600.0
"""Seconds."""
INDEXES_KEPT = 50

_indexes: dict[str, list[dict[str, Any]]] = {}
"""Indexes by the prefix of their result, which names one attempt of one job and never changes."""


async def index_of(storage: Storage, result: Result | Row[Any] | None) -> list[dict[str, Any]]:
    """The tables of a result with their columns."""
    if result is None:
        raise Problem(409, "There are no tables yet: the job is not done.", code="not-done")
    if result.prefix in _indexes:
        return _indexes[result.prefix]
    try:
        index = json.loads(await storage.read(f"{result.prefix}/{INDEX}"))
    except Missing as error:
        raise not_found("table") from error
    while len(_indexes) >= INDEXES_KEPT:
        del _indexes[next(iter(_indexes))]
    _indexes[result.prefix] = index
    return index


def tables_out(index: Sequence[dict[str, Any]]) -> list[TableOut]:
    """The tables for the outside."""
    return [
        TableOut(
            table=entry["table"],
            label=entry["label"],
            rows=entry["rows"],
            preview=bool(entry["file"]),
            columns=_columns(entry),
        )
        for entry in index
    ]


def _columns(entry: dict[str, Any], names: Sequence[str] | None = None) -> list[ColumnOut]:
    known = {column["name"]: column for column in entry["columns"]}
    fields = ("name", "label", "type", "format", "length")
    chosen = list(known) if names is None else names
    return [ColumnOut(**{f: known[name][f] for f in fields if known[name].get(f)}) for name in chosen]


async def rows_of(
    storage: Storage,
    settings: Settings,
    result: Result | Row[Any] | None,
    table: str,
    query: TableQuery,
    key: str | None = None,
) -> Rows:
    """A page of a table. `key`: the file of the result that says where faults were put in. Raises 404, and 422 for
    columns that it does not have."""
    entry = await _entry(storage, result, table)
    assert result is not None
    path = await local_path(storage, settings, f"{result.prefix}/{entry['file']}")
    answers = await local_path(storage, settings, f"{result.prefix}/{key}") if key else None
    return await asyncio.to_thread(_page, path, entry, query, answers)


async def summary_of(
    storage: Storage, settings: Settings, result: Result | None, table: str, column: str
) -> ColumnSummary:
    """What one column holds."""
    path, _ = await column_at(storage, settings, result, table, column)
    return await asyncio.to_thread(_summary, path, column)


async def column_at(
    storage: Storage, settings: Settings, result: Result | None, table: str, column: str
) -> tuple[Path, dict[str, Any]]:
    """The file of a table, and what is known of one of its columns. Raises 404, and 422 where there is none."""
    entry = await _entry(storage, result, table)
    assert result is not None
    _check([column], entry)
    path = await local_path(storage, settings, f"{result.prefix}/{entry['file']}")
    return path, next(known for known in entry["columns"] if known["name"] == column)


async def _entry(storage: Storage, result: Result | Row[Any] | None, table: str) -> dict[str, Any]:
    entry = next((e for e in await index_of(storage, result) if e["table"] == table), None)
    if entry is None:
        raise not_found("table")
    if not entry["file"]:
        raise Problem(409, "The faults in this table do not fit its columns: download it to see it.", code="no-preview")
    return entry


async def local_path(storage: Storage, settings: Settings, key: str) -> Path:
    """Where the file can be read: in the store itself, or in a copy on this machine."""
    here = storage.where(key)
    if here is not None:
        return here
    copy = settings.data_dir / "previews" / key
    if not copy.exists():
        part = copy.with_name(f".{copy.name}.{uuid.uuid4().hex}")
        await storage.fetch(key, part)
        part.replace(copy)
    return copy


def forget_copies(data_dir: Path) -> None:
    """Remove copies of remote files that were made some time ago: what was deleted must not stay here."""
    limit = clock.time() - COPIES_KEPT
    for path in (data_dir / "previews").rglob("*"):
        if path.is_file() and path.stat().st_mtime < limit:
            path.unlink(missing_ok=True)


def _check(names: Sequence[str], entry: dict[str, Any]) -> None:
    known = {column["name"] for column in entry["columns"]}
    for name in names:
        if name not in known:
            raise Problem(422, f"The table {entry['table']} has no column {name!r}.", columns=sorted(known))


@cache
def _database() -> duckdb.DuckDBPyConnection:
    """One database of this process, in memory: making one takes longer than most pages."""
    database = duckdb.connect(
        ":memory:",
        config={"threads": "1", "memory_limit": "512MB", "autoinstall_known_extensions": "false"},
    )
    database.execute("SET parquet_metadata_cache = true")
    return database


def connect() -> duckdb.DuckDBPyConnection:
    """A connection to look into files with: nothing is in the database, no files but those named, no network."""
    return _database().cursor()


def _page(path: Path, entry: dict[str, Any], query: TableQuery, answers: Path | None) -> Rows:
    names = query.columns if query.columns is not None else [column["name"] for column in entry["columns"]]
    _check([*names, *(c.column for c in query.where), *(o.column for o in query.sort)], entry)
    types = {column["name"]: column["type"] for column in entry["columns"]}
    clause, values = _where(query, types)
    if query.faulty:
        if answers is None:
            raise Problem(422, "No faults were put into this table.")
        clause += ' AND file_row_number + 1 IN (SELECT row_after FROM read_parquet(?) WHERE "table" = ?)'
        values += [str(answers), entry["table"]]
    order = ", ".join(
        [f"{quoted(o.column)} {'DESC' if o.descending else 'ASC'} NULLS LAST" for o in query.sort] + ["file_row_number"]
    )
    shown = ", ".join(["file_row_number + 1", *(_shown(name, types[name]) for name in names)])
    source = "read_parquet(?, file_row_number=true)"
    plainly = not (query.where or query.search or query.faulty)
    matching, at, bounds = entry["rows"], "LIMIT ? OFFSET ?", [query.limit, query.offset]
    order = f"ORDER BY {order} {at}"
    if plainly and not query.sort:  # these rows and no others are read, and putting so few in order needs no plan
        clause, order = "file_row_number >= ? AND file_row_number < ?", ""
        values, bounds = [query.offset, query.offset + query.limit], []
    with connect() as database:
        try:
            if not plainly:
                count = f"SELECT count(*) FROM {source} WHERE {clause}"
                matching = (database.execute(count, [str(path), *values]).fetchone() or (0,))[0]
            found = database.execute(
                f"SELECT {shown} FROM {source} WHERE {clause} {order}", [str(path), *values, *bounds]
            ).fetchall()
            if not order:
                found.sort(key=lambda row: row[0])
            numbers = [row[0] for row in found]
            marks = _marks(database, answers, entry["table"], numbers) if answers is not None and numbers else []
        except (duckdb.DataError, duckdb.ProgrammingError, OverflowError) as error:
            raise Problem(422, "A value does not fit the type of its column.") from error
    return Rows(
        table=entry["table"],
        label=entry["label"],
        columns=_columns(entry, names),
        rows=[[plain(value) for value in row[1:]] for row in found],
        numbers=numbers,
        marks=marks,
        offset=query.offset,
        matching=matching,
        total=entry["rows"],
    )


def _marks(database: duckdb.DuckDBPyConnection, answers: Path, table: str, numbers: Sequence[int]) -> list[Mark]:
    """The faults in these rows."""
    found = database.execute(
        'SELECT row_after, variable, kind, "change", severity, old, new FROM read_parquet(?) '
        'WHERE "table" = ? AND row_after BETWEEN ? AND ? ORDER BY answer LIMIT 5000',
        [str(answers), table, min(numbers), max(numbers)],
    ).fetchall()
    shown = set(numbers)
    return [Mark(**dict(zip(Mark.model_fields, row, strict=True))) for row in found if row[0] in shown]


def _shown(name: str, kind: str) -> str:
    """How a column is selected: times of day are stored as microseconds."""
    if kind == "time":
        return f"CAST(to_microseconds(CAST({quoted(name)} AS BIGINT)) AS VARCHAR)"
    return quoted(name)


def _where(query: TableQuery, types: dict[str, str]) -> tuple[str, list[Any]]:
    parts, values = ["TRUE"], []
    for condition in query.where:
        part, given = _condition(condition, types[condition.column])
        parts.append(part)
        values += given
    if query.search:
        texts = [name for name, kind in types.items() if kind == "text"]
        if texts:
            parts.append("(" + " OR ".join(f"contains(lower({quoted(name)}), lower(?))" for name in texts) + ")")
            values += [query.search] * len(texts)
        else:
            parts.append("FALSE")
    return " AND ".join(parts), values


def _condition(condition: Condition, kind: str) -> tuple[str, list[Any]]:
    name, value = quoted(condition.column), condition.value
    missing = f"({name} IS NULL OR CAST({name} AS VARCHAR) = '')"
    if condition.operator in ("missing", "present"):
        if value is not None:
            raise Problem(422, f"{condition.operator} takes no value.")
        return (missing if condition.operator == "missing" else f"NOT {missing}"), []
    if condition.operator == "in":
        if not isinstance(value, list) or not value:
            raise Problem(422, "`in` takes a list of values.")
        return f"{name} IN ({', '.join([_parameter(kind)] * len(value))})", [_given(v, kind) for v in value]
    if value is None or isinstance(value, list):
        raise Problem(422, f"{condition.operator} takes one value.")
    if condition.operator in ("contains", "starts"):
        function = "contains" if condition.operator == "contains" else "starts_with"
        return f"{function}(lower(CAST({name} AS VARCHAR)), lower(?))", [str(value)]
    sign = SIGNS[condition.operator]
    if condition.operator == "ne":
        return f"({name} IS DISTINCT FROM {_parameter(kind)})", [_given(value, kind)]
    return f"{name} {sign} {_parameter(kind)}", [_given(value, kind)]


def _parameter(kind: str) -> str:
    return {"date": "CAST(? AS DATE)", "datetime": "CAST(? AS TIMESTAMP)"}.get(kind, "?")


def _given(value: Any, kind: str) -> Any:
    """A value as the column's type takes it."""
    if kind in ("text", "date", "datetime"):
        return str(value)
    if kind in ("integer", "float") and isinstance(value, str):
        try:
            return float(value)
        except ValueError as error:
            raise Problem(422, f"{value!r} is no number.") from error
    return value


def _summary(path: Path, column: str) -> ColumnSummary:
    name = quoted(column)
    with connect() as database:
        counts = database.execute(
            f"SELECT count(*) - count({name}), count(DISTINCT {name}), min({name}), max({name}) FROM read_parquet(?)",
            [str(path)],
        ).fetchone()
        top = database.execute(
            f"SELECT {name}, count(*) AS n FROM read_parquet(?) WHERE {name} IS NOT NULL "
            f"GROUP BY 1 ORDER BY n DESC, 1 LIMIT {TOP}",
            [str(path)],
        ).fetchall()
    assert counts is not None
    missing, distinct, least, greatest = counts
    return ColumnSummary(
        column=column,
        missing=missing,
        distinct=distinct,
        least=plain(least),
        greatest=plain(greatest),
        top=[(plain(value), rows) for value, rows in top],
    )


def plain(value: Any) -> Any:
    """A value of DuckDB as JSON has it.

    >>> plain(float("nan")), plain(date(2024, 2, 29))
    (None, '2024-02-29')
    """
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, timedelta | bytes):
        return str(value)
    return value

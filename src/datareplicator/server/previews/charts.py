"""Plots of columns as Vega-Lite specifications with their (counted) data inside: for visualisation tools and pages."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from datareplicator.server.cache.tables import Result
from datareplicator.server.exports.work import quoted
from datareplicator.server.previews.service import column_at, connect, plain
from datareplicator.server.settings import Settings
from datareplicator.server.storage import Storage

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
BINS = 30
BARS = 30
NUMBERS = ("integer", "float")


async def chart_of(
    storage: Storage, settings: Settings, result: Result | None, table: str, column: str
) -> dict[str, Any]:
    """A histogram of numbers, bars of anything else. Raises 404, 409, 422 as previews do."""
    path, known = await column_at(storage, settings, result, table, column)
    numeric = known["type"] in NUMBERS
    counted = await asyncio.to_thread(_binned if numeric else _counted, path, column)
    return {
        "$schema": SCHEMA,
        "title": known.get("label") or column,
        "description": f"{table}.{column}",
        "data": {"values": counted},
        "mark": "bar",
        "encoding": _histogram(column) if numeric else _bars(column),
    }


def _histogram(column: str) -> dict[str, Any]:
    return {
        "x": {"field": "from", "bin": {"binned": True}, "title": column, "type": "quantitative"},
        "x2": {"field": "to"},
        "y": {"field": "rows", "type": "quantitative", "title": "rows"},
    }


def _bars(column: str) -> dict[str, Any]:
    return {
        "y": {"field": "value", "type": "nominal", "sort": "-x", "title": column},
        "x": {"field": "rows", "type": "quantitative", "title": "rows"},
    }


def _binned(path: Path, column: str) -> list[dict[str, Any]]:
    """Rows in bins of equal width, the last one closed."""
    name = quoted(column)
    source = f"read_parquet(?) WHERE {name} IS NOT NULL AND isfinite(CAST({name} AS DOUBLE))"
    with connect() as database:
        least, greatest = database.execute(f"SELECT min({name}), max({name}) FROM {source}", [str(path)]).fetchall()[0]
        if least is None:
            return []
        width = (float(greatest) - float(least)) / BINS or 1.0
        rows = database.execute(
            f"SELECT least(floor((CAST({name} AS DOUBLE) - ?) / ?), {BINS - 1}) AS bin, count(*) "
            f"FROM {source} GROUP BY 1 ORDER BY 1",
            [float(least), width, str(path)],
        ).fetchall()
    return [
        {"from": float(least) + number * width, "to": float(least) + (number + 1) * width, "rows": count}
        for number, count in rows
    ]


def _counted(path: Path, column: str) -> list[dict[str, Any]]:
    """Rows of the most frequent values; the rest and what is missing are bars of their own."""
    name = quoted(column)
    with connect() as database:
        rows = database.execute(
            f"SELECT CAST({name} AS VARCHAR), count(*) AS n FROM read_parquet(?) GROUP BY 1 ORDER BY n DESC, 1",
            [str(path)],
        ).fetchmany(10_000)
    named = [{"value": plain(value) or "(missing)", "rows": count} for value, count in rows[:BARS]]
    rest = sum(count for _, count in rows[BARS:])
    return [*named, {"value": "(other)", "rows": rest}] if rest else named

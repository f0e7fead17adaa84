"""What never comes after what: dates, and numbers such as limits, that stand in one order in every row."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from datareplicator.seeds import Streams
from datareplicator.structure.encode import Context, EncodedColumn, EncodedTable
from datareplicator.structure.names import is_named
from datareplicator.structure.spec import Kind, Order

ROWS = 10
"""Rows with both values that an order needs."""

EXCEPTIONS = 0.01
"""Share of rows in which an order of dates may be broken; numbers allow none."""

FEW = 12
"""Distinct values that limits may always have: measurements in one row have no order of their own."""

BREAKS = 0.1
"""Share of rows of which an unrelated row must break an order of numbers: otherwise it says only
that one column holds larger numbers than the other."""


def mine_orders(ctx: Context) -> list[Order]:
    """Orders between the dates of a row and between its numbers, without those that follow from two others."""
    found = []
    for name, table in ctx.tables.items():
        if name not in ctx.subject_codes and ctx.subject_codes:
            continue
        columns = [table[c] for c in ctx.candidates(name)]
        dates = {c.name: c.days for c in columns if c.kind == Kind.DATE}
        numbers = {c.name: c.numbers for c in columns if _measured(ctx, table, c)}
        found += _shortest(_ordered(name, dates, strict=False))
        found += _shortest(_ordered(name, numbers, strict=True))
    return found


def orders_between(table: str, columns: dict[str, np.ndarray], *, strict: bool) -> list[Order]:
    """Orders between columns (float64 a row, NaN missing) of one table; `strict` for numbers that are no dates."""
    return _shortest(_ordered(table, columns, strict=strict))


def _measured(ctx: Context, table: EncodedTable, column: EncodedColumn) -> bool:
    named = any(is_named(role, column.name) for role in ("sequence", "visit", "visit_day", "reference", "test"))
    day = column.name.upper().endswith("DY")
    limit = len(column.distinct) <= max(FEW, 0.05 * table.n) and table.name != ctx.root
    return (
        column.kind in (Kind.DECIMAL, Kind.INTEGER)
        and limit
        and not (named or day or column.name == ctx.sequence.get(table.name))
    )


def _ordered(table: str, columns: dict[str, np.ndarray], *, strict: bool) -> list[Order]:
    found = []
    for a, b in combinations(columns, 2):
        both = np.isfinite(columns[a]) & np.isfinite(columns[b])
        if both.sum() < ROWS:
            continue
        x, y = columns[a][both], columns[b][both]
        if (x == y).all():
            continue
        for low, high, below, above in ((a, b, x, y), (b, a, y, x)):
            broken = float((below > above).mean())
            if broken <= (0.0 if strict else EXCEPTIONS) and (not strict or _telling(below, above)):
                found.append(Order(table=table, low=low, high=high, exceptions=round(broken, 6)))
                break
    return found


def _telling(low: np.ndarray, high: np.ndarray) -> bool:
    apart = float((low < high).mean()) >= 0.5
    other = Streams(0).get("orders").permutation(len(high))  # not a shift: rows repeat with the period of the tests
    return apart and float((high[other] < low).mean()) >= BREAKS


def _shortest(orders: list[Order]) -> list[Order]:
    """Without a <= c where a <= b and b <= c are there."""
    pairs = {(o.low, o.high) for o in orders}
    middles = {o.high for o in orders}
    return [o for o in orders if not any((o.low, m) in pairs and (m, o.high) in pairs for m in middles)]

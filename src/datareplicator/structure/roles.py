"""The part that each column plays in its table: test, visit, result columns, event code, dates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from datareplicator.structure.encode import Context, EncodedColumn, EncodedTable
from datareplicator.structure.keys import determines, unique_within
from datareplicator.structure.names import is_named, named, prefix_of
from datareplicator.structure.spec import Kind

RECURRING = 0.25  # row-weighted share of subjects that hold a test's code
TESTS = 300  # codes of tests at most, where no name says that it is one


@dataclass
class Roles:
    """Column names, None where the table has no such column. See `TableSpec`."""

    test: str | None = None
    visit: str | None = None
    value: str | None = None
    text: str | None = None
    original: str | None = None
    unit: str | None = None
    status: str | None = None
    code: str | None = None
    date: str | None = None
    start: str | None = None
    end: str | None = None


def find_test(ctx: Context, table: str) -> str | None:
    """The test code: by name, else the category that tells apart the rows of a day and goes with a number."""
    encoded = ctx.tables[table]
    for name in named("test", _present(encoded)):
        if encoded[name].present.mean() > 0.5:
            return name
    if table not in ctx.subject_codes or table == ctx.root or _is_cdisc(encoded):
        return None
    values = [c for c in encoded.columns.values() if c.kind == Kind.DECIMAL and len(c.distinct) > 20]
    return next((c.name for c in _category_candidates(ctx, table) if any(_explains(c, v) for v in values)), None)


def _is_cdisc(encoded: EncodedTable) -> bool:
    """Whether names follow CDISC, where a test has its name: a domain's prefix, in capitals as the standard has it."""
    prefix = prefix_of(encoded.columns)
    return prefix is not None and any(c.startswith(prefix) and c.isupper() for c in encoded.columns)


def _category_candidates(ctx: Context, table: str) -> list[EncodedColumn]:
    encoded, subjects = ctx.tables[table], ctx.subject_codes[table].astype(np.int64)
    dates = [c for c in encoded.columns.values() if c.kind == Kind.DATE or is_named("visit", c.name)]
    if not dates or len(np.unique(subjects)) < 2:
        return []
    found = []
    for c in encoded.columns.values():
        fit = c.kind == Kind.CATEGORY and 2 <= len(c.distinct) <= TESTS and c.present.all()
        if not fit or c.name in ctx.constant.get(table, {}) or is_named("unit", c.name):
            continue
        day = dates[0].codes
        better = unique_within(subjects, [day]) - unique_within(subjects, [day, c.codes])
        if better > 0.3 and unique_within(subjects, [day, c.codes]) < 0.05:
            found.append(c)
    return sorted(found, key=lambda c: -sum(determines(c, o) for o in encoded.columns.values()))


def _explains(c: EncodedColumn, value: EncodedColumn) -> bool:
    """Whether the category explains most of the variance of the numbers (their ranks)."""
    known = np.isfinite(value.numbers)
    rank = pd.Series(value.numbers[known]).rank().to_numpy()
    if len(rank) < 20:
        return False
    codes = c.codes[known]
    mean = np.bincount(codes, rank, len(c.distinct)) / np.maximum(np.bincount(codes, minlength=len(c.distinct)), 1)
    return bool(np.var(mean[codes]) > 0.5 * np.var(rank))


def _present(encoded: EncodedTable) -> list[str]:
    """Columns with data that may be told from each other: personal data play no part but to be replaced."""
    return [name for name, c in encoded.columns.items() if c.kind not in (Kind.EMPTY, Kind.PII)]


def prefix_in(encoded: EncodedTable) -> str | None:
    """The table's domain prefix: its DOMAIN value where the name has it too, else what most columns begin with."""
    for name in ("DOMAIN", "domain"):
        if name in encoded and len(encoded[name].distinct) == 1:
            value = str(encoded[name].distinct[0]).strip().upper()
            if encoded.name.upper().startswith(value):
                return value
    prefix = prefix_of(encoded.columns)
    return prefix if prefix is not None and encoded.name.upper().startswith(prefix) else None


def _own(encoded: EncodedTable) -> list[str]:
    """Columns with data; those with the table's own prefix first (AESTDTC before RFSTDTC)."""
    names, prefix = _present(encoded), prefix_in(encoded)
    if prefix is None:
        return names
    return sorted(names, key=lambda c: not c.upper().startswith(prefix))


def _first(role: str, names: list[str]) -> str | None:
    return next(iter(named(role, names)), None)


def find_roles(ctx: Context, table: str) -> Roles:
    """Roles by name, then by content where only one column can be meant."""
    encoded = ctx.tables[table]
    names, test = _own(encoded), ctx.test.get(table)
    roles = Roles(test=test, visit=_first("visit", names) or _first("visit_name", names))
    if test is not None:
        roles.value = _number(encoded, named("value", names)) or _only_number(ctx, table)
        roles.text, roles.original = _first("text", names), _first("original", names)
        roles.unit = _unit(names, roles.original)
        roles.status = _first("status", names)
    dates = [c for c in names if encoded[c].kind == Kind.DATE]
    _dates(roles, dates, prefix_in(encoded))
    if test is None and table != ctx.root:
        roles.code = find_code(ctx, table, names)
    return roles


def _number(encoded: EncodedTable, names: list[str]) -> str | None:
    return next((c for c in names if encoded[c].number is not None), None)


def _only_number(ctx: Context, table: str) -> str | None:
    skip = ctx.constant.get(table, {})
    encoded = ctx.tables[table]
    fit = [c for c in encoded.columns.values() if c.kind == Kind.DECIMAL and c.name not in skip]
    fit = [c for c in fit if not is_named("visit", c.name) and not is_named("result", c.name)]
    return max(fit, key=lambda c: len(c.distinct)).name if fit else None


def _unit(names: list[str], original: str | None) -> str | None:
    """The unit of the original result; the standard unit only where there is no original."""
    collected = _first("unit", names)
    return collected if collected is not None or original is not None else _first("standard_unit", names)


def _dates(roles: Roles, dates: list[str], prefix: str | None) -> None:
    own = [c for c in dates if prefix is None or c.upper()[:2] == prefix] or dates
    single = [c for c in dates if is_named("start", c) or is_named("end", c)]
    roles.start = _first("start", own) or _first("start", dates)
    roles.end = _first("end", own) or _first("end", dates)
    plain = [c for c in own if c not in single]
    roles.date = _first("date", plain) or next(iter(plain), None)


def find_code(ctx: Context, table: str, names: list[str]) -> str | None:
    """The finest coded term: a coded column by name, or a finer one (lowest level term) that determines it; else the
    reported term; else the category with the most values that recur."""
    encoded = ctx.tables[table]
    usable = [c for c in names if len(encoded[c].distinct) > 1 and c not in ctx.constant.get(table, {})]
    code = _first("code", usable)
    if code is not None:
        lower = [
            c for c in usable if c.upper().endswith("LLT") and len(encoded[c].distinct) >= len(encoded[code].distinct)
        ]
        return next((c for c in lower if determines(encoded[c], encoded[code])), code)
    term = _first("term", usable)
    if term is not None:
        return term
    fit = [
        c
        for c in usable
        if encoded[c].kind == Kind.CATEGORY
        and len(encoded[c].distinct) <= 0.5 * encoded.n
        and not (is_named("visit", c) or is_named("visit_name", c) or is_named("site", c) or is_named("reference", c))
    ]
    return max(fit, key=lambda c: len(encoded[c].distinct), default=None)

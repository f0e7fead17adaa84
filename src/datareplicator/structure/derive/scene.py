"""What the templates look at while they search: candidates of each table, samples, and the judge of a find."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from datareplicator.structure.derive.bits import BITS
from datareplicator.structure.derive.outcome import agreement, as_series, equal, exact
from datareplicator.structure.derive.view import Values, View, json_levels
from datareplicator.structure.encode import Context
from datareplicator.structure.names import is_named
from datareplicator.structure.spec import MEMBER, Derivation, Kind, Ref

FLOATS = ("parse", "linear", "arithmetic", "round", "date_difference")
"""Templates whose results are computed or parsed floats."""

SAMPLE = 2000
"""Rows in prefilters."""


class Scene:
    """A `Context` with a `View` on its frames. `skip[table]` are columns already explained by copies.

    `only`: the tables whose columns are explained from the table itself; all without it.
    """

    def __init__(
        self, ctx: Context, compute: Callable[[Derivation, View], pd.Series], only: Container[str] | None = None
    ) -> None:
        self.ctx = ctx
        self._only = only
        self.view = View({name: table.frame for name, table in ctx.tables.items()})
        self._compute = compute
        self.candidates = cache(self._candidates)
        self.sample = cache(self._sample)
        self.tests = cache(self._tests)
        self.repeated = cache(self._repeated)

    @property
    def tables(self) -> list[str]:
        """Tables with rows and subjects (all tables of a source without subjects); reference tables are copied."""
        reached = self.ctx.subject_codes
        return [name for name, table in self.ctx.tables.items() if table.n and (name in reached or not reached)]

    @property
    def targets(self) -> list[str]:
        """The tables in which columns are explained from the table itself and the subject's."""
        return [name for name in self.tables if self._only is None or name in self._only]

    def values(self, table: str, column: str) -> Values:
        """The encoded column."""
        return self.view.values(table, column)

    def _candidates(self, table: str) -> list[str]:
        return [c for c in self.ctx.candidates(table) if c not in (MEMBER, self.key(table))]

    def select(self, table: str, test: Callable[[Values], bool]) -> list[str]:
        """Candidates whose values pass a test."""
        return [c for c in self.candidates(table) if test(self.values(table, c))]

    def numbers(self, table: str) -> list[str]:
        """Candidates that are numbers or texts of numbers, not constant."""
        return self.select(table, lambda v: v.distinct > 1 and v.is_number)

    def measures(self, table: str) -> list[str]:
        """Numbers that are no positions in time or in the table: no row numbers, visits or study days."""
        return [c for c in self.numbers(table) if c != self.ctx.sequence.get(table) and not positional(c)]

    def dates(self, table: str) -> list[str]:
        """Candidates that are dates with a known day somewhere."""
        return self.select(table, lambda v: v.is_date and bool(np.isfinite(v.moments.day).any()))

    def categories(self, table: str, most: int = 200, least: int = 1) -> list[str]:
        """Candidates of few distinct values that are neither dates nor decimals."""
        return [
            c
            for c in self.candidates(table)
            if least <= self.values(table, c).distinct <= most
            and self.ctx.tables[table][c].kind not in (Kind.DATE, Kind.DECIMAL, Kind.TEXT, Kind.TIME, Kind.DURATION)
        ]

    def _sample(self, table: str) -> np.ndarray:
        n = self.view.rows(table)
        return np.unique(np.linspace(0, n - 1, min(n, SAMPLE)).astype(np.int64))

    def _tests(self, table: str) -> str | None:
        """The test-code column: as discovery says, else by the names of the standards."""
        known = self.ctx.test.get(table)
        if known is not None:
            return known
        names = [c for c in self.ctx.tables[table].columns if c.upper().endswith(("TESTCD", "PARAMCD"))]
        return names[0] if names else None

    def _repeated(self, table: str) -> bool:
        """Whether subjects have several rows here."""
        codes = self.ctx.subject_codes.get(table)
        return codes is not None and bool(np.bincount(codes[codes >= 0]).max(initial=0) > 1)

    def keyed(self, *tables: str) -> bool:
        """Whether all these tables carry the subject key."""
        return all(table in self.ctx.subject_columns for table in tables)

    def key(self, table: str) -> str | None:
        """The subject key's name in a table."""
        return self.ctx.subject_columns.get(table)

    def pair(self, table: str, other: str) -> list[list[str]]:
        """The ``keys`` that join two tables by subject."""
        return [[self.ctx.subject_columns[table], self.ctx.subject_columns[other]]]

    def moves(self, table: str, column: str) -> bool:
        """Whether a column varies within some subject (true for tables of one row a subject)."""
        return column not in self.ctx.constant.get(table, {})

    def judge(self, threshold: float, *, scope: bool = True, **fields: Any) -> Derivation | None:
        """Compute a proposed derivation and keep it where it agrees; `scope` allows restricting it to the rows of
        some categories when it is merely absent from the others."""
        derivation = Derivation(**fields)
        target = self.values(derivation.table, derivation.target)
        result = as_series(self._compute(derivation, self.view))
        share, rows = agreement(result, target)
        if share < threshold and scope:
            only = self._scope(derivation, result, target)
            if only is not None:
                derivation = derivation.model_copy(update={"params": {**derivation.params, "only": only}})
                share, rows = agreement(self._compute(derivation, self.view), target)
        if share < threshold or not rows:
            return None
        return self._with_bits(derivation.model_copy(update={"agreement": share, "rows": rows}), target)

    def _with_bits(self, derivation: Derivation, target: Values) -> Derivation:
        """Add the rule of the last bits (params ``bits``) to a computed float where that reproduces more of them."""
        if derivation.template not in FLOATS or not pd.api.types.is_float_dtype(target.series.dtype):
            return derivation
        best, share = derivation, exact(self._compute(derivation, self.view), target)
        for bits in BITS if share < 0.9999 else ():
            params = {**derivation.params, "bits": bits}
            one = derivation.model_copy(update={"params": params})
            made = self._compute(one, self.view)
            other = exact(made, target)
            if other > share + 0.001:
                best, share = one.model_copy(update={"agreement": agreement(made, target)[0]}), other
        return best

    def _scope(self, derivation: Derivation, result: pd.Series, target: Values) -> dict[str, Any] | None:
        found = Values(result)
        absent = found.present & ~target.present
        if not absent.any() or not target.present.any():
            return None
        wrong = ~equal(found, target) & ~absent
        if wrong.sum() > 0.05 * target.present.sum():
            return None
        companion = self._companion(derivation, absent, target)
        if companion is not None:
            return {"column": companion, "values": None}
        best: tuple[float, dict[str, Any]] | None = None
        for column in self._scopes(derivation):
            values = self.values(derivation.table, column)
            size = len(values.levels) + 1
            held = np.bincount(values.codes + 1, target.present.astype(float), size)
            gone = np.bincount(values.codes + 1, absent.astype(float), size)
            keep = held > 20 * gone
            error = held[~keep].sum() + gone[keep].sum()
            if best is None or error < best[0]:
                names = [None, *json_levels(values.levels)]
                best = error, {"column": column, "values": [v for v, k in zip(names, keep, strict=True) if k]}
        return best[1] if best and best[0] <= 0.01 * target.present.sum() and best[1]["values"] else None

    def _companion(self, derivation: Derivation, absent: np.ndarray, target: Values) -> str | None:
        """A column present on exactly the rows where the target is, as far as the template gives a value."""
        table = derivation.table
        asked = absent | target.present
        for column in self.ctx.tables[table].columns:
            held = self.values(table, column).present
            if column != derivation.target and not held.all() and np.array_equal(held[asked], target.present[asked]):
                return column
        return None

    def _scopes(self, derivation: Derivation) -> Iterable[str]:
        table = self.ctx.tables[derivation.table]
        test = self.tests(derivation.table)
        named = [c for c in (MEMBER, test) if c is not None and c in table]
        return [
            *named,
            *(c for c in self.categories(derivation.table, 60, 1) if c not in named and c != derivation.target),
        ][:40]


def positional(column: str) -> bool:
    """Whether a name says row number, visit or study day.

    >>> positional("LBSEQ"), positional("VISITDY"), positional("AESTDY"), positional("LBSTRESN")
    (True, True, True, False)
    """
    return column.upper().endswith("DY") or any(is_named(role, column) for role in ("sequence", "visit", "visit_day"))


def ref(table: str, *columns: str) -> tuple[Ref, ...]:
    """References to columns of one table."""
    return tuple(Ref(table=table, column=c) for c in columns)


def stem(table: str, column: str) -> str:
    """A column's name without the domain prefix and the usual endings: what pairs AESTDTC with AESTDY.

    >>> stem("AE", "AESTDTC"), stem("AE", "AESTDY"), stem("LB", "LBSTNRHI")
    ('ST', 'ST', 'STNRHI')
    """
    name = column.upper().removeprefix("SUPP.").removeprefix(table.upper()[:2])
    for ending in ("DTC", "DTM", "DT", "DY", "DATE"):
        if name.endswith(ending):
            return name.removesuffix(ending)
    return name


def rotated(scene: Scene, table: str, pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """(target, source) pairs with the same stem first."""
    return sorted(pairs, key=lambda p: stem(table, p[0]) != stem(table, p[1]))

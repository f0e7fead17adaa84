"""Columns that follow from others: code pairs, copies, formulas, recomputed and compared."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from datareplicator.structure.derive import compute
from datareplicator.structure.derive.outcome import as_series, equal
from datareplicator.structure.derive.view import Values
from datareplicator.structure.spec import Derivation
from datareplicator.validate.rule import Hits
from datareplicator.validate.structural.view import STRUCTURAL_RULES, StructuralView

COPIES = frozenset({"constant", "same", "same_day", "copy_subject", "copy_by_key"})
HELD = 0.95
"""Agreement in the source from which a derivation is a rule there, and not merely the best guess."""

PRECISION = 1e-9
"""Relative difference up to which two numbers are the same: what decimal text and SAS floats lose."""


def _recomputed(view: StructuralView, wanted: Callable[[Derivation], bool]) -> Iterator[Hits]:
    for derivation in view.structure.derivations:
        if derivation.agreement < HELD or not wanted(derivation):
            continue
        part = view.parts.get(derivation.table)
        held = all(s.table in view.parts and view.parts[s.table].has(s.column) for s in derivation.sources)
        if part is None or not len(part) or not held or not part.has(derivation.target):
            continue
        try:
            result = as_series(compute(derivation, view.view))
        except KeyError as missing:
            # What a formula groups and orders by may be absent too; DR1001 says so.
            if not view.lacks(missing.args[0]):
                raise
            continue
        actual = Values(part.frame[derivation.target])
        spoken = result.notna().to_numpy()
        asked = spoken if derivation.params.get("partial") else spoken | actual.present
        bad = asked & ~_same(Values(result), actual) & ~_stands_in(view, derivation)
        names = tuple(s.column for s in derivation.sources if s.table == derivation.table)
        yield Hits(
            part, bad, (derivation.target, *names), int(asked.sum()), f"({derivation.target}: {derivation.template})"
        )


def _stands_in(view: StructuralView, derivation: Derivation) -> np.ndarray:
    """Rows of a lookup with a term that the source lacks and that is the coded one: it may stand for any reported."""
    part, spec = view.parts[derivation.table], view.structure.tables[derivation.table]
    out = np.zeros(len(part), dtype=bool)
    if derivation.template != "lookup" or spec.code is None or not part.has(spec.code):
        return out
    code = part.frame[spec.code].astype("str").str.casefold()
    held = [*derivation.params["keys"], derivation.params["values"]]
    for column, values in zip([*(s.column for s in derivation.sources), derivation.target], held, strict=True):
        if column != spec.code:
            term = part.frame[column].astype("str")
            new = term.notna() & ~term.isin([str(v) for v in values if v is not None])
            out |= (new & (term.str.casefold() == code)).to_numpy(dtype=bool)
    return out


def _same(result: Values, actual: Values) -> np.ndarray:
    if result.stored_number and actual.stored_number:
        return np.isclose(result.number, actual.number, rtol=PRECISION, atol=PRECISION, equal_nan=True)
    return equal(result, actual)


@STRUCTURAL_RULES.rule("DR1301", "The code pair does not occur in the source.")
def unknown_pair(view: StructuralView) -> Iterator[Hits]:
    yield from _recomputed(view, lambda d: d.template == "lookup")


@STRUCTURAL_RULES.rule("DR1302", "The value is not the one it should repeat.")
def wrong_copy(view: StructuralView) -> Iterator[Hits]:
    yield from _recomputed(view, lambda d: d.template in COPIES)


@STRUCTURAL_RULES.rule("DR1303", "The value does not follow from the others by its formula.")
def wrong_formula(view: StructuralView) -> Iterator[Hits]:
    yield from _recomputed(view, lambda d: d.template not in COPIES and d.template != "lookup")

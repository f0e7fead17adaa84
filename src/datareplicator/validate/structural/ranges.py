"""Values that the baseline lacks. These rules apply only where a baseline is given."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pandas as pd

from datareplicator.structure.spec import Kind, Layout
from datareplicator.validate.part import Part
from datareplicator.validate.rule import Hits, Severity
from datareplicator.validate.structural.view import STRUCTURAL_RULES, StructuralView

MEASURE = re.compile(r"-?\d+(?:\.\d+)?|\d{4}(?:-\d\d){0,2}(?:T[\d:.]+)?|P(?:\d+(?:\.\d+)?[YMWD])+")
"""Numbers, ISO 8601 dates and durations."""
MOST = 200
"""Distinct values up to which a column's values are taken for the complete list."""


@STRUCTURAL_RULES.rule("DR1601", "The category does not occur in the baseline.")
def unknown_category(view: StructuralView) -> Iterator[Hits]:
    if view.baseline is None:
        return
    for spec, part in view.tables():
        source = view.baseline.parts.get(spec.name)
        # Results may be new, and relations name rows: neither is a list of categories.
        free = {spec.original, spec.text, spec.value}
        for column in spec.columns if spec.layout != Layout.RELATION else ():
            listed = column.kind in (Kind.CATEGORY, Kind.FLAG) and column.encoding == "text" and column.distinct <= MOST
            if (
                source is None
                or not listed
                or column.name in free
                or not part.has(column.name)
                or not source.has(column.name)
            ):
                continue
            known = set(source.distinct(column.name)) | view.expected | view.computed(spec.name, column.name)
            if spec.code is not None and column.name != spec.code and source.has(spec.code):
                # The coded term may stand for the one as reported, as far as the column reaches.
                longest = max((len(str(value)) for value in known), default=0)
                known |= {str(value)[:longest].rstrip() for value in source.distinct(spec.code)}
            if spec.layout == Layout.REFERENCE:
                # A number of subjects or a date of the trial is no category.
                known |= {value for value in part.distinct(column.name) if MEASURE.fullmatch(str(value))}
            new = part.by_distinct(column.name, [value not in known for value in part.distinct(column.name)])
            yield Hits(part, new, (column.name,), int(part.present(column.name).sum()), f"({column.name})")


@STRUCTURAL_RULES.rule(
    "DR1602", "The number lies far outside the baseline's range of its test.", severity=Severity.WARNING
)
def out_of_range(view: StructuralView) -> Iterator[Hits]:
    if view.baseline is None:
        return
    for spec, part in view.tables():
        source = view.baseline.parts.get(spec.name)
        if source is None or spec.value is None or not part.has(spec.value) or not source.has(spec.value):
            continue
        tests = [] if spec.test is None else [spec.test]
        if not part.has(*tests) or not source.has(*tests):
            continue
        bounds = _bounds(source, spec.value, tests)
        low, high = (bounds[side].reindex(_keys(part, tests)).to_numpy() for side in ("min", "max"))
        value = part.number(spec.value)
        known = np.isfinite(value) & np.isfinite(low)
        # Once the range beyond either end: tails of skewed tests are no mistakes.
        wide = high - low
        bad = known & ((value < low - wide) | (value > high + wide))
        yield Hits(part, bad, (*tests, spec.value), int(known.sum()))


def _keys(part: Part, tests: list[str]) -> pd.Series:
    return part.frame[tests[0]].astype(object) if tests else pd.Series("", index=part.frame.index)


def _bounds(part: Part, value: str, tests: list[str]) -> pd.DataFrame:
    """Least and greatest number of each test."""
    numbers = pd.Series(part.number(value))
    return numbers.groupby(_keys(part, tests).reset_index(drop=True)).agg(["min", "max"])

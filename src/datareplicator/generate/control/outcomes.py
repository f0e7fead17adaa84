"""Counts of categories that only the course of the study decides (a death, the reason for its end).

They cannot be planned before subjects are drawn. They become events in exactly so many subjects, and subjects are
chosen until the numbers hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from datareplicator.errors import RequestError
from datareplicator.expressions.tree import named, quoted
from datareplicator.generate.conditions.asked import CountedEvent
from datareplicator.generate.conditions.learned import known_values
from datareplicator.generate.control.asked import COMBINATIONS, MISSING, RATIO
from datareplicator.generate.control.planning import check_category, check_sum, shared_out
from datareplicator.generate.control.variables import column_of, decided_by
from datareplicator.generate.request import GenerateRequest
from datareplicator.model.study_model import StudyModel
from datareplicator.structure.spec import ColumnSpec, Kind, Ref


def with_outcomes(model: StudyModel, request: GenerateRequest) -> GenerateRequest:
    """The request with counts of outcomes as events. Raises RequestError for unknown variables and categories, and
    sums that do not fit."""
    counts: dict[str, Any] = {}
    events: list[CountedEvent] = []
    for name, asked in request.counts.items():
        spec = None if name == COMBINATIONS else _outcome(model, column_of(model, name))
        if spec is None:
            counts[name] = asked
        else:
            events += _events(model, name, spec, asked, request.subjects)
    if not events:
        return request
    conditions = request.conditions
    conditions = conditions.model_copy(update={"rare_events": (*conditions.rare_events, *events)})
    return replace(request, counts=counts, conditions=conditions)


def _outcome(model: StudyModel, column: str) -> ColumnSpec | None:
    """The column, where it is a category that cannot be planned."""
    spec = model.structure.tables[model.root.table].column(column)
    if spec.kind not in (Kind.CATEGORY, Kind.FLAG) or spec.encoding not in ("text", "integer", "float"):
        return None
    try:
        decided_by(model, column)
    except RequestError:
        return spec if known_values(model, Ref(table=model.root.table, column=column)).texts else None
    return None


def _events(
    model: StudyModel, name: str, spec: ColumnSpec, asked: Mapping[str, Any], subjects: int
) -> list[CountedEvent]:
    """One event a category, but for the largest: it is what is left."""
    texts = known_values(model, Ref(table=model.root.table, column=spec.name)).texts or frozenset()
    known = [*sorted(texts), *([MISSING] if spec.missing > 0 else [])]
    numbers = shared_out(asked[RATIO], subjects, name) if set(asked) == {RATIO} else asked
    for category in numbers:
        check_category(name, category, np.array(known, dtype=object))
    check_sum(name, numbers, subjects)
    full = {category: numbers.get(category, 0) for category in known}
    largest = max(full, key=lambda category: full[category])
    return [
        CountedEvent(
            domain=model.root.table,
            where=_where(spec, category),
            exactly=number,
            counted=f"{name} = {category or 'missing'}",
        )
        for category, number in full.items()
        if category != largest
    ]


def _where(spec: ColumnSpec, category: str) -> str:
    if category == MISSING:
        return f"{named(spec.name)} is missing"
    return f"{named(spec.name)} = {quoted(category) if spec.encoding == 'text' else category}"

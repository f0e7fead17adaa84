"""Columns computed by a formula that a user declared; see docs/reference/expressions.md."""

from __future__ import annotations

from typing import Any

import pandas as pd

from datareplicator.expressions import Schema, Type, parse
from datareplicator.structure.derive.view import View
from datareplicator.structure.spec import Derivation


def formula(view: View, d: Derivation) -> pd.Series:
    """The values of the formula. params: ``formula``, its text; ``types``, by table the types of the columns it names;
    ``subjects``, the subject key by table; ``single``, the tables with one row a subject; ``stored``, how dates are
    stored (text or datetime)."""
    schema = schema_of(d.table, d.params)
    found = parse(d.params["formula"]).vector(view.frames[d.table], others=view.frames, table=d.table, schema=schema)
    if found.type == Type.DATE and d.params["stored"] == "text":
        return pd.Series(found.iso())
    series = found.series()
    return series.astype("category") if found.type == Type.TEXT else series


def schema_of(table: str, params: dict[str, Any]) -> Schema:
    """The schema that the params of a formula hold."""
    types = {name: {c: Type(t) for c, t in columns.items()} for name, columns in params["types"].items()}
    return Schema(table, types, params["subjects"], frozenset(params["single"]))


TEMPLATES = {"formula": formula}

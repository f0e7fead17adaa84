"""What codes are called: the text column that stands beside a code and says the same in words."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from datareplicator.structure.encode import plain_text
from datareplicator.structure.spec import Kind, Structure, TableSpec


def labels_of(frame: pd.DataFrame, spec: TableSpec, code: str) -> dict[object, str]:
    """Code -> label, by the column of words that goes one to one with `code`; empty where there is none.

    The column whose name is a beginning of the code's comes first (PARAM of PARAMCD), then the table's order.
    """
    distinct = frame[code].nunique()
    words = [c for c in spec.columns if c.kind == Kind.CATEGORY and c.distinct == distinct and not c.numeric_text]
    names = [c.name for c in words if c.name != code and c.name in frame]
    for name in sorted(names, key=lambda n: (not code.startswith(n), not n.startswith(code[:-3]))):
        if not pd.api.types.is_string_dtype(frame[name].dtype):
            continue
        pairs = frame[[code, name]].dropna().drop_duplicates()
        if len(pairs) == distinct and pairs[name].nunique() == distinct:
            return dict(zip(pairs[code], pairs[name], strict=True))
    return {}


def visit_labels(frames: Mapping[str, pd.DataFrame], structure: Structure) -> dict[object, str]:
    """Visit -> its name, from the visit table or else the first table with both; the visit itself where unnamed."""
    tables = sorted(structure.tables.values(), key=lambda t: t.name != structure.visit_table)
    labels: dict[object, str] = {}
    for spec in tables:
        if spec.visit is None or spec.name not in frames or spec.subject is None:
            continue
        frame = frames[spec.name]
        named = labels_of(frame, spec, spec.visit)
        for visit in frame[spec.visit].dropna().unique():
            labels.setdefault(visit, named.get(visit, plain_text(visit)))
    return labels

"""What codes are called: the text column that stands beside a code and says the same in words."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from datareplicator.structure.encode import plain_text
from datareplicator.structure.spec import Kind, Structure, TableSpec

NEARLY_ALL = 0.98  # share of rows that carry the usual label of their code
OWN_NAMES = 0.5  # distinct labels for each code, at least


def labels_of(frame: pd.DataFrame, spec: TableSpec, code: str) -> dict[object, str]:
    """Code -> label, by the column of words that follows from `code`; empty where there is none.

    The column whose name is a beginning of the code's comes first (PARAM of PARAMCD), then the table's order. Codes
    that share a label show the code beside it.
    """
    names = [c.name for c in spec.columns if c.name != code and c.name in frame and c.kind == Kind.CATEGORY]
    for name in sorted(names, key=lambda n: (not code.startswith(n), not n.startswith(code[:-3]))):
        if spec.column(name).numeric_text or not pd.api.types.is_string_dtype(frame[name].dtype):
            continue
        pairs = frame[[code, name]].dropna().value_counts(sort=True).reset_index()
        usual = pairs.drop_duplicates(code)
        enough = usual["count"].sum() >= NEARLY_ALL * frame[code].notna().sum()
        if not len(usual) or not enough or usual[name].nunique() < OWN_NAMES * frame[code].nunique():
            continue
        shared = usual[name].duplicated(keep=False)
        words = usual[name].where(~shared, usual[name] + " (" + usual[code].map(plain_text) + ")")
        return dict(zip(usual[code], words, strict=True))
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

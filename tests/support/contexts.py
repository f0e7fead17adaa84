"""Contexts of discovery for small made-up frames."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from datareplicator.structure.derive import compute, mine_formulas
from datareplicator.structure.derive.outcome import agreement
from datareplicator.structure.derive.view import Values
from datareplicator.structure.encode import Context, encode_table
from datareplicator.structure.spec import Derivation
from datareplicator.structure.subjects import find_subject, subject_codes


def context(frames: Mapping[str, pd.DataFrame]) -> Context:
    """Encoded frames with the subject key found; texts may be given as objects."""
    tables = {name: encode_table(name, normal(frame)) for name, frame in frames.items()}
    key = find_subject(tables)
    subjects, codes = subject_codes(tables, key)
    return Context(
        tables=tables,
        subject=key.column,
        root=key.root,
        subject_columns=key.columns,
        subjects=subjects,
        subject_codes=codes,
    )


def normal(frame: pd.DataFrame) -> pd.DataFrame:
    """Object columns as text."""
    return frame.astype(dict.fromkeys(frame.columns[[pd.api.types.is_object_dtype(t) for t in frame.dtypes]], "str"))


def categorical(frame: pd.DataFrame) -> pd.DataFrame:
    """Text columns as categoricals, as the generator holds them."""
    return frame.astype({c: "category" for c in frame.columns if pd.api.types.is_string_dtype(frame[c].dtype)})


def finds(frames: Mapping[str, pd.DataFrame], target: str, template: str) -> list[Derivation]:
    """What mining finds for a column by a template."""
    return [d for d in mine_formulas(context(frames)) if d.target == target and d.template == template]


def reproduced(d: Derivation, frames: Mapping[str, pd.DataFrame]) -> float:
    """The agreement of what a derivation computes from categorical frames with the column of the source."""
    given = {name: categorical(normal(frame)) for name, frame in frames.items()}
    given[d.table] = given[d.table].drop(columns=d.target) if not d.params.get("partial") else given[d.table]
    return agreement(compute(d, given), Values(normal(frames[d.table])[d.target]))[0]


def ids(n: int) -> np.ndarray:
    """Subject ids."""
    return np.array([f"S-{i:03d}" for i in range(n)], dtype=object)


def iso(days: np.ndarray) -> np.ndarray:
    """ISO 8601 dates of days since 1970-01-01; missing stays missing."""
    known = np.isfinite(days)
    text = np.datetime_as_string(np.where(known, days, 0).astype("datetime64[D]")).astype(object)
    return np.where(known, text, None)

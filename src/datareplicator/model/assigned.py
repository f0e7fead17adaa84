"""Columns of the root that go with the arm: the actual beside the planned one, the reason for having none."""

from __future__ import annotations

import numpy as np
import pandas as pd
from pydantic import model_validator

from datareplicator.document import Document, Floats
from datareplicator.model.coding import scalar


class Assigned(Document):
    """Columns that are drawn together: `values[k]` has one value for each of `columns` (None: missing), `share`
    float[G + 1, K] of each arm's subjects (the last row: of those without an arm). What an arm's subjects never have,
    no new one has."""

    columns: tuple[str, ...]
    values: tuple[tuple[str | float | None, ...], ...]
    share: Floats

    @model_validator(mode="after")
    def _shape(self) -> Assigned:
        share = self.share
        if share.ndim != 2 or share.shape[1] != len(self.values) or (share < 0).any() or (share.sum(1) <= 0).any():
            raise ValueError("the shares of the columns that go with the arm must be one positive row an arm")
        if any(len(value) != len(self.columns) for value in self.values):
            raise ValueError("the values that go with the arm must be one for each column")
        return self


def fit_assigned(frame: pd.DataFrame, group: np.ndarray, groups: int) -> Assigned | None:
    """Learn columns (one row a subject, text or numbers) from the index of each subject's arm (int, -1 none); None
    without columns."""
    if not len(frame.columns):
        return None
    rows = [tuple(scalar(value) for value in row) for row in frame.astype(object).itertuples(index=False)]
    codes, distinct = pd.factorize(pd.Series(rows, dtype=object))
    share = np.zeros((groups + 1, len(distinct)))
    np.add.at(share, (group, codes), 1.0)  # -1 is the last row
    share[share.sum(axis=1) == 0] = share.sum(axis=0)
    return Assigned(
        columns=tuple(str(c) for c in frame.columns),
        values=tuple(distinct),
        share=share / share.sum(axis=1, keepdims=True),
    )


def labels(values: pd.Series) -> pd.Series:
    """A column as the categories by which later columns may depend on it, the same in training and in a block."""
    if pd.api.types.is_numeric_dtype(values.dtype):
        values = values.astype(float)
    return values.astype("str").astype("category")


def sample_assigned(
    model: Assigned, group: np.ndarray, u: np.ndarray, given: np.ndarray | None = None
) -> dict[str, pd.Series]:
    """Values for each subject, by its arm and a uniform number (float[n]): numbers as floats, text as categoricals.
    `given`: int a subject, which of the model's values it has (-1: to be drawn)."""
    cumulative = np.cumsum(model.share, axis=1)[group]
    code = np.minimum((u[:, None] * cumulative[:, -1:] >= cumulative).sum(axis=1), len(model.values) - 1)
    if given is not None:
        code = np.where(given >= 0, given, code)
    out = {}
    for place, name in enumerate(model.columns):
        values = [value[place] for value in model.values]
        if any(isinstance(v, float) for v in values):
            out[name] = pd.Series(np.array([np.nan if v is None else v for v in values], dtype=float)[code])
        else:
            labels, categories = pd.factorize(pd.Series(values, dtype=object))
            out[name] = pd.Series(pd.Categorical.from_codes(labels[code], categories=pd.Index(categories, dtype="str")))
    return out

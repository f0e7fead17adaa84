"""Columns of the root that go with the arm: the actual beside the planned one, the reason for having none."""

from __future__ import annotations

import numpy as np
import pandas as pd
from pydantic import model_validator

from datareplicator.document import Document, Floats


class Assigned(Document):
    """`share` float[G + 1, K + 1]: of each arm's subjects (the last row: of those without an arm) with each of the K
    `values`, or none (the last column). What an arm's subjects never have, no new one has."""

    column: str
    values: tuple[str, ...]
    share: Floats

    @model_validator(mode="after")
    def _shape(self) -> Assigned:
        share = self.share
        if share.ndim != 2 or share.shape[1] != len(self.values) + 1 or (share < 0).any() or (share.sum(1) <= 0).any():
            raise ValueError(f"the shares of {self.column} by arm must be one positive row an arm")
        return self


def fit_assigned(values: pd.Series, group: np.ndarray, groups: int) -> Assigned:
    """Learn a column (text a subject) from the index of each subject's arm (int, -1 none)."""
    codes, distinct = pd.factorize(values, sort=True)
    share = np.zeros((groups + 1, len(distinct) + 1))
    np.add.at(share, (group, codes), 1.0)  # -1 is the last row and the last column
    empty = share.sum(axis=1) == 0
    share[empty] = share.sum(axis=0)
    return Assigned(
        column=str(values.name), values=tuple(str(v) for v in distinct), share=share / share.sum(axis=1, keepdims=True)
    )


def sample_assigned(model: Assigned, group: np.ndarray, u: np.ndarray) -> pd.Series:
    """A value for each subject, by its arm and a uniform number (float[n])."""
    cumulative = np.cumsum(model.share, axis=1)[group]
    code = np.minimum((u[:, None] * cumulative[:, -1:] >= cumulative).sum(axis=1), len(model.values))
    code = np.where(code == len(model.values), -1, code)
    return pd.Series(pd.Categorical.from_codes(code, categories=pd.Index(model.values, dtype="str")))

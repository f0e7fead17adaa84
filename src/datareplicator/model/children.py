"""Rows below the rows of another table (order lines below orders, doses below an administration).

How many a parent row has, and what they are, follows the same conditional tables as any attribute: the number is an
attribute of the parent row, and the rows of one parent repeat each other as rows of a subject do elsewhere.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from pydantic import model_validator

from datareplicator.document import Document
from datareplicator.model.attributes import AttributeModel, fit_attributes

COUNT, PLACE = "__children__", "__place__"


class ChildrenModel(Document):
    """`count` draws the number of children of a parent row, `attributes` their columns (days from the parent's date
    among them)."""

    count: AttributeModel
    attributes: AttributeModel

    @model_validator(mode="after")
    def _counts(self) -> ChildrenModel:
        if self.count.columns != (COUNT,):
            raise ValueError("a model of child rows must say how many there are")
        return self


def fit_children(
    parent: np.ndarray,
    parents: pd.DataFrame,
    parent_subject: np.ndarray,
    attributes: pd.DataFrame,
    *,
    min_subjects: int = 1,
    hard: tuple[str, ...] = (),
) -> ChildrenModel:
    """Learn from c child rows: `parent[i]` (int[c]) is the row of `parents` (p rows of context) above child i.

    `attributes`: the children's columns, dates as days from the parent's date. `parent_subject`: int[p].
    """
    parents = parents.reset_index(drop=True)
    parent = np.asarray(parent, dtype=np.int64)
    number = pd.DataFrame({COUNT: np.bincount(parent, minlength=len(parents)).astype(float)})
    order = np.argsort(parent, kind="stable")
    below = child_context(parents, parent[order])
    return ChildrenModel(
        count=fit_attributes(number, parents, np.asarray(parent_subject), min_subjects=min_subjects, hard=hard),
        attributes=fit_attributes(
            attributes.iloc[order].reset_index(drop=True),
            below,
            np.asarray(parent_subject, dtype=np.int64)[parent[order]],
            scope=parent[order],
            min_subjects=min_subjects,
            hard=hard,
        ),
    )


def child_context(parents: pd.DataFrame, parent: np.ndarray) -> pd.DataFrame:
    """The parent's columns and the child's place among its siblings (0 first); `parent` must ascend."""
    place = pd.Series(parent).groupby(parent).cumcount().to_numpy(dtype=float)
    return parents.iloc[parent].reset_index(drop=True).assign(**{PLACE: place})

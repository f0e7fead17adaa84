"""Draw the rows below the rows of another table by the model of `model/children.py`."""

from __future__ import annotations

import numpy as np
import pandas as pd

from datareplicator.generate.attributes import sample_attributes
from datareplicator.model.children import COUNT, ChildrenModel, child_context
from datareplicator.model.coding import is_number, to_float
from datareplicator.seeds import Streams


def sample_children(
    model: ChildrenModel, parents: pd.DataFrame, parent_subject: np.ndarray, streams: Streams, variation: float = 1.0
) -> tuple[np.ndarray, pd.DataFrame]:
    """Children of p parent rows: (row of `parents` above each child, ascending; the children's columns)."""
    parents = parents.reset_index(drop=True)
    drawn = sample_attributes(model.count, parents, parent_subject, streams.under("count"), variation)[COUNT]
    number = np.maximum(np.nan_to_num(to_float(drawn)), 0) if is_number(drawn) else np.zeros(len(parents))
    parent = np.repeat(np.arange(len(parents)), np.round(number).astype(np.int64))
    context = child_context(parents, parent)
    return parent, sample_attributes(model.attributes, context, parent, streams.under("attribute"), variation)

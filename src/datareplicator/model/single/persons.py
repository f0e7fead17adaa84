"""Columns of a table that tell of the same person: names, and addresses of electronic mail."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from datareplicator.model.names import KINDS, Held, form, persons_of, usual_forms
from datareplicator.model.single.columns import Learned
from datareplicator.model.single.source import SourceTable
from datareplicator.model.taken import MANY, taken_names

ROWS = 60
"""Rows, spread over the table, that tell who agrees with whom and how names are written."""


def learn_persons(columns: Sequence[Learned], source: SourceTable) -> None:
    """Note for each column of a person's names which others are of the same person, and the forms of its names."""
    named = [c for c in columns if c.entry["type"] == "pii" and c.params["pii_type"] in KINDS]
    named = [c for c in named if "identifier" not in c.params]
    if not named or not source.rows:
        return
    rows = pa.array(np.unique(np.linspace(0, source.rows - 1, ROWS).astype(np.int64)))
    held: Held = {
        ("", c.name): (c.params["pii_type"], source.columns[c.name].data.take(rows).cast(pa.large_string()).to_pandas())
        for c in named
    }
    persons = persons_of(held)
    for column in named:
        kind, values = held["", column.name]
        column.params["person"] = persons["", column.name].removeprefix(".")
        forms = Counter(usual_forms([form(str(kind), value) for value in values.dropna()]))
        distinct = column.detected.distinct
        if kind != "email" and distinct is not None:
            column.params["taken"] = taken_names(distinct[: MANY + 1].to_pylist()).tolist()
        if forms:
            column.params["patterns"] = {text: n / forms.total() for text, n in forms.items()}

"""Which tables have rows at the visits of generated subjects."""

from __future__ import annotations

import numpy as np

from datareplicator.generate.sets import sample_tree
from datareplicator.model.presence import PresenceModel, visit_context
from datareplicator.model.subjects import Subjects
from datareplicator.model.timeline import VisitRows
from datareplicator.seeds import Streams


def sample_presence(model: PresenceModel, rows: VisitRows, subjects: Subjects, streams: Streams) -> np.ndarray:
    """Presence of each table at each visit of `rows` (bool[m, D]); `subjects.last_visit` must be filled."""
    context = visit_context(rows, subjects, model.cell)
    pattern = sample_tree(model.tree, context, streams.get("presence").random(len(rows)))
    return model.pattern[pattern].astype(bool) if len(model.pattern) else np.zeros((len(rows), len(model.tables)), bool)

"""Drawing which rows of the findings exist and which have a value."""

from __future__ import annotations

import numpy as np

from datareplicator.model.findings.presence_model import Presence
from datareplicator.model.subjects import Subjects
from datareplicator.seeds import Streams


def sample_panels(
    model: Presence,
    subjects: Subjects,
    subject: np.ndarray,
    visit: np.ndarray,
    streams: Streams,
    tables: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """For rows of `subject` and `visit` (rows,): `present` and `known`, bool (rows, cells).

    `tables`: bool (rows, tables) that attend, in the model's order of tables; drawn where not given.
    """
    strata, groups = model.classes.shape
    stratum = np.where((subjects.stratum >= 0) & (subjects.stratum < strata), subjects.stratum, strata - 1)
    group = np.where((subjects.group >= 0) & (subjects.group < groups), subjects.group, groups - 1)
    of_class = model.classes[stratum, group][subject]
    rows, panels = len(subject), len(model.table_of_panel)
    if tables is None:
        share = np.cumsum(model.pattern_share[of_class, visit], axis=1)
        draw = streams.get("tables").random(rows)[:, None] * share[:, -1:]
        tables = model.patterns[np.minimum((draw > share).sum(1), len(model.patterns) - 1)].astype(bool)
    attends = tables[:, model.table_of_panel]
    rate = model.panel_rate[of_class, visit]
    draws = streams.get("panels").random((rows, 2 * panels + len(model.row_share)))
    own, choice, shared = draws[:, :panels], draws[:, panels : 2 * panels], draws[:, 2 * panels :]
    personal = streams.get("panel subjects").random((subjects.n, panels))[subject]
    by_row = model.row_share[model.table_of_panel]
    uniform = np.where(choice < model.persistence, personal, own)
    at_visit = (choice >= model.persistence) & (choice < model.persistence + (1 - model.persistence) * by_row)
    uniform = np.where(at_visit, shared[:, model.table_of_panel], uniform)
    shown = attends & (uniform < rate)
    shown |= _fallback(model, tables, shown, rate)
    misses = streams.get("cells").random((rows, len(model.absent)))
    present = shown[:, model.panel_of_cell] & (misses >= model.absent)
    return present, present & ~_unknown(model, visit, streams)


def _fallback(model: Presence, tables: np.ndarray, shown: np.ndarray, rate: np.ndarray) -> np.ndarray:
    """A table that attends shows its likeliest panel where chance left it empty."""
    extra = np.zeros_like(shown)
    for table in range(tables.shape[1]):
        mine = np.flatnonzero(model.table_of_panel == table)
        empty = np.flatnonzero(tables[:, table] & ~shown[:, mine].any(1))
        extra[empty, mine[rate[np.ix_(empty, mine)].argmax(1)]] = True
    return extra


def _unknown(model: Presence, visit: np.ndarray, streams: Streams) -> np.ndarray:
    rows, cells = len(visit), model.unknown.shape[1]
    if not model.unknown.any():
        return np.zeros((rows, cells), dtype=bool)
    own = streams.get("unknown").random((rows, 2 * cells))
    shared = streams.get("unknown panel").random((rows, len(model.unknown_share)))[:, model.panel_of_cell]
    follows = own[:, cells:] < model.unknown_share[model.panel_of_cell]
    return np.where(follows, shared, own[:, :cells]) < model.unknown[visit]

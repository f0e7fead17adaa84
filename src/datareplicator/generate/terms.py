"""Draw the terms of event rows by the model of `model/terms.py`."""

from __future__ import annotations

import numpy as np
import pandas as pd

from datareplicator.generate.backoff import draw_codes
from datareplicator.model.coding import decode, encode
from datareplicator.model.terms import DONOR, DONOR_CLASS, TermModel
from datareplicator.seeds import Streams

RETRIES = 12


def sample_terms(
    model: TermModel, donor: np.ndarray, fixed: np.ndarray, context: pd.DataFrame, streams: Streams
) -> tuple[pd.Series, pd.Series]:
    """Terms and their classes of m rows. `donor`: an earlier row, -1 for none; `fixed` rows take no donor's term.

    Rows are drawn by generations: a row's donor is always drawn before it.
    """
    m = len(donor)
    codes = {name: encode(coding, context[name]) for name, coding in model.context.items()}
    forbidden = _forbidden(model, codes)
    repeat = streams.get("repeat").random(m)
    generation = _generations(donor)
    term = np.zeros(m, dtype=np.int64)
    for depth in range(int(generation.max(initial=-1)) + 1):
        rows = np.flatnonzero(generation == depth)
        given = np.where(donor[rows] >= 0, term[donor[rows]], 0)
        parents = {name: code[rows] for name, code in codes.items()}
        parents |= {DONOR: given, DONOR_CLASS: model.class_of[given]}
        fresh = _draw_allowed(model, parents, rows, forbidden, streams.under(str(depth)))
        take = (donor[rows] >= 0) & ~fixed[rows] & (repeat[rows] < model.repeat[given])
        term[rows] = np.where(take, given, fresh)
    return decode(model.coding, term), decode(model.classes, model.class_of[term])


def _generations(donor: np.ndarray) -> np.ndarray:
    depth = np.zeros(len(donor), dtype=np.int64)
    ancestor = donor.copy()
    while (ancestor >= 0).any():
        depth += ancestor >= 0
        ancestor = np.where(ancestor >= 0, donor[ancestor], -1)
    return depth


def _forbidden(model: TermModel, codes: dict[str, np.ndarray]) -> list[tuple[np.ndarray, np.ndarray]]:
    """For each exclusion a table [term, level] and the rows' levels."""
    tables = []
    for exclusion in model.exclusions:
        table = np.zeros((model.coding.size, model.context[exclusion.column].size + 1), dtype=bool)
        table[exclusion.pairs[:, 0], exclusion.pairs[:, 1]] = True
        tables.append((table, codes[exclusion.column]))  # level -1 (never seen) reads the last column: nothing barred
    return tables


def _draw_allowed(
    model: TermModel,
    parents: dict[str, np.ndarray],
    rows: np.ndarray,
    forbidden: list[tuple[np.ndarray, np.ndarray]],
    streams: Streams,
) -> np.ndarray:
    term = draw_codes(model.table, parents, len(rows), streams.get("draw"))
    for attempt in range(RETRIES):
        bad = np.flatnonzero(_barred(term, rows, forbidden))
        if not len(bad):
            return term
        part = {name: code[bad] for name, code in parents.items()}
        term[bad] = draw_codes(model.table, part, len(bad), streams.get("again", str(attempt)))
    for index in np.flatnonzero(_barred(term, rows, forbidden)):  # a handful at most: the commonest term that may be
        root = model.table.levels[0]
        choices = root.outcome[np.argsort(-root.weight, kind="stable")]
        allowed = choices[~_barred(choices, np.full(len(choices), rows[index]), forbidden)]
        term[index] = allowed[0] if len(allowed) else term[index]
    return term


def _barred(term: np.ndarray, rows: np.ndarray, forbidden: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    barred = np.zeros(len(term), dtype=bool)
    for table, level in forbidden:
        barred |= table[term, level[rows]]
    return barred

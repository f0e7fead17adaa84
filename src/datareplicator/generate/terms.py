"""Draw the terms of event rows by the model of `model/terms.py`."""

from __future__ import annotations

import numpy as np
import pandas as pd

from datareplicator.generate.backoff import draw_codes
from datareplicator.model.coding import decode, encode
from datareplicator.model.terms import CLASS, DONOR, DONOR_CLASS, TermModel
from datareplicator.seeds import Streams

HAS_DONOR = "__has_donor__"
RETRIES = 12
FRESH_REDRAWS = 3


def sample_terms(
    model: TermModel,
    group: np.ndarray,
    on: np.ndarray,
    donor: np.ndarray,
    fixed: np.ndarray,
    context: pd.DataFrame,
    streams: Streams,
) -> tuple[pd.Series, pd.Series, np.ndarray]:
    """Terms and their classes of m rows, and which of them took their donor's term.

    `group` (int[m], ascending): the subject and regime of a row; `on`: whether that is on study. `donor`: an earlier
    row of the group, -1 for none; `fixed` rows take no donor's term. Rows are drawn by generations: a row's donor is
    always drawn before it. Fresh terms are new to their group where that can be had in a few redraws.
    """
    m = len(donor)
    codes = {name: encode(coding, context[name]) for name, coding in model.context.items()}
    forbidden = _forbidden(model, codes)
    repeat = streams.get("repeat").random(m)
    generation = _generations(donor)
    staple = _staples(model, group, on, fixed, streams)
    term, took = np.zeros(m, dtype=np.int64), np.zeros(m, dtype=bool)

    def fresh(rows: np.ndarray, branch: Streams) -> np.ndarray:
        given = np.where(donor[rows] >= 0, term[donor[rows]], 0)
        parents = {name: code[rows] for name, code in codes.items()}
        parents |= {DONOR: given, DONOR_CLASS: model.class_of[given], HAS_DONOR: donor[rows] >= 0}
        parents[HAS_DONOR] &= ~fixed[rows]
        drawn = _draw_allowed(model, parents, rows, forbidden, branch)
        return np.where(staple[rows] >= 0, staple[rows], drawn)

    for depth in range(int(generation.max(initial=-1)) + 1):
        rows = np.flatnonzero(generation == depth)
        given = np.where(donor[rows] >= 0, term[donor[rows]], 0)
        take = (donor[rows] >= 0) & ~fixed[rows] & (staple[rows] < 0) & (repeat[rows] < model.repeat[given])
        term[rows] = np.where(take, given, fresh(rows, streams.under(str(depth))))
        took[rows] = take
    for attempt in range(FRESH_REDRAWS if model.distinct else 0):
        order = np.lexsort((took, staple < 0, group))  # what is taken or given stays, later fresh rows make way
        again = pd.DataFrame({"group": group[order], "term": term[order]}).duplicated().to_numpy()
        rows = np.sort(order[again])
        rows = rows[~took[rows] & (staple[rows] < 0)]
        if not len(rows):
            break
        term[rows] = fresh(rows, streams.under("new", str(attempt)))
    return decode(model.coding, term), decode(model.classes, model.class_of[term]), took


def _staples(model: TermModel, group: np.ndarray, on: np.ndarray, fixed: np.ndarray, streams: Streams) -> np.ndarray:
    """The staple term of a row or -1: a subject's first free rows of a regime get the staples it is to have."""
    staple = np.full(len(group), -1, dtype=np.int64)
    codes = np.flatnonzero(model.staple.any(axis=0))
    if not len(codes) or not len(group):
        return staple
    groups = int(group.max()) + 1
    regime = np.zeros(groups, dtype=np.int64)
    regime[group] = on
    has = streams.get("staple").random((groups, len(codes))) < model.staple[regime][:, codes]
    wanted = np.concatenate([np.flatnonzero(has[:, k]) * len(codes) + k for k in range(len(codes))])
    wanted = np.sort(wanted)
    owner, code = wanted // len(codes), codes[wanted % len(codes)]
    place = pd.Series(owner).groupby(owner).cumcount().to_numpy()
    free = np.flatnonzero(~fixed)
    rank = pd.Series(group[free]).groupby(group[free]).cumcount().to_numpy()
    at = pd.Series(code, index=pd.MultiIndex.from_arrays([owner, place]))
    found = at.reindex(pd.MultiIndex.from_arrays([group[free], rank])).to_numpy(dtype=float)
    staple[free] = np.where(np.isnan(found), -1, found).astype(np.int64)
    return staple


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
    term = _draw_fresh(model, parents, len(rows), streams.under("draw"))
    for attempt in range(RETRIES):
        bad = np.flatnonzero(_barred(term, rows, forbidden))
        if not len(bad):
            return term
        part = {name: code[bad] for name, code in parents.items()}
        term[bad] = _draw_fresh(model, part, len(bad), streams.under("again", str(attempt)))
    for index in np.flatnonzero(_barred(term, rows, forbidden)):  # a handful at most: the commonest term that may be
        root = model.table.levels[0]
        choices = root.outcome[np.argsort(-root.weight, kind="stable")]
        allowed = choices[~_barred(choices, np.full(len(choices), rows[index]), forbidden)]
        term[index] = allowed[0] if len(allowed) else term[index]
    return term


def _draw_fresh(model: TermModel, parents: dict[str, np.ndarray], n: int, streams: Streams) -> np.ndarray:
    if model.class_table is not None:
        own = draw_codes(model.class_table, parents, n, streams.get("class"))
        given = parents[DONOR_CLASS]
        stay = parents[HAS_DONOR].astype(bool) & (streams.get("stay").random(n) < model.class_repeat[given])
        parents = parents | {CLASS: np.where(stay, given, own)}
    return draw_codes(model.table, parents, n, streams.get("term"))


def _barred(term: np.ndarray, rows: np.ndarray, forbidden: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    barred = np.zeros(len(term), dtype=bool)
    for table, level in forbidden:
        barred |= table[term, level[rows]]
    return barred

"""Sampling findings: presence, latent scores, values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from datareplicator.generate.identities import keep_identities, keep_orders
from datareplicator.generate.panels import sample_panels
from datareplicator.model.findings.digests import sequence_digests
from datareplicator.model.findings.levels import level_values
from datareplicator.model.findings.model import SCORE_KNOTS, FindingsModel
from datareplicator.model.subjects import Subjects
from datareplicator.model.timeline import VisitRows
from datareplicator.seeds import Streams

ATTEMPTS = 12


@dataclass
class FindingRows:
    """Rows of the findings tables; `visit_row` indexes the visit rows; `value` is NaN where not done."""

    subject: np.ndarray
    visit: np.ndarray
    visit_row: np.ndarray
    cell: np.ndarray
    value: np.ndarray


def sample_findings(
    model: FindingsModel,
    subjects: Subjects,
    levels: np.ndarray,
    visit_rows: VisitRows,
    streams: Streams,
    variation: float = 1.0,
    attends: np.ndarray | None = None,
    possible: np.ndarray | None = None,
) -> FindingRows:
    """Rows for a block of subjects.

    `levels`: (subjects, cells) normal scores of the subjects' levels. `variation` scales the spread of levels and
    residuals (0: every subject at the mean course, 1: as learned). `attends`: bool (visit rows, tables), where another
    part of the model has drawn which tables have rows at a visit; else it is drawn here. `possible`: bool (subjects,
    visits, cells), where rows can be at all: what is left out later would leave a sequence that nobody looked at.
    """
    order = np.lexsort((visit_rows.visit, visit_rows.day, visit_rows.subject))
    subject, visit, day = visit_rows.subject[order], visit_rows.visit[order], visit_rows.day[order]
    attends = None if attends is None else attends[order]
    present, known = sample_panels(model.presence, subjects, subject, visit, streams.under("presence"), attends)
    if possible is not None:
        there = possible[subject, visit]
        present, known = present & there, known & there
    latent = _latent(model, subjects, levels, subject, visit, day, streams, variation)
    row, cell = np.nonzero(present)
    value = np.full(present.shape, np.nan)
    for k in range(model.cells):
        rows = np.flatnonzero(known[:, k])
        if len(rows):
            value[rows, k] = model.marginals[k].sample(normal_score(latent[rows, k], model.scores[k]))
    keep_identities(value, model.identities, model.marginals, streams.under("identities"))
    keep_orders(value, model.orders, model.marginals)
    _avoid_copies(model, value, subject)  # last: what is put right above may be a source's sequence again
    return FindingRows(subject[row], visit[row], order[row], cell, value[row, cell])


def _latent(model, subjects, levels, subject, visit, day, streams, variation) -> np.ndarray:
    """(rows, cells) latent values."""
    group = subjects.group[subject]
    latent = model.mean[visit].copy()
    armed = group >= 0
    latent[armed] += model.arm[group[armed], visit[armed]]
    site = np.where(subjects.site < len(model.site_level), subjects.site, -1)
    at_site = (site >= 0)[:, None]
    spread = variation * np.sqrt(model.between)
    level = np.where(at_site, model.site_level[np.maximum(site, 0)], 0.0) + spread * level_values(levels, model.levels)
    own = streams.get("noise").standard_normal((subjects.n, int(model.noise_group.max(initial=-1)) + 1))
    log_noise = model.noise_sd * own[:, model.noise_group] + model.noise_slope * np.clip(levels, -3, 3)
    log_noise += np.where(at_site, model.site_noise[np.maximum(site, 0)], 0.0)
    log_noise -= 0.5 * (model.noise_sd**2 + model.noise_slope**2)
    factor = variation * np.exp(0.5 * np.clip(log_noise, -4, 4))
    return latent + level[subject] + factor[subject] * _residual(model, subject, day, streams)


def _residual(model: FindingsModel, subject: np.ndarray, day: np.ndarray, streams: Streams) -> np.ndarray:
    """Nugget plus fast and slow drift (auto-regressive in days), each correlated between cells at one visit."""
    root = model.residual_root()
    rows = len(subject)
    first = np.r_[True, subject[1:] != subject[:-1]][:rows]
    position = np.arange(rows) - np.maximum.accumulate(np.where(first, np.arange(rows), 0))
    places = [np.flatnonzero(position == place) for place in range(1, int(position.max(initial=0)) + 1)]
    gap = np.r_[0.0, np.maximum(np.diff(day), 0.0)][:rows]
    total = np.sqrt(model.within[0]) * (streams.get("nugget").standard_normal((rows, model.cells)) @ root)
    for part, time in enumerate(model.times):
        if not model.within[part + 1].any():
            continue
        rho = np.where(first, 0.0, np.exp(-gap / time))[:, None]
        drift = streams.get("drift", str(part)).standard_normal((rows, model.cells)) @ root
        drift *= np.sqrt(1 - rho**2)
        for here in places:
            drift[here] += rho[here] * drift[here - 1]
        total += np.sqrt(model.within[part + 1]) * drift
    return total


def _avoid_copies(model: FindingsModel, value: np.ndarray, subject: np.ndarray) -> None:
    """Move single values where a subject's results of a cell are the sequence of a source subject, in place."""
    for k, known in enumerate(model.digests):
        marginal = model.marginals[k]
        if len(known) == 0 or len(marginal.values) < 3:
            continue
        rows = np.flatnonzero(np.isfinite(value[:, k]))
        own = value[rows, k]
        for attempt in range(ATTEMPTS):
            _, digest, middle = sequence_digests(own, subject[rows], attempt // 2)
            hit = middle[np.isin(digest, known)]
            if len(hit) == 0:
                break
            own[hit] = _neighbour(marginal, own[hit], 1 if attempt % 2 == 0 else -2)
        value[rows, k] = own


def _neighbour(marginal, value: np.ndarray, step: int) -> np.ndarray:
    """The value `step` grid points on, turned back at the ends."""
    if not marginal.lattice:
        return np.round(value + step * 10.0**-marginal.decimals, marginal.decimals)
    last = len(marginal.values) - 1
    place = np.searchsorted(marginal.values, value)
    moved = place + step
    moved = np.where((moved < 0) | (moved > last), place - step, moved)
    return marginal.values[np.clip(moved, 0, last)]


def normal_score(latent: np.ndarray, table: np.ndarray) -> np.ndarray:
    """Latent values -> normal scores of the cell's marginal; straight beyond the table's ends."""
    score = np.interp(latent, table, SCORE_KNOTS)
    slope = (SCORE_KNOTS[-1] - SCORE_KNOTS[0]) / max(table[-1] - table[0], 1e-9)
    beyond = np.maximum(latent - table[-1], 0) + np.minimum(latent - table[0], 0)
    return score + slope * beyond

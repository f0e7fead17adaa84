"""Dates of generated rows from the days they follow, and their times of day."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from datareplicator.errors import ModelError
from datareplicator.model.offsets import ClockModel, OffsetModel
from datareplicator.seeds import Streams


def sample_offsets(
    model: OffsetModel,
    anchors: Mapping[str, np.ndarray],
    group: np.ndarray,
    streams: Streams,
    *,
    low: np.ndarray | None = None,
    high: np.ndarray | None = None,
    coarse: np.ndarray | None = None,
) -> np.ndarray:
    """Days (float[n], NaN missing) of rows with the given anchors (float[n] each) and codes (int[n]).

    Rows of an unseen code go by their `coarse` one (int[n]). A row takes the first choice of anchor that it has a day
    for; without any its date is missing. `low` and `high` (float[n], NaN no bound) bound the result. Raises ModelError
    when an anchor that the model uses is not given.
    """
    n = len(group)
    used = {model.anchors[a] for a in np.unique(model.level) if a >= 0}
    if used - set(anchors):
        raise ModelError(f"dates are to be counted from {sorted(used - set(anchors))}, which are not there")
    row = _group_rows(model.codes, group)
    if coarse is not None:
        row = np.where(row == len(model.codes), _group_rows(model.codes, coarse), row)
    table = np.full((n, len(model.anchors) + 1), np.nan)
    for a, name in enumerate(model.anchors):
        if name in anchors:
            table[:, a] = anchors[name]
    offered = np.take_along_axis(table, model.level[row], axis=1)
    choice = np.argmax(np.isfinite(offered), axis=1)
    start = offered[np.arange(n), choice]
    day = start + _distances(model, row * model.level.shape[1] + choice, streams)
    if high is not None:
        day = np.where(day > high, high, day)
    if low is not None:
        day = np.where(day < low, low, day)
    return np.where(streams.get("missing").random(n) < model.missing[row], np.nan, day)


def _group_rows(codes: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Row of each code in the model; the last one for codes that it does not know."""
    if not len(codes):
        return np.zeros(len(group), dtype=np.int64)
    place = np.minimum(np.searchsorted(codes, group), len(codes) - 1)
    return np.where(codes[place] == group, place, len(codes))


def _distances(model: OffsetModel, cell: np.ndarray, streams: Streams) -> np.ndarray:
    n = len(cell)
    common = streams.get("habit").random(n) < model.habit[cell]
    habit = model.habits.pick(cell, streams.get("which").random(n))
    place = streams.get("distance").random(n) * (model.knots.shape[1] - 1)
    left = np.floor(place).astype(np.int64)
    right = np.minimum(left + 1, model.knots.shape[1] - 1)
    knots = model.knots
    rest = knots[cell, left] + (place - left) * (knots[cell, right] - knots[cell, left])
    return np.where(common, habit, np.round(rest) if model.whole else rest)


def sample_clock(
    model: ClockModel, key: np.ndarray, group: np.ndarray, streams: Streams
) -> tuple[np.ndarray, np.ndarray]:
    """Seconds within the day (float[n]) and precision (int[n]) of rows; rows of one `key` (int[n]) share their time
    where the source's do."""
    distinct, inverse = np.unique(key, return_inverse=True)
    draws = len(distinct) if model.together else len(key)
    owner = inverse if model.together else np.arange(len(key))
    u = streams.get("time").random((draws, 5))
    second = _times(model, u)[owner]
    row = _group_rows(model.codes, group)
    level = (u[owner, 4][:, None] >= np.cumsum(model.share, axis=1)[row, :-1]).sum(axis=1)
    precision = model.precisions[level]
    return np.where(precision > 10, second, 0.0), precision


def _times(model: ClockModel, u: np.ndarray) -> np.ndarray:
    hour = np.searchsorted(np.cumsum(model.hour)[:-1], u[:, 0], side="right")
    minute = np.searchsorted(np.cumsum(model.minute)[:-1], u[:, 1], side="right")
    second = np.floor(u[:, 3] * 60) if model.seconds else 0.0
    stamp = hour * 3600.0 + minute * 60.0
    if len(model.times):
        place = np.searchsorted(np.cumsum(model.time_share), u[:, 2], side="right")
        stamp = np.where(place < len(model.times), model.times[np.minimum(place, len(model.times) - 1)], stamp)
    return stamp + second

"""Dates as distances from other dates: the right anchor is found and habits keep their share."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datareplicator.errors import ModelError
from datareplicator.generate.offsets import sample_clock, sample_offsets
from datareplicator.model.offsets import ClockModel, OffsetModel, fit_clock, fit_offsets
from datareplicator.seeds import Streams

ERRORS = 4.0  # standard errors allowed: a right model fails about once in 16,000 draws


def subject_days(n: int, seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    last = rng.integers(30, 200, n).astype(float)
    return {"anchor": np.zeros(n), "last day": last, "visit": np.where(rng.random(n) < 0.6, last / 2 // 1, np.nan)}


def test_each_group_finds_its_anchor_and_habit() -> None:
    n = 300
    rng = np.random.default_rng(0)
    days = subject_days(n, 1)
    group = np.arange(n) % 2
    late = np.where(rng.random(n) < 0.8, 0.0, rng.integers(1, 15, n))
    target = np.where(group == 0, days["last day"] + late, rng.integers(-20, 0, n))
    model = fit_offsets(target, days, group, np.arange(n))
    assert [model.anchors[a] for a in model.level[:2, 0]] == ["last day", "anchor"]
    made_days = subject_days(2000, 2)
    made_group = np.arange(2000) % 2
    made = sample_offsets(model, made_days, made_group, Streams(3))
    away = made - made_days["last day"]
    on_the_day = (away[made_group == 0] == 0).mean()
    assert abs(on_the_day - (late[group == 0] == 0).mean()) < ERRORS * np.sqrt(0.16 / 1000)
    assert away[made_group == 0].min() >= 0 and away[made_group == 0].max() <= 15
    assert made[made_group == 1].min() >= -20 and made[made_group == 1].max() < 0
    assert abs(made[made_group == 1].mean() + 10.5) < ERRORS * 6 * np.sqrt(1 / 150 + 1 / 1000)


def test_a_visit_that_only_some_reach_has_a_second_choice() -> None:
    n = 200
    days = subject_days(n, 4)
    target = np.where(np.isfinite(days["visit"]), days["visit"], days["last day"] + 1)
    model = fit_offsets(target, days, np.zeros(n, dtype=int), np.arange(n))
    assert [model.anchors[a] for a in model.level[0, :2]] == ["visit", "last day"]
    new = subject_days(500, 5)
    made = sample_offsets(model, new, np.zeros(500, dtype=int), Streams(6))
    truth = np.where(np.isfinite(new["visit"]), new["visit"], new["last day"] + 1)
    assert (made == truth).all()


def test_missing_dates_keep_their_rate_by_group() -> None:
    n = 400
    group = np.arange(n) % 2
    target = np.where((group == 1) & (np.arange(n) % 8 < 4), np.nan, 5.0)
    model = fit_offsets(target, {"anchor": np.zeros(n)}, group, np.arange(n))
    made = sample_offsets(model, {"anchor": np.zeros(2000)}, np.arange(2000) % 2, Streams(7))
    missing = np.isnan(made).reshape(-1, 2).mean(axis=0)
    assert missing[0] == 0 and abs(missing[1] - 0.5) < ERRORS * np.sqrt(0.25 / 1000)


def test_one_row_follows_the_nearest_day() -> None:
    anchors = {"anchor": np.zeros(1), "last day": np.array([100.0]), "visit": np.array([40.0])}
    model = fit_offsets(np.array([41.0]), anchors, np.array([3]), np.array([0]))
    made = sample_offsets(model, {k: v + 5 for k, v in anchors.items()}, np.array([3]), Streams(1))
    assert made.tolist() == [46.0]


def test_an_unseen_group_uses_all_rows_and_a_bound_binds() -> None:
    n = 50
    model = fit_offsets(np.full(n, 10.0), {"anchor": np.zeros(n)}, np.zeros(n, dtype=int), np.arange(n))
    unseen = sample_offsets(model, {"anchor": np.zeros(4)}, np.array([9, 9, -1, 0]), Streams(1))
    assert unseen.tolist() == [10.0] * 4
    low = np.array([12.0, np.nan])
    assert sample_offsets(model, {"anchor": np.zeros(2)}, np.zeros(2, dtype=int), Streams(1), low=low).tolist() == [
        12,
        10,
    ]
    high = np.array([8.0, np.nan])
    assert sample_offsets(model, {"anchor": np.zeros(2)}, np.zeros(2, dtype=int), Streams(1), high=high).tolist() == [
        8,
        10,
    ]


def test_a_missing_anchor_is_named() -> None:
    model = fit_offsets(np.array([1.0, 2.0]), {"last day": np.zeros(2)}, np.zeros(2, dtype=int), np.arange(2))
    with pytest.raises(ModelError, match="last day"):
        sample_offsets(model, {"anchor": np.zeros(2)}, np.zeros(2, dtype=int), Streams(1))


@settings(max_examples=40, deadline=None)
@given(
    target=st.lists(st.one_of(st.just(np.nan), st.integers(-5000, 5000).map(float)), min_size=0, max_size=25),
    seed=st.integers(0, 10_000),
)
def test_any_dates_can_be_learned_and_drawn(target: list[float], seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = len(target)
    anchors = {
        "anchor": np.zeros(n),
        "other": np.where(rng.random(n) < 0.5, rng.integers(-9, 99, n), np.nan),
        "never": np.full(n, np.nan),
    }
    group, subject = rng.integers(-1, 4, n), rng.integers(0, 5, n)
    model = fit_offsets(np.array(target), anchors, group, subject)
    again = OffsetModel.model_validate_json(model.model_dump_json())
    for name in anchors:
        anchors[name] = np.resize(anchors[name], 64) if n else np.full(64, np.nan)
    group = rng.integers(-1, 6, 64)
    first, second = (sample_offsets(m, anchors, group, Streams(seed)) for m in (model, again))
    assert np.allclose(first, second, equal_nan=True)
    if not np.isnan(target).any() and n:
        assert np.isfinite(first).all()


def make_clock(n: int = 600) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(8)
    key = np.arange(n) // 3
    per_visit = rng.integers(8 * 12, 12 * 12, n) * 300.0
    group = (np.arange(n) % 3 == 0).astype(int)
    second = np.where(group == 1, per_visit[key], 0.0)
    return second, np.where(group == 1, 16, 10), key, group, key // 4


def test_times_of_day_keep_hours_minutes_and_precision() -> None:
    second, precision, key, group, subject = make_clock()
    model = ClockModel.model_validate_json(fit_clock(second, precision, key, group, subject).model_dump_json())
    made, level = sample_clock(model, key, group, Streams(2))
    assert set(level[group == 1]) == {16} and set(level[group == 0]) == {10}
    assert (made[group == 0] == 0).all()
    times = made[group == 1]
    assert times.min() >= 8 * 3600 and times.max() < 12 * 3600
    # One minute in twenty of all others is reserved for what the sample happened not to show.
    assert (times % 300 == 0).mean() > 0.9 and (times % 60 == 0).all()


def test_rows_of_one_visit_share_their_time() -> None:
    key = np.repeat(np.arange(100), 4)
    second = np.random.default_rng(3).integers(480, 720, 100)[key] * 60.0
    model = fit_clock(second, np.full(400, 16), key, np.full(400, -1), key // 5)
    made, _ = sample_clock(model, key, np.full(400, -1), Streams(5))
    assert model.together and (np.ptp(made.reshape(100, 4), axis=1) == 0).all() and len(np.unique(made)) > 20


def test_a_clock_without_any_date() -> None:
    none = np.empty(0)
    model = fit_clock(none, none.astype(int), none.astype(int), none.astype(int), none.astype(int))
    made, level = sample_clock(model, np.arange(3), np.full(3, -1), Streams(5))
    assert made.tolist() == [0.0] * 3 and level.tolist() == [10] * 3


def test_partial_dates_keep_their_share() -> None:
    precision = np.resize([4, 7, 10, 10], 400)
    model = fit_clock(np.zeros(400), precision, np.arange(400), np.full(400, -1), np.arange(400))
    _, level = sample_clock(model, np.arange(4000), np.full(4000, -1), Streams(5))
    for value, share in ((4, 0.25), (7, 0.25), (10, 0.5)):
        assert abs((level == value).mean() - share) < ERRORS * np.sqrt(0.25 / 4000)

"""The timeline: what is put in comes out again, and days never go back."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from datareplicator.errors import ModelError
from datareplicator.generate.timeline import sample_timeline
from datareplicator.model.subjects import Subjects
from datareplicator.model.timeline import (
    TimelineModel,
    VisitRows,
    fit_timeline,
    last_regular_days,
    reached_end,
    stay_context,
)
from datareplicator.seeds import Streams

PLANNED = np.array([-7.0, 0.0, 14.0, 28.0, 56.0, 84.0])
UNSCHEDULED, FOLLOW_UP = 6, 7
NUMBER = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 6.1, 99.0])
ARM_HAZARD = np.array([0.05, 0.25])
MISS = 0.1
ERRORS = 4.0  # standard errors that an estimate may be off: about one in 16,000 draws of a right model fails


def make_subjects(n: int, groups: int = 2, strata: int = 1) -> Subjects:
    number = np.arange(n)
    return Subjects(n, number % groups, (number // groups) % strata, np.full(n, -1), pd.DataFrame(index=number))


def simulate(n: int, seed: int = 0, screened: int = 0) -> tuple[VisitRows, Subjects]:
    """A trial with two arms that differ in dropout, visits missed one time in ten, a follow-up seven days after an
    early end for half of those, and `screened` further subjects in a stratum of their own with the first visit only."""
    rng = np.random.default_rng(seed)
    subjects = make_subjects(n)
    rows: list[tuple[int, int, float]] = []
    for i in range(n):
        day = 0.0
        for v, planned in enumerate(PLANNED):
            if v > 0 and v < 5 and v > 1 and rng.random() < MISS:
                continue
            day = planned if v == 1 else max(planned + rng.integers(-2, 3), day + (v > 1))
            rows.append((i, v, day))
            if v >= 2 and v < 5 and rng.random() < ARM_HAZARD[subjects.group[i]]:
                if rng.random() < 0.5:
                    rows.append((i, FOLLOW_UP, day + 7))
                break
            if v == 5 and rng.random() < 0.2:
                rows.append((i, UNSCHEDULED, day + 3))
    for i in range(n, n + screened):
        rows.append((i, 0, -7.0 + rng.integers(-2, 3)))
    subject, visit, day = (np.array(column) for column in zip(*rows, strict=True))
    if screened:
        subjects = make_subjects(n + screened)
        subjects.stratum = (np.arange(n + screened) >= n).astype(int)
    return VisitRows(subject, visit, day), subjects


@pytest.fixture(scope="module")
def learned() -> tuple[TimelineModel, VisitRows, Subjects, np.ndarray]:
    rows, subjects = simulate(600, screened=60)
    model, score = fit_timeline(rows, NUMBER, np.append(PLANNED, [np.nan, np.nan]), subjects)
    return model, rows, subjects, score


def draw(model: TimelineModel, like: Subjects, n: int, seed: int = 1, variation: float = 1.0):
    subjects = make_subjects(n)
    subjects.group, subjects.stratum = np.resize(like.group, n), np.resize(like.stratum, n)
    return sample_timeline(model, subjects, Streams(seed), variation), subjects


def share(rows: VisitRows, subjects: Subjects, visit: int, mask: np.ndarray) -> float:
    return float(mask[rows.subject[rows.visit == visit]].sum() / mask.sum())


def test_visits_are_attended_as_often_as_in_the_source(learned) -> None:
    model, rows, subjects, _ = learned
    made, drawn = draw(model, subjects, 4000)
    for group in (0, 1):
        for visit in range(len(NUMBER)):
            mine = (subjects.group == group) & (subjects.stratum == 0)
            p = share(rows, subjects, visit, mine)
            q = share(made, drawn, visit, (drawn.group == group) & (drawn.stratum == 0))
            error = np.sqrt(max(p * (1 - p), 0.01) * (1 / mine.sum() + 1 / 1800))
            # Arms lean on each other with the worth of ten subjects in 300, which is within the same error.
            assert abs(p - q) < ERRORS * error, (group, visit, p, q)


def test_arms_keep_their_dropout(learned) -> None:
    model, _, subjects, _ = learned
    _, drawn = draw(model, subjects, 4000)
    ended = reached_end(model, drawn) & (drawn.stratum == 0)
    for group, hazard in enumerate(ARM_HAZARD):
        mine = (drawn.group == group) & (drawn.stratum == 0)
        truth = 1 - (1 - (1 - hazard * (1 - MISS)) ** 3)
        error = np.sqrt(truth * (1 - truth) * (1 / 300 + 1 / mine.sum()))
        assert abs(ended[mine].mean() - truth) < ERRORS * error


def test_screened_subjects_never_reach_a_later_visit(learned) -> None:
    model, _, subjects, _ = learned
    made, drawn = draw(model, subjects, 2000)
    assert set(made.visit[drawn.stratum[made.subject] == 1]) == {0}
    assert set(drawn.last_visit[drawn.stratum == 1]) == {0}


def test_the_anchor_visit_stays_on_the_anchor_and_days_within_the_source_range(learned) -> None:
    model, rows, subjects, _ = learned
    made, _ = draw(model, subjects, 4000)
    assert (made.day[made.visit == 1] == 0).all()
    for visit in range(6):
        low, high = rows.day[rows.visit == visit].min(), rows.day[rows.visit == visit].max()
        days = made.day[made.visit == visit]
        assert days.min() >= low - 3 and days.max() <= high + 3


def test_days_follow_one_another(learned) -> None:
    model, _, subjects, _ = learned
    made, _ = draw(model, subjects, 4000)
    same = np.diff(made.subject) == 0
    assert (np.diff(made.day)[same & (np.diff(made.visit) > 0)] >= 0).all()


def test_follow_up_comes_a_week_after_an_early_end_only(learned) -> None:
    model, _, subjects, _ = learned
    made, drawn = draw(model, subjects, 4000)
    mine = made.visit == FOLLOW_UP
    assert not reached_end(model, drawn)[made.subject[mine]].any()
    away = made.day[mine] - last_regular_days(made, drawn)[made.subject[mine]]
    assert np.median(away) == 7 and (np.abs(away - 7) <= 2).mean() > 0.95


def test_stay_scores_are_standard_normal_and_ordered_within_an_arm(learned) -> None:
    _, _, subjects, score = learned
    for group in (0, 1):
        mine = (subjects.group == group) & (subjects.stratum == 0)
        assert abs(score[mine].mean()) < 0.25
        order = np.argsort(subjects.last_visit[mine], kind="stable")
        assert (np.diff(score[mine][order]) >= 0).all()


def test_a_high_score_stays_long(learned) -> None:
    model = learned[0]
    block = make_subjects(400)
    block.score["stay"] = np.where(np.arange(400) < 200, -2.5, 2.5)
    sample_timeline(model, block, Streams(4))
    assert block.last_visit[:200].max() < 5 and (block.last_visit[200:] == 5).all()


def test_no_variation_puts_everybody_on_the_typical_day(learned) -> None:
    model, _, subjects, _ = learned
    made, drawn = draw(model, subjects, 500, variation=0.0)
    for visit in range(6):
        mine = (made.visit == visit) & (drawn.last_visit[made.subject] > visit)
        assert np.ptp(made.day[mine]) == 0 if mine.any() else visit == 5


def test_neighbouring_visits_share_their_delay() -> None:
    rng = np.random.default_rng(5)
    n = 400
    late = rng.normal(0, 4, n)
    day = np.round(np.arange(1, 6) * 28 + late[:, None] + rng.normal(0, 1, (n, 5)))
    subject, visit = np.divmod(np.arange(n * 5), 5)
    subjects = make_subjects(n, 1)
    model, _ = fit_timeline(VisitRows(subject, visit, day.ravel()), np.arange(5.0), np.full(5, np.nan), subjects)
    made, _ = draw(model, subjects, 1000)
    drawn = made.day.reshape(1000, 5)
    truth = 16 / 17
    assert abs(np.corrcoef(drawn[:, 1], drawn[:, 2])[0, 1] - truth) < 0.06


def test_same_seed_same_visits_and_models_survive_json(learned) -> None:
    model, _, subjects, _ = learned
    again = TimelineModel.model_validate_json(model.model_dump_json())
    first, _ = draw(model, subjects, 128, seed=9)
    second, _ = draw(again, subjects, 128, seed=9)
    other, _ = draw(model, subjects, 128, seed=10)
    assert (first.day == second.day).all() and (first.visit == second.visit).all()
    assert len(other) != len(first) or (other.day != first.day).any()


def test_context_tells_end_and_follow_up(learned) -> None:
    model, rows, subjects, _ = learned
    context = stay_context(model, rows, subjects)
    assert set(context) >= {"last_visit", "reached_end", "followed", f"followed_{FOLLOW_UP}"}
    assert not (context["reached_end"] & context[f"followed_{FOLLOW_UP}"]).any()
    assert context[f"followed_{FOLLOW_UP}"].sum() == (rows.visit == FOLLOW_UP).sum()


def test_unknown_stratum_is_refused(learned) -> None:
    block = make_subjects(3)
    block.stratum = np.array([0, 7, 0])
    with pytest.raises(ModelError, match="stratum"):
        sample_timeline(learned[0], block, Streams(1))


def test_a_damaged_model_is_refused(learned) -> None:
    data = learned[0].model_dump(mode="json")
    data["strata"][0]["typical"] = data["strata"][0]["typical"][:-1]
    with pytest.raises(ValidationError, match="regular visits"):
        TimelineModel.model_validate(data)


def test_one_subject_with_one_visit() -> None:
    subjects = make_subjects(1, 1)
    rows = VisitRows(np.array([0]), np.array([0]), np.array([0.0]))
    model, score = fit_timeline(rows, np.array([1.0]), np.array([np.nan]), subjects)
    made, drawn = draw(model, subjects, 5)
    assert made.day.tolist() == [0.0] * 5 and drawn.last_day.tolist() == [0.0] * 5
    assert np.isfinite(score).all()


def test_no_visits_at_all() -> None:
    subjects = make_subjects(4)
    none = np.empty(0, dtype=int)
    model, score = fit_timeline(VisitRows(none, none, np.empty(0)), np.empty(0), np.empty(0), subjects)
    made, drawn = draw(model, subjects, 6)
    assert len(made) == 0 and (drawn.last_visit == -1).all() and (score == 0).all()


def test_unknown_days_stay_unknown() -> None:
    subjects = make_subjects(6, 1)
    subject, visit = np.divmod(np.arange(12), 2)
    model, _ = fit_timeline(
        VisitRows(subject, visit, np.full(12, np.nan)), np.arange(2.0), np.full(2, np.nan), subjects
    )
    made, _ = draw(model, subjects, 10)
    assert np.isnan(made.day).all() and len(made) == 20


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_any_visit_table_gives_days_in_order(data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 12))
    visits = data.draw(st.integers(1, 6))
    attended = np.array(data.draw(st.lists(st.booleans(), min_size=n * visits, max_size=n * visits))).reshape(n, visits)
    days = st.one_of(st.just(np.nan), st.integers(-400, 2000).map(float))
    day = np.array(data.draw(st.lists(days, min_size=n * visits, max_size=n * visits))).reshape(n, visits)
    subject, visit = np.nonzero(attended)
    subjects = make_subjects(n, data.draw(st.integers(1, 3)), data.draw(st.integers(1, 3)))
    rows = VisitRows(subject, visit, day[subject, visit])
    model, score = fit_timeline(rows, np.arange(float(visits)), np.full(visits, np.nan), subjects)
    made, drawn = draw(TimelineModel.model_validate_json(model.model_dump_json()), subjects, 64)
    assert np.isfinite(score).all()
    known = np.isfinite(made.day)
    same = np.diff(made.subject[known]) == 0
    assert (np.diff(made.day[known])[same] >= 0).all()
    assert set(made.visit) <= set(visit)
    for stratum in np.unique(drawn.stratum):
        seen = set(rows.visit[subjects.stratum[rows.subject] == stratum])
        assert set(made.visit[drawn.stratum[made.subject] == stratum]) <= seen


def learn(rows: list[tuple[int, int, float]], n: int, visits: int) -> tuple[TimelineModel, Subjects]:
    subjects = make_subjects(n)
    subject, visit, day = (np.array(column) for column in zip(*sorted(rows), strict=True))
    planned = np.full(visits, np.nan)
    return fit_timeline(VisitRows(subject, visit, day.astype(float)), np.arange(float(visits)), planned, subjects)[
        0
    ], subjects


def test_an_arm_with_a_shorter_schedule_keeps_it() -> None:
    rng = np.random.default_rng(20)
    short, long_only = [0, 1, 3], [2, 4, 5]
    rows = []
    for i in range(120):
        for v in range(6):
            if i % 2 == 0 and v in long_only:
                continue
            rows.append((i, v, 14.0 * v + (rng.integers(-2, 3) if v else 0)))
            if v and rng.random() < 0.05:
                break
    model, subjects = learn(rows, 120, 6)
    made, drawn = draw(model, subjects, 2000)
    assert set(made.visit[drawn.group[made.subject] == 0]) == set(short)
    assert set(made.visit[drawn.group[made.subject] == 1]) == set(range(6))
    assert reached_end(model, drawn)[drawn.group == 0].mean() > 0.8


def test_visits_that_float_with_the_end_are_no_part_of_the_schedule() -> None:
    """Early termination for those who leave, and a follow-up 30 days after the last visit for all."""
    rng = np.random.default_rng(21)
    rows = []
    for i in range(200):
        day = 0.0
        for v in range(6):
            day = 28.0 * v + (rng.integers(-3, 4) if v else 0)
            rows.append((i, v, day))
            if 0 < v < 5 and rng.random() < 0.1:
                day += rng.integers(3, 20)
                rows.append((i, 6, day))
                break
        rows.append((i, 7, day + 30 + rng.integers(-2, 3)))
    model, subjects = learn(rows, 200, 8)
    assert model.strata[0].regular.tolist() == [0, 1, 2, 3, 4, 5]
    made, drawn = draw(model, subjects, 1000)
    day = np.full((1000, 8), np.nan)
    day[made.subject, made.visit] = made.day
    assert np.isfinite(day[:, 7]).all()
    before = np.nanmax(day[:, :7], axis=1)
    assert (np.abs(day[:, 7] - before - 30) <= 4).all()
    assert (np.isfinite(day[:, 6]) != reached_end(model, drawn)).all()


def test_an_early_termination_comes_instead_of_the_visits_it_precedes_in_the_list() -> None:
    """Numbered after the last planned visit and before the follow-up, which nearly everybody has."""
    rng = np.random.default_rng(3)
    rows: list[tuple[int, int, float]] = []
    for i in range(40):
        stop = 2 if i % 10 == 0 else 3 if i % 10 == 5 else 5
        rows += [(i, v, float(d)) for v, d in enumerate((0, 14, 28, 56, 84)[:stop])]
        last = rows[-1][2]
        if stop < 5:
            rows.append((i, 5, last + 5 + rng.integers(0, 10)))  # the early termination
        rows.append((i, 6, rows[-1][2] + 14))  # the follow-up
    model, subjects = learn(rows, 40, 7)
    assert model.strata[0].regular.tolist() == [0, 1, 2, 3, 4]
    made, _ = draw(model, subjects, 2000)
    ended = np.isin(np.arange(2000), made.subject[made.visit == 5])
    finished = np.isin(np.arange(2000), made.subject[made.visit == 4])
    assert not (ended & finished).any()
    assert 0.1 < ended.mean() < 0.3
    assert (np.diff(made.day)[np.diff(made.subject) == 0] >= 0).all()

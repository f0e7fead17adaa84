"""When subjects enter: months at each site's pace, days of the week as in the source."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from datareplicator.model.enrolment import EnrolmentModel, fit_enrolment, sample_enrolment


def weekday(day: np.ndarray) -> np.ndarray:
    return (day.astype(int) + 3) % 7


def test_sites_open_and_close_when_they_did() -> None:
    rng = np.random.default_rng(1)
    site = np.repeat([0, 1], 200)
    anchor = np.where(site == 0, rng.integers(18_000, 18_100, 400), rng.integers(18_300, 18_400, 400)).astype(float)
    model = fit_enrolment(anchor, site, np.empty(0))
    assert model is not None
    new = sample_enrolment(model, np.repeat([0, 1], 2000), np.empty(0), np.random.default_rng(2))
    assert (new[:2000] < 18_200).mean() > 0.95
    assert (new[2000:] > 18_200).mean() > 0.95
    assert new.min() >= anchor.min() - 34
    assert new.max() <= anchor.max() + 34


def test_nobody_enters_on_a_sunday_where_nobody_did() -> None:
    days = np.arange(18_000.0, 18_365.0)
    model = fit_enrolment(days[weekday(days) < 5], np.zeros((weekday(days) < 5).sum(), dtype=int), np.empty(0))
    assert model is not None
    new = sample_enrolment(model, np.zeros(5000, dtype=int), np.empty(0), np.random.default_rng(3))
    assert (weekday(new) >= 5).mean() < 0.02


def test_no_dates_no_model() -> None:
    assert fit_enrolment(np.array([np.nan, np.nan]), np.array([-1, -1]), np.empty(0)) is None


def test_one_subject_spreads_over_its_month() -> None:
    model = fit_enrolment(np.array([18_000.0]), np.array([0]), np.empty(0))
    assert model is not None
    new = sample_enrolment(model, np.zeros(300, dtype=int), np.empty(0), np.random.default_rng(4))
    assert 2 < len(np.unique(new)) <= 40


@pytest.mark.parametrize("month", [[[1.0, -0.1]], [[0.0, 0.0]], [1.0], [[np.nan, 1.0]]])
def test_shares_must_be_shares(month: list) -> None:
    with pytest.raises(ValidationError):
        EnrolmentModel(first_month=0, month=np.array(month), weekday=np.ones(7))


def test_nobody_comes_after_the_latest_day_of_the_source() -> None:
    rng = np.random.default_rng(5)
    anchor = 18_000.0 + rng.integers(0, 300, 200)
    stay = np.minimum(rng.integers(1, 180, 200), 18_300 - anchor).astype(float)
    model = fit_enrolment(anchor, np.zeros(200, dtype=int), stay)
    assert model is not None and model.latest is not None
    long = np.full(1000, 150.0)
    new = sample_enrolment(model, np.zeros(1000, dtype=int), long, np.random.default_rng(6))
    free = sample_enrolment(model, np.zeros(1000, dtype=int), np.empty(0), np.random.default_rng(6))
    assert (new + long <= model.latest).all() and (free + long > model.latest).any()
    assert ((free - new) % 7 == 0).all()

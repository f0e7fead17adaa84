"""The measures against known answers and against other libraries."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ks_2samp

from datareplicator.evaluate import grouped
from datareplicator.evaluate.correlations import spearman
from datareplicator.evaluate.distances import Counts, binned, count
from datareplicator.evaluate.indistinct import classify


def _counts(a: np.ndarray, b: np.ndarray, *, ordered: bool = True) -> Counts:
    code_a, code_b, bins = binned(a, b)
    return Counts(
        count(np.arange(len(a)), code_a, len(a), bins), count(np.arange(len(b)), code_b, len(b), bins), ordered
    )


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 30), min_size=1, max_size=60), st.lists(st.integers(0, 30), min_size=1, max_size=60))
def test_distance_of_few_values_is_kolmogorov_and_smirnovs(a: list[int], b: list[int]) -> None:
    found = _counts(np.array(a, dtype=float), np.array(b, dtype=float)).distance()
    assert found == pytest.approx(ks_2samp(a, b).statistic)


def test_distance_of_many_values_is_near_it() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.normal(0, 1, 900), rng.normal(0.4, 1, 700)
    assert _counts(a, b).distance() == pytest.approx(ks_2samp(a, b).statistic, abs=1 / 128)


def test_total_variation_of_shares() -> None:
    counts = Counts(np.array([[3.0, 1.0, 0.0]]), np.array([[1.0, 1.0, 2.0]]), ordered=False)
    assert counts.distance() == pytest.approx(0.5)


def test_chance_covers_new_draws_and_not_a_shift() -> None:
    rng = np.random.default_rng(2)
    inside = []
    for _ in range(30):
        a, b = rng.normal(size=80), rng.normal(size=80)
        counts = _counts(a, b)
        draws = tuple(rng.multinomial(80, np.full(80, 1 / 80), size=60).astype(float) for _ in range(2))
        inside.append(counts.distance() <= counts.chance(draws))
        assert _counts(a, b + 2).distance() > counts.chance(draws)
    assert np.mean(inside) > 0.85


def test_quantiles_by_group_are_numpys() -> None:
    rng = np.random.default_rng(3)
    group, value = rng.integers(0, 5, 300), rng.normal(size=300)
    found = grouped.quantiles(group, value, 5, (0.1, 0.5, 0.9))
    wanted = [np.quantile(value[group == g], (0.1, 0.5, 0.9)) for g in range(5)]
    np.testing.assert_allclose(found, wanted)


def _repeated(rng: np.random.Generator, between: float, lag: float, subjects: int = 400, visits: int = 8):
    level = rng.normal(0, np.sqrt(between), subjects)
    noise = np.empty((subjects, visits))
    noise[:, 0] = rng.normal(size=subjects)
    for v in range(1, visits):
        noise[:, v] = lag * noise[:, v - 1] + np.sqrt(1 - lag**2) * rng.normal(size=subjects)
    value = level[:, None] + np.sqrt(1 - between) * noise
    subject, visit = np.repeat(np.arange(subjects), visits), np.tile(np.arange(visits), subjects)
    return np.zeros(len(subject), dtype=np.int64), subject, visit, value.ravel()


def test_icc_is_the_share_between_subjects() -> None:
    test, subject, _, value = _repeated(np.random.default_rng(4), between=0.7, lag=0.0)
    assert grouped.icc(test, subject, value, 1)[0] == pytest.approx(0.7, abs=0.04)


def test_lag_one_sees_the_memory_of_the_deviations() -> None:
    rng = np.random.default_rng(5)
    test, subject, visit, still = _repeated(rng, between=0.5, lag=0.0)
    *_, moving = _repeated(rng, between=0.5, lag=0.7)
    order = rng.permutation(len(test))
    without = grouped.lag_one(test[order], subject[order], visit[order], still[order], 1)[0]
    with_lag = grouped.lag_one(test[order], subject[order], visit[order], moving[order], 1)[0]
    # Taking off a subject's own mean of 8 values costs about 1/7.
    assert without == pytest.approx(-1 / 7, abs=0.05)
    assert with_lag > without + 0.4


def test_spearman_is_pandas_without_gaps_and_near_it_with_them() -> None:
    rng = np.random.default_rng(6)
    values = rng.normal(size=(200, 4)) @ rng.normal(size=(4, 4))
    wanted = pd.DataFrame(values).corr(method="spearman").to_numpy()
    np.testing.assert_allclose(spearman(values), wanted, atol=1e-9)
    holes = np.where(rng.random(values.shape) < 0.2, np.nan, values)
    wanted = pd.DataFrame(holes).corr(method="spearman").to_numpy()
    np.testing.assert_allclose(spearman(holes), wanted, atol=0.05)


def test_a_classifier_tells_shifted_subjects_and_not_equal_ones() -> None:
    rng = np.random.default_rng(7)
    a, b = rng.normal(size=(120, 6)), rng.normal(size=(150, 6))
    names = [f"x{i}" for i in range(6)]
    alike = classify(names, a, b)
    b[:, 3] += 2
    apart = classify(names, a, b)
    assert alike.auc is not None and apart.auc is not None and alike.error is not None
    assert abs(alike.auc - 0.5) < 4 * alike.error
    assert apart.auc > 0.85
    assert apart.telling[0][0] == "x3"
    assert classify(names, a[:10], b).auc is None

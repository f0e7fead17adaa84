"""Subjects: shares, arms, features, correlation matrices; fixed seeds, tolerances of three standard errors or more."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from datareplicator.generate.subjects import sample_subjects
from datareplicator.model.correlation import common_factors, nearest, shrink
from datareplicator.model.subject_model import Feature, allocation, fit_subjects
from datareplicator.model.subjects import Subjects
from datareplicator.seeds import Streams


def make_subjects(n: int, strata: int = 1) -> Subjects:
    index = np.arange(n)
    stratum = (index % 5 == 0).astype(np.int64) if strata == 2 else np.zeros(n, dtype=np.int64)
    group = np.where(stratum == 1, -1, index % 3)
    return Subjects(n, group, stratum, index % 4, pd.DataFrame())


def make_features(n: int, seed: int = 0) -> list[Feature]:
    rng = np.random.default_rng(seed)
    age = np.round(rng.normal(60, 9, n))
    sex = (rng.random(n) < 0.3 + 0.4 * (age > 60)).astype(np.int64)
    return [
        Feature("AGE", "number", age),
        Feature("SEX", "category", sex, ("F", "M")),
        Feature("events", "score", rng.standard_normal(n)),
    ]


def draws(model, blocks: int = 4, **options):
    return [sample_subjects(model, 128, block, Streams(5, block), **options) for block in range(blocks)]


def test_equal_and_unequal_allocations_are_seen() -> None:
    assert allocation(np.repeat([0, 1, 2], [7, 6, 7]), 3)[:3] == pytest.approx([1 / 3] * 3)
    assert allocation(np.repeat([0, 1], [200, 100]), 2)[:2] == pytest.approx([2 / 3, 1 / 3])
    assert allocation(np.full(4, -1), 0) == pytest.approx([1.0])


@pytest.mark.parametrize("stratified", [True, False])
def test_shares_and_features_are_those_of_the_source(stratified: bool) -> None:
    features, subjects = make_features(400), make_subjects(400, strata=2)
    made = draws(fit_subjects(features, None, subjects), stratified=stratified)
    limit = 0.02 if stratified else 0.08
    stratum = np.concatenate([d.subjects.stratum for d in made])
    group = np.concatenate([d.subjects.group for d in made])
    assert stratum.mean() == pytest.approx(0.2, abs=limit)
    assert set(group[stratum == 1]) == {-1} and set(group[stratum == 0]) == {0, 1, 2}
    age, sex = (np.concatenate([d.values[name] for d in made]) for name in ("AGE", "SEX"))
    assert age.mean() == pytest.approx(features[0].values.mean(), abs=1.5)
    assert age.std() == pytest.approx(features[0].values.std(), rel=0.12)
    assert sex.mean() == pytest.approx(features[1].values.mean(), abs=0.08)
    own, new = np.corrcoef(features[0].values, features[1].values)[0, 1], np.corrcoef(age, sex)[0, 1]
    assert new == pytest.approx(own, abs=0.12)
    assert abs(np.corrcoef(age[stratum == 0], group[stratum == 0])[0, 1]) < 0.15  # arms are allotted, not earned
    assert list(made[0].subjects.covariates["SEX"].cat.categories) == ["F", "M"]
    assert set(made[0].subjects.score) == {"events"}


def test_a_block_is_a_function_of_seed_and_number_only() -> None:
    model = fit_subjects(make_features(50), None, make_subjects(50))
    first, again, second = (sample_subjects(model, 128, b, Streams(5, b)) for b in (1, 1, 2))
    assert np.array_equal(first.values["AGE"], again.values["AGE"])
    assert not np.array_equal(first.values["AGE"], second.values["AGE"])


@pytest.mark.parametrize("n", [1, 2, 3])
def test_few_subjects_and_missing_features(n: int) -> None:
    features = [*make_features(n), Feature("none", "number", np.full(n, np.nan)), Feature("one", "number", np.ones(n))]
    model = fit_subjects(features, None, make_subjects(n))
    made = draws(model, 1)[0]
    assert np.isnan(made.values["none"]).all()
    assert set(made.values["one"][np.isfinite(made.values["one"])]) == {1.0}
    assert made.values["AGE"].max() <= features[0].values.max() + 1


def test_shrinkage_vanishes_as_evidence_grows() -> None:
    raw = np.array([0.6, 0.1, -0.1, 0.05])
    little, much = (shrink(raw, np.full(4, 1 / n), np.zeros(4)) for n in (10, 10_000))
    assert np.abs(little).max() < 0.5
    assert much == pytest.approx(raw, abs=0.02)


def test_nearest_is_a_correlation_matrix_and_leaves_one_alone() -> None:
    rng = np.random.default_rng(1)
    noisy = rng.uniform(-0.9, 0.9, (20, 20))
    noisy = np.triu(noisy, 1) + np.triu(noisy, 1).T + np.eye(20)
    fixed = nearest(noisy)
    assert np.linalg.eigvalsh(fixed)[0] > 0
    assert np.diag(fixed) == pytest.approx(np.ones(20))
    assert nearest(fixed) == pytest.approx(fixed, abs=1e-6)


def test_common_factors_find_structure_and_ignore_noise() -> None:
    rng = np.random.default_rng(2)
    k, n = 80, 100
    loading = np.r_[np.full(40, 0.7), np.zeros(40)]
    data = np.outer(rng.standard_normal(n), loading) + rng.standard_normal((n, k)) * np.sqrt(1 - loading**2)
    variance = np.full((k, k), 1 / (n - 3))
    found = common_factors(np.corrcoef(data.T), variance)
    upper = np.triu_indices(40, 1)
    assert found[:40, :40][upper].mean() == pytest.approx(0.49, abs=0.12)
    assert np.abs(found[40:, 40:]).mean() < 0.05
    noise = np.corrcoef(rng.standard_normal((n, k)).T)
    assert np.abs(common_factors(noise, variance)).mean() < 0.02

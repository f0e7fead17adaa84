"""Findings: what was put into simulated data must come out of the model, and again out of generated data.

Tolerances are three standard errors of the estimate over seeds, rounded up, so that a right estimator fails in fewer
than 1 % of other seeds; the seeds here are fixed.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from datareplicator.generate.findings import sample_findings
from datareplicator.generate.subjects import sample_subjects
from datareplicator.model.findings import Cell, FindingsModel, Observations, fit_findings
from datareplicator.model.subject_model import Feature, SubjectModel, fit_subjects
from datareplicator.model.subjects import Subjects
from datareplicator.model.timeline import VisitRows
from datareplicator.seeds import Streams

DAYS = np.array([-7.0, 0, 14, 28, 42, 56, 84, 112])
ICC, NUGGET, DRIFT, TIME = 0.6, 0.2, 0.2, 40.0


def make_subjects(n: int, arms: int = 2) -> Subjects:
    index = np.arange(n)
    return Subjects(n, index % arms, np.zeros(n, dtype=np.int64), index % 5, pd.DataFrame())


def simulate(n: int, seed: int = 1, effect: float = 0.0) -> tuple[np.ndarray, Subjects]:
    """Three cells (subjects, visits, 3), sd 10 about 100: cells 0 and 1 correlate 0.7 in level and residual, 2 alone.

    `effect`: shift of arm 1 in cell 0 after day 0, in sd.
    """
    rng = np.random.default_rng(seed)
    root = np.linalg.cholesky(np.array([[1, 0.7, 0], [0.7, 1, 0], [0, 0, 1.0]])).T
    level = rng.standard_normal((n, 3)) @ root
    drift = np.empty((n, len(DAYS), 3))
    shock = rng.standard_normal(drift.shape) @ root
    drift[:, 0] = shock[:, 0]
    for v in range(1, len(DAYS)):
        rho = np.exp(-(DAYS[v] - DAYS[v - 1]) / TIME)
        drift[:, v] = rho * drift[:, v - 1] + np.sqrt(1 - rho**2) * shock[:, v]
    z = np.sqrt(ICC) * level[:, None] + np.sqrt(DRIFT) * drift
    z += np.sqrt(NUGGET) * (rng.standard_normal(drift.shape) @ root)
    subjects = make_subjects(n)
    z[np.ix_(subjects.group == 1, DAYS > 0, [0])] += effect
    return np.round(100 + 10 * z), subjects


def observe(values: np.ndarray) -> Observations:
    subject, visit, cell = (axis.ravel() for axis in np.indices(values.shape))
    return Observations(subject, visit, cell, DAYS[visit], values.ravel())


CELLS = tuple(Cell("LB", name) for name in "ABC")


def generate(model: FindingsModel, subject_model: SubjectModel, blocks: int = 4, seed: int = 3, **options):
    """Values (subjects, visits, cells) of whole blocks."""
    parts = []
    for block in range(blocks):
        streams = Streams(seed, block)
        draw = sample_subjects(subject_model, 128, block, streams.under("subjects"))
        subject, visit = (axis.ravel() for axis in np.indices((128, len(DAYS))))
        rows = VisitRows(subject, visit, DAYS[visit])
        made = sample_findings(model, draw.subjects, draw.levels, rows, streams, **options)
        values = np.full((128, len(DAYS), model.cells), np.nan)
        values[made.subject, made.visit, made.cell] = made.value
        parts.append(values)
    return np.concatenate(parts)


def fitted(values: np.ndarray, subjects: Subjects, cells=CELLS):
    model, effects = fit_findings(observe(values), cells, subjects, len(DAYS), DAYS)
    return model, effects, fit_subjects([], effects, subjects)


@pytest.fixture(scope="module")
def large():
    values, subjects = simulate(400, effect=0.8)
    return values, *fitted(values, subjects)


def test_variance_parts_are_recovered(large) -> None:
    _, model, _, _ = large
    scale = 1 - (1 - model.between - model.within.sum(0))  # what the means leave
    assert model.between[1:] / scale[1:] == pytest.approx(ICC, abs=0.1)
    near = model.within[0] + model.within[1:].T @ (1 - np.exp(-14 / model.times))
    assert near / scale == pytest.approx(NUGGET + DRIFT * (1 - np.exp(-14 / TIME)), abs=0.05)


def test_correlations_are_recovered(large) -> None:
    _, model, _, subject_model = large
    truth = [0.7, 0.0, 0.0]
    root, total = np.sqrt(model.within), np.sqrt(model.within.sum(0))
    shared = (root.T @ root / np.outer(total, total))[np.triu_indices(3, 1)]  # like parts only
    assert shared * model.residual == pytest.approx(truth, abs=0.06)
    assert subject_model.correlation == pytest.approx(truth, abs=0.12)


def test_an_arm_effect_is_recovered_and_none_invented(large) -> None:
    _, model, _, _ = large
    contrast = model.arm[1] - model.arm[0]
    sd = np.sqrt(1 + 0.8**2 / 4 * 6 / 8)  # of cell 0 over arms and visits, in its own residual sd
    assert contrast[2:, 0].mean() * sd == pytest.approx(0.8, abs=0.2)
    assert np.abs(contrast[:2]).max() == 0.0
    assert np.abs(contrast[:, 1:]).max() < 0.15


def test_generated_data_have_the_source_s_statistics(large) -> None:
    values, model, _, subject_model = large
    made = generate(model, subject_model)
    for k in range(3):
        assert np.nanmean(made[:, :, k]) == pytest.approx(values[:, :, k].mean(), abs=1.0)
        assert np.nanstd(made[:, :, k]) == pytest.approx(values[:, :, k].std(), rel=0.08)
    assert icc(made) == pytest.approx(icc(values), abs=0.07)
    assert lag_one(made) == pytest.approx(lag_one(values), abs=0.06)
    own, new = (np.corrcoef(x.reshape(-1, 3).T)[0, 1] for x in (values, made))
    assert new == pytest.approx(own, abs=0.06)


def icc(values: np.ndarray) -> np.ndarray:
    """Of cells (subjects, visits, cells), visit means removed."""
    rest = values - values.mean(0)
    within = rest.var(axis=1, ddof=1).mean(0)
    between = rest.mean(1).var(0, ddof=1) - within / values.shape[1]
    return between / (between + within)


def lag_one(values: np.ndarray) -> np.ndarray:
    return np.array([np.corrcoef(values[:, :-1, k].ravel(), values[:, 1:, k].ravel())[0, 1] for k in range(3)])


def test_values_stay_on_the_lattice_and_within_a_small_margin(large) -> None:
    values, model, _, subject_model = large
    made = generate(model, subject_model, blocks=2)
    assert (made == np.round(made)).all()
    assert made.min() >= values.min() - 0.02 * np.ptp(values)
    assert made.max() <= values.max() + 0.02 * np.ptp(values)


def test_no_training_sequence_is_written_again() -> None:
    values = np.random.default_rng(5).integers(0, 6, (200, len(DAYS), 1)) * 7.0
    values[:, 4:] = np.nan
    model, _, subject_model = fitted(values, make_subjects(200), (Cell("LB", "A"),))
    made = generate(model, subject_model)
    source = {tuple(x[:4]) for x in values[:, :, 0] if len(set(x[:4])) > 2}
    written = [tuple(x[:4]) for x in made[:, :, 0]]
    assert len(source) * len(written) > 50 * 6**4  # chance alone would repeat dozens
    assert np.isfinite(made[:, :4]).all() and np.isnan(made[:, 4:]).all()
    assert not source & set(written)


def test_same_seed_same_bytes_other_seed_other_values(large) -> None:
    _, model, _, subject_model = large
    first, again, other = (generate(model, subject_model, 1, seed) for seed in (3, 3, 4))
    assert np.array_equal(first, again, equal_nan=True)
    assert not np.array_equal(first, other, equal_nan=True)


def test_the_model_survives_json(large) -> None:
    _, model, _, subject_model = large
    back = FindingsModel.model_validate_json(model.model_dump_json())
    subjects_back = SubjectModel.model_validate_json(subject_model.model_dump_json())
    assert np.array_equal(generate(back, subjects_back, 1), generate(model, subject_model, 1), equal_nan=True)


def test_variation_zero_gives_central_subjects_and_two_spreads_wider(large) -> None:
    _, model, _, subject_model = large
    none, usual, twice = (np.nanstd(generate(model, subject_model, 1, variation=v)[:, :, 2]) for v in (0.0, 1.0, 2.0))
    assert none < 0.2 * usual
    assert twice > 1.4 * usual


def test_ordinal_scores_keep_their_frequencies_and_correlation() -> None:
    values, subjects = simulate(300, seed=2)
    scores = np.digitize(values, [95, 105, 112, 118]).astype(float)
    model, _, subject_model = fitted(scores, subjects, tuple(Cell("QS", c, (), "ordinal") for c in "ABC"))
    made = generate(model, subject_model)
    for k in range(3):
        share = [np.bincount(x[:, :, k].ravel().astype(int), minlength=5) / x[:, :, k].size for x in (scores, made)]
        assert np.abs(share[0] - share[1]).max() < 0.03
    own, new = (np.corrcoef(x.reshape(-1, 3).T)[0, 1] for x in (scores, made))
    assert new == pytest.approx(own, abs=0.1)
    assert icc(made) == pytest.approx(icc(scores), abs=0.1)


def test_few_subjects_shrink_an_arm_effect_away() -> None:
    contrasts = []
    for seed in range(10):
        values, subjects = simulate(16, seed)
        contrasts.append(np.abs(np.diff(fitted(values, subjects)[0].arm, axis=0)).max())
    assert np.mean(contrasts) < 0.3


@pytest.mark.parametrize("n", [1, 2, 5])
def test_one_or_few_subjects(n: int) -> None:
    values, subjects = simulate(n)
    model, _, subject_model = fitted(values, subjects)
    made = generate(model, subject_model, 1)
    assert np.isfinite(made).any()
    low, high = values.min(), values.max()
    assert made[np.isfinite(made)].min() >= low - 0.1 * (high - low) - 1


def test_single_visit_constant_missing_and_tied_cells() -> None:
    values, subjects = simulate(30)
    values[:, :, 1] = 7.0
    values[:, :, 2] = np.nan
    values[:, 1:, 0] = np.nan
    observations = observe(values)
    keep = (observations.visit == 0) | (observations.cell > 0)
    observations = Observations(*(getattr(observations, f)[keep] for f in ("subject", "visit", "cell", "day", "value")))
    model, effects = fit_findings(observations, CELLS, subjects, len(DAYS), DAYS)
    made = generate(model, fit_subjects([], effects, subjects), 1)
    assert np.isfinite(made[:, 0, 0]).mean() > 0.9
    assert np.isnan(made[:, 1:, 0]).all()
    assert np.nanmin(made[:, :, 1]) == np.nanmax(made[:, :, 1]) == 7.0
    assert np.isnan(made[:, :, 2]).all()


def test_panels_that_come_together_come_together() -> None:
    values, subjects = simulate(100)
    rng = np.random.default_rng(3)
    observations = observe(values)
    drawn = rng.random((100, len(DAYS))) < 0.6  # cells 0 and 1 are one panel, cell 2 always comes
    keep = (observations.cell == 2) | drawn[observations.subject, observations.visit]
    observations = Observations(*(getattr(observations, f)[keep] for f in ("subject", "visit", "cell", "day", "value")))
    model, effects = fit_findings(observations, CELLS, subjects, len(DAYS), DAYS)
    made = np.isfinite(generate(model, fit_subjects([], effects, subjects)))
    assert made[:, :, 2].mean() > 0.99
    assert made[:, :, 0].mean() == pytest.approx(0.6, abs=0.05)
    assert (made[:, :, 0] == made[:, :, 1]).mean() > 0.98


def test_features_and_levels_keep_their_correlation() -> None:
    values, subjects = simulate(300, seed=4)
    rng = np.random.default_rng(0)
    age = np.round(60 + 0.8 * (values[:, :, 0].mean(1) - 100) + 4 * rng.standard_normal(300))
    model, effects = fit_findings(observe(values), CELLS, subjects, len(DAYS), DAYS)
    subject_model = fit_subjects([Feature("AGE", "number", age)], effects, subjects)
    draw = sample_subjects(subject_model, 128, 0, Streams(1, 0))
    made = generate(model, subject_model, 1, seed=1)
    drawn = sample_subjects(subject_model, 128, 0, Streams(1, 0).under("subjects"))
    truth = np.corrcoef(age, values[:, :, 0].mean(1))[0, 1]
    assert np.corrcoef(drawn.values["AGE"], np.nanmean(made[:, :, 0], axis=1))[0, 1] == pytest.approx(truth, abs=0.12)
    assert (draw.values["AGE"] == np.round(draw.values["AGE"])).all()

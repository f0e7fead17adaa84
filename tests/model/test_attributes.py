"""Row attributes come back with the distributions, combinations and repetitions of the rows they were learned from.

Statistical tests use fixed seeds; their limits are 4 standard errors and more, so that a correct sampler passes with a
probability above 0.999 had the seed been another.
"""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy.stats import ks_2samp

from datareplicator.generate.attributes import sample_attributes
from datareplicator.model.attributes import AttributeModel, fit_attributes
from datareplicator.seeds import Streams


def frame(n: int, **columns: object) -> pd.DataFrame:
    return pd.DataFrame(columns, index=range(n))


def again(model: AttributeModel) -> AttributeModel:
    return AttributeModel.model_validate_json(model.model_dump_json())


def test_conditional_shares_and_seen_combinations_come_back():
    rng = np.random.default_rng(1)
    n = 6000
    test = rng.choice(["A", "B", "C"], n)
    high = rng.random(n) < pd.Series(test).map({"A": 0.1, "B": 0.5, "C": 0.9}).to_numpy()
    targets = frame(
        n, flag=np.where(high, "HIGH", "NORMAL"), unit=pd.Series(test).map({"A": "mg", "B": "g", "C": None})
    )
    context, subject = frame(n, test=test), rng.integers(0, 300, n)
    made = sample_attributes(again(fit_attributes(targets, context, subject)), context, subject, Streams(3))
    for name, share in (("A", 0.1), ("B", 0.5), ("C", 0.9)):
        rows = test == name
        assert abs((made.flag[rows] == "HIGH").mean() - share) < 5 * np.sqrt(2 * 0.25 / rows.sum())
    assert (made.unit[test == "A"] == "mg").all()
    assert made.unit[test == "C"].isna().all()


def test_dependent_columns_keep_to_the_patterns_of_the_source():
    rng = np.random.default_rng(2)
    kinds = np.array([("Y", "HOSP", None), ("N", None, None), ("Y", None, "LIFE")], dtype=object)
    rows = kinds[rng.integers(0, 3, 900)]
    targets = pd.DataFrame(rows, columns=["SER", "HOSP", "LIFE"])
    context = frame(900, term=rng.choice(list("abcdef"), 900))
    model = fit_attributes(targets, context, np.arange(900) // 3)
    made = sample_attributes(model, context, np.arange(900) // 3, Streams(0)).astype(object)
    seen = set(map(tuple, targets.astype(object).where(targets.notna(), None).to_numpy()))
    assert set(map(tuple, made.where(made.notna(), None).to_numpy())) <= seen


def test_measured_numbers_keep_distribution_decimals_atoms_and_missing_share():
    rng = np.random.default_rng(3)
    n = 4000
    group = rng.integers(0, 2, n)
    value = np.round(rng.lognormal(1 + group, 0.5, n), 1)
    value[rng.random(n) < 0.2] = 0.0
    value[rng.random(n) < 0.1] = np.nan
    context = frame(n, group=pd.Categorical(group.astype(str)))
    model = again(fit_attributes(frame(n, x=value), context, np.arange(n)))
    made = sample_attributes(model, context, np.arange(n), Streams(5)).x.to_numpy()
    assert abs(np.isnan(made).mean() - np.isnan(value).mean()) < 0.04
    for g in (0, 1):
        a, b = value[(group == g) & ~np.isnan(value)], made[(group == g) & ~np.isnan(made)]
        assert ks_2samp(a, b).statistic < 2.0 * np.sqrt(2 / len(a))
        assert abs((a == 0).mean() - (b == 0).mean()) < 0.05
    known = made[~np.isnan(made)]
    assert np.allclose(known, np.round(known, 1))
    assert known.max() <= np.nanmax(value)


def test_two_numbers_stay_related():
    rng = np.random.default_rng(4)
    x = rng.normal(size=(3000, 2)) @ np.array([[1, 0.8], [0, 0.6]])
    targets = pd.DataFrame(np.round(x, 3), columns=["a", "b"])
    none = pd.DataFrame(index=targets.index)
    made = sample_attributes(fit_attributes(targets, none, np.arange(3000)), none, np.arange(3000), Streams(1))
    assert made.corr(method="spearman").iloc[0, 1] == pytest.approx(0.79, abs=0.08)


def test_what_is_constant_within_subject_stays_so_and_within_subject_and_test():
    rng = np.random.default_rng(5)
    subject = np.repeat(np.arange(60), 12)
    test = np.tile(np.repeat(["A", "B", "C"], 4), 60)
    method = rng.choice(["M1", "M2", "M3"], (60, 3)).ravel().repeat(4)
    arm_side = rng.choice(["LEFT", "RIGHT"], 60).repeat(12)
    targets, context = frame(720, method=method, side=arm_side), frame(720, test=test)
    made = sample_attributes(fit_attributes(targets, context, subject), context, subject, Streams(2))
    assert (made.side.astype(str).groupby(subject).nunique() == 1).all()
    assert (made.method.astype(str).groupby([subject, test]).nunique() == 1).all()
    assert made.method.astype(str).groupby(subject).nunique().mean() > 1.5


def test_repetition_within_subject_is_learned_in_size():
    rng = np.random.default_rng(6)
    home = rng.choice(list("pqrs"), 400)
    subject = np.repeat(np.arange(400), 5)
    own = rng.choice(list("pqrs"), 2000)
    value = np.where(rng.random(2000) < 0.6, home[subject], own)

    def agreement(series: pd.Series) -> float:
        wide = series.astype(str).to_numpy().reshape(400, 5)
        return float(np.mean([(wide[:, i] == wide[:, j]).mean() for i in range(5) for j in range(i)]))

    context = pd.DataFrame(index=range(2000))
    made = sample_attributes(fit_attributes(frame(2000, v=value), context, subject), context, subject, Streams(2))
    assert agreement(made.v) == pytest.approx(agreement(pd.Series(value)), abs=0.05)


def test_patterns_never_cross_a_hard_flag():
    rng = np.random.default_rng(7)
    fatal = rng.random(500) < 0.03
    targets = frame(
        500, out=np.where(fatal, "FATAL", rng.choice(["OK", "NOT OK"], 500)), sev=rng.choice(["1", "2"], 500)
    )
    context = frame(500, fatal=fatal, term=rng.choice(list("abcdefgh"), 500))
    model = fit_attributes(targets, context, rng.integers(0, 50, 500), hard=("fatal",))
    other = frame(400, fatal=np.arange(400) % 2 == 0, term=rng.choice(list("abcdefghz"), 400))
    made = sample_attributes(model, other, np.arange(400) // 8, Streams(1))
    assert ((made.out == "FATAL") == other.fatal).all()


def test_rare_values_are_not_in_the_model_of_the_privacy_profile():
    values = ["COMMON"] * 40 + ["SECRET"]
    targets, context = frame(41, v=values), frame(41, site=["S1"] * 40 + ["HIDDEN"])
    text = fit_attributes(targets, context, np.arange(41), min_subjects=3).model_dump_json()
    assert "COMMON" in text
    assert "SECRET" not in text
    assert "HIDDEN" not in text


def test_nothing_common_enough_gives_missing_values_only():
    targets = frame(4, v=list("abcd"))
    context = pd.DataFrame(index=range(4))
    model = fit_attributes(targets, context, np.arange(4), min_subjects=3)
    assert sample_attributes(model, context, np.arange(4), Streams(0)).v.isna().all()


def test_the_same_seed_gives_the_same_rows_and_another_gives_others():
    targets, context = frame(200, v=list("ab") * 100), pd.DataFrame(index=range(200))
    model = fit_attributes(targets, context, np.arange(200))
    one, two, other = (sample_attributes(model, context, np.arange(200), Streams(s)) for s in (1, 1, 2))
    pd.testing.assert_frame_equal(one, two)
    assert not one.equals(other)


def test_many_distinct_texts_and_an_unknown_context():
    n = 5000
    targets = frame(n, note=[f"note {i}" for i in range(n)])
    context = frame(n, visit=np.arange(n) % 7)
    model = fit_attributes(targets, context, np.arange(n) // 5)
    made = sample_attributes(model, frame(50, visit=np.full(50, 99)), np.arange(50), Streams(0))
    assert made.note.notna().all()
    assert set(made.note) <= set(targets.note)


def test_dates_are_refused_and_a_damaged_model_too():
    dates = frame(2, d=pd.to_datetime(["2020-01-01", "2020-01-02"]))
    with pytest.raises(TypeError, match="column d"):
        fit_attributes(dates, pd.DataFrame(index=range(2)), np.arange(2))
    model = fit_attributes(frame(9, v=list("abc") * 3), pd.DataFrame(index=range(9)), np.arange(9))
    broken = model.model_dump(mode="json")
    broken["nodes"][0]["table"]["levels"][0]["outcome"][0] = 77
    with pytest.raises(ValidationError, match="outcome that does not exist"):
        AttributeModel.model_validate(broken)


cell = st.one_of(st.none(), st.sampled_from(["x", "y", "z"]))
number = st.one_of(st.none(), st.floats(-1e6, 1e6, allow_nan=False))


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(cell, cell, number, st.integers(0, 4)), min_size=0, max_size=25), st.integers(0, 3))
def test_any_small_table_can_be_learned_and_drawn(rows, seed):
    table = pd.DataFrame(rows, columns=["a", "code", "x", "s"])
    targets = pd.DataFrame({"a": table.a.astype("str").where(table.a.notna()), "x": table.x.astype(float)})
    context, subject = table[["code"]], table.s.to_numpy(dtype=np.int64)
    made = sample_attributes(again(fit_attributes(targets, context, subject)), context, subject, Streams(seed))
    assert list(made.columns) == ["a", "x"]
    assert len(made) == len(rows)
    assert set(made.a.dropna()) <= set(targets.a.dropna())
    if targets.x.notna().any():
        assert made.x.dropna().between(targets.x.min(), targets.x.max()).all()
    if len(rows):
        assert targets.a.isna().any() or made.a.notna().all()
        assert targets.a.notna().any() or made.a.isna().all()

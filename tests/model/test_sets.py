"""Patterns of rows, periods, and tables present at a visit: only what was seen, as often as it was seen."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from datareplicator.generate.periods import sample_periods
from datareplicator.generate.sets import SetRows, sample_sets, sample_tree
from datareplicator.model.periods import PeriodModel, fit_periods
from datareplicator.model.sets import SetModel, fit_sets
from datareplicator.model.tree import fit_tree
from datareplicator.seeds import Streams

ERRORS = 4.0  # standard errors allowed: a right model fails about once in 16,000 draws
COMPLETED, LEFT, FINAL_VISIT, NEVER_TREATED = 0, 1, 2, 3


def patterns(codes: np.ndarray, subject: np.ndarray, n: int) -> list[tuple[int, ...]]:
    return [tuple(part.tolist()) for part in np.split(codes, np.cumsum(np.bincount(subject, minlength=n))[:-1])]


def disposition(n: int, seed: int) -> tuple[np.ndarray, np.ndarray, pd.DataFrame]:
    """Completers are completed; those who left have a reason, and a final visit in the second arm mostly."""
    rng = np.random.default_rng(seed)
    context = pd.DataFrame(
        {
            "stratum": rng.choice([0, 0, 0, 1], n),
            "reached_end": rng.integers(0, 2, n),
            "group": pd.Categorical(rng.choice(["a", "b"], n)),
        }
    )
    codes, subject = [], []
    for i, (stratum, end, group) in enumerate(context.itertuples(index=False)):
        final = rng.random() < (0.9 if group == "b" else 0.2)
        mine = [NEVER_TREATED] if stratum else [COMPLETED if end else LEFT] + [FINAL_VISIT] * (final and not end)
        codes += mine
        subject += [i] * len(mine)
    return np.array(codes), np.array(subject), context


def test_patterns_depend_on_hard_columns_strictly_and_on_others_in_share() -> None:
    codes, subject, context = disposition(400, 0)
    model = fit_sets(codes, subject, context, ("stratum", "reached_end"))
    _, _, new = disposition(4000, 1)
    rows = sample_sets(SetModel.model_validate_json(model.model_dump_json()), new, Streams(2))
    made = patterns(rows.code, rows.subject, len(new))
    for i, (stratum, end) in enumerate(zip(new["stratum"], new["reached_end"], strict=True)):
        if stratum:
            assert made[i] == (NEVER_TREATED,)
        else:
            assert made[i][0] == (COMPLETED if end else LEFT)
    left = (new["stratum"] == 0) & (new["reached_end"] == 0)
    for group, share in (("a", 0.2), ("b", 0.9)):
        mine = np.flatnonzero(left & (new["group"] == group))
        found = np.mean([FINAL_VISIT in made[i] for i in mine])
        # The error is that of the 75 training subjects in this cell, plus that of the draw.
        assert abs(found - share) < ERRORS * np.sqrt(share * (1 - share) * (1 / 60 + 1 / len(mine)))


def test_only_seen_patterns_and_no_row_at_all_is_one() -> None:
    subject = np.repeat(np.arange(0, 30, 2), 2)
    codes = np.tile([5, 8], 15)
    model = fit_sets(codes, subject, pd.DataFrame(index=range(30)))
    rows = sample_sets(model, pd.DataFrame(index=range(1000)), Streams(3))
    made = patterns(rows.code, rows.subject, 1000)
    assert set(made) == {(), (5, 8)}
    assert abs(np.mean([m == () for m in made]) - 0.5) < ERRORS * np.sqrt(0.25 / 1000)


def test_rare_patterns_are_left_out_on_request() -> None:
    codes = np.array([1] * 19 + [2])
    model = fit_sets(codes, np.arange(20), pd.DataFrame(index=range(20)), min_subjects=2)
    rows = sample_sets(model, pd.DataFrame(index=range(500)), Streams(3))
    assert set(rows.code) == {1} and model.suppressed == pytest.approx(0.05)


def test_independent_columns_split_rarely() -> None:
    """At the stated level of 5 % per tree, 100 trees on noise split at most 13 times with probability 0.999."""
    rng = np.random.default_rng(4)
    split = 0
    for _ in range(100):
        context = pd.DataFrame({"a": rng.integers(0, 9, 60), "b": pd.Categorical(rng.choice(list("xyz"), 60))})
        split += int((fit_tree(rng.integers(0, 3, 60), context).feature >= 0).any())
    assert split <= 13


def test_a_strong_dependence_is_found() -> None:
    rng = np.random.default_rng(5)
    context = pd.DataFrame({"last_visit": rng.integers(0, 10, 200)})
    outcome = (context["last_visit"] >= 6).to_numpy().astype(int)
    model = fit_tree(outcome, context)
    assert (sample_tree(model, context, rng.random(200)) == outcome).all()


def test_an_unseen_combination_takes_the_nearest() -> None:
    context = pd.DataFrame({"stratum": [0] * 6 + [1] * 6, "flag": [0] * 3 + [1] * 3 + [0] * 6})
    outcome = np.array([0] * 3 + [1] * 3 + [2] * 6)
    model = fit_tree(outcome, context, ("stratum", "flag"))
    new = pd.DataFrame({"stratum": [1], "flag": [1]})
    assert sample_tree(model, new, np.array([0.5])).tolist() == [2]


def test_too_many_patterns_become_a_chain_that_repeats_nothing() -> None:
    rng = np.random.default_rng(6)
    n = 80
    count = rng.integers(3, 8, n)
    codes = np.concatenate([rng.permutation(12)[:k] for k in count])
    model = fit_sets(codes, np.repeat(np.arange(n), count), pd.DataFrame(index=range(n)))
    rows = sample_sets(
        SetModel.model_validate_json(model.model_dump_json()), pd.DataFrame(index=range(2000)), Streams(7)
    )
    assert model.chain is not None
    made = patterns(rows.code, rows.subject, 2000)
    assert all(len(set(m)) == len(m) for m in made)
    drawn = np.array([len(m) for m in made])
    assert set(drawn) <= set(count) and abs(drawn.mean() - count.mean()) < ERRORS * count.std() / np.sqrt(2000)


def test_a_chain_keeps_codes_to_their_stratum() -> None:
    rng = np.random.default_rng(8)
    n = 60
    context = pd.DataFrame({"stratum": np.arange(n) % 2})
    codes = rng.integers(0, 9, (n, 5)) + 10 * (np.arange(n) % 2)[:, None]
    model = fit_sets(codes.ravel(), np.repeat(np.arange(n), 5), context, ("stratum",))
    rows = sample_sets(model, context, Streams(9))
    assert model.chain is not None
    assert (rows.code // 10 == rows.subject % 2).all()


@pytest.mark.parametrize("subjects", [1, 2])
def test_tiny_sources(subjects: int) -> None:
    model = fit_sets(np.array([4, 2]), np.array([0, 0]), pd.DataFrame({"group": ["a"] * subjects}))
    rows = sample_sets(model, pd.DataFrame({"group": ["a", "b", "a"]}), Streams(1))
    assert set(patterns(rows.code, rows.subject, 3)) <= {(4, 2), ()}


def test_no_rows_and_no_subjects() -> None:
    none = np.empty(0, dtype=int)
    for n in (0, 3):
        model = fit_sets(none, none, pd.DataFrame(index=range(n)))
        assert len(sample_sets(model, pd.DataFrame(index=range(4)), Streams(1)).code) == 0


@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_seen_patterns_only(data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 12))
    parts = data.draw(st.lists(st.lists(st.integers(0, 3), max_size=3), min_size=n, max_size=n))
    codes = np.array([c for part in parts for c in part], dtype=int)
    subject = np.repeat(np.arange(n), [len(part) for part in parts])
    context = pd.DataFrame({"stratum": data.draw(st.lists(st.integers(0, 2), min_size=n, max_size=n))})
    model = fit_sets(codes, subject, context, ("stratum",))
    new = context.iloc[np.resize(np.arange(n), 60)].reset_index(drop=True)
    rows: SetRows = sample_sets(model, new, Streams(1))
    if model.chain is None:
        seen = {(s, tuple(p)) for s, p in zip(context["stratum"], parts, strict=True)}
        made = patterns(rows.code, rows.subject, 60)
        assert {(s, p) for s, p in zip(new["stratum"], made, strict=True)} <= seen
    else:
        seen_codes = {(s, c) for s, p in zip(context["stratum"], parts, strict=True) for c in p}
        assert set(zip(new["stratum"].to_numpy()[rows.subject], rows.code, strict=True)) <= seen_codes


def test_a_damaged_model_is_refused() -> None:
    data = fit_sets(np.array([1, 2]), np.arange(2), pd.DataFrame(index=range(2))).model_dump(mode="json")
    data["start"][-1] += 1
    with pytest.raises(ValidationError, match="length that start names"):
        SetModel.model_validate(data)


def periods(n: int, seed: int):
    """Screening to the anchor, treatment to the fourth visit or the last day, then follow-up to the last day."""
    rng = np.random.default_rng(seed)
    visit_days = np.arange(4) * 28.0 + rng.integers(-2, 3, (n, 4))
    visit_days[:, 0] = 0
    left = rng.random(n) < 0.4
    visit_days[left, 3] = np.nan
    days = {"anchor": np.zeros(n), "last day": np.where(left, visit_days[:, 2], visit_days[:, 3] + 30)}
    rows = []
    for i in range(n):
        rows.append((i, 0, -rng.integers(5, 15), 0.0))
        if left[i]:
            rows.append((i, 1, 0.0, days["last day"][i]))
        else:
            rows += [(i, 1, 0.0, visit_days[i, 3]), (i, 2, visit_days[i, 3] + 1, days["last day"][i])]
    subject, code, start, end = (np.array(column) for column in zip(*rows, strict=True))
    return start.astype(float), end.astype(float), code, subject, days, visit_days


def test_periods_are_contiguous_and_end_where_the_source_ends_them() -> None:
    start, end, code, subject, days, visit_days = periods(200, 10)
    model = fit_periods(start, end, code, subject, days, visit_days)
    _, _, code, subject, days, visit_days = periods(500, 11)
    made_start, made_end = sample_periods(
        PeriodModel.model_validate_json(model.model_dump_json()), code, subject, days, visit_days, Streams(12)
    )
    follows = np.append(False, subject[1:] == subject[:-1])
    gap = made_start[follows] - made_end[np.flatnonzero(follows) - 1]
    assert (gap == np.where(code[follows] == 2, 1, 0)).all()
    last = np.append(~follows[1:], True)
    assert (made_end[last] == days["last day"][subject[last]]).all()
    middle = (code == 1) & ~last
    assert (made_end[middle] == visit_days[subject[middle], 3]).all()
    assert made_start[code == 0].min() >= -15 and made_start[code == 0].max() <= -5


def test_periods_of_one_subject() -> None:
    start, end, code, subject, days, visit_days = periods(1, 13)
    model = fit_periods(start, end, code, subject, days, visit_days)
    made_start, made_end = sample_periods(model, code, subject, days, visit_days, Streams(1))
    assert (made_end >= made_start).all()


def test_splits_of_fractions_survive_json() -> None:
    rng = np.random.default_rng(16)
    context = pd.DataFrame({"share": rng.random(300)})
    outcome = (context["share"] > 0.37).to_numpy().astype(int)
    model = fit_tree(outcome, context)
    again = type(model).model_validate_json(model.model_dump_json())
    u = rng.random(300)
    assert (sample_tree(model, context, u) == sample_tree(again, context, u)).all()
    # Twelve cuts are tried at a time: the boundary is met within a thirteenth of what is left, three times over.
    assert (sample_tree(again, context, u) == outcome).mean() > 0.97

"""Event tables come back with their counts, times, terms and the facts that tie them to the study.

Limits of statistical tests are 4 standard errors and more at fixed seeds.
"""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ks_2samp

from datareplicator.dates import Precision, parse
from datareplicator.generate.children import sample_children
from datareplicator.generate.events import Pin, sample_events
from datareplicator.model.children import ChildrenModel, fit_children
from datareplicator.model.digests import subject_digests
from datareplicator.model.eventrows import EventRows, approximate_days
from datareplicator.model.events import EventModel, fit_events
from datareplicator.model.subjects import Subjects
from datareplicator.seeds import Streams

SYSTEM = {"RASH": "SKIN", "ITCH": "SKIN", "NAUSEA": "GUT", "VOMIT": "GUT", "HEADACHE": "NERVE", "PROSTATITIS": "MALE"}


def make_subjects(n: int, seed: int = 0) -> Subjects:
    rng = np.random.default_rng(seed)
    stratum = (np.arange(n) % 10 == 9).astype(np.int64)
    last = np.where(rng.random(n) < 0.3, rng.integers(5, 170, n), 180).astype(float)
    sex = rng.choice(["F", "M"], n)
    covariates = pd.DataFrame({"SEX": pd.Categorical(sex), "AGE": rng.integers(40, 80, n).astype(float)})
    return Subjects(
        n=n,
        group=np.where(stratum == 1, 0, np.arange(n) % 2),
        stratum=stratum,
        site=np.zeros(n, dtype=np.int64),
        covariates=covariates,
        last_day=np.where(stratum == 1, np.nan, last),
    )


def make_rows(subjects: Subjects, seed: int = 0) -> EventRows:
    """Early events, twice as many in arm 1, over-dispersed; rash with itch; recovered events have an end."""
    rng = np.random.default_rng(seed)
    rate = 3.0 * (1 + subjects.group) * rng.gamma(2, 0.5, subjects.n) * (subjects.stratum == 0)
    count = rng.poisson(rate * np.nan_to_num(subjects.last_day, nan=0.0) / 180)
    subject = np.repeat(np.arange(subjects.n), count)
    m = len(subject)
    room = subjects.last_day[subject]
    start = np.floor(rng.beta(0.8, 1.6, m) * (room + 1))
    male = (subjects.covariates.SEX == "M").to_numpy()[subject]
    code = rng.choice(["RASH", "ITCH", "NAUSEA", "VOMIT", "HEADACHE"], m, p=[0.35, 0.25, 0.15, 0.1, 0.15])
    code = np.where(male & (rng.random(m) < 0.2), "PROSTATITIS", code)
    end = start + np.floor(rng.exponential(12, m))
    done = end <= room
    return EventRows(
        subject=subject,
        start=start,
        end=np.where(done, end, np.nan),
        code=pd.Series(code),
        group=pd.Series(code).map(SYSTEM),
        attributes=pd.DataFrame(
            {
                "OUT": np.where(done, "RECOVERED", "NOT RECOVERED"),
                "SEV": rng.choice(["MILD", "SEVERE"], m, p=[0.8, 0.2]),
            }
        ),
    )


def again(model: EventModel) -> EventModel:
    return EventModel.model_validate_json(model.model_dump_json())


@pytest.fixture(scope="module")
def study() -> tuple[Subjects, EventRows, EventModel, np.ndarray, EventRows]:
    subjects = make_subjects(600)
    rows = make_rows(subjects)
    model, score = fit_events("AE", rows, subjects)
    return subjects, rows, again(model), score, sample_events(again(model), subjects, Streams(11))


def test_counts_come_back_by_arm_with_their_spread(study):
    subjects, rows, _, _, made = study
    real, new = (np.bincount(r.subject, minlength=subjects.n) for r in (rows, made))
    for arm in (0, 1):
        here = (subjects.group == arm) & (subjects.stratum == 0)
        error = np.sqrt(2 * real[here].var() / here.sum())
        assert abs(new[here].mean() - real[here].mean()) < 4 * error
        assert new[here].std() == pytest.approx(real[here].std(), rel=0.3)
    assert ks_2samp(real, new).statistic < 1.95 * np.sqrt(2 / subjects.n)


def test_a_stratum_without_events_has_none_and_no_score(study):
    subjects, _, _, score, made = study
    assert not (subjects.stratum[made.subject] == 1).any()
    assert np.isnan(score[subjects.stratum == 1]).all()
    own = score[subjects.stratum == 0]
    assert abs(own.mean()) < 0.15
    assert 0.8 < own.std() < 1.1


def test_a_higher_score_means_more_events(study):
    subjects, _, model, _, _ = study
    low = make_subjects(600)
    low.score["AE"], subjects_high = np.full(600, -1.5), make_subjects(600)
    subjects_high.score["AE"] = np.full(600, 1.5)
    assert len(sample_events(model, low, Streams(1))) < 0.4 * len(sample_events(model, subjects_high, Streams(1)))
    assert subjects.n == 600


def test_starts_and_durations_come_back_and_stay_in_the_study(study):
    subjects, rows, _, _, made = study
    assert ks_2samp(rows.start, made.start).statistic < 0.08
    real, new = rows.end - rows.start, made.end - made.start
    assert ks_2samp(real[np.isfinite(real)], new[np.isfinite(new)]).statistic < 0.12
    assert (new[np.isfinite(new)] >= 0).all()
    assert (made.start >= 0).all()
    last = subjects.last_day[made.subject]
    assert (np.fmax(made.start, made.end) <= last).all()


def test_outcome_and_end_agree(study):
    made = study[4]
    recovered = (made.attributes.OUT == "RECOVERED").to_numpy()
    assert (np.isfinite(made.end) == recovered).all()
    assert ((made.end_precision > 0) == recovered).all()


def test_terms_keep_their_frequency_class_and_sex(study):
    subjects, rows, model, _, made = study
    real, new = (r.code.astype(str).value_counts(normalize=True) for r in (rows, made))
    assert (real - new).abs().max() < 0.06
    assert (made.code.astype(str).map(SYSTEM) == made.group.astype(str)).all()
    women = (subjects.covariates.SEX == "F").to_numpy()[made.subject]
    assert not (women & (made.code == "PROSTATITIS").to_numpy()).any()
    assert model.terms is not None
    assert any(e.column == "SEX" for e in model.terms.exclusions)


def test_related_terms_stay_together():
    rng = np.random.default_rng(4)
    subjects = make_subjects(500)
    subject = np.repeat(np.flatnonzero(subjects.stratum == 0), 4)
    kind = rng.random(subjects.n) < 0.5
    code = np.where(
        kind[subject], rng.choice(["RASH", "ITCH"], len(subject)), rng.choice(["NAUSEA", "VOMIT"], len(subject))
    )
    start = np.floor(rng.random(len(subject)) * subjects.last_day[subject])
    rows = EventRows(subject, start, np.full(len(subject), np.nan), pd.Series(code), pd.Series(code).map(SYSTEM))
    made = sample_events(fit_events("AE", rows, subjects)[0], subjects, Streams(2))

    def one_class(r: EventRows) -> float:
        table = pd.DataFrame({"s": r.subject, "g": r.group.astype(str)}).groupby("s").g.agg(["size", "nunique"])
        return float((table[table["size"] >= 3]["nunique"] == 1).mean())

    assert one_class(rows) == 1.0
    assert one_class(made) > 0.6  # independent terms would give about 0.15


def test_no_made_subject_has_the_rows_of_a_source_subject(study):
    subjects, _, _, _, _ = study
    rng = np.random.default_rng(5)
    one = np.flatnonzero(subjects.stratum == 0)
    start = rng.integers(0, 4, len(one)).astype(float)  # few days and terms: chance alone would hit again and again
    rows = EventRows(one, start, np.full(len(one), np.nan), pd.Series(rng.choice(["A", "B"], len(one))))
    model, _ = fit_events("AE", rows, subjects)
    made = sample_events(model, subjects, Streams(1))
    sizes = np.bincount(made.subject, minlength=subjects.n)
    who, digest = subject_digests(made)
    assert (sizes == 1).any()
    assert not np.isin(digest, model.digests).any()
    assert len(who) > 100


def test_sets_are_told_apart_by_the_coarser_term_and_without_dates_by_the_terms() -> None:
    rows = EventRows(
        subject=np.array([0, 0, 1, 1, 2, 3]),
        start=np.array([1.0, 9.0, 9.0, 1.0, np.nan, np.nan]),
        end=np.full(6, np.nan),
        code=pd.Series(["Rash red", "Cough", "Cough", "Rash itchy", "Cough", "Cough"]),
    )
    alias = {"Rash red": "Rash", "Rash itchy": "Rash"}
    who, digest = subject_digests(rows, alias)
    assert who.tolist() == [0, 1, 2, 3]
    assert digest[0] == digest[1] != digest[2] == digest[3]
    assert len(set(subject_digests(rows)[1])) == 3
    assert subject_digests(rows, undated=False)[0].tolist() == [0, 1]


def test_marked_rows_go_to_flagged_subjects_only():
    subjects = make_subjects(400)
    rows = make_rows(subjects)
    fatal = np.zeros(len(rows), dtype=bool)
    fatal[np.unique(rows.subject, return_index=True)[1][::20]] = True
    rows.attributes["OUT"] = np.where(fatal, "FATAL", rows.attributes.OUT)
    rows.marks = {"fatal": fatal}
    model, _ = fit_events("AE", rows, subjects)
    flag = (np.arange(400) % 7 == 0) & (subjects.stratum == 0)
    pin = np.where(flag, np.floor(subjects.last_day / 2), np.nan)
    made = sample_events(again(model), subjects, Streams(3), flags={"fatal": flag}, pins={"fatal": Pin(start=pin)})
    has = np.zeros(400, dtype=bool)
    has[made.subject[made.marks["fatal"]]] = True
    assert (has == flag).all()
    assert ((made.attributes.OUT == "FATAL").to_numpy() == made.marks["fatal"]).all()
    assert (made.start[made.marks["fatal"]] == pin[made.subject[made.marks["fatal"]]]).all()
    nobody = sample_events(model, subjects, Streams(3))
    assert not (nobody.attributes.OUT == "FATAL").any()


def test_history_keeps_years_partial_dates_and_its_staple_term():
    rng = np.random.default_rng(8)
    n = 200
    subjects = make_subjects(n)
    subjects.stratum[:] = 0
    subject = np.repeat(np.arange(n), 3)
    code = np.where(np.arange(3 * n) % 3 == 0, "STUDY DISEASE", rng.choice(["ASTHMA", "GOUT", "ACNE"], 3 * n))
    start = -np.floor(rng.lognormal(6.5, 1, 3 * n)) - 1
    precision = np.where(code == "STUDY DISEASE", 10, np.where(start < -700, 4, 7))
    rows = EventRows(subject, start, np.full(3 * n, np.nan), pd.Series(code), start_precision=precision)
    model, _ = fit_events("MH", rows, subjects)
    made = sample_events(again(model), subjects, Streams(4))
    assert (made.start < 0).all()
    assert ks_2samp(start, made.start).statistic < 0.12
    staple = (made.code == "STUDY DISEASE").to_numpy()
    assert (np.bincount(made.subject[staple], minlength=n) == 1).all()
    assert (made.start_precision[staple] == Precision.DAY).mean() > 0.95
    old = ~staple & (made.start < -1000)
    assert (made.start_precision[old] == Precision.YEAR).mean() > 0.8


def test_earliest_day_is_kept():
    subjects = make_subjects(50)
    rows = EventRows(np.arange(50), -np.linspace(10, 9000, 50), np.full(50, np.nan), pd.Series(["A", "B"] * 25))
    made = sample_events(fit_events("MH", rows, subjects)[0], subjects, Streams(0), earliest=np.full(50, -500.0))
    assert made.start.min() >= -500


def test_partial_dates_are_placed_before_the_anchor():
    moments = parse(pd.Series(["2014", "2013", "2014-03", "2014-03-10T12:00", None]))
    anchor = np.full(5, parse(pd.Series(["2014-03-09"])).day[0])
    days = approximate_days(moments, anchor)
    assert -67 < days[0] < 0
    assert -433 < days[1] < -67
    assert -8 <= days[2] < 0
    assert days[3] == 1.5
    assert np.isnan(days[4])


def test_a_block_is_a_pure_function_of_its_seed(study):
    subjects, _, model, _, made = study
    same = sample_events(model, subjects, Streams(11))
    assert (same.start == made.start).all()
    assert len(sample_events(model, subjects, Streams(12))) != len(made)


def test_children_follow_their_parents():
    rng = np.random.default_rng(9)
    p = 800
    parents = pd.DataFrame({"kind": rng.choice(["one", "three"], p)})
    owner = np.repeat(np.arange(p), np.where(parents.kind == "one", 1, 3))
    colour = np.where(parents.kind.to_numpy()[owner] == "one", "red", "blue")
    lines = pd.DataFrame({"colour": colour, "delay": rng.integers(0, 5, len(owner)).astype(float)})
    model = fit_children(owner, parents, np.arange(p) // 4, lines)
    model = ChildrenModel.model_validate_json(model.model_dump_json())
    parent, made = sample_children(model, parents, np.arange(p) // 4, Streams(1))
    number = np.bincount(parent, minlength=p)
    assert (number == np.where(parents.kind == "one", 1, 3)).mean() > 0.97
    assert ((made.colour == "red").to_numpy() == (parents.kind.to_numpy()[parent] == "one")).mean() > 0.97
    assert set(made.delay) == set(range(5))


day = st.one_of(st.none(), st.integers(-3000, 200))


@settings(max_examples=12, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), day, day, st.sampled_from(["A", "B", None])), max_size=15), st.booleans())
def test_any_few_rows_can_be_learned_and_drawn(rows, coded):
    table = pd.DataFrame(rows, columns=["s", "a", "b", "code"])
    start, end = table.a.to_numpy(dtype=float), table.b.to_numpy(dtype=float)
    code = table.code.astype("str").where(table.code.notna()) if coded else None
    subjects = make_subjects(6)
    model, score = fit_events(
        "AE", EventRows(table.s.to_numpy(dtype=np.int64), start, np.fmax(start, end), code), subjects
    )
    made = sample_events(again(model), make_subjects(20, 3), Streams(0))
    assert score.shape == (6,)
    assert not (made.end < made.start).any()
    assert (np.diff(made.subject) >= 0).all()
    if not rows:
        assert len(made) == 0

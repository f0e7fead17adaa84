"""What twenty subjects cannot show by numbers: sexes of terms, what a medicine brings along, rows that go together."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from datareplicator.generate.attributes import sample_attributes
from datareplicator.generate.offsets import sample_offsets
from datareplicator.generate.terms import sample_terms
from datareplicator.model.attributes import fit_attributes
from datareplicator.model.offsets import fit_offsets
from datareplicator.model.tables.endings import FEWEST_AT_BOUND, _kept
from datareplicator.model.tables.sets import find_echoes
from datareplicator.model.terms import fit_terms
from datareplicator.seeds import Streams
from datareplicator.standards.sexes import sex_of_code, sex_of_term


@pytest.mark.parametrize(
    ("term", "sex"),
    [
        ("HYSTERECTOMY", "F"),
        ("Uterine leiomyoma", "F"),
        ("Post-menopausal bleeding", "F"),
        ("POSTMENOPAUSAL HAEMORRHAGE", "F"),
        ("BENIGN PROSTATIC HYPERPLASIA", "M"),
        ("Testicular pain", "M"),
        ("CERVICAL SPINAL STENOSIS", None),
        ("Intestinal obstruction", None),
        ("PROSTAGLANDIN ANALOGUE REACTION", None),
        ("HEADACHE", None),
    ],
)
def test_terms_of_one_sex(term: str, sex: str | None) -> None:
    assert sex_of_term(term) == sex


@pytest.mark.parametrize(("code", "sex"), [("F", "F"), ("male", "M"), ("U", None), ("Fever", None)])
def test_codes_of_sexes(code: str, sex: str | None) -> None:
    assert sex_of_code(code) == sex


def test_a_term_seen_once_stays_with_the_sex_that_can_have_it() -> None:
    rng = np.random.default_rng(0)
    subject = np.repeat(np.arange(20), 4)
    sex = np.where(subject % 2 == 0, "F", "M")
    term = rng.choice(["HEADACHE", "NAUSEA", "RASH"], 80).astype(object)
    term[0] = "VAGINAL INFECTION"
    context = pd.DataFrame({"SEX": pd.Categorical(sex)})
    donor, on = np.full(80, -1), np.ones(80, dtype=bool)
    model = fit_terms(pd.Series(term, name="AEDECOD"), None, subject, donor, on, context, exclusive=("SEX",))
    n = 4000
    new = pd.DataFrame({"SEX": pd.Categorical(np.where(np.arange(n) % 2 == 0, "F", "M"))})
    drawn, _, _ = sample_terms(
        model, np.arange(n), np.ones(n, dtype=bool), np.full(n, -1), np.zeros(n, dtype=bool), new, Streams(1)
    )
    had = drawn.astype(str) == "VAGINAL INFECTION"
    assert had[new["SEX"] == "F"].sum() > 10
    assert not had[new["SEX"] == "M"].any()


def test_what_goes_with_a_code_is_only_combined_as_the_source_shows() -> None:
    doses = {"A": (10.0, "mg", "ORAL"), "B": (1.0, "TABLET", "TOPICAL"), "C": (500.0, "mg", "INTRAVENOUS")}
    code = np.array(list("ABC") * 7)
    targets = pd.DataFrame([doses[c] for c in code], columns=["DOSE", "UNIT", "ROUTE"])
    context = pd.DataFrame({"code": code, "mark": np.where(code == "A", "1", "0")})
    told = ("DOSE", "UNIT", "ROUTE")
    model = fit_attributes(targets, context, np.arange(21), hard=("mark",), bound=("code", told))
    new = pd.DataFrame({"code": list("ABC") * 100, "mark": ["1", "0"] * 150})
    made = sample_attributes(model, new, np.arange(300), Streams(0))
    for row, name in zip(made.itertuples(index=False), new["code"], strict=True):
        assert doses[name] == (row.DOSE, row.UNIT, row.ROUTE)


def test_a_column_that_a_code_decides_follows_it_under_marks_never_seen_with_it() -> None:
    rng = np.random.default_rng(1)
    code = rng.choice(list("abcd"), 400)
    mark = np.where((code == "a") & (rng.random(400) < 0.5), "1", "0")  # only "a" is ever marked
    targets = pd.DataFrame({"GROUP": np.char.upper(code.astype(str))})
    context = pd.DataFrame({"code": code, "mark": mark})
    model = fit_attributes(targets, context, np.arange(400) // 4, hard=("mark",))
    new = pd.DataFrame({"code": ["b", "c", "d"] * 50, "mark": ["1"] * 150})
    made = sample_attributes(model, new, np.arange(150), Streams(2))
    assert (made["GROUP"].astype(str) == new["code"].str.upper()).all()


def test_rows_of_two_sets_that_the_same_subjects_have_are_one_fact() -> None:
    dose = np.isin(np.arange(20), [3, 7])
    held = np.column_stack([np.ones(20, dtype=bool), dose, np.arange(20) % 2 == 0])
    fixed = pd.DataFrame({"arm": pd.Categorical(np.where(np.arange(20) % 4 == 3, "high", "low"))})
    frame, exact = find_echoes(held, {"dose": dose, "other": np.arange(20) % 3 == 0}, fixed)
    assert list(frame.columns) == ["dose"] and exact == ["dose"]
    assert (frame["dose"] == "1").tolist() == dose.tolist()


def test_rows_that_the_arm_tells_already_and_rows_of_a_single_subject_are_no_fact() -> None:
    arm = np.arange(20) % 2 == 0
    single = np.arange(20) == 4
    fixed = pd.DataFrame({"arm": pd.Categorical(arm.astype(str))})
    frame, exact = find_echoes(np.column_stack([arm, single]), {"arm row": arm, "single": single}, fixed)
    assert frame.empty and not exact


def test_an_unseen_code_takes_the_wider_group() -> None:
    day = np.arange(40) * 1.0
    anchors = {"anchor": np.zeros(40), "end": day}
    group = np.repeat([0, 1], 20)
    target = np.where(group == 0, 0.0, day)
    model = fit_offsets(target, anchors, group, np.arange(40), coarse=100 + group)
    unseen = np.full(40, 7)
    made = sample_offsets(model, anchors, unseen, Streams(0), coarse=np.full(40, 101))
    assert (made == day).all()


def test_a_bound_needs_several_subjects_at_it() -> None:
    landmark = np.zeros(10)
    several = np.array([0, 0, 0, 0, 0, 0, 0, 5, 5, 5], dtype=float)
    far = np.array([0, 0, 0, 0, 0, 0, 0, 0, 0, 16], dtype=float)
    assert FEWEST_AT_BOUND == 3
    assert _kept(several, np.arange(10), landmark, 5.0)
    assert not _kept(far, np.arange(10), landmark, 16.0)
    assert _kept(far - 20, np.arange(10), landmark, 0.0)  # nothing ever lies after it

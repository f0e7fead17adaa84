"""What names a person never comes out; verbatim terms and free texts do where several subjects share them."""

from __future__ import annotations

import re
from functools import cache

import numpy as np
import pandas as pd
import pytest
from support.models import sample_model
from support.studies import study_of

from datareplicator import pipeline
from datareplicator.data import sample_study_path
from datareplicator.formats import read_study
from datareplicator.generate.request import GenerateRequest
from datareplicator.model.personal import sample_personal
from datareplicator.model.store import model_text
from datareplicator.model.study_model import StudyModel
from datareplicator.model.texts.prose import stand_in
from datareplicator.model.texts.scrub import Scrubber
from datareplicator.structure.pii import personal
from datareplicator.study import Study

REPS = ("Anna Smith", "John Miller", "Maria Garcia", "Peter Clark")
FIRST = ("Sarah", "Thomas", "Laura", "Daniel", "Emily", "Robert", "Julia", "Kevin", "Alice", "George")
LAST = ("Johnson", "Walker", "Cooper", "Bennett", "Foster", "Hughes", "Russell", "Griffin", "Hayes", "Myers")
TERMS = {"Headache": ("headache", "head ache"), "Nausea": ("nausea", "feeling sick"), "Rash": ("rash", "skin rash")}


@cache
def clinic(subjects: int = 80, seed: int = 4) -> Study:
    """patients (name, phone, rep), contacts with notes that name people, events with verbatim terms, sales_reps."""
    rng = np.random.default_rng(seed)
    key = np.array([f"P-{k + 101:04d}" for k in range(subjects)], dtype=object)
    first, last = rng.choice(FIRST, subjects), rng.choice(LAST, subjects)
    rep = np.array(REPS, dtype=object)[rng.integers(0, 4, subjects)]
    phone = [
        f"+49 {d[0]:02d} {d[1]:06d}"
        for d in zip(rng.integers(30, 99, subjects), rng.integers(0, 999_999, subjects), strict=True)
    ]
    patients = pd.DataFrame(
        {
            "patient_id": key,
            "full_name": [f"{f} {s}" for f, s in zip(first, last, strict=True)],
            "phone": phone,
            "sex": rng.choice(["F", "M"], subjects),
            "rep_name": rep,
            "start_date": (np.datetime64("2023-01-01") + rng.integers(0, 200, subjects)).astype(str).astype(object),
        }
    )
    who = np.repeat(np.arange(subjects), 2)
    notes = [
        f"Spoke with Dr. {last[k]} and {first[k]} {last[k]} about visit {j}; mail {first[k].lower()}.{last[k].lower()}"
        f"{k}@clinic.com or call {phone[k]}, file {key[k]}"
        if j % 2
        else "No contact was possible; voicemail left for the team."
        for j, k in enumerate(who)
    ]
    contacts = pd.DataFrame({"patient_id": key[who], "contact_no": np.tile([1, 2], subjects), "note": notes})
    rows = np.repeat(np.arange(subjects), 3)
    code = rng.choice(list(TERMS), len(rows))
    verbatim = [
        TERMS[c][rng.integers(2)] if rng.random() < 0.8 else f"{c.lower()} after walk {k}" for k, c in enumerate(code)
    ]
    ae = pd.DataFrame(
        {
            "patient_id": key[rows],
            "AESEQ": np.tile([1.0, 2.0, 3.0], subjects),
            "AETERM": verbatim,
            "AEDECOD": code,
            "AESTDTC": (np.datetime64("2023-02-01") + rng.integers(0, 300, len(rows))).astype(str).astype(object),
        }
    )
    reps = pd.DataFrame({"rep": [1, 2, 3, 4], "name": REPS, "region": ["North", "South", "East", "West"]})
    reps["email"] = [f"{n.lower().replace(' ', '.')}@company.com" for n in REPS]
    return study_of({"patients": patients, "contacts": contacts, "ae": ae, "sales_reps": reps})


@cache
def learned() -> StudyModel:
    return pipeline.fit(clinic())


@cache
def made() -> Study:
    return pipeline.generate_study(learned(), GenerateRequest(150, seed=3), workers=1)


def _secrets() -> list[str]:
    """What must not come out: people, their numbers and addresses, identifiers, the terms of single subjects."""
    source = clinic()
    patients, ae = source["patients"].frame, source["ae"].frame
    mails = re.findall(r"\S+@clinic\.com", " ".join(source["contacts"].frame["note"]))
    alone = ae["AETERM"].value_counts()
    return [
        *patients["full_name"], *patients["phone"], *patients["patient_id"], *mails, *REPS,
        *source["sales_reps"].frame["email"], *alone.index[alone == 1],
    ]  # fmt: skip


@pytest.mark.parametrize("where", ["model", "output"])
def test_nothing_that_names_a_person_comes_out(where: str) -> None:
    if where == "model":
        text = model_text(learned())
    else:
        text = "\n".join(table.frame.to_csv(index=False) for table in made().tables.values())
    # Stand-ins are drawn from common names: a full name of the source may come again by chance, a number may not.
    found = [
        s
        for s in set(_secrets())
        if s in text and not (where == "output" and s in set(clinic()["patients"].frame["full_name"]))
    ]
    assert found == []


def test_texts_that_several_subjects_share_stay() -> None:
    notes = made()["contacts"].frame["note"]
    assert (notes == "No contact was possible; voicemail left for the team.").mean() > 0.3
    others = notes[notes != "No contact was possible; voicemail left for the team."]
    typical = clinic()["contacts"].frame["note"].str.len().max()
    assert abs(others.str.len().mean() - typical) < 0.35 * typical
    assert not others.str.contains("@|Dr|\\d{4}").any()


def test_verbatim_terms_come_from_the_own_set_of_the_coded_term() -> None:
    ae = made()["ae"].frame
    for code, part in ae.groupby("AEDECOD", observed=True):
        assert set(part["AETERM"]) <= {*TERMS[code], code, code.lower()}
        assert set(TERMS[code]) <= set(part["AETERM"])
    share = ae["AEDECOD"].value_counts(normalize=True) - clinic()["ae"].frame["AEDECOD"].value_counts(normalize=True)
    assert share.abs().max() < 0.08


def test_staff_has_the_same_new_name_in_every_table() -> None:
    reps, patients = made()["sales_reps"].frame, made()["patients"].frame
    assert len(set(reps["name"])) == 4 and not set(reps["name"]) & set(REPS)
    assert set(patients["rep_name"]) <= set(reps["name"])
    assert reps["region"].tolist() == ["North", "South", "East", "West"]
    assert reps["email"].str.endswith("@example.org").all()


def test_telephones_keep_their_layout() -> None:
    assert made()["patients"].frame["phone"].str.fullmatch(r"\+49 \d\d 555\d{3}").all()
    values = sample_personal("phone", 40, np.random.default_rng(1), ("(###) ###-####", "+# ###.###"))
    assert all("555" in v for v in values)


def test_all_texts_are_learned_where_that_is_asked_for_but_for_personal_data() -> None:
    study = pipeline.generate_study(pipeline.fit(clinic(), text_subjects=1), GenerateRequest(120, seed=1), workers=1)
    assert study["ae"].frame["AETERM"].str.contains("after walk").any()
    notes = " ".join(study["contacts"].frame["note"])
    assert "clinic.com" not in notes and "@example.org" in notes
    assert not set(re.findall(r"\bP-\d{4}\b", notes)) & set(clinic()["patients"].frame["patient_id"])


def test_coded_terms_are_not_touched() -> None:
    source = read_study(sample_study_path())
    model = sample_model()
    coded = {"AEDECOD", "AELLT", "AEBODSYS", "MHDECOD", "CMDECOD"}
    assert not {name.partition(".")[2] for name in model.replaced} & coded
    ae = pipeline.generate_study(model, GenerateRequest(200, seed=1), workers=1)["ae"].frame
    held = source["ae"].frame.groupby("AETERM")["USUBJID"].nunique()
    coded_terms = {t.upper() for name in ("AEDECOD", "AELLT") for t in source["ae"].frame[name]}
    assert set(ae["AETERM"]) <= set(held.index[held >= 3]) | coded_terms


@pytest.mark.parametrize(
    ("text", "gone", "stays"),
    [
        ("Call Dr. Smith at (212) 555-7788.", ("Smith", "7788"), ("Call Dr. ", "at (")),
        ("Patient John Miller (J.M.) at 12 Oak Street", ("John", "Miller", "J.M.", "Oak"), ("Patient ",)),
        ("MRS JONES CALLED", ("JONES",), ("MRS ", "CALLED")),
        ("told by Anna, see https://x.com/anna", ("Anna", "x.com"), ("told by ",)),
        ("SSN 123-45-6789, mail a.b@c.de", ("123-45-6789", "a.b@c.de"), ("SSN ", "mail ")),
        ("subject 01-701-1015 seen", ("1015",), ("subject ", "seen")),
        ("initials: JMK", ("JMK",), ("initials: ",)),
        ("Kowalczyk signed", ("Kowalczyk",), ("signed",)),
    ],
)
def test_personal_data_within_a_text(text: str, gone: tuple[str, ...], stays: tuple[str, ...]) -> None:
    out = Scrubber(["Kowalczyk, Jan"], ["01-701-1015"]).scrub(text)
    assert not [part for part in gone if part in out]
    assert all(part in out for part in stays)


@pytest.mark.parametrize(
    "text",
    ["Grade 3 Nausea and Vomiting", "Given I.V. per protocol", "HISPANIC OR LATINO", "Blood drawn 10:30", "1.5 mg"],
)
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert Scrubber().scrub(text) == text


def test_full_names_in_rare_codes_are_seen_and_words_that_are_also_names_stay() -> None:
    scrubber = Scrubber(["Jordan Miller"])
    assert "Anna" not in scrubber.scrub("asked Anna Smith", prose=False, rare=True)
    assert scrubber.scrub("Jordan", prose=False, rare=True) == "Jordan"
    assert scrubber.scrub("Jordan called", prose=True) != "Jordan called"


def test_the_same_person_is_the_same_stand_in_everywhere() -> None:
    scrubber = Scrubber()
    one, two = scrubber.scrub("Dr. Smith called"), scrubber.scrub("asked Dr. Smith again")
    assert one.split()[1] == two.split()[2] != "Smith"
    assert scrubber.scrub("DR. SMITH").endswith(one.split()[1].upper())


def test_stand_ins_of_free_texts_are_about_as_long() -> None:
    rng = np.random.default_rng(1)
    for length in (10, 40, 200, 1500):
        made_lengths = [len(stand_in("x" * length, rng)) for _ in range(50)]
        assert 0.6 * length < np.mean(made_lengths) < 1.6 * length + 20


@pytest.mark.parametrize(
    ("name", "values", "kind"),
    [
        ("name", ["Anna Smith", "John Miller"], "name"),
        ("name", ["Red Chair", "Blue Table", "Green Lamp"], None),
        ("site_name", ["Mayo Clinic", "Charles Hospital"], None),
        ("name", ["Virginia", "Carolina", "Georgia"], None),
        ("customer", ["John Miller", "Peter Hall", "Mary Clark"], "name"),
    ],
)
def test_a_few_names_of_persons_are_recognised(name: str, values: list[str], kind: str | None) -> None:
    assert personal(name, values) == kind


def test_terms_that_nobody_coded_stay_what_they_are() -> None:
    rng = np.random.default_rng(3)
    drugs = [f"DRUG{letter}" for letter in "ABCDEFGHIJKLMNOPQRST"]
    subject = np.repeat([f"T-{k:02d}" for k in range(20)], 3)
    drug = np.array([drugs[(k + j * 7) % 20] for k in range(20) for j in range(3)], dtype=object)
    cm = pd.DataFrame(
        {
            "USUBJID": subject,
            "CMTRT": np.where(np.arange(60) % 3 == 0, drug, [f"RARE {k}" for k in range(60)]),
            "CMDECOD": np.where(np.arange(60) % 3 == 0, "CODED ONE", "UNCODED"),
            "CMSTDTC": (np.datetime64("2023-01-01") + rng.integers(0, 90, 60)).astype(str).astype(object),
        }
    )
    dm = pd.DataFrame(
        {
            "USUBJID": [f"T-{k:02d}" for k in range(20)],
            "SEX": rng.choice(["F", "M"], 20),
            "RFSTDTC": ["2023-01-01"] * 20,
        }
    )
    model = pipeline.fit(study_of({"dm": dm, "cm": cm}))
    made = pipeline.generate_study(model, GenerateRequest(60), workers=1)["cm"].frame
    names = made["CMTRT"].astype(str)
    assert names.str.startswith("RARE").mean() > 0.3
    assert not (names == "UNCODED").any()


def test_a_rare_verbatim_term_takes_a_common_one_of_its_code_and_no_longer_one() -> None:
    ae = made()["ae"].frame
    pairs = set(ae[["AETERM", "AEDECOD"]].astype(str).itertuples(index=False, name=None))
    assert pairs <= {(text, code) for code, texts in TERMS.items() for text in texts}
    assert ae["AETERM"].str.len().max() <= clinic()["ae"].frame["AETERM"].str.len().max()

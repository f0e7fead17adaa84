"""A subject's name, initials and address agree, in every table, and are none of the source's."""

import numpy as np
import pandas as pd
import pytest

import datareplicator as dr
from datareplicator.generate.persons import draw_persons
from datareplicator.model.names import agree, form
from datareplicator.model.personal import distinct_names
from datareplicator.model.taken import taken_names

GIVEN = {
    "F": ["Mary", "Anna", "Laura", "Emma", "Linda", "Karen"],
    "M": ["John", "Peter", "Paul", "James", "Mark", "David"],
}
FAMILY = ["Smith", "Miller", "Johnson", "Brown", "Jones", "Garcia", "Davis"]


def _study(n: int) -> dict[str, pd.DataFrame]:
    sex = ["FM"[k % 2] for k in range(n)]
    given = [GIVEN[s][k // 2 % 6] for k, s in enumerate(sex)]
    family = [FAMILY[k % 7] for k in range(n)]
    subject = [f"S1-10{k % 2}-{k + 1:03}" for k in range(n)]
    dm = pd.DataFrame(
        {
            "STUDYID": "S1",
            "DOMAIN": "DM",
            "USUBJID": subject,
            "SUBJID": [s[-3:] for s in subject],
            "SITEID": [s[3:6] for s in subject],
            "RFSTDTC": pd.date_range("2024-01-05", periods=n, freq="6D").strftime("%Y-%m-%d"),
            "AGE": [30 + 7 * k % 31 for k in range(n)],
            "SEX": sex,
            "NAME": [f"{b.upper()}, {a}" for a, b in zip(given, family, strict=True)],
            "INITIALS": [a[0] + b[0] for a, b in zip(given, family, strict=True)],
            "EMAIL": [f"{a[0]}{b}{k}@mail.com".lower() for k, (a, b) in enumerate(zip(given, family, strict=True))],
        }
    )
    co = pd.DataFrame({"STUDYID": "S1", "DOMAIN": "CO", "USUBJID": dm["USUBJID"].repeat(2), "COSEQ": [1, 2] * n})
    co["COVAL"] = [
        f"Called {a} {b} at home about the visit" for a, b in zip(given, family, strict=True) for _ in (1, 2)
    ]
    co["CONTACT"] = [f"{a} {b}" for a, b in zip(given, family, strict=True) for _ in (1, 2)]
    return {"DM": dm, "CO": co.reset_index(drop=True)}


@pytest.mark.parametrize("n", [1, 2, 12])
def test_personal_data_of_a_subject_are_those_of_one_made_up_person(n: int) -> None:
    source = _study(n)
    made = dr.fit(dr.read_study(source)).generate(subjects=40, seed=3)
    dm, co = (made.tables[name].frame for name in ("DM", "CO"))
    name = dm["NAME"].str.split(", ", expand=True)
    assert (name[0] == name[0].str.upper()).all()
    assert (dm["INITIALS"] == name[1].str[0] + name[0].str[0]).all()
    last = name[0].str.lower().str.replace(r"[^a-z]", "", regex=True)
    assert all(a in b for a, b in zip(last, dm["EMAIL"], strict=True))
    written = dict(zip(dm["USUBJID"], name[1] + " " + name[0], strict=True))
    assert (co["CONTACT"].str.upper() == co["USUBJID"].map(written).str.upper()).all()
    assert not set(dm["NAME"]) & set(source["DM"]["NAME"]) and not set(dm["EMAIL"]) & set(source["DM"]["EMAIL"])
    said = " ".join(co["COVAL"].unique()).casefold()
    assert not any(f"{first} {last}".casefold() in said for last, first in source["DM"]["NAME"].str.split(", "))


def test_the_identifier_of_two_subjects_keeps_the_study_and_counts_by_the_subject() -> None:
    made = dr.fit(dr.read_study(_study(2))).generate(subjects=12, seed=1)["DM"].frame
    assert made["USUBJID"].str.fullmatch(r"S1-10[01]-\d{3}").all() and made["USUBJID"].is_unique
    assert (made["USUBJID"].str[-3:] == made["SUBJID"]).all()


def test_given_names_go_with_the_sex() -> None:
    from faker.providers.person.en_US import Provider

    made = dr.fit(dr.read_study(_study(12))).generate(subjects=60, seed=3)["DM"].frame
    given = made["NAME"].str.split(", ").str[1]
    of = {"F": Provider.first_names_female, "M": Provider.first_names_male}
    assert all(name in of[sex] for name, sex in zip(given, made["SEX"], strict=True))


def test_no_name_of_the_source_is_drawn_as_long_as_half_of_the_names_are_left() -> None:
    first, last = (distinct_names(what)[0].to_pylist() for what in ("first_name", "last_name"))
    some = {*first[::4], *last[::3]}
    people = draw_persons(2000, np.random.default_rng(1), taken=taken_names(some))
    assert not {*people.first.to_pylist(), *people.last.to_pylist()} & some
    assert len(draw_persons(2000, np.random.default_rng(1), taken=taken_names((*first, *last)))) == 2000


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("name", "Anna Maria van Dyke", "{First} {Middle} {Last}"),
        ("name", "SMITH, J.", "{LAST}, {F}."),
        ("name", "Prof. Anna Smith 4711", "Prof. {First} {Last} "),
        ("name", "smith", "{last}"),
        ("initials", "a.s.", "{f}.{l}."),
        ("initials", "ABCD", "{F}{M}{L}D"),
    ],
)
def test_the_form_of_a_name_holds_no_letter_of_it(kind: str, text: str, expected: str) -> None:
    assert form(kind, text) == expected.removesuffix("D")


def test_two_given_names_of_other_persons_do_not_agree() -> None:
    assert agree("first_name", "Anna", "initials", "AS")
    assert not agree("last_name", "Smith", "email", "jones7@example.com")

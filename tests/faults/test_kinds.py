"""Every kind by itself: the number asked for, a true and complete key, the way back."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import pytest

from datareplicator import dates
from datareplicator.errors import RequestError
from datareplicator.faults import Answers, Fault, Plan, Target, all_kinds, corrupt
from datareplicator.faults.kind import Kind, Scope
from datareplicator.structure.spec import Structure
from datareplicator.study import Study
from datareplicator.validate import rules

Known = tuple[Study, Structure]
Check = Callable[[Study, Study, Answers], None]
OF_TABLES = [kind for kind in all_kinds() if kind.scope != Scope.FILES]
ONE_ONLY = {"death-flag-missing"}  # one subject of the sample study died
SDTM_ONLY = {
    "wrong-domain", "fatal-event-without-death", "withdrawal-without-disposition", "relation-dangling",
    "exposure-after-discontinuation", "serious-without-criterion", "resolved-without-end", "no-disposition",
}  # fmt: skip


def _corrupt(known: Known, seed: int = 7, **fault: object) -> tuple[Study, Answers]:
    return corrupt(known[0], Plan(faults=(Fault(**fault),)), seed=seed, structure=known[1])


@pytest.mark.parametrize("kind", OF_TABLES, ids=lambda kind: kind.name)
def test_a_kind_injects_what_is_asked_and_leads_back(kind: Kind, known: Known, check: Check) -> None:
    count = 1 if kind.name in ONE_ONLY else 2
    dirty, answers = _corrupt(known, kind=kind.name, count=count)
    key = answers.to_frame()
    assert key["incident"].nunique() == count
    assert set(key["kind"]) == {kind.name}
    check(known[0], dirty, answers)


def test_the_same_seed_gives_the_same_faults(known: Known) -> None:
    first, again = (corrupt(known[0], ["uat", "fraud-site"], seed=7, structure=known[1])[1] for _ in range(2))
    pd.testing.assert_frame_equal(first.to_frame(), again.to_frame())


def test_another_seed_gives_other_faults(known: Known) -> None:
    first = _corrupt(known, kind="misspelled", count=20)[1].to_frame()
    other = _corrupt(known, seed=8, kind="misspelled", count=20)[1].to_frame()
    assert list(first["row_before"]) != list(other["row_before"])


@pytest.mark.parametrize("name", ["shop", "omop", "adam"])
def test_kinds_find_their_columns_in_other_studies(name: str, others: dict[str, Known], check: Check) -> None:
    known, placed = others[name], set()
    for kind in OF_TABLES:
        try:
            dirty, answers = _corrupt(known, kind=kind.name, count=1)
        except RequestError as error:
            assert "fault 1" in str(error)
            continue
        check(known[0], dirty, answers)
        placed.add(kind.name)
    assert len(placed) >= 35
    assert not placed & SDTM_ONLY


def test_every_kind_is_described_and_names_rules_that_exist() -> None:
    known = {rule.id for rule in rules()}
    kinds = list(all_kinds())
    assert len(kinds) >= 100
    for kind in kinds:
        assert kind.summary.endswith(".")
        assert set(kind.rules) <= known, kind.name
        assert kind.parameters.model_json_schema()["type"] == "object"
        assert all(f.description for f in kind.parameters.model_fields.values()), kind.name


def _one(known: Known, **fault: object) -> pd.Series:
    return _corrupt(known, count=1, **fault)[1].to_frame().iloc[0]


def test_an_end_comes_before_its_start_and_takes_its_study_day_along(known: Known) -> None:
    dirty, answers = _corrupt(known, kind="end-before-start", count=3, target=Target(domain="AE"))
    rows = sorted(set(answers.to_frame()["row_after"] - 1))
    frame = dirty["ae"].frame.iloc[rows]
    assert (dates.parse(frame["AEENDTC"]).day < dates.parse(frame["AESTDTC"]).day).all()
    assert (frame["AEENDY"] < frame["AESTDY"]).all()


def test_a_wrong_result_is_wrong_in_all_its_columns(known: Known) -> None:
    dirty, answers = _corrupt(known, kind="out-of-range", count=5, target=Target(domain="VS"))
    assert set(answers.to_frame()["variable"]) == {"VSORRES", "VSSTRESC", "VSSTRESN"}
    rows = sorted(set(answers.to_frame()["row_after"] - 1))
    frame = dirty["vs"].frame.iloc[rows]
    assert (frame["VSSTRESC"].astype(float) == frame["VSSTRESN"]).all()
    clean = known[0]["vs"].frame
    for row in frame.itertuples():
        same = clean.loc[clean["VSTESTCD"] == row.VSTESTCD, "VSSTRESN"]
        assert not same.min() <= row.VSSTRESN <= same.max()


def test_a_named_column_is_changed_alone(known: Known) -> None:
    key = _corrupt(known, kind="decimal-shift", count=4, target=Target(variable="VSSTRESN"))[1].to_frame()
    assert set(key["variable"]) == {"VSSTRESN"}


def test_a_result_is_copied_from_the_visit_before(known: Known) -> None:
    row = _one(known, kind="copied-forward", target=Target(domain="VS"))
    clean = known[0]["vs"].frame
    here = clean.iloc[row["row_before"] - 1]
    same = clean[(clean["USUBJID"] == here["USUBJID"]) & (clean["VSTESTCD"] == here["VSTESTCD"])]
    assert row["new"] in set(same.loc[same["VSDTC"] <= here["VSDTC"], "VSORRES"])


def test_a_second_subject_is_a_copy_under_a_key_of_its_own(known: Known) -> None:
    clean = known[0]
    dirty, answers = _corrupt(known, kind="duplicate-subject", count=1)
    new = (set(dirty["dm"].frame["USUBJID"]) - set(clean["dm"].frame["USUBJID"])).pop()
    row = answers.to_frame().query("table == 'dm'").iloc[0]["row_after"]
    old = dirty["dm"].frame["USUBJID"].iloc[row - 2]  # the copy stands right behind
    site = dirty["dm"].frame.set_index("USUBJID")["SITEID"]
    assert site[new] != site[old]
    count = {t: (f.frame["USUBJID"] == old).sum() for t, f in clean.tables.items() if "USUBJID" in f.frame}
    assert count == {t: (dirty[t].frame["USUBJID"] == new).sum() for t in count}


def test_swapped_subjects_exchange_their_records(known: Known) -> None:
    key = _corrupt(known, kind="swapped-subjects", count=1)[1].to_frame()
    assert key["table"].nunique() == 1
    assert set(key["old"]) == set(key["new"])
    assert len(set(key["old"])) == 2


def test_sites_are_changed_as_a_whole(known: Known) -> None:
    key = _corrupt(known, kind="site-drift", count=1)[1].to_frame()
    site = known[0]["dm"].frame.set_index("USUBJID")["SITEID"]
    assert site[key["subject"].unique()].nunique() == 1
    assert len(key) > 50

"""Several kinds in one study: each cell once, in order, and back again."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from datareplicator.errors import RequestError
from datareplicator.faults import Answers, Fault, Plan, all_kinds, corrupt, profile_names
from datareplicator.faults.kind import Scope
from datareplicator.structure.spec import Structure
from datareplicator.study import Study

Known = tuple[Study, Structure]
Check = Callable[[Study, Study, Answers], None]
NAMES = [kind.name for kind in all_kinds() if kind.scope != Scope.FILES and kind.name != "rows-for-one-subject"]


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Up to eight optional faults by rate or count."""
    faults = []
    for name in draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=8)):
        amount = draw(st.sampled_from([{"count": 1}, {"count": 5}, {"rate": 0.01}, {"rate": 0.3}]))
        faults.append(Fault(kind=name, optional=True, **amount))
    return Plan(faults=tuple(faults), apart=draw(st.booleans()))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(plan=plans(), seed=st.integers(0, 1000))
def test_any_mixture_leads_back(plan: Plan, seed: int, known: Known, check: Check) -> None:
    dirty, answers = corrupt(known[0], plan, seed=seed, structure=known[1])
    check(known[0], dirty, answers)


@pytest.mark.parametrize("profile", profile_names())
def test_every_profile_leads_back(profile: str, known: Known, check: Check) -> None:
    dirty, answers = corrupt(known[0], profile, seed=3, structure=known[1])
    assert len(answers)
    check(known[0], dirty, answers)


def test_a_rate_is_the_rounded_product(known: Known) -> None:
    study, structure = known
    plan = Plan(faults=(Fault(kind="dropped-record", rate=0.03, target={"domain": "LB"}),))
    answers = corrupt(study, plan, seed=1, structure=structure)[1]
    assert len(answers) == round(0.03 * len(study["lb"]))


def test_a_rate_that_gives_none_is_noted(known: Known) -> None:
    plan = Plan(faults=(Fault(kind="misspelled", rate=0.0001, target={"domain": "AE"}), Fault(kind="rounded", count=1)))
    answers = corrupt(known[0], plan, structure=known[1])[1]
    assert set(answers.to_frame()["kind"]) == {"rounded"}
    assert "fault 1 (misspelled) was not injected" in answers.notes[0]


def test_faults_of_the_same_cell_are_kept_apart(known: Known) -> None:
    target = {"domain": "AE", "variable": "AESEV"}
    plan = Plan(faults=tuple(Fault(kind=kind, rate=0.5, target=target) for kind in ("wrong-code", "missing-at-random")))
    key = corrupt(known[0], plan, seed=1, structure=known[1])[1].to_frame()
    assert not key.duplicated(["table", "row_before", "variable"]).any()
    assert set(key["kind"]) == {"wrong-code", "missing-at-random"}


def test_contradicting_faults_are_refused(known: Known) -> None:
    target = {"domain": "AE", "variable": "AESEV"}
    plan = Plan(faults=tuple(Fault(kind=kind, rate=1.0, target=target) for kind in ("missing-at-random", "wrong-code")))
    with pytest.raises(RequestError, match=r"fault 2 \(wrong-code\).*matches nothing"):
        corrupt(known[0], plan, structure=known[1])


def test_a_column_that_was_edited_is_not_taken_away(known: Known) -> None:
    target = {"domain": "AE", "variable": "AESEV"}
    faults = (Fault(kind="wrong-code", count=1, target=target), Fault(kind="column-missing", count=1, target=target))
    with pytest.raises(RequestError, match=r"fault 2 \(column-missing\)"):
        corrupt(known[0], Plan(faults=faults), structure=known[1])


def test_faults_apart_share_no_subject(known: Known) -> None:
    faults = tuple(Fault(kind=kind, count=4) for kind in ("misspelled", "sign-flipped", "dropped-record"))
    key = corrupt(known[0], Plan(faults=faults, apart=True), seed=2, structure=known[1])[1].to_frame()
    assert (key.groupby("subject")["fault"].nunique() == 1).all()


@pytest.mark.parametrize(("strength", "above"), [(20.0, True), (-20.0, False)])
def test_a_mechanism_prefers_high_or_low_values(strength: float, above: bool, known: Known) -> None:
    mechanism = {"type": "observed", "variable": "AGE", "strength": strength}
    plan = Plan(faults=(Fault(kind="missing-at-random", count=60, mechanism=mechanism),))
    key = corrupt(known[0], plan, seed=2, structure=known[1])[1].to_frame()
    age = known[0]["dm"].frame.set_index("USUBJID")["AGE"]
    assert bool(age[key["subject"]].median() > age.median()) is above


def test_values_go_missing_by_their_own_size(known: Known) -> None:
    plan = Plan(faults=(Fault(kind="missing-by-value", count=40, target={"where": "VSTESTCD = 'SYSBP'"}),))
    key = corrupt(known[0], plan, seed=2, structure=known[1])[1].to_frame()
    every = known[0]["vs"].frame.loc[lambda f: f["VSTESTCD"] == "SYSBP", "VSSTRESN"]
    lost = key.loc[key["variable"] == "VSSTRESN", "old"].astype(float)
    assert lost.mean() > every.mean() + 0.5 * every.std()


def test_targets_are_kept(known: Known) -> None:
    target = {
        "domain": ["VS", "LB"], "sites": "011", "visits": ["BASELINE", 4], "where": "VISITNUM > 1 and VISITNUM < 6"
    }  # fmt: skip
    plan = Plan(faults=(Fault(kind="missing-at-random", rate=0.5, target=target),))
    dirty, answers = corrupt(known[0], plan, structure=known[1])
    key = answers.to_frame()
    site = known[0]["dm"].frame.set_index("USUBJID")["SITEID"]
    assert set(key["table"]) == {"vs", "lb"}
    assert set(site[key["subject"]]) == {"011"}
    for table, part in key.groupby("table"):
        visits = known[0][table].frame["VISITNUM"].iloc[part["row_before"].to_numpy(dtype=int) - 1]
        assert set(visits) <= {2.0, 4.0}
    assert isinstance(dirty["vs"].frame, pd.DataFrame)


def test_arms_are_a_target_by_code_or_name(known: Known) -> None:
    arm = known[0]["dm"].frame.set_index("USUBJID")["ARMCD"]
    for said in ("PBO", "placebo"):
        plan = Plan(faults=(Fault(kind="misspelled", count=5, target={"arm": said}),))
        key = corrupt(known[0], plan, structure=known[1])[1].to_frame()
        assert set(arm[key["subject"]]) == {"PBO"}

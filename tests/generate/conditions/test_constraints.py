"""Whatever can be kept is kept exactly, the same way for any number of workers; whatever cannot is refused with a
reason."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.studies import sdtm, shop

import datareplicator as dr
from datareplicator import pipeline
from datareplicator.api import Model
from datareplicator.errors import RequestError
from datareplicator.expressions import parse
from datareplicator.study import Study
from datareplicator.validate import validate

RULES = (
    ("DM", "AGE >= 40 and AGE <= 60"),
    ("DM", "SEX = 'F' or AGE < 55"),
    ("DM", "any(AESEV = 'SEVERE' of AE) implies AGE >= 45"),
    ("AE", "AESEV = 'SEVERE' implies `SUPP.AETRTEM` = 'Y'"),
    ("AE", "AESEV in ('MILD', 'MODERATE') or AEDECOD = 'RASH'"),
    ("AE", "AETERM matches '[a-z]+ [0-9]'"),
    ("AE", "count() <= 4"),
    ("AE", "unique(AEDECOD)"),
    ("AE", "count(where AESEV = 'MODERATE') <= 1"),
    ("AE", "DM.SEX = 'M' implies AESEV != 'SEVERE'"),
    ("AE", "AEENDTC <= AESTDTC + 5"),
    ("LB", "LBTESTCD = 'ALT' implies LBSTRESN between 10 and 35"),
    ("LB", "sum(LBSTRESN where LBTESTCD = 'ALT') <= 150"),
    ("LB", "LBSTRESN <= 1.5 * first(LBSTRESN where LBSTRESN > 0 by VISITNUM) per (LBTESTCD)"),
    ("SV", "previous(SVSTDTC by VISITNUM) <= SVSTDTC"),
)


@pytest.fixture(scope="module")
def small() -> Model:
    return Model(pipeline.fit(sdtm(60)))


@pytest.fixture(scope="module")
def sample_model(model: Path) -> Model:
    return dr.load_model(model)


def broken(study: Study, domain: str, rule: str) -> int:
    """How many rows of a study break a rule."""
    frames = study.frames()
    if "lbch" in frames:
        frames["lb"] = pd.concat([frames["lbch"], frames["lbhe"]], ignore_index=True)
        frames["ae"] = with_emergence(frames["ae"], frames["suppae"])
    subjects = {name: "USUBJID" for name, frame in frames.items() if "USUBJID" in frame}
    table = domain.lower()
    return int(parse(rule).broken(frames[table], table=table, others=frames, subject=subjects).sum())


def with_emergence(ae: pd.DataFrame, suppae: pd.DataFrame) -> pd.DataFrame:
    """The events with their supplemental qualifier as a column."""
    told = suppae.assign(AESEQ=pd.to_numeric(suppae["IDVARVAL"]))[["USUBJID", "AESEQ", "QVAL"]]
    return ae.merge(told.rename(columns={"QVAL": "SUPP.AETRTEM"}), on=["USUBJID", "AESEQ"], how="left")


def asked(rules: list[tuple[str, str]] | tuple[tuple[str, str], ...]) -> list[dict[str, str]]:
    return [{"domain": domain, "rule": rule} for domain, rule in rules]


@settings(max_examples=8, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rules=st.lists(st.sampled_from(RULES), min_size=1, max_size=4, unique=True), seed=st.integers(0, 3))
def test_any_constraints_that_can_be_kept_together_are_kept(
    small: Model, rules: list[tuple[str, str]], seed: int
) -> None:
    made = small.generate(40, seed=seed, constraints=asked(rules))
    assert made["dm"].frame["USUBJID"].nunique() == 40
    assert [broken(made, *rule) for rule in rules] == [0] * len(rules)
    assert {ended.outcome for ended in made.conditions} <= {"kept", "repaired"}


def test_without_them_these_rules_are_broken(small: Model) -> None:
    made = small.generate(40)
    assert sum(broken(made, *rule) > 0 for rule in RULES) >= 12


def test_many_of_them_at_once_for_any_number_of_workers(small: Model) -> None:
    rules = asked(RULES[:12])
    one, two = (small.generate(140, seed=5, constraints=rules, workers=w) for w in (1, 2))
    for name in one:
        pd.testing.assert_frame_equal(one[name].frame, two[name].frame)
    assert one.conditions == two.conditions
    assert all(broken(one, r["domain"], r["rule"]) == 0 for r in rules)


def test_what_was_not_in_the_way_is_not_touched(small: Model) -> None:
    plain = small.generate(60, seed=2)
    kept = small.generate(60, seed=2, constraints=asked([("DM", "AGE >= 0")]))
    assert [ended.how for ended in kept.conditions] == ["kept"]
    for name in plain:
        pd.testing.assert_frame_equal(plain[name].frame, kept[name].frame)


def test_rows_drawn_again_leave_the_rest_of_the_study_alone(sample_model: Model) -> None:
    plain = sample_model.generate(60, seed=2)
    made = sample_model.generate(60, seed=2, constraints=asked([("VS", "VSTESTCD = 'SYSBP' implies VSSTRESN <= 160")]))
    assert made.conditions[0].outcome == "repaired"
    assert made.conditions[0].rows > 0
    assert made.conditions[0].replaced == 0
    for name in set(plain) - {"vs"}:
        pd.testing.assert_frame_equal(plain[name].frame, made[name].frame)
    before, after = plain["vs"].frame, made["vs"].frame
    changed = (before["VSSTRESN"] != after["VSSTRESN"]) & before["VSSTRESN"].notna()
    assert (before.loc[changed, "VSSTRESN"] > 160).all()
    written = pd.to_numeric(after["VSORRES"], errors="coerce")
    same_unit = after["VSORRESU"] == after["VSSTRESU"]
    assert (written[same_unit] - after["VSSTRESN"][same_unit]).abs().max() < 1e-9


def test_subjects_that_stand_in_have_all_their_tables(sample_model: Model) -> None:
    made = sample_model.generate(60, constraints=asked([("DM", "any(AESEV = 'SEVERE' of AE) implies AGE >= 65")]))
    assert made.conditions[0].replaced > 0
    findings = [
        validate(s, structure=sample_model.structure, detectors=False) for s in (made, sample_model.generate(60))
    ]
    errors, known = ({t.rule.id for t in f.tallies if t.count and t.rule.severity == "error"} for f in findings)
    assert errors <= known
    ids = made["dm"].frame["USUBJID"]
    assert ids.is_unique
    for name, table in made.tables.items():
        if "USUBJID" in table.frame and name != "dm":
            assert set(table.frame["USUBJID"]) <= set(ids)


def test_counts_stay_exact_beside_constraints(sample_model: Model) -> None:
    made = sample_model.generate(
        counts={"SEX": {"F": 33, "M": 17}}, constraints=asked([("DM", "AGE >= 60"), ("AE", "count() <= 3")])
    )
    assert made["dm"].frame["SEX"].value_counts().to_dict() == {"F": 33, "M": 17}
    assert made["dm"].frame["AGE"].min() >= 60


def test_keys_of_related_tables_still_lead_somewhere() -> None:
    learned = Model(pipeline.fit(shop(40)))
    rules = [("orders", "count() <= 3"), ("customers", "country != 'US'")]
    made = learned.generate(100, constraints=asked(rules)).frames()
    assert made["orders"].groupby("customer_id").size().max() <= 3
    assert set(made["orders"]["customer_id"]) <= set(made["customers"]["id"])
    assert set(made["order_lines"]["order_id"]) <= set(made["orders"]["id"])
    assert all(made[name]["id"].is_unique for name in ("customers", "orders", "order_lines"))


REFUSED = [
    ([("DM", "AGE >")], "position 6", "found the end"),
    ([("DM", "AGEE > 60")], "no variable 'AGEE'", "Did you mean 'AGE'"),
    ([("DN", "AGE > 60")], "there is no table 'DN'", "Did you mean"),
    ([("DM", "AGE + 1")], "position", "condition"),
    ([("DM", "SEX > 5")], "position", "number"),
    ([("DM", "AGE > 300")], "constraint 1 (DM: AGE > 300) is impossible", "AGE was learned to be from 45 to 80"),
    ([("AE", "AESEV = 'SEVERE' implies AESER = 'YES'")], "position 34", "AESER is never 'YES' in the source"),
    ([("DM", "any(AEOUT = 'FATLA' of AE) or AGE < 60")], "AEOUT is never 'FATLA'", "Did you mean 'FATAL'"),
    ([("DM", "SEX = 'X'")], "SEX is never 'X' in the source", "it is 'F', 'M'"),
    ([("DM", "AGE > 70"), ("AE", "AESER = 'Y'"), ("DM", "AGE < 60")], "constraint 1", "constraint 3"),
    ([("DM", "AGE > 60 and AGE < 50")], "no value for", "AGE"),
    ([("AE", "count() per table <= 5")], "per table", "independently"),
    ([("TS", "TSVAL = 'x'")], "not drawn", "ts"),
    ([("AE", "AETERM matches '[0-9]+'")], "rows of ae drawn none fits", "AETERM is 'BACK PAIN'"),
    ([("AE", "AESTDTC > AEENDTC")], "is impossible", "AESTDTC > AEENDTC never holds"),
    ([("DM", "any(VSSTRESN > 0 of VS) implies AGE > 400")], "is impossible", "holds, AGE is from 45 to 80"),
]


@pytest.mark.parametrize(("rules", "first", "second"), REFUSED, ids=[r[0][0][1] for r in REFUSED])
def test_what_cannot_be_is_refused_with_its_reason(
    sample_model: Model, rules: list[tuple[str, str]], first: str, second: str
) -> None:
    with pytest.raises(RequestError) as caught:
        sample_model.generate(10, constraints=asked(rules))
    assert first in str(caught.value)
    assert second in str(caught.value)


def test_two_rules_that_nobody_fits_are_both_named(small: Model) -> None:
    rules = [("DM", "count(of LB) > 0 implies AGE > 55"), ("DM", "count(of SV) > 0 implies AGE < 50")]
    with pytest.raises(RequestError, match=r"constraint 1 .* and constraint 2 .* impossible together"):
        small.generate(10, constraints=asked(rules))


def test_what_a_rule_and_exact_counts_or_events_do_to_each_other_is_said(small: Model) -> None:
    rule = [("LB", "LBTESTCD = 'ALT' implies DM.SEX = 'F'")]
    with pytest.raises(RequestError, match=r"subjects drawn with SEX = M \(so many are asked for\) none fits"):
        small.generate(counts={"SEX": {"F": 10, "M": 10}}, constraints=asked(rule))
    with pytest.raises(RequestError, match=r"rare event 1 .* constraint 1 .* stands against it"):
        events = [{"domain": "AE", "where": "AESEV = 'SEVERE'", "subjects": 5}]
        small.generate(10, rare_events=events, constraints=asked([("DM", "not any(AESEV = 'SEVERE' of AE)")]))

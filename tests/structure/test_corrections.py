"""Corrections: each changes what discovery finds as it says, and what does not fit the study is refused by name."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, get_args

import pandas as pd
import pytest
from support.studies import sdtm, shop, study_of

from datareplicator.data import sample_study_path
from datareplicator.errors import RequestError
from datareplicator.formats import read_study
from datareplicator.model.personal import KINDS
from datareplicator.structure.correction import Correction, Replacement
from datareplicator.structure.derive import View, compute
from datareplicator.structure.derive.outcome import agreement
from datareplicator.structure.discover import discover
from datareplicator.structure.logical import to_logical
from datareplicator.structure.spec import Kind, Structure
from datareplicator.study import Study

TABLES = ("dm", "ae", "lb", "vs", "ds", "ex", "se", "sv", "suppae", "ts")
TESTS = ("ALT", "BILI", "HCG", "KETONES", "SYSBP", "PULSE")


@pytest.fixture(scope="module")
def study() -> Study:
    """A part of the sample study."""
    whole = read_study(sample_study_path())
    tables = {name: whole[name] for name in TABLES}
    for name in ("lb", "vs"):
        frame = tables[name].frame
        few = frame[frame[f"{name.upper()}TESTCD"].isin(TESTS)].reset_index(drop=True)
        tables[name] = replace(tables[name], frame=few)
    return Study(tables, whole.name)


@pytest.fixture(scope="module")
def few(study: Study) -> Study:
    """Enough of it to be told that something is wrong."""
    lb = study["lb"]
    return Study({n: study[n] for n in ("dm", "ae", "sv", "se", "ts")} | {"lb": replace(lb, frame=lb.frame.head(60))})


@pytest.fixture(scope="module")
def plain(study: Study) -> Structure:
    return discover(study)


def corrected(study: Study, *given: dict[str, Any]) -> Structure:
    return discover(study, corrections=[Correction(**g) for g in given])


def template(structure: Structure, table: str, column: str) -> str | None:
    return next((d.template for d in structure.derivations if (d.table, d.target) == (table, column)), None)


def test_denied_computations_are_drawn(study: Study, plain: Structure) -> None:
    assert template(plain, "lb", "LBNRIND") == "limits"
    assert template(plain, "lb", "LBTEST") == template(plain, "ae", "AEBODSYS") == "lookup"
    found = corrected(
        study,
        {"deny": "derivation", "variable": "LB.LBNRIND"},
        {"deny": "dependency", "variable": "lb.lbtest"},
        {"deny": "derivation", "variable": "AE.AESOC"},
    )
    for table, column in (("lb", "LBNRIND"), ("lb", "LBTEST"), ("ae", "AESOC")):
        assert template(found, table, column) is None
        assert column in found.free(table)
    assert template(found, "ae", "AEBODSYS") == "lookup"
    assert [c.variable for c in found.corrections] == ["LB.LBNRIND", "lb.lbtest", "AE.AESOC"]


def test_what_rests_on_nothing_denied_stays(study: Study, plain: Structure) -> None:
    found = corrected(study, {"deny": "derivation", "variable": "LB.LBNRIND"})
    kept = [d for d in plain.derivations if (d.table, d.target) != ("lb", "LBNRIND")]
    assert set(map(repr, kept)) <= set(map(repr, found.derivations))
    assert found.tables == plain.tables
    assert found.links == plain.links


def test_denying_what_was_not_found_is_said(few: Study) -> None:
    facts = ("derivation", "dependency", "reference", "order", "pii")
    found = corrected(
        few, *({"deny": what, "variable": "AE.AESEV"} for what in facts), {"deny": "link", "variable": "DM.SEX"}
    )
    said = {f"ae: no {what} of AESEV was found that could be denied" for what in facts}
    assert {*said, "dm: no link of SEX was found that could be denied"} <= set(found.notes)


@pytest.mark.parametrize(
    "second",
    [
        {"ignore": "column", "variable": "ae.aesev"},
        {"declare": "derivation", "variable": "AE.AESEV", "formula": "'MILD'"},
        {"declare": "dependency", "variable": "AE.AESEV", "by": ["AETERM"]},
    ],
)
def test_corrections_that_contradict_each_other_are_refused(few: Study, second: dict[str, Any]) -> None:
    with pytest.raises(RequestError, match=r"correction 2.*contradicts correction 1, \{kind: text"):
        corrected(few, {"kind": "text", "variable": "AE.AESEV"}, second)


def test_what_the_subject_key_is_made_from_is_not_kept(study: Study) -> None:
    with pytest.raises(RequestError, match="must name one subject each"):
        corrected(study, {"keep": "column", "variable": "DM.SUBJID"})


def test_kinds(study: Study, plain: Structure) -> None:
    found = corrected(
        study,
        {"kind": "text", "variable": "AE.AETERM"},
        {"kind": "category", "variable": "VS.VSORRES"},
        {"kind": "decimal", "variable": "LB.VISITDY"},
        {"kind": "identifier", "variable": "DM.SITEID"},
        {"kind": "category", "variable": "AE.SUPP.AETRTEM"},
    )
    assert found.tables["ae"].column("AETERM").kind == Kind.TEXT
    assert found.tables["vs"].column("VSORRES").kind == Kind.CATEGORY
    assert found.tables["lb"].column("VISITDY").kind == Kind.DECIMAL
    assert found.tables["vs"].column("VISITDY").kind == Kind.INTEGER
    assert found.tables["dm"].column("SITEID").kind == Kind.IDENTIFIER
    assert found.tables["ae"].column("SUPP.AETRTEM").kind == Kind.CATEGORY


def test_a_kind_of_a_joined_table_reaches_all_its_parts() -> None:
    found = corrected(sdtm(), {"kind": "text", "variable": "LB.LBTEST"}, {"kind": "text", "variable": "LBCH.LBCAT"})
    assert {found.tables["lb"].column(c).kind for c in ("LBTEST", "LBCAT")} == {Kind.TEXT}


def test_personal_data_are_marked_and_never_looked_up(study: Study) -> None:
    found = corrected(study, {"pii": "name", "variable": "DM.INVID"})
    column = found.tables["dm"].column("INVID")
    assert (column.kind, column.pii) == (Kind.PII, "name")
    assert template(found, "dm", "INVID") is None
    assert not any(s.column == "INVID" for d in found.derivations if d.template == "lookup" for s in d.sources)


def test_personal_data_that_are_none() -> None:
    frame = pd.DataFrame({"patient_id": range(30), "initials": [f"A{chr(65 + i % 20)}" for i in range(30)]})
    people = study_of({"patients": frame})
    assert discover(people).tables["patients"].column("initials").kind == Kind.PII
    found = corrected(people, {"deny": "pii", "variable": "patients.initials"})
    column = found.tables["patients"].column("initials")
    assert (column.kind, column.pii) == (Kind.CATEGORY, None)


def test_replacements_are_those_that_can_be_made() -> None:
    assert set(get_args(Replacement)) == set(KINDS)


def test_ignored_and_kept_columns(study: Study) -> None:
    found = corrected(study, {"ignore": "column", "variable": "AE.AEHLT"}, {"keep": "column", "variable": "AE.AETERM"})
    assert found.tables["ae"].column("AEHLT").kind == Kind.EMPTY
    assert "AEHLT" not in found.free("ae")
    assert not any("AEHLT" in (d.target, *(s.column for s in d.sources)) for d in found.derivations)
    assert found.tables["ae"].column("AETERM").kind == Kind.CATEGORY
    assert template(found, "ae", "AETERM") is None


def test_keys(study: Study, plain: Structure) -> None:
    key = list(plain.tables["vs"].key)
    other = ["USUBJID", "VSTESTCD", "VSDTC", "VSPOS", "VSTPTNUM"]
    frame = study["vs"].frame
    assert set(key) != set(other)
    assert not frame[other].duplicated().any()
    found = corrected(study, {"declare": "key", "table": "VS", "columns": other})
    assert set(found.tables["vs"].key) == set(other)
    found = corrected(study, {"deny": "key", "table": "VS", "columns": key})
    assert set(found.tables["vs"].key) != set(key)
    assert not frame[list(found.tables["vs"].key)].duplicated().any()


def test_a_key_of_events_in_a_small_study() -> None:
    trial = sdtm()
    found = corrected(trial, {"declare": "key", "table": "AE", "columns": ["AETERM", "AEENDTC"]})
    assert found.tables["ae"].key == ("USUBJID", "AETERM", "AEENDTC")


def test_declared_dependencies_win(study: Study) -> None:
    found = corrected(study, {"declare": "dependency", "variable": "LB.LBCAT", "by": ["LBTEST"]})
    (one,) = [d for d in found.derivations if (d.table, d.target) == ("lb", "LBCAT")]
    assert [s.column for s in one.sources] == ["LBTEST"]
    assert one.agreement == 1.0


@pytest.mark.parametrize(
    ("variable", "formula", "exceptions"),
    [
        ("AE.AESTDY", "days_between(DM.RFSTDTC, AESTDTC) + if(AESTDTC >= DM.RFSTDTC, 1, 0)", 0.0),
        ("DM.RFENDTC", "max(EXENDTC of EX)", 0.0),
        ("DM.DTHFL", "if(any(AEOUT = 'FATAL' of AE), 'Y', coalesce(DTHFL, 'N'))", None),
        ("VS.VSSTRESC", "text(VSSTRESN)", 0.0),
        ("LB.LBNRIND", "if(LBSTRESN < LBSTNRLO, 'LOW', if(LBSTRESN > LBSTNRHI, 'HIGH', 'NORMAL'))", 0.1),
    ],
)
def test_declared_formulas_compute_their_column(
    study: Study, variable: str, formula: str, exceptions: float | None
) -> None:
    given = {"declare": "derivation", "variable": variable, "formula": formula, "exceptions": exceptions or 0.0}
    if exceptions is None:
        with pytest.raises(RequestError, match="not computed from itself"):
            corrected(study, given)
        return
    found = corrected(study, given)
    table, column = variable.split(".")
    (one,) = [d for d in found.derivations if (d.table, d.target) == (table.lower(), column)]
    assert one.template == "formula"
    frames = to_logical(study, found)
    share, rows = agreement(compute(one, frames), View(frames).values(table.lower(), column))
    assert (share, rows) == (one.agreement, one.rows)
    assert 1 - share <= exceptions


def test_links_and_orders(study: Study, plain: Structure) -> None:
    found = corrected(
        study,
        {"deny": "link", "variable": "DM.DTHFL", "table": "DS"},
        {"deny": "link", "variable": "DM.RFSTDTC"},
        {"deny": "order", "variable": "AE.AEENDTC"},
    )
    expected = [k for k in plain.links if k.root == "RFSTDTC" or (k.root, k.table) == ("DTHFL", "ds")]
    assert len(expected) >= 2
    assert [k for k in plain.links if k not in found.links] == expected
    assert [o.table for o in plain.orders if o not in found.orders] == ["ae"]
    again = corrected(
        study,
        {"deny": "link", "variable": "DM.DTHFL"},
        {"declare": "link", "variable": "DM.DTHFL", "value": "Y", "table": "AE", "column": "AEOUT", "code": "FATAL"},
        {
            "declare": "link",
            "variable": "DM.DTHDTC",
            "table": "AE",
            "column": "AEOUT",
            "code": "FATAL",
            "date": "AEENDTC",
        },
    )
    told = [(k.kind, k.root, k.column, k.subjects) for k in again.links if k.table == "ae" and k.root[:3] == "DTH"]
    assert told == [("flag", "DTHFL", "AEOUT", 1), ("date", "DTHDTC", "AEOUT", 1)]


def test_references() -> None:
    trade = shop()
    plain = discover(trade)
    (key, *_) = [k for k in plain.foreign_keys if k.parent != plain.root]
    found = corrected(trade, {"deny": "reference", "variable": f"{key.table}.{key.columns[-1]}"})
    assert key not in found.foreign_keys
    declared = {"declare": "reference", "variable": f"{key.table}.{key.columns[-1]}"}
    found = corrected(trade, {**declared, "to": f"{key.parent}.{key.parent_columns[-1]}"})
    assert key in found.foreign_keys


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"deny": "derivation", "variable": "LB.LBNRNID"}, "lb has no column 'LBNRNID'. Did you mean 'LBNRIND'"),
        ({"deny": "derivation", "variable": "LBX.LBNRIND"}, "there is no table 'LBX'. Did you mean 'lb'"),
        ({"deny": "derivation", "variable": "LBNRIND"}, "names no table. Write TABLE.COLUMN."),
        ({"deny": "key", "table": "LX"}, "there is no table 'LX'"),
        ({"kind": "date", "variable": "LB.LBCAT"}, "table lb, column LBCAT, row 1: correction 1"),
        ({"kind": "integer", "variable": "LB.LBSTRESN"}, "does not fit the kind integer"),
        ({"kind": "text", "variable": "LB.LBSTRESN"}, "holds float values, no texts"),
        ({"kind": "flag", "variable": "AE.AESEV"}, "does not fit the kind flag"),
        ({"kind": "time", "variable": "AE.AESEV"}, "does not fit the kind time"),
        ({"kind": "text", "variable": "DM.ACTARMUD"}, "no values"),
        ({"pii": "name", "variable": "DM.AGE"}, "replaced by texts"),
        ({"keep": "column", "variable": "DM.AGE"}, "only texts can be kept"),
        ({"ignore": "column", "variable": "DM.USUBJID"}, "names the subject of each row"),
        ({"declare": "key", "table": "AE", "columns": ["AETERM"]}, "row 7: correction 1"),
        ({"declare": "key", "table": "AE", "columns": ["AETREM"]}, "Did you mean 'AETERM'"),
        ({"declare": "dependency", "variable": "LB.LBORRES", "by": ["LBTEST"]}, "rows contradict it"),
        ({"declare": "dependency", "variable": "LB.LBCAT", "by": ["LBCAT"]}, "does not depend on itself"),
        ({"declare": "dependency", "variable": "LB.LBCAT", "by": ["LBDTC"]}, "holds dates"),
        ({"declare": "derivation", "variable": "DM.AGE", "formula": "AGEE + 1"}, "position 1: dm has no variable"),
        ({"declare": "derivation", "variable": "DM.AGE", "formula": "upper(SEX)"}, "the column holds a number"),
        ({"declare": "derivation", "variable": "DM.AGE", "formula": "year(RFSTDTC)"}, "row 1: correction 1"),
        ({"declare": "derivation", "variable": "LB.LBTESTCD", "formula": "LBTESTCD"}, "from itself"),
        ({"declare": "derivation", "variable": "TS.TSVAL", "formula": "TSVAL"}, "from itself"),
        (
            {"declare": "derivation", "variable": "LB.VISITNUM", "formula": "SV.VISITNUM"},
            "several rows a subject",
        ),
        (
            {"declare": "derivation", "variable": "LB.LBTESTCD", "formula": "LBTEST", "exceptions": 0.5},
            "rows contradict it",
        ),
        ({"declare": "reference", "variable": "AE.EPOCH", "to": "SE.EPOCH"}, "names two rows"),
        ({"declare": "reference", "variable": "AE.AESTDY", "to": "SV.VISITNUM"}, "is not found in sv.VISITNUM"),
        ({"declare": "reference", "variable": "AE.AESEQ", "to": "AE.AESEQ"}, "leads to another table"),
        ({"deny": "link", "variable": "AE.AEOUT"}, "the table of subjects, dm"),
        (
            {"declare": "link", "variable": "DM.SEX", "value": "F", "table": "AE", "column": "AEOUT", "code": "FATAL"},
            "has no row of ae with AEOUT 'FATAL'",
        ),
        (
            {"declare": "link", "variable": "DM.SEX", "value": "X", "table": "AE", "column": "AEOUT", "code": "FATAL"},
            "dm.SEX is never 'X'. It is 'M', 'F'.",
        ),
        ({"declare": "link", "variable": "DM.SEX", "value": "F", "table": "AE"}, "has a row here"),
        (
            {
                "declare": "link",
                "variable": "DM.RFSTDTC",
                "table": "AE",
                "column": "AEOUT",
                "code": "FATAL",
                "date": "AEENDTC",
            },
            "the date is not the subject's RFSTDTC",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_what_does_not_fit_is_refused(few: Study, given: dict[str, Any], says: str) -> None:
    with pytest.raises(RequestError) as caught:
        corrected(few, given)
    assert says in str(caught.value)
    assert re.search(r"correction 1, \{", str(caught.value))


def test_formulas_that_rest_on_each_other_are_refused(study: Study) -> None:
    pair = [
        {"declare": "derivation", "variable": "VS.VSSTRESC", "formula": "text(VSSTRESN)"},
        {"declare": "derivation", "variable": "VS.VSSTRESN", "formula": "number(VSSTRESC)"},
    ]
    with pytest.raises(RequestError, match=r"correction 2.*rests on itself"):
        corrected(study, *pair)


def test_rows_of_joined_tables_are_named_by_their_file() -> None:
    trial = sdtm()
    lbhe = len(trial["lbhe"])
    with pytest.raises(RequestError, match=r"table lb(ch|he), column LBORRES, row \d+") as caught:
        corrected(trial, {"declare": "dependency", "variable": "LB.LBORRES", "by": ["LBTESTCD"]})
    assert caught.value.place.row <= max(len(trial["lbch"]), lbhe)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, "exactly one of the keys"),
        ({"variable": "LB.X"}, "exactly one of the keys"),
        ({"deny": "derivation", "kind": "text", "variable": "LB.X"}, "exactly one of the keys"),
        ({"deny": "derivation"}, "`deny: derivation` needs the key variable"),
        ({"deny": "derivation", "variable": "LB.X", "table": "LB"}, "`deny: derivation` has no key table"),
        ({"declare": "key", "table": "LB"}, "needs the key columns"),
        ({"declare": "link", "variable": "DM.X", "table": "AE"}, "either `value`"),
        (
            {"declare": "link", "variable": "DM.X", "table": "AE", "value": "Y", "column": "A"},
            "both `column` and `code`",
        ),
    ],
)
def test_forms_that_are_none(given: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(says)):
        Correction(**given)

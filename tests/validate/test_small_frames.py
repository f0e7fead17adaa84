"""Rules of SDTM on small frames: silent on the clean one, and on the broken one they name its row and no other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from validate.test_sdtm_rules import BREAKS

from datareplicator.standards.define import Define
from datareplicator.standards.terminology import CodeList
from datareplicator.study import Column, Study, Table
from datareplicator.validate.sdtm import SDTM_RULES, SdtmView

Columns = dict[str, list[Any]]
MANY = 60


def table(name: str, columns: Columns, labels: dict[str, str] | None = None) -> Table:
    frame = pd.DataFrame(
        {c: pd.Series(v, dtype="str" if any(isinstance(x, str) for x in v) else "float64") for c, v in columns.items()}
    )
    kinds = {c: "text" if pd.api.types.is_string_dtype(frame[c].dtype) else "float" for c in frame}
    return Table(name, frame, {c: Column(c, kinds[c], (labels or {}).get(c, "")) for c in frame})


def study(tables: dict[str, Columns]) -> Study:
    return Study({name: table(name, columns) for name, columns in tables.items()})


def rows(domain: str, count: int, **columns: Any) -> Columns:
    """`count` records of one subject; a plain value stands in every row."""
    held = {"STUDYID": "S", "DOMAIN": domain, "USUBJID": "S-1", f"{domain}SEQ": list(range(1, count + 1))} | columns
    return {c: list(v) if isinstance(v, list | range) else [v] * count for c, v in held.items()}


def dm(**columns: Any) -> Columns:
    base = {"SUBJID": "1", "SITEID": "S", "RFSTDTC": "2024-01-10", "SEX": "F", "COUNTRY": "USA"} | columns
    held = rows("DM", 1, **base)
    del held["DMSEQ"]
    return held


def design(domain: str, **columns: Any) -> Columns:
    count = max((len(v) for v in columns.values() if isinstance(v, list)), default=1)
    held = {"STUDYID": "S", "DOMAIN": domain} | columns
    return {c: list(v) if isinstance(v, list) else [v] * count for c, v in held.items()}


def ae(count: int = 2, **columns: Any) -> Columns:
    return rows("AE", count, **({"AETERM": ["HEADACHE", "NAUSEA"][:count], "AEDECOD": "X"} | columns))


def lb(count: int = MANY, **columns: Any) -> Columns:
    base = {"LBTESTCD": "ALT", "LBTEST": "Alanine Aminotransferase", "LBORRES": [str(k + 10) for k in range(count)]}
    base |= {"LBORRESU": "U/L", "LBSTRESC": base["LBORRES"], "LBSTRESN": [float(k + 10) for k in range(count)]}
    return rows("LB", count, **(base | {"LBSTRESU": "U/L"} | columns))


def vs(count: int = 4, **columns: Any) -> Columns:
    base = {"VSTESTCD": "HEIGHT", "VSTEST": "Height", "VSORRES": "170", "VSORRESU": "cm", "VSSTRESC": "170"}
    return rows("VS", count, **(base | {"VSSTRESN": 170.0, "VSSTRESU": "cm"} | columns))


def supplement(**columns: Any) -> Columns:
    base = {"STUDYID": "S", "RDOMAIN": "AE", "USUBJID": "S-1", "IDVAR": "AESEQ", "IDVARVAL": ["1", "2"]}
    base |= {"QNAM": "AETRTEM", "QLABEL": "Treatment Emergent Flag", "QVAL": "Y", "QORIG": "Derived"} | columns
    return {c: list(v) if isinstance(v, list) else [v] * 2 for c, v in base.items()}


def one_day_apart(count: int) -> list[str]:
    return [str(day) for day in np.datetime64("2024-01-15") + np.arange(count)]


def subjects(count: int) -> list[str]:
    return [f"S-{k}" for k in range(1, count + 1)]


def people(count: int, **columns: Any) -> Columns:
    base = {"USUBJID": subjects(count), "SUBJID": [str(k) for k in range(1, count + 1)], "SITEID": "S"}
    base |= {"RFSTDTC": "2024-01-10", "SEX": "F", "COUNTRY": "USA"} | columns
    held = rows("DM", count, **base)
    del held["DMSEQ"]
    return held


def visits(count: int, **columns: Any) -> Columns:
    base = {"USUBJID": subjects(count), "VISITNUM": 2.0, "VISIT": "WEEK 1", "SVSTDTC": "2024-01-17"} | columns
    held = rows("SV", count, **base)
    del held["SVSEQ"]
    return held


# Rule: the clean tables, and the cell (table, row, column, value) that breaks it there.
CELLS: dict[str, tuple[dict[str, Columns], tuple[str, int, str, Any]]] = {
    "DR0003": ({"ae": ae(AESTDY=["1", "2"])}, ("ae", 1, "AESTDY", "two")),
    "DR0109": ({"dm": dm(), "ae": ae()}, ("ae", 1, "STUDYID", "T")),
    "DR0110": ({"dm": people(MANY)}, ("dm", 3, "USUBJID", "S-99")),
    "DR0111": ({"ae": ae()}, ("ae", 1, "AESEQ", 1.5)),
    "DR0113": ({"ae": ae()}, ("ae", 1, "STUDYID", "STUDYID")),
    "DR0114": ({"vs": vs(VSDTC=one_day_apart(4))}, ("vs", 3, "VSDTC", "2024-01-17")),
    "DR0115": ({"ae": ae(AESTDTC="2024-02-02", AESEV=["MILD", "SEVERE"])}, ("ae", 1, "AETERM", "HEADACHE")),
    "DR0116": ({"ae": ae(200, AETERM="X", AEREL="N")}, ("ae", 7, "AEREL", None)),
    "DR0212": ({"ae": ae(AESTDTC="2024-02-02"), "ts": design("TS", TSPARMCD=["SENDTC"], TSVAL="2024-12-31")},
               ("ae", 1, "AESTDTC", "2025-01-01")),
    "DR0213": ({"dm": dm(BRTHDTC="1980-03"), "ae": ae(AESTDTC="2024-02-02")}, ("ae", 0, "AESTDTC", "1979-01-01")),
    "DR0214": ({"sv": visits(1, USUBJID="S-1", SVSTDTC="2024-01-15"),
                "vs": vs(MANY, VSDTC="2024-01-15", VISITNUM=2.0)}, ("vs", 3, "VSDTC", "2024-02-15")),
    "DR0215": ({"dm": dm(RFICDTC="2024-01-02"), "ex": rows("EX", 1, EXTRT="A", EXSTDTC="2024-01-10")},
               ("ex", 0, "EXSTDTC", "2024-01-01")),
    "DR0216": ({"ae": ae(MANY, AETERM="X", AESTDTC="2024-02-02T10:00")}, ("ae", 4, "AESTDTC", "2024-02-02T10:00Z")),
    "DR0217": ({"ae": ae(200, AETERM="X", AESTDTC="2024-02-02")}, ("ae", 4, "AESTDTC", "2024-02")),
    "DR0218": ({"lb": lb(LBDTC="2024-01-01", LBENDTC="2024-01-02")}, ("lb", 4, "LBENDTC", "2023-12-31")),
    "DR0219": ({"dm": dm(RFICDTC="2024-01-02"),
                "ds": rows("DS", 1, DSTERM="C", DSDECOD="INFORMED CONSENT OBTAINED", DSSTDTC="2024-01-02")},
               ("dm", 0, "RFICDTC", "2024-01-03")),
    "DR0220": ({"dm": dm(), "ae": ae(AESTDTC="2024-01-11", AESTDY=2.0)}, ("ae", 1, "AESTDY", None)),
    "DR0221": ({"ae": ae(AESTDTC="2024-02-02")}, ("ae", 1, "AESTDTC", "1024-02-02")),
    "DR0222": ({"dm": dm(RFCSTDTC="2024-01-10", RFCENDTC="2024-01-11")}, ("dm", 0, "RFCENDTC", "2024-01-09")),
    "DR0223": ({"dm": dm(), "mh": rows("MH", 2, MHTERM="X", MHENDTC="2019")}, ("mh", 1, "MHENDTC", "2025")),
    "DR0314": ({"lb": lb()}, ("lb", 5, "LBSTRESN", 150.0)),
    "DR0315": ({"lb": lb(200)}, ("lb", 5, "LBORRESU", "ukat/L")),
    "DR0316": ({"lb": lb()}, ("lb", 5, "LBSTRESU", None)),
    "DR0317": ({"vs": vs()}, ("vs", 1, "VSSTRESN", 1700.0)),
    "DR0318": ({"lb": lb()}, ("lb", 5, "LBSTRESN", -15.0)),
    "DR0319": ({"lb": lb()}, ("lb", 5, "LBORRES", "15 U")),
    "DR0323": ({"lb": lb(LBORNRLO="5")}, ("lb", 5, "LBORRES", "POSITIVE")),
    "DR0324": ({"lb": lb(LBSTNRLO=5.0, LBSTNRHI=99.0, LBNRIND="NORMAL")}, ("lb", 5, "LBNRIND", None)),
    "DR0325": ({"lb": lb(LBORRES="NEG", LBSTRESC="NEGATIVE", LBSTRESN=None)}, ("lb", 5, "LBSTRESC", "POSITIVE")),
    "DR0326": ({"dm": dm(AGE=40.0), "vs": vs()}, ("vs", 1, "VSSTRESN", 150.0)),
    "DR0327": ({"vs": vs(3, VSTESTCD=["HEIGHT", "WEIGHT", "BMI"], VSSTRESN=[200.0, 80.0, 20.0], VISITNUM=1.0)},
               ("vs", 2, "VSSTRESN", 25.0)),
    "DR0328": ({"dm": dm(), "lb": lb(LBBLFL="Y", LBDTC="2024-01-09")}, ("lb", 5, "LBDTC", "2024-02-09")),
    "DR0329": ({"dm": people(MANY), "lb": lb(USUBJID=subjects(MANY), LBDTC="2024-01-02", LBBLFL="Y")},
               ("lb", 7, "LBBLFL", None)),
    "DR0330": ({"lb": lb(LBLOBXFL="Y")}, ("lb", 5, "LBORRES", None)),
    "DR0407": ({"dm": people(MANY), "sv": visits(MANY)}, ("sv", 5, "SVSTDTC", "2024-03-17")),
    "DR0408": ({"sv": visits(MANY), "vs": vs(MANY, USUBJID=subjects(MANY), VISITNUM=2.0)}, ("sv", 5, "VISITNUM", 3.0)),
    "DR0409": ({"sv": visits(MANY, VISITDY=8.0)}, ("sv", 5, "VISITDY", 9.0)),
    "DR0410": ({"sv": visits(2, USUBJID="S-1", VISITNUM=[1.0, 2.0]), "tv": design("TV", VISITNUM=[1.0, 2.0])},
               ("sv", 1, "VISITNUM", 1.0)),
    "DR0411": ({"se": rows("SE", 2, ETCD=["A", "B"], SESTDTC=["2024-01-01", "2024-01-05"],
                           SEENDTC=["2024-01-05", "2024-02-01"])}, ("se", 0, "SEENDTC", "2024-01-03")),
    "DR0413": ({"se": rows("SE", 2, ETCD=["A", "B"], SESTDTC=["2024-01-01", "2024-01-05"],
                           SEENDTC=["2024-01-05", "2024-02-01"])}, ("se", 0, "SEENDTC", None)),
    "DR0414": ({"vs": vs(MANY, VSDTC=one_day_apart(MANY), VISITNUM=[float(k) for k in range(MANY)])},
               ("vs", 30, "VSDTC", "2024-01-16")),
    "DR0415": ({"te": design("TE", ETCD=["A", "B"]), "se": rows("SE", 2, ETCD=["A", "B"])}, ("se", 1, "ETCD", "C")),
    "DR0416": ({"tv": design("TV", VISITNUM=[2.0], VISIT="WEEK 1"), "sv": visits(2)}, ("sv", 1, "VISIT", "WEEK 9")),
    "DR0417": ({"tv": design("TV", VISITNUM=[2.0]), "sv": visits(2, SVPRESP="Y")}, ("sv", 1, "SVPRESP", None)),
    "DR0511": ({"dm": dm(RFXSTDTC="2024-01-10"), "ex": rows("EX", 1, EXTRT="A", EXSTDTC="2024-01-10")},
               ("dm", 0, "RFXSTDTC", "2024-01-11")),
    "DR0512": ({"dm": dm(RFXENDTC="2024-01-20"),
                "ex": rows("EX", 1, EXTRT="A", EXSTDTC="2024-01-10", EXENDTC="2024-01-20")},
               ("dm", 0, "RFXENDTC", "2024-01-11")),
    "DR0513": ({"dm": people(MANY, ACTARMCD="A"), "ex": rows("EX", MANY, USUBJID=subjects(MANY), EXTRT="DRUG A")},
               ("ex", 5, "EXTRT", "DRUG B")),
    "DR0514": ({"ie": rows("IE", 1, IETESTCD="I1", IECAT="INCLUSION", IEORRES="N"),
                "ex": rows("EX", 1, EXTRT="A", USUBJID="S-2")}, ("ie", 0, "USUBJID", "S-2")),
    "DR0515": ({"dm": dm(ARMCD="A", AGE=40.0), "ts": design("TS", TSPARMCD=["AGEMAX"], TSVAL="P65Y")},
               ("dm", 0, "AGE", 66.0)),
    "DR0516": ({"ds": rows("DS", 2, DSTERM="X", DSDECOD="COMPLETED", DSCAT="DISPOSITION EVENT", EPOCH=["A", "B"])},
               ("ds", 1, "EPOCH", "A")),
    "DR0517": ({"ds": rows("DS", 2, DSTERM="X", DSDECOD="COMPLETED", DSCAT="DISPOSITION EVENT")},
               ("ds", 1, "DSDECOD", "DEATH")),
    "DR0518": ({"ds": rows("DS", 1, DSTERM="X", DSDECOD="ADVERSE EVENT"), "ae": ae(AEACN="DRUG WITHDRAWN")},
               ("ds", 0, "USUBJID", "S-2")),
    "DR0519": ({"dm": dm(ARMCD="A", ARM="Drug A")}, ("dm", 0, "ARM", None)),
    "DR0520": ({"dm": dm(ARMCD="A", ARM="Drug A"), "ta": design("TA", ARMCD=["A"], ARM="Drug A")},
               ("dm", 0, "ARM", "Drug B")),
    "DR0521": ({"ds": rows("DS", 1, DSTERM="X", DSCAT="DISPOSITION EVENT", DSSTDTC="2024-02-01"),
                "ex": rows("EX", 1, EXTRT="A", EXENDTC="2024-01-20")}, ("ex", 0, "EXENDTC", "2024-02-20")),
    "DR0522": ({"ex": rows("EX", 2, EXTRT="A", EXSTDTC=["2024-01-10", "2024-01-15"],
                           EXENDTC=["2024-01-14", "2024-01-20"])}, ("ex", 1, "EXSTDTC", "2024-01-12")),
    "DR0523": ({"ds": rows("DS", 1, DSTERM="COMPLETED", DSDECOD="COMPLETED")}, ("ds", 0, "DSDECOD", "OTHER")),
    "DR0524": ({"dm": dm(ACTARMCD="SCRNFAIL")}, ("dm", 0, "ACTARMCD", "A")),
    "DR0525": ({"ie": rows("IE", 2, IETESTCD="I1", IECAT="INCLUSION", IEORRES="N")}, ("ie", 1, "IEORRES", "Y")),
    "DR0609": ({"ae": ae(AEOUT="UNKNOWN", AESDTH="N")}, ("ae", 1, "AEOUT", "FATAL")),
    "DR0610": ({"dm": dm(DTHDTC="2024-03-01"), "ae": ae(AEENDTC="2024-02-01")}, ("ae", 1, "AEENDTC", "2024-04-01")),
    "DR0611": ({"dm": people(2, DTHFL="Y"), "dd": rows("DD", 1, DDTESTCD="PRCDTH")}, ("dm", 0, "DTHFL", None)),
    "DR0612": ({"dm": dm(DTHFL=None) | {"DTHFL": ["N"]}, "ae": ae(AEOUT="UNKNOWN")}, ("dm", 0, "DTHFL", "Y")),
    "DR0808": ({"suppae": supplement()}, ("suppae", 1, "IDVARVAL", None)),
    "DR0809": ({"suppae": supplement()}, ("suppae", 1, "QLABEL", "L" * 41)),
    "DR0810": ({"suppae": supplement()}, ("suppae", 1, "QNAM", "AESEV")),
    "DR0811": ({"suppae": supplement()}, ("suppae", 1, "RDOMAIN", "CM")),
    "DR0812": ({"relrec": {"STUDYID": ["S"] * 2, "RDOMAIN": ["AE", "CM"], "USUBJID": ["S-1"] * 2, "RELID": ["R"] * 2,
                           "IDVAR": ["AESEQ", "CMSEQ"], "IDVARVAL": ["1", "1"], "RELTYPE": [None, None]}},
               ("relrec", 0, "RELTYPE", "ONE")),
    "DR0907": ({"lb": lb(LBSPEC="SERUM")}, ("lb", 5, "LBSPEC", "Serum")),
    "DR0908": ({"vs": vs()}, ("vs", 1, "VSTEST", "Weight")),
    "DR0909": ({"ae": ae()}, ("ae", 1, "AETERM", "TWO  BLANKS")),
    "DR0910": ({"ae": ae()}, ("ae", 1, "AETERM", "Ãœbelkeit")),
    "DR0911": ({"ae": ae(MANY, AETERM="HEADACHE")}, ("ae", 5, "AETERM", "Headache")),
    "DR0912": ({"ae": ae(MANY, AETERM="HEADACHE")}, ("ae", 5, "AETERM", "HEADCAHE")),
    "DR0913": ({"lb": lb()}, ("lb", 5, "LBTEST", None)),
    "DR0951": ({"lb": lb(LBTPT="1 H", LBTPTREF="DOSE", LBELTM="PT1H")}, ("lb", 5, "LBTPTREF", None)),
    "DR0952": ({"ae": ae(AECAT="A", AESCAT="B")}, ("ae", 1, "AESCAT", "A")),
    "DR0953": ({"ex": rows("EX", 2, EXTRT="A", EXDUR="P1D")}, ("ex", 1, "EXDUR", "-P1D")),
    "DR0954": ({"ta": design("TA", ARMCD=["A", "B"])}, ("ta", 1, "ARMCD", "A" * 21)),
    "DR0955": ({"cm": rows("CM", 2, CMTRT="A", CMPRESP="Y", CMOCCUR="Y")}, ("cm", 1, "CMOCCUR", None)),
    "DR0956": ({"cm": rows("CM", 2, CMTRT="A")}, ("cm", 1, "CMTRT", "MULTIPLE")),
    "DR0957": ({"lb": lb()}, ("lb", 5, "LBTESTCD", "1ALT")),
    "DR0958": ({"cm": rows("CM", 2, CMTRT="A", CMDOSTXT="1-2")}, ("cm", 1, "CMDOSTXT", "2")),
    "DR0959": ({"ec": rows("EC", 2, ECTRT="A", ECDOSE=5.0)}, ("ec", 1, "ECDOSE", 0.0)),
    "DR0960": ({"se": rows("SE", 2, ETCD="A", SEUPDES=None)}, ("se", 1, "ETCD", "UNPLAN")),
    "DR0961": ({"ta": design("TA", ARMCD="A", TAETORD=[1.0, 2.0])}, ("ta", 1, "TAETORD", 1.0)),
    "DR0962": ({"dm": dm(RFENDTC="2024-03-01"), "ae": ae(AEENRF="AFTER", AEOCCUR="Y")}, ("ae", 1, "AEOCCUR", "N")),
    "DR0963": ({"ex": rows("EX", 2, EXTRT="A", EXSTDY=1.0)}, ("ex", 1, "EXSTDY", -3.0)),
    "DR0964": ({"ae": ae(AEENRTPT="ONGOING")}, ("ae", 1, "AEENRTPT", "LATER")),
    "DR0966": ({"co": design("CO", USUBJID="S-1", COSEQ=[1.0, 2.0], IDVAR="AESEQ", CODTC=[None, None])},
               ("co", 1, "CODTC", "2024-01-01")),
    "DR0967": ({"ae": ae(AESTDTC="2024-02-02")}, ("ae", 1, "AESTDTC", None)),
}  # fmt: skip


def test_every_rule_is_broken_somewhere() -> None:
    of_define = {"DR0002", "DR0004"}
    assert set(BREAKS) | set(CELLS) | set(WHOLE) | of_define == {rule.id for rule in SDTM_RULES}


def found(rule: str, view: SdtmView) -> set[tuple[str, int]]:
    """Tables and 0-based rows with findings; -1 for a table or column."""
    return {
        (hit.part.tables[hit.part.table[row]], int(hit.part.row[row]))
        for hit in SDTM_RULES[rule].check(view)
        for row in np.flatnonzero(hit.bad)
    }


def changed(source: Study, name: str, row: int, column: str, value: Any) -> Study:
    frame = source[name].frame.copy()
    if isinstance(value, str) and not pd.api.types.is_string_dtype(frame[column].dtype):
        frame[column] = frame[column].astype("str").where(frame[column].notna())
    frame.loc[row, column] = value
    return Study(source.tables | {name: Table(name, frame, source[name].columns)})


@pytest.mark.parametrize("rule", CELLS)
def test_a_rule_names_the_broken_row(rule: str) -> None:
    tables, (name, row, column, value) = CELLS[rule]
    clean = study(tables)
    assert found(rule, SdtmView(clean)) == set()
    expected = ("dd", 0) if rule == "DR0611" else (name, row)
    assert found(rule, SdtmView(changed(clean, name, row, column, value))) == {expected}


# Rules of whole tables and columns: clean tables, broken tables, what is found.
WHOLE: dict[str, tuple[dict[str, Columns], dict[str, Columns], set[tuple[str, int]]]] = {
    "DR0001": ({"ae": ae()}, {"ae": ae(AETERMTEXT="X")}, {("ae", -1)}),
    "DR0005": ({"ae": ae()}, {"ae": ae(AETREM="X")}, {("ae", -1)}),
    "DR0006": ({"ae": ae()}, {"ae": ae(AESTAT="X")}, {("ae", -1)}),
    "DR0007": ({"lb": lb(LBTPT="1", LBTPTNUM=1.0)}, {"lb": lb(LBTPT="1")}, {("lb", -1)}),
    "DR0008": ({"ae": ae(AESTDTC="2024-01-01", AESTDY=1.0)}, {"ae": ae(AESTDTC="2024-01-01")}, {("ae", -1)}),
    "DR0009": ({"ae": ae()}, {"cm": ae()}, {("cm", -1)}),
    "DR0010": ({"ae": ae()}, {"ae": ae(), "cm": {"CMTRT": []}}, {("cm", -1)}),
    "DR0011": ({"dm": dm(), "ae": ae()}, {"ae": ae()}, {("DM", -1)}),
    "DR0012": ({"ta": design("TA")}, {"tp": design("TP")}, {("tp", -1)}),
    "DR0013": ({"cm": rows("CM", 1, CMTRT="A")}, {"cm": rows("CM", 1, CMDECOD="A")}, {("cm", -1)}),
    "DR0112": (
        {"ae": ae(4, AETERM="X", USUBJID=["S-1", "S-1", "S-2", "S-2"])},
        {"ae": ae(4, AETERM="X", USUBJID=["S-1", "S-2", "S-1", "S-2"])},
        {("ae", 2), ("ae", 3)},
    ),
    "DR0412": (
        {"se": rows("SE", 2, ETCD="A", SESTDTC=["2024-01-01", "2024-01-05"], SEENDTC="2024-03-01")},
        {"se": rows("SE", 2, SESEQ=[2, 1], ETCD="A", SESTDTC=["2024-01-01", "2024-01-05"], SEENDTC="2024-03-01")},
        {("se", 1)},
    ),
    "DR0965": (
        {"lb": lb(2, VISITNUM=1.0, LBTPT="1 H", LBTPTNUM=1.0, LBELTM="PT1H")},
        {"lb": lb(2, VISITNUM=1.0, LBTPT="1 H", LBTPTNUM=1.0, LBELTM=["PT1H", "PT2H"])},
        {("lb", 0), ("lb", 1)},
    ),
}


@pytest.mark.parametrize("rule", WHOLE)
def test_a_rule_of_tables_names_them(rule: str) -> None:
    clean, broken, expected = WHOLE[rule]
    assert found(rule, SdtmView(study(clean))) == set()
    assert found(rule, SdtmView(study(broken))) == expected


def test_a_label_of_more_than_forty_characters() -> None:
    short, long = (Study({"ae": table("ae", ae(), {"AETERM": "L" * size})}) for size in (40, 41))
    assert found("DR0002", SdtmView(short)) == set() and found("DR0002", SdtmView(long)) == {("ae", -1)}


def test_define_comes_before_the_standard() -> None:
    grades = CodeList("GRADE", {"1": "1", "2": "2"}, False, source="Define-XML")
    define = Define({("AE", "AESEV"): grades}, {("AE", "AETERM"): 8})
    view = SdtmView(study({"ae": ae(MANY, AETERM="HEADACHE", AESEV=["1"] * (MANY - 1) + ["MILD"])}), define)
    assert found("DR0903", view) == {("ae", MANY - 1)}
    assert found("DR0004", view) == set()
    longer = SdtmView(study({"ae": ae(1, AETERM=["HEADACHES"])}), define)
    assert found("DR0004", longer) == {("ae", 0)}


def _everything_text(columns: Columns) -> Columns:
    return {name: ["?" if value is None else f"x{value}" for value in held] for name, held in columns.items()}


def _everything_missing(columns: Columns) -> Columns:
    return {name: [None] * len(held) for name, held in columns.items()}


def _without_rows(columns: Columns) -> Columns:
    return {name: [] for name in columns}


@pytest.mark.parametrize("odd", [_everything_text, _everything_missing, _without_rows])
def test_no_rule_breaks_on_odd_tables(odd: Callable[[Columns], Columns]) -> None:
    whole: dict[str, Columns] = {}
    for tables, _ in CELLS.values():
        for name, columns in tables.items():
            if len(next(iter(columns.values()))) > len(next(iter(whole.get(name, {"": []}).values()))):
                whole[name] = columns
    for broken in [{name} for name in ("dm", "sv", "se", "lb", "ae")] + [set(whole)]:
        view = SdtmView(study({name: odd(held) if name in broken else held for name, held in whole.items()}))
        for rule in SDTM_RULES:
            for hit in rule.check(view):
                assert hit.bad.dtype == bool and len(hit.bad) == len(hit.part)

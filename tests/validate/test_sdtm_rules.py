"""Each SDTM rule is silent on the sample study and speaks on a copy that breaks it, at the row that breaks it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from datareplicator.data import sample_study_path
from datareplicator.formats import read_study
from datareplicator.study import Study
from datareplicator.validate.sdtm import SDTM_RULES, SdtmView

Change = Callable[[dict[str, pd.DataFrame]], tuple[str, int]]


@pytest.fixture(scope="module")
def sample() -> Study:
    return read_study(sample_study_path())


def broken_rows(rule: str, study: Study) -> set[tuple[str, int]]:
    """Tables and 0-based rows with findings."""
    return {
        (hit.part.tables[hit.part.table[row]], int(hit.part.row[row]))
        for hit in SDTM_RULES[rule].check(SdtmView(study))
        for row in np.flatnonzero(hit.bad)
    }


def first(frame: pd.DataFrame, mask: pd.Series | np.ndarray) -> int:
    rows = np.flatnonzero(np.asarray(mask, dtype=bool))
    assert len(rows), "the sample has no row to break"
    return int(rows[0])


def put(table: str, column: str, value: object, where: Callable[[pd.DataFrame], pd.Series] | None = None) -> Change:
    """Set one cell of the first row that fits; the change returns the table and row."""

    def change(frames: dict[str, pd.DataFrame]) -> tuple[str, int]:
        frame = frames[table]
        row = 0 if where is None else first(frame, where(frame))
        new = value(frame, row) if callable(value) else value
        frames[table] = frame.assign(
            **{column: pd.Series([*frame[column][:row], new, *frame[column][row + 1 :]], dtype=frame[column].dtype)}
        )
        return table, row

    return change


def repeat(table: str, **new: object) -> Change:
    """Add a copy of the last row with some other values."""

    def change(frames: dict[str, pd.DataFrame]) -> tuple[str, int]:
        frame = frames[table]
        frames[table] = pd.concat([frame, frame.tail(1).assign(**new)], ignore_index=True)
        return table, len(frame)

    return change


def drop(table: str, where: Callable[[pd.DataFrame], pd.Series], breaks: tuple[str, str]) -> Change:
    """Remove the rows of one subject; the broken row is that subject's first in another table."""

    def change(frames: dict[str, pd.DataFrame]) -> tuple[str, int]:
        frame = frames[table]
        subject = frame.USUBJID[first(frame, where(frame))]
        frames[table] = frame[(subject != frame.USUBJID) | ~where(frame)].reset_index(drop=True)
        other, column = breaks
        return other, first(frames[other], frames[other][column] == subject)

    return change


def treated(frame: pd.DataFrame) -> pd.Series:
    return frame.ARMCD.notna()


def fatal(frame: pd.DataFrame) -> pd.Series:
    return frame.AEOUT == "FATAL"


def dead(frame: pd.DataFrame) -> pd.Series:
    return frame.DTHFL == "Y"


def has(column: str) -> Callable[[pd.DataFrame], pd.Series]:
    return lambda frame: frame[column].notna()


def no(column: str) -> Callable[[pd.DataFrame], pd.Series]:
    return lambda frame: frame[column].isna()


def is_(column: str, value: object) -> Callable[[pd.DataFrame], pd.Series]:
    return lambda frame: frame[column] == value


def numeric_result(frame: pd.DataFrame) -> pd.Series:
    return frame.LBSTRESN.notna() & (frame.LBTESTCD == "ALT")


def living_with_event(frames: dict[str, pd.DataFrame], table: str) -> int:
    died = frames["dm"].USUBJID[frames["dm"].DTHFL == "Y"]
    return first(frames[table], ~frames[table].USUBJID.isin(died))


def of_living(table: str, column: str, value: object) -> Change:
    def change(frames: dict[str, pd.DataFrame]) -> tuple[str, int]:
        row = living_with_event(frames, table)
        return put(table, column, value, lambda frame: pd.Series(np.arange(len(frame)) == row))(frames)

    return change


def of_dead(table: str, column: str, value: object) -> Change:
    def change(frames: dict[str, pd.DataFrame]) -> tuple[str, int]:
        died = frames["dm"].USUBJID[frames["dm"].DTHFL == "Y"]
        return put(table, column, value, lambda frame: frame.USUBJID.isin(died))(frames)

    return change


def untreated_exposure(frames: dict[str, pd.DataFrame]) -> tuple[str, int]:
    failed = frames["dm"].USUBJID[frames["dm"].ARMCD.isna()].iloc[0]
    return put("ex", "USUBJID", failed)(frames)


def second_baseline(frames: dict[str, pd.DataFrame]) -> tuple[str, int]:
    lb = frames["lb"]
    later = lb.groupby(["USUBJID", "LBTESTCD"]).LBBLFL.ffill().notna() & lb.LBBLFL.isna()
    return put("lb", "LBBLFL", "Y", lambda _: later)(frames)


def systolic_low(frames: dict[str, pd.DataFrame]) -> tuple[str, int]:
    vs = frames["vs"]
    row = first(vs, vs.VSTESTCD == "SYSBP")
    put("vs", "VSSTRESN", 20.0, is_("VSTESTCD", "SYSBP"))(frames)
    keys = ["USUBJID", "VISITNUM", "VSPOS", "VSTPT"]
    same = (vs[keys].fillna("") == vs.loc[row, keys].fillna("")).all(axis=1)
    return "vs", first(vs, same & (vs.VSTESTCD == "DIABP"))


def early_visit(frames: dict[str, pd.DataFrame]) -> tuple[str, int]:
    return put("sv", "SVSTDTC", "2001-01-01", is_("VISIT", "WEEK 12"))(frames)


BREAKS: dict[str, Change] = {
    "DR0101": put("ae", "USUBJID", "NOBODY"),
    "DR0102": repeat("dm"),
    "DR0103": repeat("dm", USUBJID="DR-201-099"),
    "DR0104": repeat("cm"),
    "DR0105": put("ae", "AETERM", None),
    "DR0106": put("ae", "DOMAIN", "CM"),
    "DR0107": repeat("cm", CMSEQ=999.0),
    "DR0201": put("ae", "AESTDTC", "2023-02-30"),
    "DR0202": put("ae", "AESTDY", lambda f, i: f.AESTDY[i] + 3, has("AESTDY")),
    "DR0203": put("ae", "AESTDY", 0.0),
    "DR0204": put("cm", "CMSTDY", 5.0, lambda f: f.CMSTDTC.str.len() == 4),
    "DR0205": put("ae", "AEENDTC", "2001-01", has("AEENDTC")),
    "DR0206": put("ae", "AEENDY", -500.0, has("AEENDY")),
    "DR0207": put("dm", "RFENDTC", "2001-01-01", treated),
    "DR0208": put("dm", "RFXENDTC", "2001-01-01", treated),
    "DR0209": put("dm", "RFICDTC", "2031-01-01", treated),
    "DR0210": put("vs", "VSDTC", "2031-01-01"),
    "DR0211": put("mh", "MHSTDTC", "2031"),
    "DR0301": put("lb", "LBSTRESC", None, has("LBORRES")),
    "DR0302": put("lb", "LBSTRESN", 1234.0, numeric_result),
    "DR0303": put("lb", "LBSTRESC", "MANY", numeric_result),
    "DR0304": put("lb", "LBSTRESU", "mg", numeric_result),
    "DR0305": put("vs", "VSORRESU", None, is_("VSTESTCD", "WEIGHT")),
    "DR0306": put("vs", "VSSTRESN", lambda f, i: f.VSSTRESN[i] / 0.4536, lambda f: f.VSORRESU == "LB"),
    "DR0307": put("lb", "LBORRES", "5", is_("LBSTAT", "NOT DONE")),
    "DR0308": put("lb", "LBREASND", "FORGOTTEN", no("LBSTAT")),
    "DR0309": put("lb", "LBSTNRLO", 1e6, numeric_result),
    "DR0310": put("lb", "LBNRIND", "LOW", numeric_result),
    "DR0311": systolic_low,
    "DR0312": put("lb", "LBORRES", None, no("LBSTAT")),
    "DR0313": put("lb", "LBREASND", None, has("LBSTAT")),
    "DR0320": second_baseline,
    "DR0321": put("lb", "LBBLFL", "N", no("LBBLFL")),
    "DR0322": put("lb", "LBSTRESC", None, is_("LBBLFL", "Y")),
    "DR0401": put("lb", "VISITNUM", 77.0),
    "DR0402": put("sv", "VISITNUM", 77.0),
    "DR0403": put("sv", "VISITDY", 33.0, has("SVUPDES")),
    "DR0404": early_visit,
    "DR0405": put("ae", "EPOCH", "AFTERMATH"),
    "DR0406": put("ae", "EPOCH", "SCREENING", is_("EPOCH", "FOLLOW-UP")),
    "DR0501": put("dm", "ARMCD", "VEL99", treated),
    "DR0502": drop("ex", has("EXTRT"), ("dm", "USUBJID")),
    "DR0503": untreated_exposure,
    "DR0504": put("ex", "EXDOSE", -10.0),
    "DR0505": put("ex", "EXDOSU", None),
    "DR0506": drop("ds", has("DSTERM"), ("dm", "USUBJID")),
    "DR0507": repeat("ds", DSDECOD="RANDOMIZED", USUBJID="DR-201-011-001"),
    "DR0508": put("dm", "AGE", -60.0),
    "DR0509": put("dm", "AGE", lambda f, i: f.AGE[i] + 20),
    "DR0510": put("ex", "EXSTDTC", "2031-01-01"),
    "DR0601": put("dm", "DTHDTC", None, dead),
    "DR0602": of_living("ae", "AEOUT", "FATAL"),
    "DR0603": of_living("ae", "AESDTH", "Y"),
    "DR0604": of_living("ds", "DSDECOD", "DEATH"),
    "DR0605": put("ds", "DSSTDTC", "2023-01-01", is_("DSDECOD", "DEATH")),
    "DR0606": put("ae", "AEENDTC", "2023-01-01", fatal),
    "DR0607": drop("ds", is_("DSDECOD", "DEATH"), ("dm", "USUBJID")),
    "DR0608": of_dead("vs", "VSDTC", "2031-01-01"),
    "DR0701": put("ae", "AESER", "Y", is_("AESER", "N")),
    "DR0702": put("ae", "AESER", "N", is_("AESER", "Y")),
    "DR0703": put("ae", "AEOUT", "NOT RECOVERED/NOT RESOLVED", has("AEENDTC")),
    "DR0704": put("ae", "AEENDTC", None, is_("AEOUT", "RECOVERED/RESOLVED")),
    "DR0705": put("ae", "AESTDTC", "2031-01-01"),
    "DR0706": of_living("ae", "AEACN", "DRUG WITHDRAWN"),
    "DR0801": put("suppae", "IDVARVAL", "999"),
    "DR0802": put("relrec", "IDVARVAL", "999"),
    "DR0803": repeat("suppae"),
    "DR0804": put("suppae", "QNAM", "aetrtem"),
    "DR0805": put("suppae", "RDOMAIN", "XX"),
    "DR0806": repeat("relrec", RELID="ALONE"),
    "DR0807": put("suppae", "QVAL", None),
    "DR0901": put("vs", "VSTEST", "Weight", is_("VSTESTCD", "PULSE")),
    "DR0902": put("vs", "VISIT", "WEEK 2", is_("VISITNUM", 4.0)),
    "DR0903": put("dm", "SEX", "FEMALE"),
    "DR0904": put("ae", "AETERM", " HEADACHE"),
    "DR0905": put("ae", "AETERM", "ÜBELKEIT"),
    "DR0906": put("ae", "AETERM", "A" * 201),
}


def test_rules_are_well_formed():
    for rule in SDTM_RULES:
        assert rule.message.endswith(".") and len(rule.message) < 120
        assert all(core.startswith("CORE-") and len(core) == 11 for core in rule.core)


@pytest.mark.parametrize("rule", BREAKS)
def test_a_rule_speaks_where_it_is_broken_and_nowhere_else(rule, sample):
    assert broken_rows(rule, sample) == set()
    frames = sample.frames()
    where = BREAKS[rule](frames)
    broken = Study({name: replace(table, frame=frames[name]) for name, table in sample.tables.items()}, sample.name)
    assert where in broken_rows(rule, broken)


def test_sequence_numbers_run_across_the_parts_of_a_split_domain(sample):
    lb = sample["lb"]
    parts = {f"lb{i}": replace(lb, name=f"lb{i}", frame=lb.frame.iloc[i::2].reset_index(drop=True)) for i in range(2)}
    tables = {name: table for name, table in sample.tables.items() if name != "lb"} | parts
    assert broken_rows("DR0104", Study(tables)) == set()
    parts["lb1"] = replace(
        parts["lb1"], frame=parts["lb1"].frame.assign(LBSEQ=parts["lb0"].frame.LBSEQ.iloc[: len(parts["lb1"])])
    )
    assert {name for name, _ in broken_rows("DR0104", Study(tables | parts))} == {"lb1"}

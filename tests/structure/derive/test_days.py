"""Study days, durations, ages, dates from parts, baselines, periods, aggregates of children."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st
from support.contexts import finds, ids, iso, normal, reproduced

from datareplicator.structure.derive import compute
from datareplicator.structure.derive.days import age
from datareplicator.structure.derive.view import View
from datareplicator.structure.spec import Derivation, Ref

RNG = np.random.default_rng(13)
N = 30
ANCHOR = 16000.0 + RNG.integers(0, 300, N)


def study_day(day: np.ndarray, anchor: np.ndarray) -> np.ndarray:
    return day - anchor + (day >= anchor)


def trial() -> dict[str, pd.DataFrame]:
    who = np.repeat(np.arange(N), 4)
    start = ANCHOR[who] + RNG.integers(-20, 60, 4 * N)
    end = start + RNG.integers(0, 30, 4 * N)
    text = iso(start)
    text[::9] = [t[:7] for t in text[::9]]
    day = study_day(start, ANCHOR[who])
    day[::9] = np.nan
    ae = pd.DataFrame(
        {
            "USUBJID": ids(N)[who],
            "AESTDTC": text,
            "AEENDTC": iso(end),
            "AESTDY": day,
            "AEENDY": study_day(end, ANCHOR[who]),
            "ADURN": np.where(np.isnan(day), np.nan, end - start + 1),
            "NOISE": RNG.integers(-20, 60, 4 * N).astype(float),
        }
    )
    dm = pd.DataFrame({"USUBJID": ids(N), "RFSTDTC": iso(ANCHOR), "DMDTC": iso(ANCHOR - RNG.integers(3, 15, N))})
    return {"DM": dm, "AE": ae}


def test_study_days_find_their_anchor_and_stay_missing_where_the_date_is_partial() -> None:
    frames = trial()
    for target in ("AESTDY", "AEENDY"):
        (d, *_) = finds(frames, target, "study_day")
        assert d.sources[1] == Ref(table="DM", column="RFSTDTC")
        assert (d.agreement, reproduced(d, frames)) == (1.0, 1.0)
    assert not finds(frames, "NOISE", "study_day")


def test_a_duration_counts_both_ends() -> None:
    frames = trial()
    (d,) = finds(frames, "ADURN", "date_difference")
    assert d.params["add"] == 1
    assert reproduced(d, frames) == 1.0
    assert not finds(frames, "NOISE", "date_difference")


def test_the_anchor_may_be_the_first_date_of_a_child() -> None:
    frames = trial()
    who = np.repeat(np.arange(N), 2)
    dose = pd.DataFrame(
        {"USUBJID": ids(N)[who], "EXSTDTC": iso(ANCHOR[who] + np.tile([0, 14], N)), "EXDOSE": RNG.normal(size=2 * N)}
    )
    frames = {"DM": frames["DM"].drop(columns="RFSTDTC"), "AE": frames["AE"], "EX": dose}
    (d, *_) = finds(frames, "AEENDY", "study_day")
    assert (d.sources[1].column, d.params["how"]) == ("EXSTDTC", "min")
    assert reproduced(d, frames) == 1.0


@given(st.dates(min_value=dt.date(1930, 1, 1), max_value=dt.date(2020, 12, 31)), st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_age_is_completed_on_the_birthday(birth: object, years: int) -> None:
    born = pd.Timestamp(birth)
    birthday = born + pd.DateOffset(years=years)
    frame = pd.DataFrame(
        {
            "BRTHDTC": [str(birth)] * 2,
            "RFICDTC": [birthday.strftime("%Y-%m-%d"), (birthday - pd.Timedelta(days=1)).strftime("%Y-%m-%d")],
        }
    )
    d = Derivation(
        table="DM",
        target="AGE",
        template="age",
        params={"method": "calendar"},
        sources=(Ref(table="DM", column="BRTHDTC"), Ref(table="DM", column="RFICDTC")),
    )
    leap = born.month == 2 and born.day == 29
    assert age(View({"DM": frame.astype("str")}), d)[0] == years - (leap and birthday.day == 28)
    assert age(View({"DM": frame.astype("str")}), d)[1] == years - 1


def test_age_and_date_parts_are_found() -> None:
    birth = RNG.integers(-12000, 8000, N).astype(float)
    stamps = pd.to_datetime(pd.Series(iso(birth)))
    now = pd.to_datetime(pd.Series(iso(ANCHOR)))
    years = now.dt.year - stamps.dt.year - ((now.dt.month * 32 + now.dt.day) < (stamps.dt.month * 32 + stamps.dt.day))
    dm = pd.DataFrame(
        {
            "USUBJID": ids(N),
            "BRTHDTC": iso(birth),
            "RFSTDTC": iso(ANCHOR),
            "AGE": years.astype(float),
            "BYEAR": stamps.dt.year,
            "BMONTH": stamps.dt.month,
            "BDAY": stamps.dt.day,
        }
    )
    frames = {"DM": dm, "AE": trial()["AE"]}
    for target, template in (("AGE", "age"), ("BRTHDTC", "date_parts")):
        (d, *_) = finds(frames, target, template)
        assert reproduced(d, frames) == 1.0


def findings() -> pd.DataFrame:
    rows = [(i, t, v) for i in range(N) for t in ("ALT", "AST") for v in (1.0, 2.0, 3.0)]
    who, test, visit = (np.array(part, dtype=object) for part in zip(*rows, strict=True))
    value = RNG.normal(30, 8, len(rows)).round(1)
    frame = pd.DataFrame(
        {"USUBJID": ids(N)[who.astype(int)], "PARAMCD": test, "AVISITN": visit.astype(float), "AVAL": value}
    )
    frame["ABLFL"] = np.where(frame["AVISITN"] == 2.0, "Y", None)
    base = frame[frame["ABLFL"].notna()].set_index(["USUBJID", "PARAMCD"])["AVAL"]
    frame["BASE"] = base.loc[pd.MultiIndex.from_frame(frame[["USUBJID", "PARAMCD"]])].to_numpy()
    frame["ADTC"] = iso(ANCHOR[who.astype(int)] + frame["AVISITN"].to_numpy() * 14 - 28)
    return frame


def test_baseline_flag_by_visit_and_baseline_value() -> None:
    frames = {"DM": trial()["DM"], "ADLB": findings()}
    (flag,) = finds(frames, "ABLFL", "baseline_flag")
    assert (flag.params["rule"], flag.params["visit"]) == ("visit", 2.0)
    (base,) = finds(frames, "BASE", "baseline_value")
    assert [s.column for s in base.sources] == ["AVAL", "ABLFL"]
    assert reproduced(flag, frames) == reproduced(base, frames) == 1.0


def test_baseline_flag_on_the_last_row_before_treatment() -> None:
    rows = [(i, t, k) for i in range(N) for t in ("ALT", "AST") for k in range(4)]
    who, test, _ = (np.array(part) for part in zip(*rows, strict=True))
    day = np.sort(RNG.choice(np.arange(-30, 31), (2 * N, 4)), axis=1).ravel() + 0.0
    day += np.tile(np.arange(4), 2 * N)
    frame = pd.DataFrame(
        {
            "USUBJID": ids(N)[who],
            "LBTESTCD": test,
            "LBDTC": iso(ANCHOR[who] + day),
            "LBSTRESN": RNG.normal(size=len(day)),
        }
    )
    before = frame[day <= 0].groupby(["USUBJID", "LBTESTCD"]).tail(1).index
    frame["LBBLFL"] = np.where(frame.index.isin(before), "Y", None)
    frames = {"DM": trial()["DM"], "LB": frame}
    (d,) = finds(frames, "LBBLFL", "baseline_flag")
    assert (d.params["rule"], d.sources[1].column) == ("last_before", "RFSTDTC")
    assert reproduced(d, frames) == 1.0


def test_epoch_is_looked_up_by_date_with_the_rule_of_the_boundary() -> None:
    who = np.repeat(np.arange(N), 2)
    cut = ANCHOR + 30
    elements = pd.DataFrame(
        {
            "USUBJID": ids(N)[who],
            "EPOCH": np.tile(np.array(["TREATMENT", "FOLLOW-UP"], dtype=object), N),
            "SESTDTC": iso(np.column_stack([ANCHOR, cut]).ravel()),
            "SEENDTC": iso(np.column_stack([cut, cut + 20]).ravel()),
        }
    )
    each = np.repeat(np.arange(N), 6)
    day = ANCHOR[each] + np.tile([0, 10, 30, 31, 40, 45], N)
    frame = pd.DataFrame({"USUBJID": ids(N)[each], "VSDTC": iso(day), "VSSTRESN": RNG.normal(size=6 * N)})
    frame["EPOCH"] = np.where(day <= cut[each], "TREATMENT", "FOLLOW-UP")
    frames = {"DM": trial()["DM"], "SE": elements, "VS": frame}
    (d,) = [d for d in finds(frames, "EPOCH", "interval") if d.table == "VS"]
    assert d.params["early"] == ["FOLLOW-UP"]
    assert reproduced(d, frames) == 1.0


def test_subject_dates_from_first_and_last_rows_and_flags_from_existing_rows() -> None:
    frames = trial()
    treated = RNG.random(N) < 0.6
    who = np.repeat(np.flatnonzero(treated), 3)
    dose = pd.DataFrame(
        {"USUBJID": ids(N)[who], "EXSTDTC": iso(ANCHOR[who] + np.tile([0.0, 20.0, 41.0], treated.sum()))}
    )
    dm = frames["DM"].assign(
        RFXSTDTC=iso(np.where(treated, ANCHOR, np.nan)),
        RFXENDTC=iso(np.where(treated, ANCHOR + 41, np.nan)),
        SAFFL=np.where(treated, "Y", "N").astype(object),
        COIN=RNG.choice(["Y", "N"], N),
    )
    frames = {"DM": dm, "EX": dose, "AE": frames["AE"]}
    for target, template in (("RFXENDTC", "aggregate"), ("SAFFL", "exists")):
        (d, *_) = finds(frames, target, template)
        assert reproduced(d, frames) == 1.0
    (flag, *_) = finds(frames, "SAFFL", "present")
    assert flag.sources[0].column == "RFXSTDTC"
    assert not finds(frames, "COIN", "exists")


def test_values_of_subjects_without_rows_stay_missing() -> None:
    d = Derivation(
        table="DM",
        target="RFXSTDTC",
        template="aggregate",
        sources=(Ref(table="EX", column="EXSTDTC"),),
        params={"keys": [["USUBJID", "USUBJID"]], "how": "min"},
    )
    frames = {
        "DM": normal(pd.DataFrame({"USUBJID": ids(2)})),
        "EX": normal(pd.DataFrame({"USUBJID": ids(1), "EXSTDTC": ["2014-01-01"]})),
    }
    assert compute(d, frames).tolist()[0] == "2014-01-01"
    assert compute(d, frames).isna().tolist() == [False, True]

"""Detectors: silent where nothing is wrong, at the rate that each states, and speaking where something is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from support.trial import as_study, trial

from datareplicator.data import sample_study_path
from datareplicator.formats import read_study
from datareplicator.structure.discover import discover
from datareplicator.study import Column, Study, Table
from datareplicator.validate.detectors import DETECTORS, DetectorView, reporting
from datareplicator.validate.sdtm import SdtmView
from datareplicator.validate.structural import StructuralView

Frames = dict[str, pd.DataFrame]
STUDIES = 12
OF_SITES = ("DR2001", "DR2003", "DR2005", "DR2006", "DR2012", "DR2013", "DR2017")


def view(frames: Frames) -> DetectorView:
    return DetectorView(SdtmView(as_study(frames)), None)


def findings(rule: str, frames: Frames) -> list[tuple[str, int, dict[str, object]]]:
    """Table, 0-based row (-1 for sites and subjects) and values of each finding."""
    found = []
    for hit in DETECTORS[rule].check(view(frames)):
        for row in np.flatnonzero(hit.bad):
            place = hit.part.tables[hit.part.table[row]]
            found.append((place, int(hit.part.row[row]), hit.part.frame.iloc[row].to_dict()))
    return found


@pytest.fixture(scope="module")
def alarms() -> tuple[Counter[str], Counter[str]]:
    """Findings and what was checked, over studies in which nothing is wrong."""
    bad: Counter[str] = Counter()
    checked: Counter[str] = Counter()
    for seed in range(STUDIES):
        looked = view(trial(seed))
        for rule in DETECTORS:
            for hit in rule.check(looked):
                bad[rule.id] += int(np.count_nonzero(hit.bad))
                checked[rule.id] += hit.checked
    return bad, checked


@pytest.mark.parametrize("rule", OF_SITES)
def test_false_alarms_of_sites(rule: str, alarms: tuple[Counter[str], Counter[str]]) -> None:
    bad, checked = alarms
    # One study in a hundred: two alarms in twelve studies have a chance of less than 1 in 100.
    assert checked[rule] > 0 and bad[rule] <= 1


@pytest.mark.parametrize(
    ("rule", "rate"),
    [
        ("DR2002", 1e-4),
        ("DR2004", 0.0),
        ("DR2007", 1e-3),
        ("DR2008", 5e-4),
        ("DR2009", 5e-4),
        ("DR2010", 2e-4),
        ("DR2011", 2e-4),
        ("DR2014", 0.0),
        ("DR2015", 4e-4),
        ("DR2018", 1e-4),
    ],
)
def test_false_alarms_of_rows(rule: str, rate: float, alarms: tuple[Counter[str], Counter[str]]) -> None:
    bad, checked = alarms
    assert checked[rule] > 1000 and bad[rule] <= rate * checked[rule]


def test_every_detector_states_its_rate() -> None:
    assert all("false alarm" in rule.message for rule in DETECTORS)


def at_site(frame: pd.DataFrame, frames: Frames, site: str = "03") -> np.ndarray:
    return frame.USUBJID.isin(frames["dm"].USUBJID[site == frames["dm"].SITEID]).to_numpy()


def put(frames: Frames, table: str, mask: np.ndarray, value: Callable[[np.ndarray], np.ndarray]) -> None:
    """New results in the rows of a mask, in all columns that hold them."""
    frame = frames[table].copy()
    number, text = f"{table.upper()}STRESN", (f"{table.upper()}STRESC", f"{table.upper()}ORRES")
    new = frame[number].to_numpy().copy()
    new[mask] = value(new[mask])
    frame[number] = new
    for name in text:
        frame[name] = pd.Series([f"{v:.10g}" for v in new], dtype="str")
    frames[table] = frame


def is_test(frames: Frames, table: str, code: str) -> np.ndarray:
    return (frames[table][f"{table.upper()}TESTCD"] == code).to_numpy()


def rounded(frames: Frames) -> None:
    put(frames, "vs", at_site(frames["vs"], frames) & ~is_test(frames, "vs", "WEIGHT"), lambda v: np.round(v, -1))


def flat(frames: Frames) -> None:
    mask = at_site(frames["lb"], frames)
    mean = frames["lb"].groupby(["USUBJID", "LBTESTCD"]).LBSTRESN.transform("mean").to_numpy()[mask]
    put(frames, "lb", mask, lambda v: np.round(mean + 0.15 * (v - mean), 2))


def shifted(frames: Frames) -> None:
    put(frames, "lb", at_site(frames["lb"], frames) & is_test(frames, "lb", "CREAT"), lambda v: np.round(v / 88.42, 2))


def drifting(frames: Frames) -> None:
    day = pd.to_datetime(frames["vs"].VSDTC)
    years = ((day - day.min()).dt.days / 365.25).to_numpy()
    mask = at_site(frames["vs"], frames) & is_test(frames, "vs", "WEIGHT")
    put(frames, "vs", mask, lambda v: np.round(v + 12 * years[mask], 1))


def weekends(frames: Frames) -> None:
    for table in ("vs", "lb", "sv"):
        name = {"vs": "VSDTC", "lb": "LBDTC", "sv": "SVSTDTC"}[table]
        day = pd.to_datetime(frames[table][name])
        moved = (day - pd.to_timedelta((day.dt.day_of_week + 2) % 7, unit="D")).dt.strftime("%Y-%m-%d")
        frames[table] = frames[table].assign(
            **{name: frames[table][name].where(~at_site(frames[table], frames), moved)}
        )


def silent(frames: Frames) -> None:
    ae = frames["ae"]
    frames["ae"] = ae[~at_site(ae, frames) | (np.arange(len(ae)) % 12 == 0)].reset_index(drop=True)


def test_a_silent_site_does_not_hide_another() -> None:
    rng = np.random.default_rng(1)
    site = np.repeat(np.arange(9), 20)
    events = rng.poisson(rng.gamma(1.0, 4.0, len(site)) * rng.normal(1, 0.2, 9)[site])
    events[site < 2] = rng.binomial(events[site < 2], 0.05)
    found = reporting.compare(events.astype(float), rng.uniform(20, 200, len(site)), site)
    assert found["site"][found["found"]].tolist() == [0, 1]
    assert found["expected"].between(50, 110).all()


def test_sites_that_differ_anyway_are_not_found() -> None:
    site = np.repeat(np.arange(12), 20)
    alarms = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        rate = np.exp(0.3 * rng.standard_normal(12))[site]
        found = reporting.compare(rng.poisson(3 * rate).astype(float), np.ones(len(site)), site)
        alarms += int(found["found"].any())
    assert alarms <= 2  # one study in a hundred is stated: three in sixty have a chance of 1 in 40


def late(frames: Frames) -> None:
    day = (pd.to_datetime(frames["ae"].AESTDTC) + pd.Timedelta(days=60)).dt.strftime("%Y-%m-%d")
    frames["ae"] = frames["ae"].assign(AEDTC=frames["ae"].AEDTC.where(~at_site(frames["ae"], frames), day))


@pytest.mark.parametrize(
    ("rule", "change"),
    [
        ("DR2001", rounded),
        ("DR2003", flat),
        ("DR2005", shifted),
        ("DR2006", weekends),
        ("DR2012", late),
        ("DR2013", silent),
        ("DR2017", drifting),
    ],
)
def test_a_rogue_site_is_named(rule: str, change: Callable[[Frames], None]) -> None:
    frames = trial(99)
    change(frames)
    found = findings(rule, frames)
    assert found and {values["site"] for _, _, values in found} == {"03"}


@pytest.mark.parametrize(
    ("rule", "table", "code", "value"),
    [
        ("DR2008", "vs", "WEIGHT", lambda v: v + 25),
        ("DR2009", "vs", "WEIGHT", lambda v: np.round(v * 2.2046, 1)),
        ("DR2009", "lb", "GLUC", lambda v: np.round(v * 18.0156, 1)),
        ("DR2010", "lb", "CREAT", lambda v: v * 10),
        ("DR2010", "vs", "SYSBP", lambda v: v / 10),
        ("DR2011", "vs", "WEIGHT", lambda v: np.array([91.4])),
        ("DR2015", "vs", "SYSBP", lambda v: np.array([1300.0])),
    ],
)
def test_a_value_that_is_wrong_is_named(
    rule: str, table: str, code: str, value: Callable[[np.ndarray], np.ndarray]
) -> None:
    frames = trial(7)
    rows = np.flatnonzero(is_test(frames, table, code))
    if rule == "DR2011":  # 19.4 kg are the 91.4 kg of another day, written wrongly
        whose = frames[table].USUBJID[rows[8]]
        own = is_test(frames, table, code) & (whose == frames[table].USUBJID).to_numpy()
        put(frames, table, own, lambda v: np.round(91.4 + 0.1 * np.arange(len(v)), 1))
        put(frames, table, np.arange(len(frames[table])) == rows[8], lambda v: np.array([19.4]))
    else:
        put(frames, table, np.arange(len(frames[table])) == rows[8], value)
    found = findings(rule, frames)
    assert (table, int(rows[8])) in {(name, row) for name, row, _ in found} and len(found) <= 3


def test_a_copied_visit_is_named() -> None:
    frames = trial(3)
    lb = frames["lb"]
    whose = lb.USUBJID.iloc[40]
    for code in ("ALT", "GLUC", "CREAT"):
        own = np.flatnonzero((whose == lb.USUBJID).to_numpy() & is_test(frames, "lb", code))
        put(frames, "lb", np.arange(len(lb)) == own[3], lambda v, k=own[2]: frames["lb"].LBSTRESN.to_numpy()[[k]])
    found = findings("DR2002", frames)
    assert {values["USUBJID"] for _, _, values in found} == {whose} and len(found) == 3


def test_a_subject_enrolled_twice_is_named() -> None:
    frames = trial(4)
    old, new = frames["dm"].USUBJID.iloc[0], frames["dm"].USUBJID.iloc[-1]
    for table in ("vs", "lb"):
        copied = frames[table][old == frames[table].USUBJID].assign(USUBJID=new)
        rest = frames[table][new != frames[table].USUBJID]
        frames[table] = pd.concat([rest, copied], ignore_index=True)
    found = findings("DR2004", frames)
    assert [{values["subject"], values["other"]} for _, _, values in found] == [{old, new}]


def test_results_that_do_not_go_together_are_named() -> None:
    frames = trial(5, sites=10, per_site=30)
    rng = np.random.default_rng(0)
    base = frames["lb"][is_test(frames, "lb", "ALT")]
    level = rng.standard_normal(len(base))
    level[17] = 1.5
    parts = []
    for k, code in enumerate(("A", "B", "C", "D")):
        value = np.round(100 + 10 * (level + 0.1 * rng.standard_normal(len(base))), 1)
        if k == 3:
            value[17] = 200 - value[17]
        text = pd.Series([f"{v:g}" for v in value], dtype="str", index=base.index)
        parts.append(base.assign(LBTESTCD=code, LBSTRESN=value, LBSTRESC=text, LBORRES=text))
    frames["lb"] = pd.concat(parts, ignore_index=True)
    found = findings("DR2007", frames)
    whose = base.iloc[17]
    assert {(v["USUBJID"], v["VISITNUM"]) for _, _, v in found} == {(whose.USUBJID, whose.VISITNUM)}


def test_a_subject_with_far_too_many_rows_is_named() -> None:
    frames = trial(6)
    ae = frames["ae"]
    whose = ae.USUBJID.iloc[0]
    frames["ae"] = pd.concat([ae, *[ae.head(1)] * 200], ignore_index=True)
    assert [v["subject"] for _, _, v in findings("DR2014", frames)] == [whose]


def test_a_date_with_day_and_month_exchanged_is_named() -> None:
    frames = trial(8)
    day = pd.to_datetime(frames["vs"].VSDTC)
    row = int(np.flatnonzero(((day.dt.day <= 12) & (abs(day.dt.day - day.dt.month) > 2)).to_numpy())[0])
    wrong = f"{day[row].year}-{day[row].day:02d}-{day[row].month:02d}"
    frames["vs"].loc[row, "VSDTC"] = wrong
    assert ("vs", row) in {(name, place) for name, place, _ in findings("DR2018", frames)}


def test_a_study_in_another_form_is_looked_at_by_its_structure() -> None:
    rng = np.random.default_rng(1)
    people = pd.DataFrame({"person": [f"p{k:03d}" for k in range(60)], "centre": np.repeat(["a", "b", "c"], 20)})
    who = np.repeat(np.arange(60), 5)
    level = 80 + 10 * rng.standard_normal(60)
    readings = pd.DataFrame(
        {
            "person": people.person.to_numpy()[who],
            "visit": np.tile(np.arange(1, 6), 60),
            "kind": "mass",
            "result": np.round(level[who] + rng.standard_normal(300), 1),
        }
    )
    more = readings.assign(kind="girth", result=np.round(100 + 5 * rng.standard_normal(300), 1))
    readings = pd.concat([readings, more], ignore_index=True).sort_values(
        ["person", "visit", "kind"], ignore_index=True
    )
    row = int(np.flatnonzero(readings.kind == "mass")[77])
    readings.loc[row, "result"] = readings.result[row] * 10
    tables = {}
    for name, frame in (("people", people), ("readings", readings)):
        frame = frame.astype({c: "str" for c in frame if frame[c].dtype == object})
        kinds = {"f": "float", "i": "integer"}
        tables[name] = Table(name, frame, {c: Column(c, kinds.get(frame[c].dtype.kind, "text")) for c in frame})
    study = Study(tables)
    looked = DetectorView(SdtmView(study), StructuralView(study, discover(study)))
    (hit,) = (h for h in DETECTORS["DR2010"].check(looked) if h.bad.any())
    assert np.flatnonzero(hit.bad).tolist() == [row]


def test_the_sample_study_has_one_site_that_rounds() -> None:
    looked = DetectorView(SdtmView(read_study(sample_study_path())), None)
    found = {
        (rule.id, hit.part.frame["site"].iloc[row])
        for rule in DETECTORS
        for hit in rule.check(looked)
        for row in np.flatnonzero(hit.bad)
    }
    assert found == {("DR2001", "011")}

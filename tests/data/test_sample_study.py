"""The sample study: the files are what the script makes, and the rules of SDTM hold in them."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from datareplicator import dates
from datareplicator.data import sample_study_path
from datareplicator.formats import read_study, write_study
from datareplicator.study import Study

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
FINDINGS = {"lb": ["LBSPEC"], "vs": ["VSPOS", "VSTPT"], "qs": []}


@pytest.fixture(scope="module")
def shipped() -> Study:
    return read_study(sample_study_path())


@pytest.fixture(scope="module")
def built() -> Study:
    sys.path.insert(0, str(SCRIPTS))
    try:
        from sample_study import assemble
    finally:
        sys.path.remove(str(SCRIPTS))
    return assemble.build()


@pytest.fixture(scope="module")
def frames(shipped: Study) -> dict[str, pd.DataFrame]:
    return shipped.frames()


def day(values: pd.Series) -> np.ndarray:
    return dates.parse(values).day


def of_subject(frame: pd.DataFrame, dm: pd.DataFrame, column: str) -> pd.Series:
    return frame.USUBJID.map(dm.set_index("USUBJID")[column])


def test_the_script_makes_the_shipped_files(shipped, built):
    assert sorted(shipped) == sorted(built)
    for name, table in built.tables.items():
        read = shipped[name]
        pd.testing.assert_frame_equal(read.frame, table.frame, check_dtype=False)
        assert read.label == table.label
        assert [c.label for c in read.columns.values()] == [c.label for c in table.columns.values()]
        assert all(c.label and len(c.label) <= 40 and len(c.name) <= 8 for c in read.columns.values())


def test_it_writes_the_same_bytes(built, tmp_path):
    write_study(built, tmp_path / "again", format="xpt")
    for file in sorted(sample_study_path().iterdir()):
        assert (tmp_path / "again" / file.name).read_bytes() == file.read_bytes(), file.name


def test_it_is_a_small_trial_with_everything_in_it(frames):
    dm, ae, lb = frames["dm"], frames["ae"], frames["lb"]
    assert len(dm) == 20 and dm.SITEID.nunique() == 4 and dm.COUNTRY.nunique() == 2
    assert dm.ARMCD.value_counts().tolist() == [6, 6, 6] and dm.ARMNRS.notna().sum() == 2
    assert len(set(dm.SITEID.value_counts())) > 1
    assert (dm.DTHFL == "Y").sum() == 1
    assert {"DRUG WITHDRAWN", "DRUG INTERRUPTED", "DOSE NOT CHANGED"} <= set(ae.AEACN)
    assert lb.LBORRES.str.startswith("<").sum() > 3 and (lb.LBSTAT == "NOT DONE").sum() > 3
    assert frames["sv"].SVUPDES.notna().sum() > 1
    counts = ae.USUBJID.value_counts().reindex(dm.USUBJID[dm.ARMCD.notna()]).fillna(0)
    assert counts.var() > 1.5 * counts.mean()
    assert {4, 7, 10} == set(dates.parse(frames["mh"].MHSTDTC).precision)


def test_keys(frames):
    dm = frames["dm"]
    assert dm.USUBJID.is_unique and dm.SUBJID.is_unique
    for name, frame in frames.items():
        if "USUBJID" in frame:
            assert frame.USUBJID.isin(dm.USUBJID).all()
        if f"{name.upper()}SEQ" in frame and "USUBJID" in frame:
            assert not frame.duplicated(["USUBJID", f"{name.upper()}SEQ"]).any()
    for name, axes in FINDINGS.items():
        prefix = name.upper()
        assert not frames[name].duplicated(["USUBJID", f"{prefix}TESTCD", "VISITNUM", *axes]).any()
    assert not frames["sv"].duplicated(["USUBJID", "VISITNUM"]).any()


def test_dates_and_study_days(frames):
    dm = frames["dm"]
    for frame in frames.values():
        moments = {c: dates.parse(frame[c]) for c in frame if c.endswith("DTC")}
        assert all(m.valid.all() for m in moments.values())
        for name, moment in moments.items():
            if name[:-3] + "DY" in frame:
                anchor = day(of_subject(frame, dm, "RFSTDTC"))
                expected = dates.study_day(moment.day, anchor)
                np.testing.assert_array_equal(frame[name[:-3] + "DY"].to_numpy(float), expected)
        for low in [c for c in moments if c.endswith("STDTC") and c.replace("STDTC", "ENDTC") in moments]:
            late = frame[low.replace("STDTC", "ENDTC")].str[:10]
            both = frame[low].notna() & late.notna()
            width = np.minimum(frame[low].str.len(), late.str.len())[both].astype(int)
            pairs = zip(frame[low][both], late[both], width, strict=True)
            assert all(a[:n] <= b[:n] for a, b, n in pairs)
    assert (day(dm.RFICDTC) <= np.nan_to_num(day(dm.RFSTDTC), nan=np.inf)).all()


def test_results(frames):
    for name in ("lb", "vs"):
        p, frame = name.upper(), frames[name]
        done = frame[frame[f"{p}STAT"].isna()]
        assert done[[f"{p}ORRES", f"{p}STRESC"]].notna().all(axis=None)
        undone = frame[frame[f"{p}STAT"].notna()]
        assert undone[[f"{p}ORRES", f"{p}STRESC", f"{p}STRESN"]].isna().all(axis=None)
        assert undone[f"{p}REASND"].notna().all()
        number = pd.to_numeric(done[f"{p}STRESC"], errors="coerce")
        np.testing.assert_array_equal(number, done[f"{p}STRESN"])
        factor = done[f"{p}STRESN"] / pd.to_numeric(done[f"{p}ORRES"], errors="coerce")
        spread = factor.groupby([done[f"{p}TESTCD"], done[f"{p}ORRESU"]]).agg(np.ptp)
        assert (spread.dropna() < 1e-12).all()
        assert (done.groupby(f"{p}TESTCD")[f"{p}STRESU"].nunique() <= 1).all()


def test_reference_ranges(frames):
    lb = frames["lb"].dropna(subset=["LBSTRESN"])
    assert (lb.LBSTNRLO < lb.LBSTNRHI).all()
    expected = np.select([lb.LBSTRESN < lb.LBSTNRLO, lb.LBSTRESN > lb.LBSTNRHI], ["LOW", "HIGH"], "NORMAL")
    assert (expected == lb.LBNRIND).all() and set(expected) == {"LOW", "NORMAL", "HIGH"}


def test_baselines(frames):
    dm = frames["dm"]
    for name, axes in FINDINGS.items():
        p, frame = name.upper(), frames[name]
        flagged = frame[frame[f"{p}BLFL"] == "Y"]
        assert not flagged.duplicated(["USUBJID", f"{p}TESTCD", *axes]).any()
        assert flagged[f"{p}STRESC"].notna().all()
        assert (day(flagged[f"{p}DTC"]) <= day(of_subject(flagged, dm, "RFXSTDTC"))).all()
        treated = dm.ARMCD.notna().sum()
        assert flagged.USUBJID.nunique() == treated


def test_events_and_deaths_agree(frames):
    dm, ae, ds, ex = (frames[name] for name in ("dm", "ae", "ds", "ex"))
    criteria = ["AESCONG", "AESDISAB", "AESDTH", "AESHOSP", "AESLIFE", "AESMIE"]
    assert ((ae[criteria] == "Y").any(axis=1) == (ae.AESER == "Y")).all()
    ended = ae.AEOUT.isin(["RECOVERED/RESOLVED", "RECOVERED/RESOLVED WITH SEQUELAE", "FATAL"])
    assert (ae.AEENDTC.notna() == ended).all()
    assert (ae.AEENRTPT.notna() == ae.AEENDTC.isna()).all()
    dead = dm[dm.DTHFL == "Y"]
    assert (dm.DTHDTC.notna() == (dm.DTHFL == "Y")).all()
    fatal = ae[ae.AEOUT == "FATAL"]
    assert fatal.USUBJID.tolist() == dead.USUBJID.tolist() and fatal.AEENDTC.tolist() == dead.DTHDTC.tolist()
    deaths = ds[ds.DSDECOD == "DEATH"]
    assert deaths.USUBJID.tolist() == dead.USUBJID.tolist() and deaths.DSSTDTC.tolist() == dead.DTHDTC.tolist()
    withdrawn = set(ae.USUBJID[ae.AEACN == "DRUG WITHDRAWN"])
    assert withdrawn == set(ds.USUBJID[ds.DSDECOD == "ADVERSE EVENT"]) and withdrawn
    treated = ds[(ds.DSSCAT == "STUDY TREATMENT")].set_index("USUBJID").DSSTDTC
    assert (ex.groupby("USUBJID").EXENDTC.max().reindex(treated.index) == treated).all()


def test_nothing_after_the_end_of_participation(frames):
    dm = frames["dm"]
    for name, frame in frames.items():
        if "USUBJID" not in frame or name == "dm":
            continue
        last = day(of_subject(frame, dm, "RFPENDTC"))
        for column in [c for c in frame if c.endswith("DTC")]:
            assert not (day(frame[column]) > last).any(), (name, column)


def test_visits_elements_and_arms(frames):
    dm, sv, se, tv = (frames[name] for name in ("dm", "sv", "se", "tv"))
    planned = sv[sv.SVUPDES.isna()]
    assert planned.VISITNUM.isin(tv.VISITNUM).all() and not sv[sv.SVUPDES.notna()].VISITNUM.isin(tv.VISITNUM).any()
    assert sv.groupby("USUBJID").SVSTDTC.agg(lambda d: d.is_monotonic_increasing).all()
    attended = set(zip(sv.USUBJID, sv.VISITNUM, strict=True))
    for name in FINDINGS:
        assert set(zip(frames[name].USUBJID, frames[name].VISITNUM, strict=True)) <= attended
    following = se.groupby("USUBJID").SESTDTC.shift(-1)
    assert (following == se.SEENDTC)[following.notna()].all()
    arms = dm.set_index("USUBJID").ARMCD.dropna()
    path = set(zip(frames["ta"].ARMCD, frames["ta"].TAETORD, frames["ta"].ETCD, frames["ta"].EPOCH, strict=True))
    treated = se[se.USUBJID.isin(arms.index)]
    walked = zip(treated.USUBJID.map(arms), treated.TAETORD, treated.ETCD, treated.EPOCH, strict=True)
    assert set(walked) <= path
    weekend = ((day(sv.SVSTDTC) + 3) % 7 >= 5).mean()
    assert weekend < 0.1


def test_exposure(frames):
    dm, ex = frames["dm"], frames["ex"]
    assert set(ex.USUBJID) == set(dm.USUBJID[dm.ARMCD.notna()])
    assert ((ex.EXDOSE == 0) == (ex.EXTRT == "PLACEBO")).all()
    assert ((ex.EXTRT == "PLACEBO") == (of_subject(ex, dm, "ARMCD") == "PBO")).all()
    bounds = ex.groupby("USUBJID").agg(first=("EXSTDTC", "min"), last=("EXENDTC", "max"))
    treated = dm.set_index("USUBJID").loc[bounds.index]
    assert (bounds["first"] == treated.RFXSTDTC).all() and (bounds["last"] == treated.RFXENDTC).all()
    following = ex.groupby("USUBJID").EXSTDTC.shift(-1)
    assert (following > ex.EXENDTC)[following.notna()].all()


def test_pointers_resolve(frames):
    for name in ("suppae", "relrec"):
        table = frames[name]
        for (domain, pointer), rows in table.groupby(["RDOMAIN", "IDVAR"]):
            parent = frames[domain.lower()]
            known = set(zip(parent.USUBJID, parent[pointer].map("{:.0f}".format), strict=True))
            assert set(zip(rows.USUBJID, rows.IDVARVAL, strict=True)) <= known
    assert (frames["relrec"].groupby(["USUBJID", "RELID"]).RDOMAIN.nunique() == 2).all()
    assert {"CM", "DS"} <= set(frames["relrec"].RDOMAIN)
    assert not frames["suppae"].duplicated(["USUBJID", "IDVARVAL", "QNAM"]).any()
    assert not frames["suppdm"].duplicated(["USUBJID", "QNAM"]).any()


def test_questionnaire_totals(frames):
    qs = frames["qs"].set_index(["USUBJID", "VISITNUM"])
    total = qs.QSTESTCD == "DWC01TS"
    sums = qs[~total].groupby(level=[0, 1]).QSSTRESN.sum()
    assert (sums == qs[total].QSSTRESN.reindex(sums.index)).all()


def test_measurements_behave_like_people(frames):
    vs, lb, dm = frames["vs"], frames["lb"], frames["dm"]
    seated = vs[(vs.VSPOS == "SITTING") & (vs.VSTPTNUM.fillna(1) == 1)]
    wide = seated.pivot_table(index=["USUBJID", "VISITNUM"], columns="VSTESTCD", values="VSSTRESN")
    assert (wide.SYSBP > wide.DIABP).all() and 0.2 < wide.SYSBP.corr(wide.DIABP) < 0.9
    change = wide.SYSBP.unstack()
    change = (change[6.0] - change[2.0]).groupby(dm.set_index("USUBJID").ARMCD).mean()
    assert change["VEL20"] < change["VEL10"] < change["PBO"]
    blood = lb.pivot_table(index=["USUBJID", "VISITNUM"], columns="LBTESTCD", values="LBSTRESN")
    assert blood.HGB.corr(blood.HCT) > 0.85 and np.log(blood.ALT).corr(np.log(blood.AST)) > 0.4
    assert (vs[vs.VSTESTCD == "HEIGHT"].USUBJID.value_counts() == 1).all()

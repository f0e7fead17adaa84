"""From the simulated facts to the tables as SDTM has them: study days, epochs, baselines, sequence numbers."""

from __future__ import annotations

import numpy as np
import pandas as pd

from datareplicator import dates
from datareplicator.study import Origin, Study, Table

from . import conduct, events, history, labs, measures, people, reference, trial
from .layout import TABLES, column, is_number

ORDER = {
    "ae": ["AESTDTC", "AEDECOD"],
    "cm": ["CMSTDTC", "CMDECOD", "CMINDC"],
    "ds": [],
    "ex": ["EXSTDTC"],
    "mh": ["MHCAT", "MHSTDTC"],
    "lb": ["VISITNUM", "LBCAT", "LBTESTCD"],
    "qs": ["VISITNUM", "QSTESTCD"],
    "se": ["SESTDTC"],
    "sv": ["VISITNUM"],
    "vs": ["VISITNUM", "VSTESTCD", "VSTPTNUM", "VSPOS"],
}


def build() -> Study:
    """The whole study; the same on every run."""
    subjects = people.simulate()
    occurred = events.simulate(subjects)
    mh, cm = history.simulate(subjects, occurred)
    dm = conduct.demographics(subjects).sort_values("USUBJID", ignore_index=True)
    se = conduct.elements(subjects)
    frames = {
        "ae": events.table(occurred),
        "cm": cm,
        "ds": conduct.disposition(subjects, occurred),
        "ex": conduct.exposure(subjects),
        "lb": labs.simulate(subjects),
        "mh": mh,
        "qs": measures.questionnaire(subjects),
        "se": se,
        "sv": conduct.visits(subjects),
        "vs": measures.vital_signs(subjects),
    }
    frames = {name: _finish(name, frame, dm, se) for name, frame in frames.items()}
    frames |= {
        "dm": _study_days(dm, dm),
        "suppdm": conduct.demographics_supplement(subjects).assign(IDVAR=None, IDVARVAL=None),
        "suppae": events.supplement(frames["ae"], occurred),
        "relrec": _relations(frames),
        "ta": reference.arms(),
        "te": reference.elements(),
        "tv": reference.visits(),
        "ti": reference.criteria(),
        "ts": reference.summary(trial.RANDOMISED, dm.RFICDTC.min(), dm.RFPENDTC.max()),
    }
    return Study({name: _table(name, frames[name]) for name in TABLES}, trial.STUDYID)


def _finish(name: str, frame: pd.DataFrame, dm: pd.DataFrame, se: pd.DataFrame) -> pd.DataFrame:
    frame = frame.sort_values(["USUBJID", *ORDER[name]], ignore_index=True, kind="stable")
    domain = name.upper()
    if f"{domain}STRESC" in frame or name == "qs":
        frame = _baseline(frame, domain, dm)
    if name != "sv":
        frame[f"{domain}SEQ"] = frame.groupby("USUBJID").cumcount() + 1.0
    if "EPOCH" in TABLES[name][1].split() and name != "se":
        start = next(c for c in (f"{domain}DTC", f"{domain}STDTC") if c in frame)
        frame["EPOCH"] = _epoch(frame, start, se)
    return _study_days(frame, dm)


def _day(values: pd.Series) -> np.ndarray:
    return dates.parse(values).day


def _study_days(frame: pd.DataFrame, dm: pd.DataFrame) -> pd.DataFrame:
    """Every --DY from its --DTC and the subject's RFSTDTC."""
    anchor = frame.USUBJID.map(dict(zip(dm.USUBJID, _day(dm.RFSTDTC), strict=True))).to_numpy(dtype=float)
    for name in [c for c in frame if c.endswith("DTC") and c[:2] not in ("RF", "BR")]:
        frame[name[:-3] + "DY"] = dates.study_day(_day(frame[name]), anchor)
    return frame


def _epoch(frame: pd.DataFrame, start: str, se: pd.DataFrame) -> list[str | None]:
    """The epoch of the element that holds the date; the day that two elements share belongs to the later one."""
    known = se.assign(day=_day(se.SESTDTC)).sort_values("day", kind="stable")
    paths = {subject: (rows.day.to_numpy(), rows.EPOCH.to_numpy()) for subject, rows in known.groupby("USUBJID")}
    epochs = []
    for subject, day in zip(frame.USUBJID, _day(frame[start]), strict=True):
        begins, names = paths[subject]
        position = np.searchsorted(begins, day, side="right") - 1
        epochs.append(names[position] if position >= 0 and np.isfinite(day) else None)
    return epochs


def _baseline(frame: pd.DataFrame, domain: str, dm: pd.DataFrame) -> pd.DataFrame:
    """The last result on or before the day of the first dose, taken before the dose, of each test and position."""
    first = frame.USUBJID.map(dict(zip(dm.USUBJID, _day(dm.RFXSTDTC), strict=True))).to_numpy(dtype=float)
    before = (_day(frame[f"{domain}DTC"]) <= first) & frame[f"{domain}STRESC"].notna()
    if "VSTPTNUM" in frame:
        before &= frame.VSTPTNUM.fillna(1) == 1
    key = ["USUBJID", f"{domain}TESTCD", *(["VSPOS"] if "VSPOS" in frame else [])]
    last = frame[before].groupby(key, dropna=False).tail(1).index
    flag = pd.Series(None, index=frame.index, dtype=object)
    flag[last] = "Y"
    return frame.assign(**{f"{domain}BLFL": flag, f"{domain}LOBXFL": flag})


def _relations(frames: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """RELREC: the event with the medicine given for it, and with the disposition that it caused."""
    rows = []
    ae = frames["ae"].set_index("event")
    for other, code in (("cm", "AECM"), ("ds", "AEDS")):
        domain = other.upper()
        linked = frames[other].dropna(subset=["event"])
        for usubjid, event, sequence in zip(linked.USUBJID, linked.event, linked[f"{domain}SEQ"], strict=True):
            own = int(ae.AESEQ[int(event)])
            for table, value in (("AE", own), (domain, int(sequence))):
                rows.append(
                    {
                        "RDOMAIN": table,
                        "USUBJID": usubjid,
                        "IDVAR": f"{table}SEQ",
                        "IDVARVAL": str(value),
                        "RELTYPE": None,
                        "RELID": f"{code}{own}",
                    }
                )
    return pd.DataFrame(rows).sort_values(["USUBJID", "RELID", "RDOMAIN"], ignore_index=True)


def _table(name: str, frame: pd.DataFrame) -> Table:
    label, variables = TABLES[name]
    frame = frame.assign(STUDYID=trial.STUDYID, DOMAIN=name.upper())
    if "RDOMAIN" in variables and name != "relrec":
        frame["RDOMAIN"] = name.removeprefix("supp").upper()
    typed = {}
    for variable in variables.split():
        values = frame[variable] if variable in frame else pd.Series(None, index=frame.index, dtype=object)
        typed[variable] = values.astype(float) if is_number(variable) else values.astype("str")
    done = pd.DataFrame(typed)
    columns = {variable: column(variable, done[variable]) for variable in done}
    return Table(name, done, columns, label, Origin("xpt", f"{name}.xpt"))

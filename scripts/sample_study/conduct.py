"""What happened to each subject as the trial went on: DM, SUPPDM, DS, EX, SE, SV."""

from __future__ import annotations

from datetime import date, timedelta

import pandas as pd

from . import trial
from .events import Event
from .people import ADVERSE_EVENT, COMPLETED, DEATH, SCREEN_FAILURE, Subject

DAY = timedelta(days=1)
DISPENSING = (2, 4, 5)


def demographics(subjects: list[Subject]) -> pd.DataFrame:
    """DM, one row a subject. A screen failure has no arm but a reason for that (SDTMIG 3.3, ARMNRS)."""
    rows = []
    for s in subjects:
        row = {
            "USUBJID": s.usubjid,
            "SUBJID": s.subjid,
            "RFICDTC": s.consent.isoformat(),
            "RFPENDTC": s.ends.isoformat(),
            "SITEID": s.site.siteid,
            "INVID": s.site.investigator,
            "COUNTRY": s.site.country,
            # German sites record the year of birth only.
            "BRTHDTC": s.born.isoformat()[: 4 if s.site.country == "DEU" else 10],
            "AGE": float(s.age),
            "AGEU": "YEARS",
            "SEX": s.sex,
            "RACE": s.race,
            "ETHNIC": s.ethnic,
            "DMDTC": s.consent.isoformat(),
        }
        if s.arm is None:
            row["ARMNRS"] = "SCREEN FAILURE"
        else:
            row |= {"ARMCD": s.arm.code, "ARM": s.arm.name, "ACTARMCD": s.arm.code, "ACTARM": s.arm.name}
            row |= dict.fromkeys(("RFSTDTC", "RFXSTDTC"), s.dosed.isoformat())
            row |= dict.fromkeys(("RFENDTC", "RFXENDTC"), s.last_dose.isoformat())
        if s.fate == DEATH:
            row |= {"DTHDTC": s.ends.isoformat(), "DTHFL": "Y"}
        rows.append(row)
    return pd.DataFrame(rows)


def demographics_supplement(subjects: list[Subject]) -> pd.DataFrame:
    """SUPPDM: the analysis populations."""
    rows = []
    for s in subjects:
        enough = s.arm is not None and (s.last_dose - s.dosed).days >= 56
        flags = (
            ("ITT", "Intent-to-Treat Population Flag", s.arm is not None),
            ("SAFETY", "Safety Population Flag", s.arm is not None),
            ("PPROT", "Per-Protocol Set Flag", enough),
        )
        rows += [
            {
                "USUBJID": s.usubjid,
                "QNAM": name,
                "QLABEL": label,
                "QVAL": "Y" if value else "N",
                "QORIG": "Derived",
                "QEVAL": "SPONSOR",
            }
            for name, label, value in flags
        ]
    return pd.DataFrame(rows)


def disposition(subjects: list[Subject], events: list[Event]) -> pd.DataFrame:
    """DS. The row of a stop for an adverse event carries that event's running number in `event`."""
    cause = {e.subject.usubjid: n for n, e in enumerate(events) if e.action == "DRUG WITHDRAWN"}
    rows = []

    def add(s: Subject, category: str, subcategory: str | None, term: str, day: date, event: int | None = None) -> None:
        rows.append(
            {
                "USUBJID": s.usubjid,
                "DSTERM": term,
                "DSDECOD": term,
                "DSCAT": category,
                "DSSCAT": subcategory,
                "DSSTDTC": day.isoformat(),
                "event": event,
            }
        )

    for s in subjects:
        add(s, "PROTOCOL MILESTONE", None, "INFORMED CONSENT OBTAINED", s.consent)
        if s.arm is None:
            add(s, "DISPOSITION EVENT", "STUDY PARTICIPATION", SCREEN_FAILURE, s.ends)
            continue
        add(s, "PROTOCOL MILESTONE", None, "RANDOMIZED", s.dosed)
        if s.fate == DEATH:
            add(s, "DISPOSITION EVENT", "STUDY PARTICIPATION", DEATH, s.ends)
            continue
        add(s, "DISPOSITION EVENT", "STUDY TREATMENT", s.fate, s.last_dose, cause.get(s.usubjid))
        whole = s.fate in (COMPLETED, ADVERSE_EVENT)
        add(s, "DISPOSITION EVENT", "STUDY PARTICIPATION", COMPLETED if whole else s.fate, s.ends)
    return pd.DataFrame(rows)


def elements(subjects: list[Subject]) -> pd.DataFrame:
    """SE: contiguous elements; the day on which one ends is the day on which the next begins."""
    rows = []
    for s in subjects:
        path = [("SCRN", "SCREENING", s.consent)]
        if s.arm:
            start = s.dosed
            for code, days in s.arm.elements:
                if start <= s.last_dose:
                    path.append((code, "TREATMENT", start))
                start += timedelta(days=days)
            if s.fate != DEATH and s.ends > s.last_dose:
                path.append(("FUP", "FOLLOW-UP", s.last_dose + DAY))
        ends = [start for _, _, start in path[1:]] + [s.ends]
        for order, ((code, epoch, start), end) in enumerate(zip(path, ends, strict=True), 1):
            rows.append(
                {
                    "USUBJID": s.usubjid,
                    "ETCD": code,
                    "ELEMENT": trial.ELEMENTS[code][0],
                    "TAETORD": float(_order(s, code, order)),
                    "EPOCH": epoch,
                    "SESTDTC": start.isoformat(),
                    "SEENDTC": end.isoformat(),
                }
            )
    return pd.DataFrame(rows)


def _order(subject: Subject, code: str, order: int) -> int:
    """Planned order: a follow-up keeps its place even when the element before it was never reached."""
    if code == "FUP" and subject.arm:
        return len(subject.arm.elements) + 2
    return order


def exposure(subjects: list[Subject]) -> pd.DataFrame:
    """EX: one row for each stretch of one dose between dispensing visits, interruptions left out."""
    rows = []
    for s in subjects:
        if s.arm is None:
            continue
        dispensed = [v.day for v in s.visits if v.number in DISPENSING and v.day < s.last_dose]
        if len(s.arm.elements) == 2:
            dispensed.append(s.dosed + timedelta(days=s.arm.elements[0][1]))
        starts = sorted({day for day in dispensed if day <= s.last_dose})
        ends = [day - DAY for day in starts[1:]] + [s.last_dose]
        for start, end in zip(starts, ends, strict=True):
            for first, last in _without(start, end, s.interruptions):
                rows.append(_dose(s, first, last))
    return pd.DataFrame(rows)


def _without(start: date, end: date, gaps: list[tuple[date, date]]) -> list[tuple[date, date]]:
    """The stretch from start to end less the days of the gaps."""
    left = [(start, end)]
    for low, high in gaps:
        left = [
            part for a, b in left for part in ((a, min(b, low - DAY)), (max(a, high + DAY), b)) if part[0] <= part[1]
        ]
    return left


def _dose(s: Subject, first: date, last: date) -> dict:
    titrating = len(s.arm.elements) == 2 and first < s.dosed + timedelta(days=s.arm.elements[0][1])
    dose = {trial.PLACEBO: 0.0, trial.LOW: 10.0, trial.HIGH: 10.0 if titrating else 20.0}[s.arm.code]
    return {
        "USUBJID": s.usubjid,
        "EXTRT": "VELTIPRAN" if dose else "PLACEBO",
        "EXDOSE": dose,
        "EXDOSU": "mg",
        "EXDOSFRM": "TABLET",
        "EXDOSFRQ": "QD",
        "EXROUTE": "ORAL",
        "EXSTDTC": first.isoformat(),
        "EXENDTC": last.isoformat(),
    }


def visits(subjects: list[Subject]) -> pd.DataFrame:
    """SV, one row for each visit that took place."""
    return pd.DataFrame(
        [
            {
                "USUBJID": s.usubjid,
                "VISITNUM": v.number,
                "VISIT": v.name,
                "VISITDY": v.planned,
                "SVSTDTC": v.day.isoformat(),
                "SVENDTC": v.last.isoformat(),
                "SVUPDES": v.reason or None,
            }
            for s in subjects
            for v in s.visits
        ]
    )

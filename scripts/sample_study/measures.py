"""Vital signs (VS) and the wellbeing questionnaire (QS)."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pandas as pd

from . import trial
from .people import Attended, Subject

UNITS = {"SYSBP": "mmHg", "DIABP": "mmHg", "PULSE": "beats/min", "TEMP": "C", "WEIGHT": "kg", "HEIGHT": "cm"}
NAMES = {
    "SYSBP": "Systolic Blood Pressure",
    "DIABP": "Diastolic Blood Pressure",
    "PULSE": "Pulse Rate",
    "TEMP": "Temperature",
    "WEIGHT": "Weight",
    "HEIGHT": "Height",
}
AMERICAN = {"WEIGHT": ("LB", Decimal("0.4536")), "HEIGHT": ("IN", Decimal("2.54"))}
BEFORE_DOSE = ("BEFORE DOSE", 1.0, "PT0H")
AFTER_DOSE = ("3 HOURS AFTER DOSE", 2.0, "PT3H")

ITEMS = ("Felt rested", "Felt dizzy or weak", "Managed daily work", "Slept badly", "Worried about health")
ANSWERS = ("NOT AT ALL", "A LITTLE", "SOMEWHAT", "MOSTLY", "COMPLETELY")
SCALE = "DAILY WELLBEING CHECKLIST (DWC-5)"


def progress(subject: Subject, visit: Attended) -> float:
    """Share of the full effect reached at a visit: it comes within weeks, stays, and goes after the last dose."""
    if subject.dosed is None or visit.day <= subject.dosed:
        return 0.0
    reached = 1 - np.exp(-(min(visit.day, subject.last_dose) - subject.dosed).days / 18)
    return float(reached * np.exp(-max((visit.day - subject.last_dose).days, 0) / 6))


def residuals(days: list[int], rho: float, rng: np.random.Generator, width: int) -> np.ndarray:
    """Unit-variance AR(1) noise, (visits, width): the correlation of two visits falls with the weeks between them."""
    noise = rng.standard_normal((len(days), width))
    for i in range(1, len(days)):
        keep = rho ** ((days[i] - days[i - 1]) / 28)
        noise[i] = keep * noise[i - 1] + np.sqrt(1 - keep**2) * noise[i]
    return noise


def vital_signs(subjects: list[Subject]) -> pd.DataFrame:
    rng = trial.STREAMS.get("VS")
    return pd.DataFrame([row for subject in subjects for row in _vital_signs_of(subject, rng)])


def _vital_signs_of(s: Subject, rng: np.random.Generator) -> list[dict]:
    shared, second = rng.standard_normal(2)
    burden, build = s.latent["burden"], s.latent["build"]
    level = {
        "SYSBP": 154 + 8 * shared + 2 * burden + s.site.level,
        "DIABP": 91 + 3.5 * shared + 5.5 * second,
        "PULSE": 73 + 8 * rng.standard_normal(),
        "TEMP": 36.6 + 0.2 * rng.standard_normal(),
    }
    height = (175 if s.sex == "M" else 162) + 4 * build + 5 * rng.standard_normal()
    weight = 29 * (height / 100) ** 2 + 9 * rng.standard_normal() + 3 * burden
    drift = -1.2 * rng.random()
    response = (s.arm.effect if s.arm else 0.0) * rng.gamma(5, 0.2)
    noise = residuals([(v.day - s.consent).days for v in s.visits], 0.5, rng, 6)
    rows: list[dict] = []
    for visit, e in zip(s.visits, noise, strict=True):
        share = progress(s, visit)
        # Screening values are high because people are chosen for high values; they fall back afterwards.
        selected = 4.0 if visit.number == 1 else 0.0
        now = {
            "SYSBP": level["SYSBP"] + response * share + selected + 7 * e[0],
            "DIABP": level["DIABP"] + 0.5 * response * share + 0.5 * selected + 2.4 * e[0] + 4 * e[1],
            "PULSE": level["PULSE"] + 5 * e[2],
            "TEMP": level["TEMP"] + 0.25 * e[3],
        }
        rows += _pressures(s, visit, now, share * response, rng)
        if visit.reason:
            continue
        if rng.random() < 0.97:
            rows.append(_row(s, visit, "TEMP", now["TEMP"], 1))
        else:
            rows.append(_not_done(s, visit, "TEMP", "DEVICE NOT AVAILABLE"))
        if visit.number in (1, 2, 6, 7, 8):
            rows.append(_row(s, visit, "WEIGHT", weight + drift * share * 2 + 0.5 * e[4], 1))
        if visit.number == 1:
            rows.append(_row(s, visit, "HEIGHT", height, 0))
    return rows


def _pressures(
    s: Subject, visit: Attended, now: dict[str, float], change: float, rng: np.random.Generator
) -> list[dict]:
    """Pressure and pulse sitting and standing; after the dose too, at the visits where it is taken in the clinic."""
    before = BEFORE_DOSE if 2 <= visit.number <= 6 and visit.planned else None
    settings = [("SITTING", before, 0.0, 0.0, 0.0), ("STANDING", before, -3.0, 2.0, 7.0)]
    if visit.number in (2, 4, 6):
        first = -0.3 * abs(s.arm.effect) if visit.number == 2 else 0.0
        settings.append(("SITTING", AFTER_DOSE, first + 0.15 * change, 0.08 * change, 1.0))
    rows = []
    for position, point, systolic, diastolic, pulse in settings:
        e = rng.standard_normal(3)
        values = {
            "SYSBP": now["SYSBP"] + systolic + 3 * e[0],
            "DIABP": now["DIABP"] + diastolic + 1 * e[0] + 2 * e[1],
            "PULSE": now["PULSE"] + pulse + 2 * e[2],
        }
        for test, value in values.items():
            rows.append(_row(s, visit, test, _as_read(s, test, value, rng), 0, position, point))
    return rows


def _as_read(s: Subject, test: str, value: float, rng: np.random.Generator) -> float:
    """By hand, half the pressures are rounded to 10 and the others to 2 mmHg; a device shows every number."""
    if not s.site.by_hand or test == "PULSE":
        return value
    step = 10 if rng.random() < 0.2 else 2
    return step * round(value / step)


def _row(
    s: Subject,
    visit: Attended,
    test: str,
    value: float,
    decimals: int,
    position: str | None = None,
    point: tuple[str, float, str] | None = None,
) -> dict:
    unit, factor = UNITS[test], Decimal(1)
    if s.site.country == "USA" and test in AMERICAN:
        unit, factor = AMERICAN[test]
        value, decimals = value / float(factor), 1
    text = f"{value:.{decimals}f}"
    standard = text if factor == 1 else format((Decimal(text) * factor).normalize(), "f")
    row = _blank(s, visit, test) | {
        "VSORRES": text,
        "VSORRESU": unit,
        "VSSTRESC": standard,
        "VSSTRESN": float(standard),
        "VSSTRESU": UNITS[test],
        "VSPOS": position,
    }
    if point:
        row |= {"VSTPT": point[0], "VSTPTNUM": point[1], "VSELTM": point[2], "VSTPTREF": "MORNING DOSE"}
    return row


def _blank(s: Subject, visit: Attended, test: str) -> dict:
    return {
        "USUBJID": s.usubjid,
        "VSTESTCD": test,
        "VSTEST": NAMES[test],
        "VISITNUM": visit.number,
        "VISIT": visit.name,
        "VISITDY": visit.planned,
        "VSDTC": visit.day.isoformat(),
    }


def _not_done(s: Subject, visit: Attended, test: str, reason: str) -> dict:
    return _blank(s, visit, test) | {"VSSTAT": "NOT DONE", "VSREASND": reason}


def questionnaire(subjects: list[Subject]) -> pd.DataFrame:
    """QS: five answers from 0 to 4 and their sum, at baseline, weeks 4 and 12 and at early termination."""
    rng = trial.STREAMS.get("QS")
    rows = []
    for s in subjects:
        trait = 0.5 * rng.standard_normal() - 0.3 * s.latent["burden"]
        asked = [v for v in s.visits if v.number in (2, 4, 6, 7)]
        noise = residuals([(v.day - s.consent).days for v in asked], 0.4, rng, len(ITEMS))
        for visit, e in zip(asked, noise, strict=True):
            scores = np.clip(np.round(2.2 + 0.8 * trait + 0.5 * progress(s, visit) + 0.9 * e), 0, 4).astype(int)
            for item, (name, score) in enumerate(zip(ITEMS, scores.tolist(), strict=True), 1):
                rows.append(_answer(s, visit, f"DWC010{item}", f"DWC01-{name}", ANSWERS[score], score))
            total = _answer(s, visit, "DWC01TS", "DWC01-Total Score", None, int(scores.sum()))
            rows.append(total | {"QSDRVFL": "Y"})
    return pd.DataFrame(rows)


def _answer(s: Subject, visit: Attended, code: str, name: str, said: str | None, score: int) -> dict:
    return {
        "USUBJID": s.usubjid,
        "QSTESTCD": code,
        "QSTEST": name,
        "QSCAT": SCALE,
        "QSORRES": said,
        "QSSTRESC": str(score),
        "QSSTRESN": float(score),
        "VISITNUM": visit.number,
        "VISIT": visit.name,
        "VISITDY": visit.planned,
        "QSDTC": visit.day.isoformat(),
    }

"""Laboratory results (LB): correlated tests, two unit systems, ranges by sex, results below the limit, samples lost."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from decimal import Decimal

import numpy as np
import pandas as pd

from . import trial
from .measures import progress, residuals
from .people import Attended, Subject

CHEMISTRY, HAEMATOLOGY, URINE = "CHEMISTRY", "HEMATOLOGY", "URINALYSIS"


@dataclass(frozen=True)
class Assay:
    """One blood test in standard units.

    `centre` (women, men), `between` and `within` are on the log scale where `log`; `low` and `high` are the limits of
    the range for women and men, in the original units of each country; `drug` is the shift at full effect of 20 mg.
    `american` is the unit in the USA with the exact factor to the standard unit; `decimals` are those of the result
    in the standard (European) and the American unit; `floor` is the least result that the assay reports.
    """

    code: str
    name: str
    category: str
    unit: str
    centre: tuple[float, float]
    between: float
    within: float
    log: bool
    low: tuple[str, str]
    high: tuple[str, str]
    decimals: tuple[int, int]
    american: tuple[str, str] | None = None
    american_range: tuple[tuple[str, str], tuple[str, str]] | None = None
    drug: float = 0.0
    floor: float | None = None


# fmt: off
ASSAYS = (
    Assay("ALT", "Alanine Aminotransferase", CHEMISTRY, "U/L", (20, 26), 0.30, 0.20, True, ("7", "9"), ("35", "46"), (0,
        0), drug=0.06),
    Assay("AST", "Aspartate Aminotransferase", CHEMISTRY, "U/L", (20, 23), 0.22, 0.16, True, ("9", "10"), ("33", "38"),
        (0, 0), drug=0.04),
    Assay("BILI", "Bilirubin", CHEMISTRY, "umol/L", (8.5, 10.5), 0.30, 0.18, True, ("3.42", "3.42"), ("20.52", "20.52"),
        (1, 2),
          ("mg/dL", "17.1"), (("0.2", "0.2"), ("1.2", "1.2"))),
    Assay("CREAT", "Creatinine", CHEMISTRY, "umol/L", (68, 84), 0.16, 0.07, True, ("45", "60"), ("84", "105"), (0, 2),
          ("mg/dL", "88.4"), (("0.5", "0.7"), ("1.0", "1.2")), drug=0.06),
    Assay("GLUC", "Glucose", CHEMISTRY, "mmol/L", (7.9, 8.1), 0.18, 0.14, True, ("3.9", "3.9"), ("6.1", "6.1"), (1, 0),
          ("mg/dL", "0.0555"), (("70", "70"), ("110", "110"))),
    Assay("HBA1C", "Hemoglobin A1C", CHEMISTRY, "%", (7.2, 7.3), 0.09, 0.03, True, ("4.0", "4.0"), ("6.0", "6.0"), (1,
        1)),
    Assay("K", "Potassium", CHEMISTRY, "mmol/L", (4.3, 4.3), 0.25, 0.25, False, ("3.5", "3.5"), ("5.1", "5.1"), (1, 1),
        drug=0.22),
    Assay("SODIUM", "Sodium", CHEMISTRY, "mmol/L", (140, 140), 1.5, 1.7, False, ("135", "135"), ("145", "145"), (0, 0)),
    Assay("CRP", "C Reactive Protein", CHEMISTRY, "mg/L", (5.0, 4.4), 0.50, 0.45, True, ("0", "0"), ("8", "8"), (0, 0),
        floor=3),
    Assay("HGB", "Hemoglobin", HAEMATOLOGY, "g/L", (134, 148), 8.5, 3.5, False, ("120", "133"), ("155", "172"), (0, 1),
          ("g/dL", "10"), (("12.0", "13.3"), ("15.5", "17.2")), drug=-2.0),
    Assay("HCT", "Hematocrit", HAEMATOLOGY, "%", (40.5, 44.5), 2.4, 1.05, False, ("36", "40"), ("46", "51"), (1, 1),
        drug=-0.6),
    Assay("WBC", "Leukocytes", HAEMATOLOGY, "10^9/L", (6.9, 7.0), 0.22, 0.14, True, ("4.0", "4.0"), ("10.5", "10.5"),
        (1, 1)),
    Assay("PLAT", "Platelets", HAEMATOLOGY, "10^9/L", (255, 235), 0.20, 0.07, True, ("150", "150"), ("400", "370"), (0,
        0)),
)
# fmt: on
# fmt: off
CORRELATED = (("ALT", "AST", 0.72), ("HGB", "HCT", 0.95), ("GLUC", "HBA1C", 0.7), ("CRP", "WBC", 0.4), ("CREAT", "K",
    0.35))
# fmt: on
PROTEIN = ("NEGATIVE", "TRACE", "1+", "2+")
VISITS = (1, 2, 4, 6, 7)
URINE_VISITS = (1, 6, 7)


def _mixing() -> np.ndarray:
    """Cholesky factor of the correlation matrix of the assays, for persons and for residuals alike."""
    codes = [assay.code for assay in ASSAYS]
    matrix = np.eye(len(codes))
    for a, b, rho in CORRELATED:
        i, j = codes.index(a), codes.index(b)
        matrix[i, j] = matrix[j, i] = rho
    return np.linalg.cholesky(matrix)


def simulate(subjects: list[Subject]) -> pd.DataFrame:
    rng, mixing = trial.STREAMS.get("LB"), _mixing()
    return pd.DataFrame([row for subject in subjects for row in _of(subject, mixing, rng)])


def _of(s: Subject, mixing: np.ndarray, rng: np.random.Generator) -> list[dict]:
    drawn = [v for v in s.visits if v.number in VISITS or "LABORATORY" in v.reason]
    level = mixing @ rng.standard_normal(len(ASSAYS))
    protein = rng.normal(-0.4) + 0.4 * s.latent["burden"]
    noise = residuals([(v.day - s.consent).days for v in drawn], 0.45, rng, len(ASSAYS)) @ mixing.T
    strength = 0.0 if s.arm is None else s.arm.effect / trial.ARMS[trial.HIGH].effect
    rows: list[dict] = []
    for visit, e in zip(drawn, noise, strict=True):
        # The sample of a visit that lasted several days is taken on its last day.
        taken = datetime.combine(visit.last, time(7, 30)) + timedelta(minutes=int(rng.integers(0, 36)) * 5)
        lost = {c: rng.random() < 0.03 for c in (CHEMISTRY, HAEMATOLOGY)}
        for index, assay in enumerate(ASSAYS):
            if visit.reason and assay.category != CHEMISTRY:
                continue
            blank = _blank(s, visit, assay.code, assay.name, assay.category, "BLOOD", taken)
            if lost[assay.category] or rng.random() < 0.006:
                reason = "SAMPLE HAEMOLYSED" if assay.category == CHEMISTRY else "SAMPLE CLOTTED"
                rows.append(blank | {"LBSTAT": "NOT DONE", "LBREASND": reason})
                continue
            shift = assay.drug * strength * progress(s, visit)
            centre = assay.centre[s.sex == "M"]
            spread = assay.between * level[index] + assay.within * e[index] + shift
            value = centre * np.exp(spread) if assay.log else centre + spread
            rows.append(blank | _result(s, assay, value))
        if visit.number in URINE_VISITS:
            rows.append(
                _blank(s, visit, "PROT", "Protein", URINE, "URINE", taken) | _protein(protein + 0.6 * rng.normal())
            )
    return rows


def _blank(s: Subject, visit: Attended, code: str, name: str, category: str, specimen: str, taken: datetime) -> dict:
    return {
        "USUBJID": s.usubjid,
        "LBTESTCD": code,
        "LBTEST": name,
        "LBCAT": category,
        "LBSPEC": specimen,
        "VISITNUM": visit.number,
        "VISIT": visit.name,
        "VISITDY": visit.planned,
        "LBDTC": taken.isoformat(timespec="minutes"),
    }


def _exact(text: str, factor: str) -> str:
    """A number in decimal text times a factor, exactly."""
    return text if factor == "1" else format((Decimal(text) * Decimal(factor)).normalize(), "f")


def _result(s: Subject, assay: Assay, value: float) -> dict:
    man, american = s.sex == "M", s.site.country == "USA" and assay.american is not None
    unit, factor = assay.american if american else (assay.unit, "1")
    low, high = (pair[man] for pair in (assay.american_range if american else (assay.low, assay.high)))
    text = f"{value / float(factor):.{assay.decimals[american]}f}"
    if assay.floor is not None and value < assay.floor:
        text = standard = f"<{assay.floor}"
        number = None
    else:
        standard = _exact(text, factor)
        number = float(standard)
    lower, upper = float(_exact(low, factor)), float(_exact(high, factor))
    flag = "NORMAL" if number is None or lower <= number <= upper else "LOW" if number < lower else "HIGH"
    return {
        "LBORRES": text,
        "LBORRESU": unit,
        "LBORNRLO": low,
        "LBORNRHI": high,
        "LBSTRESC": standard,
        "LBSTRESN": number,
        "LBSTRESU": assay.unit,
        "LBSTNRLO": lower,
        "LBSTNRHI": upper,
        "LBNRIND": flag,
        "LBFAST": "Y",
    }


def _protein(latent: float) -> dict:
    text = PROTEIN[int(np.searchsorted([0.6, 1.2, 1.9], latent))]
    return {
        "LBORRES": text,
        "LBSTRESC": text,
        "LBSTNRC": "NEGATIVE",
        "LBNRIND": "NORMAL" if text == "NEGATIVE" else "ABNORMAL",
    }

"""Medical history, the medicines for it, and the medicines given for adverse events."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd

from . import trial
from .events import Event
from .people import Subject
from .vocabulary import DISEASES, FOR_REACTION, OVER, SYSTEMS, Disease, Medicine, code_of

PRIMARY = ("Hypertension", "Type 2 diabetes mellitus")


def simulate(subjects: list[Subject], events: list[Event]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """MH and CM. A medicine given for an adverse event carries that event's running number in `event`."""
    rng = trial.STREAMS.get("MH")
    history: list[dict] = []
    medicines: list[dict] = []
    for subject in subjects:
        for disease in DISEASES:
            if rng.random() < disease.share * np.exp(0.2 * subject.latent["burden"]):
                began = _began(subject, disease, rng)
                history.append(_history_row(subject, disease, began, rng))
                medicines += _standing(subject, disease, began, rng)
    for number, event in enumerate(events):
        medicine = FOR_REACTION.get(event.reaction.term)
        if medicine and (event.criteria or rng.random() < 0.55):
            medicines.append(_for_event(number, event, medicine, rng))
    return pd.DataFrame(history), pd.DataFrame(medicines)


def _began(subject: Subject, disease: Disease, rng: np.random.Generator) -> date:
    years = min(rng.gamma(2.0, disease.years / 2) + 0.3, subject.age - 8)
    return subject.consent - timedelta(days=int(years * 365.25))


def _partly(day: date, rng: np.random.Generator, shares: tuple[float, float, float]) -> str:
    """The date as people remember it: the year, the month or the day."""
    return day.isoformat()[: int(rng.choice([4, 7, 10], p=shares))]


def _history_row(subject: Subject, disease: Disease, began: date, rng: np.random.Generator) -> dict:
    system = SYSTEMS[disease.system]
    row = {
        "USUBJID": subject.usubjid,
        "MHTERM": disease.said,
        "MHDECOD": disease.term,
        "MHPTCD": code_of(disease.term),
        "MHCAT": "PRIMARY DIAGNOSIS" if disease.term in PRIMARY else "GENERAL MEDICAL HISTORY",
        "MHBODSYS": system,
        "MHBDSYCD": code_of(system),
        "MHSTDTC": _partly(began, rng, (0.5, 0.3, 0.2)),
        "MHDTC": subject.consent.isoformat(),
    }
    if disease.term in OVER:
        row["MHENDTC"] = row["MHSTDTC"]
        row["MHENRTPT"] = "BEFORE"
    else:
        row["MHENRTPT"] = "ONGOING"
    return row | {"MHENTPT": subject.consent.isoformat()}


def _medicine_row(subject: Subject, medicine: Medicine, why: str) -> dict:
    return {
        "USUBJID": subject.usubjid,
        "CMTRT": medicine.trt,
        "CMDECOD": medicine.decod,
        "CMINDC": why,
        "CMCLAS": medicine.atc,
        "CMDOSE": float(medicine.dose),
        "CMDOSU": medicine.unit,
        "CMDOSFRQ": medicine.freq,
        "CMROUTE": medicine.route,
    }


def _standing(subject: Subject, disease: Disease, began: date, rng: np.random.Generator) -> list[dict]:
    """The medicine a person takes for an old disease; most go on, a few stop at screening."""
    if not disease.medicines or rng.random() < 0.15:
        return []
    medicine = disease.medicines[int(rng.integers(len(disease.medicines)))]
    start = began + timedelta(days=int(rng.random() * (subject.consent - began).days))
    row = _medicine_row(subject, medicine, disease.said)
    row |= {"CMCAT": "PRIOR AND CONCOMITANT", "CMSTDTC": _partly(start, rng, (0.4, 0.35, 0.25))}
    if disease.term == "Hypertension":
        # The trial asks for the old blood pressure tablet to be stopped before the first dose.
        row |= {"CMENDTC": subject.consent.isoformat(), "CMENRTPT": "BEFORE", "CMENTPT": "END OF PARTICIPATION"}
    else:
        row |= {"CMENRTPT": "ONGOING", "CMENTPT": "END OF PARTICIPATION"}
    return [row]


def _for_event(number: int, event: Event, medicine: Medicine, rng: np.random.Generator) -> dict:
    last = event.end or event.subject.ends
    start = min(event.start + timedelta(days=int(rng.choice([0, 0, 1, 2]))), last)
    row = _medicine_row(event.subject, medicine, event.reaction.said[number % len(event.reaction.said)])
    row |= {"CMCAT": "FOR ADVERSE EVENT", "CMSTDTC": start.isoformat(), "event": number}
    if event.end is None and rng.random() < 0.6:
        return row | {"CMENRTPT": "ONGOING", "CMENTPT": "END OF PARTICIPATION"}
    end = min(start + timedelta(days=int(rng.exponential(6))), last)
    return row | {"CMENDTC": end.isoformat()}

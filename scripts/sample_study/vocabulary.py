"""Terms of events, diseases and medicines with codes of our own: shaped like a medical dictionary, but none."""

from __future__ import annotations

import zlib
from dataclasses import dataclass


def code_of(text: str) -> float:
    """A code of eight digits for a term, a group or a system: the same text has the same code."""
    return 10_000_000.0 + zlib.crc32(text.encode()) % 99_991


# fmt: off
SYSTEMS = {
    "CARD": "Cardiac disorders",
    "GAST": "Gastrointestinal disorders",
    "GENR": "General disorders and administration site conditions",
    "INFE": "Infections and infestations",
    "INVE": "Investigations",
    "META": "Metabolism and nutrition disorders",
    "MUSC": "Musculoskeletal and connective tissue disorders",
    "NERV": "Nervous system disorders",
    "RESP": "Respiratory, thoracic and mediastinal disorders",
    "SKIN": "Skin and subcutaneous tissue disorders",
    "VASC": "Vascular disorders",
}
# fmt: on


@dataclass(frozen=True)
class Reaction:
    """An adverse event term.

    `weight` is how common it is; `dose` multiplies it per step of dose; `early` says that it comes in the first
    weeks; `days` is the median duration; `said` are the ways people put it (verbatim).
    """

    term: str
    system: str
    group: str
    weight: float
    dose: float
    early: bool
    days: float
    said: tuple[str, ...]


# fmt: off
REACTIONS = (
    Reaction("Nausea", "GAST", "Nausea and vomiting symptoms", 3.0, 1.4, True, 4, ("NAUSEA", "FEELING SICK")),
    Reaction("Vomiting", "GAST", "Nausea and vomiting symptoms", 1.2, 1.4, True, 2, ("VOMITING",)),
    Reaction("Diarrhoea", "GAST", "Diarrhoea", 2.2, 1.2, True, 4, ("DIARRHEA", "LOOSE STOOLS")),
    Reaction("Constipation", "GAST", "Gastrointestinal motility", 1.2, 1.1, False, 12, ("CONSTIPATION",)),
    Reaction("Dizziness", "NERV", "Neurological signs", 3.0, 1.6, True, 6, ("DIZZINESS",
        "FEELING DIZZY ON STANDING")),
    Reaction("Headache", "NERV", "Headaches", 4.0, 0.8, False, 2, ("HEADACHE",)),
    Reaction("Hypotension", "VASC", "Vascular hypotensive disorders", 1.2, 2.0, True, 9,
        ("LOW BLOOD PRESSURE",)),
    Reaction("Flushing", "VASC", "Peripheral vasodilatation", 0.8, 1.5, True, 7, ("FLUSHING", "HOT FACE")),
    Reaction("Palpitations", "CARD", "Cardiac rhythm signs", 0.9, 1.3, False, 5, ("PALPITATIONS",)),
    Reaction("Oedema peripheral", "GENR", "Oedema", 1.5, 1.7, False, 30, ("SWOLLEN ANKLES", "PERIPHERAL EDEMA")),
    Reaction("Fatigue", "GENR", "Asthenic conditions", 2.4, 1.2, False, 18, ("TIREDNESS", "FATIGUE")),
    Reaction("Nasopharyngitis", "INFE", "Upper respiratory infections", 3.4, 1.0, False, 8, ("COMMON COLD",)),
    Reaction("Urinary tract infection", "INFE", "Urinary infections", 1.4, 1.0, False, 9,
        ("URINARY TRACT INFECTION",)),
    Reaction("Influenza", "INFE", "Viral infections", 0.8, 1.0, False, 8, ("INFLUENZA", "FLU")),
    Reaction("Hypoglycaemia", "META", "Hypoglycaemic conditions", 1.3, 1.1, False, 1, ("LOW BLOOD SUGAR",)),
    Reaction("Hyperkalaemia", "META", "Potassium imbalance", 0.6, 1.9, False, 21, ("HIGH POTASSIUM",)),
    Reaction("Back pain", "MUSC", "Back pain", 1.8, 1.0, False, 14, ("BACK PAIN", "LOW BACK PAIN")),
    Reaction("Arthralgia", "MUSC", "Joint pain", 1.5, 1.0, False, 20, ("KNEE PAIN", "SHOULDER PAIN")),
    Reaction("Cough", "RESP", "Coughing", 1.8, 1.2, False, 16, ("COUGH", "DRY COUGH")),
    Reaction("Rash", "SKIN", "Rashes", 1.0, 1.5, False, 10, ("RASH", "ITCHY RASH ON ARMS")),
    Reaction("Alanine aminotransferase increased", "INVE", "Liver function analyses", 0.7, 1.5, False, 28,
        ("ALT INCREASED",)),
)
# fmt: on
FATAL = Reaction("Myocardial infarction", "CARD", "Ischaemic disorders", 0.0, 1.0, False, 3, ("HEART ATTACK",))


@dataclass(frozen=True)
class Medicine:
    """A medicine: name as written, generic name, class, dose as given, unit, frequency, route."""

    trt: str
    decod: str
    atc: str
    dose: float
    unit: str
    freq: str
    route: str = "ORAL"


# fmt: off
FOR_REACTION = {
    "Nausea": Medicine("METOCLOPRAMIDE", "METOCLOPRAMIDE", "PROPULSIVES", 10, "mg", "PRN"),
    "Diarrhoea": Medicine("LOPERAMIDE", "LOPERAMIDE", "ANTIPROPULSIVES", 2, "mg", "PRN"),
    "Constipation": Medicine("MACROGOL", "MACROGOL", "OSMOTIC LAXATIVES", 13, "g", "QD"),
    "Headache": Medicine("PARACETAMOL", "PARACETAMOL", "ANILIDES", 500, "mg", "PRN"),
    "Urinary tract infection": Medicine("NITROFURANTOIN", "NITROFURANTOIN", "NITROFURAN DERIVATIVES", 100, "mg", "BID"),
    "Back pain": Medicine("IBUPROFEN 400", "IBUPROFEN", "PROPIONIC ACID DERIVATIVES", 400, "mg", "TID"),
    "Arthralgia": Medicine("DICLOFENAC GEL", "DICLOFENAC", "TOPICAL ANTIINFLAMMATORIES", 2, "g", "BID", "TOPICAL"),
    "Rash": Medicine("HYDROCORTISONE CREAM", "HYDROCORTISONE", "CORTICOSTEROIDS, WEAK", 1, "g", "BID", "TOPICAL"),
    "Myocardial infarction": Medicine("ASPIRIN", "ACETYLSALICYLIC ACID", "PLATELET INHIBITORS", 300, "mg", "ONCE"),
}
# fmt: on


@dataclass(frozen=True)
class Disease:
    """A disease of the past: how common, years since it began (mean), and the medicines it is treated with."""

    said: str
    term: str
    system: str
    share: float
    years: float
    medicines: tuple[Medicine, ...] = ()


# fmt: off
DISEASES = (
    Disease("HIGH BLOOD PRESSURE", "Hypertension", "VASC", 1.0, 9, (
        Medicine("HYDROCHLOROTHIAZIDE", "HYDROCHLOROTHIAZIDE", "THIAZIDES", 12.5, "mg", "QD"),
        Medicine("AMLODIPINE", "AMLODIPINE", "DIHYDROPYRIDINE DERIVATIVES", 5, "mg", "QD"))),
    Disease("TYPE 2 DIABETES", "Type 2 diabetes mellitus", "META", 1.0, 7, (
        Medicine("METFORMIN", "METFORMIN", "BIGUANIDES", 1000, "mg", "BID"),
        Medicine("GLUCOPHAGE", "METFORMIN", "BIGUANIDES", 850, "mg", "BID"))),
    Disease("HIGH CHOLESTEROL", "Hypercholesterolaemia", "META", 0.55, 6, (
        Medicine("ATORVASTATIN", "ATORVASTATIN", "HMG COA REDUCTASE INHIBITORS", 20, "mg", "QD"),
        Medicine("SIMVASTATIN", "SIMVASTATIN", "HMG COA REDUCTASE INHIBITORS", 40, "mg", "QD"))),
    Disease("KNEE ARTHROSIS", "Osteoarthritis", "MUSC", 0.35, 8, ()),
    Disease("REFLUX", "Gastrooesophageal reflux disease", "GAST", 0.3, 5, (
        Medicine("OMEPRAZOLE", "OMEPRAZOLE", "PROTON PUMP INHIBITORS", 20, "mg", "QD"),)),
    Disease("ASTHMA", "Asthma", "RESP", 0.12, 25, (
        Medicine("SALBUTAMOL INHALER", "SALBUTAMOL", "SELECTIVE BETA-2-AGONISTS", 100, "ug", "PRN",
            "RESPIRATORY (INHALATION)"),)),
    Disease("MIGRAINE", "Migraine", "NERV", 0.15, 20, ()),
    Disease("APPENDECTOMY", "Appendicectomy", "GAST", 0.25, 30, ()),
    Disease("ECZEMA", "Eczema", "SKIN", 0.12, 15, ()),
    Disease("ATRIAL FIBRILLATION", "Atrial fibrillation", "CARD", 0.1, 3, (
        Medicine("APIXABAN", "APIXABAN", "DIRECT FACTOR XA INHIBITORS", 5, "mg", "BID"),)),
)
# fmt: on
OVER = {"Appendicectomy"}

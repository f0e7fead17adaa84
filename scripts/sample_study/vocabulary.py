"""Terms of events, diseases and medicines with codes of our own: shaped like a medical dictionary, but none."""

from __future__ import annotations

from dataclasses import dataclass

# fmt: off
SYSTEMS = {
    "CARD": ("Cardiac disorders", 90110),
    "GAST": ("Gastrointestinal disorders", 90120),
    "GENR": ("General disorders and administration site conditions", 90130),
    "INFE": ("Infections and infestations", 90140),
    "INVE": ("Investigations", 90150),
    "META": ("Metabolism and nutrition disorders", 90160),
    "MUSC": ("Musculoskeletal and connective tissue disorders", 90170),
    "NERV": ("Nervous system disorders", 90180),
    "RESP": ("Respiratory, thoracic and mediastinal disorders", 90190),
    "SKIN": ("Skin and subcutaneous tissue disorders", 90200),
    "VASC": ("Vascular disorders", 90210),
}
# fmt: on


@dataclass(frozen=True)
class Reaction:
    """An adverse event term.

    `weight` is how common it is; `dose` multiplies it per step of dose; `early` says that it comes in the first
    weeks; `days` is the median duration; `said` are the ways people put it (verbatim).
    """

    term: str
    code: int
    system: str
    group: str
    weight: float
    dose: float
    early: bool
    days: float
    said: tuple[str, ...]


# fmt: off
REACTIONS = (
    Reaction("Nausea", 91001, "GAST", "Nausea and vomiting symptoms", 3.0, 1.4, True, 4, ("NAUSEA", "FEELING SICK")),
    Reaction("Vomiting", 91002, "GAST", "Nausea and vomiting symptoms", 1.2, 1.4, True, 2, ("VOMITING",)),
    Reaction("Diarrhoea", 91003, "GAST", "Diarrhoea", 2.2, 1.2, True, 4, ("DIARRHEA", "LOOSE STOOLS")),
    Reaction("Constipation", 91004, "GAST", "Gastrointestinal motility", 1.2, 1.1, False, 12, ("CONSTIPATION",)),
    Reaction("Dizziness", 91011, "NERV", "Neurological signs", 3.0, 1.6, True, 6, ("DIZZINESS",
        "FEELING DIZZY ON STANDING")),
    Reaction("Headache", 91012, "NERV", "Headaches", 4.0, 0.8, False, 2, ("HEADACHE",)),
    Reaction("Hypotension", 91021, "VASC", "Vascular hypotensive disorders", 1.2, 2.0, True, 9,
        ("LOW BLOOD PRESSURE",)),
    Reaction("Flushing", 91022, "VASC", "Peripheral vasodilatation", 0.8, 1.5, True, 7, ("FLUSHING", "HOT FACE")),
    Reaction("Palpitations", 91031, "CARD", "Cardiac rhythm signs", 0.9, 1.3, False, 5, ("PALPITATIONS",)),
    Reaction("Oedema peripheral", 91041, "GENR", "Oedema", 1.5, 1.7, False, 30, ("SWOLLEN ANKLES", "PERIPHERAL EDEMA")),
    Reaction("Fatigue", 91042, "GENR", "Asthenic conditions", 2.4, 1.2, False, 18, ("TIREDNESS", "FATIGUE")),
    Reaction("Nasopharyngitis", 91051, "INFE", "Upper respiratory infections", 3.4, 1.0, False, 8, ("COMMON COLD",)),
    Reaction("Urinary tract infection", 91052, "INFE", "Urinary infections", 1.4, 1.0, False, 9,
        ("URINARY TRACT INFECTION",)),
    Reaction("Influenza", 91053, "INFE", "Viral infections", 0.8, 1.0, False, 8, ("INFLUENZA", "FLU")),
    Reaction("Hypoglycaemia", 91061, "META", "Hypoglycaemic conditions", 1.3, 1.1, False, 1, ("LOW BLOOD SUGAR",)),
    Reaction("Hyperkalaemia", 91062, "META", "Potassium imbalance", 0.6, 1.9, False, 21, ("HIGH POTASSIUM",)),
    Reaction("Back pain", 91071, "MUSC", "Back pain", 1.8, 1.0, False, 14, ("BACK PAIN", "LOW BACK PAIN")),
    Reaction("Arthralgia", 91072, "MUSC", "Joint pain", 1.5, 1.0, False, 20, ("KNEE PAIN", "SHOULDER PAIN")),
    Reaction("Cough", 91081, "RESP", "Coughing", 1.8, 1.2, False, 16, ("COUGH", "DRY COUGH")),
    Reaction("Rash", 91091, "SKIN", "Rashes", 1.0, 1.5, False, 10, ("RASH", "ITCHY RASH ON ARMS")),
    Reaction("Alanine aminotransferase increased", 91101, "INVE", "Liver function analyses", 0.7, 1.5, False, 28,
        ("ALT INCREASED",)),
)
# fmt: on
FATAL = Reaction("Myocardial infarction", 91032, "CARD", "Ischaemic disorders", 0.0, 1.0, False, 3, ("HEART ATTACK",))


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
    code: int
    system: str
    share: float
    years: float
    medicines: tuple[Medicine, ...] = ()


# fmt: off
DISEASES = (
    Disease("HIGH BLOOD PRESSURE", "Hypertension", 92001, "VASC", 1.0, 9, (
        Medicine("HYDROCHLOROTHIAZIDE", "HYDROCHLOROTHIAZIDE", "THIAZIDES", 12.5, "mg", "QD"),
        Medicine("AMLODIPINE", "AMLODIPINE", "DIHYDROPYRIDINE DERIVATIVES", 5, "mg", "QD"))),
    Disease("TYPE 2 DIABETES", "Type 2 diabetes mellitus", 92002, "META", 1.0, 7, (
        Medicine("METFORMIN", "METFORMIN", "BIGUANIDES", 1000, "mg", "BID"),
        Medicine("GLUCOPHAGE", "METFORMIN", "BIGUANIDES", 850, "mg", "BID"))),
    Disease("HIGH CHOLESTEROL", "Hypercholesterolaemia", 92003, "META", 0.55, 6, (
        Medicine("ATORVASTATIN", "ATORVASTATIN", "HMG COA REDUCTASE INHIBITORS", 20, "mg", "QD"),
        Medicine("SIMVASTATIN", "SIMVASTATIN", "HMG COA REDUCTASE INHIBITORS", 40, "mg", "QD"))),
    Disease("KNEE ARTHROSIS", "Osteoarthritis", 92004, "MUSC", 0.35, 8, ()),
    Disease("REFLUX", "Gastrooesophageal reflux disease", 92005, "GAST", 0.3, 5, (
        Medicine("OMEPRAZOLE", "OMEPRAZOLE", "PROTON PUMP INHIBITORS", 20, "mg", "QD"),)),
    Disease("ASTHMA", "Asthma", 92006, "RESP", 0.12, 25, (
        Medicine("SALBUTAMOL INHALER", "SALBUTAMOL", "SELECTIVE BETA-2-AGONISTS", 100, "ug", "PRN",
            "RESPIRATORY (INHALATION)"),)),
    Disease("MIGRAINE", "Migraine", 92007, "NERV", 0.15, 20, ()),
    Disease("APPENDECTOMY", "Appendicectomy", 92008, "GAST", 0.25, 30, ()),
    Disease("ECZEMA", "Eczema", 92009, "SKIN", 0.12, 15, ()),
    Disease("ATRIAL FIBRILLATION", "Atrial fibrillation", 92010, "CARD", 0.1, 3, (
        Medicine("APIXABAN", "APIXABAN", "DIRECT FACTOR XA INHIBITORS", 5, "mg", "BID"),)),
)
# fmt: on
OVER = {"Appendicectomy"}

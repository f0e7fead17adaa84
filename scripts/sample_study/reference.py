"""Trial design tables: TA, TE, TV, TI, TS."""

from __future__ import annotations

import pandas as pd

from . import trial

# fmt: off
CRITERIA = (
    ("INCL01", "INCLUSION", "Aged 18 to 80 years at informed consent"),
    ("INCL02", "INCLUSION", "Hypertension known for at least 3 months"),
    ("INCL03", "INCLUSION", "Type 2 diabetes mellitus on a stable dose of medicine for at least 4 weeks"),
    ("INCL04", "INCLUSION", "Mean seated systolic blood pressure of 140 to 175 mmHg at screening"),
    ("INCL05", "INCLUSION", "HbA1c between 6.0 % and 9.5 % at screening"),
    ("EXCL01", "EXCLUSION", "Myocardial infarction or stroke within the last 6 months"),
    ("EXCL02", "EXCLUSION", "Potassium above 5.3 mmol/L at screening"),
    ("EXCL03", "EXCLUSION", "Pregnant or breast-feeding"),
    ("EXCL04", "EXCLUSION", "Treatment in another trial within the last 30 days"),
)
# fmt: on
# fmt: off
SUMMARY = (
    ("ADDON", "Added on to Existing Treatments", "Y"), ("AGEMAX", "Planned Maximum Age of Subjects", "P80Y"),
    ("AGEMIN", "Planned Minimum Age of Subjects", "P18Y"), ("COMPTRT", "Comparative Treatment Name", "PLACEBO"),
    ("DOSE", "Dose per Administration", "10"), ("DOSE", "Dose per Administration", "20"),
    ("DOSFRQ", "Dosing Frequency", "QD"), ("DOSU", "Dose Units", "mg"),
    ("FCNTRY", "Planned Country of Investigational Sites", "USA"),
    ("FCNTRY", "Planned Country of Investigational Sites", "DEU"),
    ("HLTSUBJI", "Healthy Subject Indicator", "N"), ("INDIC", "Trial Disease/Condition Indication", "Hypertension"),
    ("INTMODEL", "Intervention Model", "PARALLEL"), ("INTTYPE", "Intervention Type", "DRUG"),
    ("LENGTH", "Trial Length", "P16W"), ("NARMS", "Planned Number of Arms", "3"),
    ("OBJPRIM", "Trial Primary Objective", "Change of seated systolic blood pressure at week 12 against placebo"),
    ("OUTMSPRI", "Primary Outcome Measure", "Seated systolic blood pressure before dosing"),
    ("PLANSUB", "Planned Number of Subjects", "18"), ("RANDOM", "Trial is Randomized", "Y"),
    ("ROUTE", "Route of Administration", "ORAL"), ("SEXPOP", "Sex of Participants", "BOTH"),
    ("SPONSOR", "Clinical Study Sponsor", "Imagined Trials"), ("STYPE", "Study Type", "INTERVENTIONAL"),
    ("TBLIND", "Trial Blinding Schema", "DOUBLE BLIND"), ("TCNTRL", "Control Type", "PLACEBO"),
    ("TINDTP", "Trial Intent Type", "TREATMENT"), ("TITLE", "Trial Title",
        "Veltipran in hypertension with type 2 diabetes:"
     " a randomised, double-blind, placebo-controlled, dose-ranging study over 12 weeks"),
    ("TPHASE", "Trial Phase Classification", "PHASE II TRIAL"), ("TRT", "Investigational Therapy or Treatment",
        "VELTIPRAN"),
    ("TTYPE", "Trial Type", "EFFICACY"), ("TTYPE", "Trial Type", "SAFETY"),
)
# fmt: on


def arms() -> pd.DataFrame:
    """TA: the planned elements of each arm."""
    rows = []
    for arm in trial.ARMS.values():
        path = [("SCRN", "SCREENING"), *((code, "TREATMENT") for code, _ in arm.elements), ("FUP", "FOLLOW-UP")]
        for order, (code, epoch) in enumerate(path, 1):
            branch = f"Randomised to {arm.name}" if code == "SCRN" else None
            rows.append(
                {
                    "ARMCD": arm.code,
                    "ARM": arm.name,
                    "TAETORD": float(order),
                    "ETCD": code,
                    "ELEMENT": trial.ELEMENTS[code][0],
                    "TABRANCH": branch,
                    "TATRANS": None,
                    "EPOCH": epoch,
                }
            )
    return pd.DataFrame(rows)


def elements() -> pd.DataFrame:
    """TE: the elements and the rules for their start and end."""
    return pd.DataFrame(
        [
            {"ETCD": code, "ELEMENT": name, "TESTRL": start, "TEENRL": end, "TEDUR": None}
            for code, (name, start, end) in trial.ELEMENTS.items()
        ]
    )


def visits() -> pd.DataFrame:
    """TV: the planned visits."""
    return pd.DataFrame(
        [
            {"VISITNUM": float(v.number), "VISIT": v.name, "VISITDY": v.day, "TVSTRL": v.start, "TVENRL": v.end}
            for v in trial.VISITS
        ]
    )


def criteria() -> pd.DataFrame:
    """TI: the inclusion and exclusion criteria."""
    return pd.DataFrame(
        [{"IETESTCD": code, "IETEST": text, "IECAT": kind, "TIVERS": "1"} for code, kind, text in CRITERIA]
    )


def summary(enrolled: int, first: str, last: str) -> pd.DataFrame:
    """TS: the summary of the trial; the number of subjects and the first and last dates are those of the study."""
    rows = sorted(
        (
            *SUMMARY,
            ("ACTSUB", "Actual Number of Subjects", str(enrolled)),
            ("SSTDTC", "Study Start Date", first),
            ("SENDTC", "Study End Date", last),
        )
    )
    frame = pd.DataFrame(rows, columns=["TSPARMCD", "TSPARM", "TSVAL"])
    frame.insert(0, "TSSEQ", frame.groupby("TSPARMCD").cumcount() + 1.0)
    return frame

"""Parameters of a trial's summary (TS) that are facts of the study itself.

Source: CDISC Controlled Terminology, codelist Trial Summary Parameter Test Code (C66738).
"""

from __future__ import annotations

SUBJECTS, ARMS, FIRST, LAST, LENGTH = "subjects", "arms", "first", "last", "length"

PARAMETERS = {
    "ACTSUB": SUBJECTS,  # Actual Number of Subjects
    "PLANSUB": SUBJECTS,  # Planned Number of Subjects
    "NARMS": ARMS,  # Planned Number of Arms
    "SSTDTC": FIRST,  # Study Start Date
    "SENDTC": LAST,  # Study End Date
    "DCUTDTC": LAST,  # Data Cutoff Date
    "LENGTH": LENGTH,  # Trial Length
}
"""What each of these parameters tells: a number of subjects or arms, the first or last day, or how long it takes."""

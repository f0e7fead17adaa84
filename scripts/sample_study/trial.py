"""The design of the invented trial DR-201: arms, elements, visits, sites."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from datareplicator.seeds import Streams

STUDYID = "DR-201"
STREAMS = Streams(seed=20235)
RANDOMISED = 18
SCREEN_FAILURES = 2
FIRST_SITE_OPEN = date(2023, 3, 6)

PLACEBO, LOW, HIGH = "PBO", "VEL10", "VEL20"


@dataclass(frozen=True)
class Arm:
    """One arm: its name, the elements of its treatment epoch with their planned days, and the full effect on SBP."""

    code: str
    name: str
    elements: tuple[tuple[str, int], ...]
    effect: float
    harm: float


ARMS = {
    PLACEBO: Arm(PLACEBO, "Placebo", (("PBO", 84),), -4.0, 1.0),
    LOW: Arm(LOW, "Veltipran 10 mg", (("V10", 84),), -9.5, 1.25),
    HIGH: Arm(HIGH, "Veltipran 20 mg", (("V10", 14), ("V20", 70)), -15.0, 1.6),
}

ELEMENTS = {
    "SCRN": ("Screen", "Informed consent", "First dose of study treatment"),
    "PBO": ("Placebo", "First dose of placebo", "One day after the last dose"),
    "V10": ("Veltipran 10 mg", "First dose of veltipran 10 mg", "Change of dose or one day after the last dose"),
    "V20": ("Veltipran 20 mg", "First dose of veltipran 20 mg", "One day after the last dose"),
    "FUP": ("Follow-up", "One day after the last dose", "Last contact"),
}


@dataclass(frozen=True)
class Visit:
    """One planned visit: its number, name, planned study day (None where it has none) and the rule for its start."""

    number: float
    name: str
    day: int | None
    start: str
    end: str


VISITS = (
    Visit(1, "SCREENING", -14, "Informed consent", "All screening assessments done"),
    Visit(2, "BASELINE", 1, "Eligibility confirmed", "First dose taken under supervision"),
    Visit(3, "WEEK 2", 15, "14 days after the first dose", "All assessments done"),
    Visit(4, "WEEK 4", 29, "28 days after the first dose", "Tablets dispensed"),
    Visit(5, "WEEK 8", 57, "56 days after the first dose", "Tablets dispensed"),
    Visit(6, "WEEK 12", 85, "84 days after the first dose", "Last dose taken under supervision"),
    Visit(7, "EARLY TERMINATION", None, "Decision to stop treatment", "All assessments done"),
    Visit(8, "FOLLOW-UP", 99, "14 days after the last dose", "All assessments done"),
)
VISIT = {visit.name: visit for visit in VISITS}


@dataclass(frozen=True)
class Site:
    """One site: how busy it is, when it opened after the first site, and how it writes down blood pressure."""

    siteid: str
    investigator: str
    country: str
    share: float
    opened: int
    by_hand: bool
    level: float


SITES = (
    Site("011", "INV-031", "USA", 0.40, 0, True, 1.5),
    Site("014", "INV-038", "USA", 0.20, 35, False, -2.0),
    Site("021", "INV-052", "DEU", 0.28, 20, False, 0.5),
    Site("023", "INV-060", "DEU", 0.12, 60, True, -0.5),
)

"""The people of the trial: who they are, when they come, how long they stay."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np

from . import trial
from .trial import ARMS, SITES, VISITS, Arm, Site, Visit

COMPLETED, ADVERSE_EVENT, DEATH = "COMPLETED", "ADVERSE EVENT", "DEATH"
WITHDRAWAL, LOST, SCREEN_FAILURE = "WITHDRAWAL BY SUBJECT", "LOST TO FOLLOW-UP", "SCREEN FAILURE"
EARLY_FATES = ((ADVERSE_EVENT, 2), (DEATH, 1), (WITHDRAWAL, 1), (LOST, 1))
RACES = {
    "USA": (("WHITE", 0.6), ("BLACK OR AFRICAN AMERICAN", 0.3), ("ASIAN", 0.1)),
    "DEU": (("WHITE", 0.93), ("ASIAN", 0.07)),
}


@dataclass
class Attended:
    """A visit that took place. `day` is the date it began, `last` the date it ended."""

    number: float
    name: str
    planned: int | None
    day: date
    last: date
    reason: str = ""


@dataclass
class Subject:
    """One person. `arm` is None for a screen failure, whose `dosed` and `last_dose` are None too.

    `ends` is the last contact (or the death); `latent` holds the person's standing in burden, build and frailty.
    """

    number: int
    site: Site
    sex: str
    born: date
    race: str
    ethnic: str
    consent: date
    fate: str
    latent: dict[str, float]
    arm: Arm | None = None
    dosed: date | None = None
    last_dose: date | None = None
    ends: date | None = None
    visits: list[Attended] = field(default_factory=list)
    interruptions: list[tuple[date, date]] = field(default_factory=list)

    @property
    def subjid(self) -> str:
        """Number of the person within the site, as on the screening list."""
        return f"{self.site.siteid}-{self.number:03d}"

    @property
    def usubjid(self) -> str:
        return f"{trial.STUDYID}-{self.subjid}"

    @property
    def age(self) -> int:
        """Whole years at consent."""
        before = (self.consent.month, self.consent.day) < (self.born.month, self.born.day)
        return self.consent.year - self.born.year - before

    @property
    def stopped_early(self) -> bool:
        return self.fate not in (COMPLETED, SCREEN_FAILURE)


def workday(day: date, rng: np.random.Generator, earliest: date | None = None) -> date:
    """The nearest weekday, nearly always: clinics are closed at weekends, but a few visits happen there."""
    if day.weekday() < 5 or rng.random() < 0.04:
        return day
    moved = day + timedelta(days=-1 if day.weekday() == 5 else 1)
    return moved if earliest is None or moved > earliest else day + timedelta(days=7 - day.weekday())


def simulate() -> list[Subject]:
    """All 20 subjects in the order of consent."""
    subjects = _enrol()
    _randomise(subjects)
    rng = trial.STREAMS.get("visits")
    for subject in subjects:
        _attend(subject, rng)
    return subjects


def _enrol() -> list[Subject]:
    rng = trial.STREAMS.get("enrolment")
    total = trial.RANDOMISED + trial.SCREEN_FAILURES
    wanted = [site for site in SITES for _ in range(round(site.share * total))]
    arrivals = []
    for site in SITES:
        gaps = rng.exponential(200 / max(wanted.count(site), 1), wanted.count(site))
        for day in np.cumsum(gaps) + site.opened:
            arrivals.append((workday(trial.FIRST_SITE_OPEN + timedelta(days=int(day)), rng), site))
    arrivals.sort(key=lambda item: (item[0], item[1].siteid))
    failures = set(rng.choice(np.arange(2, total), trial.SCREEN_FAILURES, replace=False).tolist())
    seen: dict[str, int] = {}
    subjects = []
    for position, (consent, site) in enumerate(arrivals):
        seen[site.siteid] = seen.get(site.siteid, 0) + 1
        fate = SCREEN_FAILURE if position in failures else COMPLETED
        subjects.append(_person(seen[site.siteid], site, consent, fate, rng))
    return subjects


def _person(number: int, site: Site, consent: date, fate: str, rng: np.random.Generator) -> Subject:
    names, weights = zip(*RACES[site.country], strict=True)
    hispanic = site.country == "USA" and rng.random() < 0.2
    return Subject(
        number=number,
        site=site,
        sex="F" if rng.random() < 0.45 else "M",
        born=consent - timedelta(days=int(np.clip(rng.normal(60, 9), 38, 78) * 365.25)),
        race=str(rng.choice(names, p=weights)),
        ethnic="HISPANIC OR LATINO" if hispanic else "NOT HISPANIC OR LATINO",
        consent=consent,
        fate=fate,
        latent={"burden": rng.normal(), "build": rng.normal(), "frailty": rng.gamma(1.6, 1 / 1.6)},
    )


def _randomise(subjects: list[Subject]) -> None:
    """Permuted blocks of six, then the fates: early stops are likelier where the drug does more harm."""
    rng = trial.STREAMS.get("randomisation")
    entered = [subject for subject in subjects if subject.fate != SCREEN_FAILURE]
    codes: list[str] = []
    while len(codes) < len(entered):
        codes += rng.permutation(list(ARMS) * 2).tolist()
    for subject, code in zip(entered, codes, strict=False):
        subject.arm = ARMS[code]
    early = [fate for fate, count in EARLY_FATES for _ in range(count)]
    weight = np.array([s.arm.harm * (0.5 + s.latent["frailty"]) for s in entered])
    chosen = rng.choice(len(entered), len(early), replace=False, p=weight / weight.sum())
    for index, fate in zip(chosen.tolist(), early, strict=True):
        entered[index].fate = fate


def _attend(subject: Subject, rng: np.random.Generator) -> None:
    last = subject.consent + timedelta(days=int(rng.choice([0, 0, 1, 3])))
    subject.visits = [Attended(1, "SCREENING", -14, subject.consent, last)]
    if subject.arm is None:
        subject.ends = workday(last + timedelta(days=int(rng.integers(4, 9))), rng, last)
        return
    wait = int(np.clip(round(rng.normal(15, 3.5)), 8, 24))
    subject.dosed = workday(subject.consent + timedelta(days=wait), rng, last)
    stop = subject.dosed + timedelta(days=int(rng.integers(22, 72))) if subject.stopped_early else None
    for visit in VISITS[1:6]:
        day = _visit_day(subject, visit, rng)
        if stop is not None and day >= stop:
            break
        missed = visit.number in (3, 5) and rng.random() < 0.06
        if not missed:
            _come(subject, visit, day)
    _finish(subject, stop, rng)
    _recheck(subject, rng)


def _visit_day(subject: Subject, visit: Visit, rng: np.random.Generator) -> date:
    if visit.day == 1:
        return subject.dosed
    jitter = rng.choice(
        [0, 0, rng.integers(-2, 3), rng.integers(-4, 6), rng.integers(6, 11)], p=[0.3, 0.1, 0.4, 0.17, 0.03]
    )
    planned = subject.dosed + timedelta(days=visit.day - 1 + int(jitter))
    return workday(planned, rng, subject.visits[-1].day)


def _come(subject: Subject, visit: Visit, day: date) -> None:
    subject.visits.append(Attended(visit.number, visit.name, visit.day, day, day))


def _finish(subject: Subject, stop: date | None, rng: np.random.Generator) -> None:
    """Last dose, early termination, follow-up and last contact, as the fate has it."""
    latest = subject.visits[-1].day
    if stop is None:
        subject.last_dose = latest
    elif subject.fate == DEATH:
        subject.last_dose = max(stop - timedelta(days=int(rng.integers(1, 4))), latest)
        subject.ends = stop
        return
    elif subject.fate == LOST:
        subject.last_dose = latest + timedelta(days=int(rng.integers(3, 12)))
        subject.ends = workday(subject.last_dose + timedelta(days=30), rng)
        return
    else:
        subject.last_dose = max(stop - timedelta(days=1), latest)
        _come(subject, trial.VISIT["EARLY TERMINATION"], workday(stop + timedelta(days=2), rng, latest))
    if subject.fate != WITHDRAWAL:
        day = subject.last_dose + timedelta(days=14 + int(rng.integers(-2, 4)))
        _come(subject, trial.VISIT["FOLLOW-UP"], workday(day, rng, subject.visits[-1].day))
    subject.ends = subject.visits[-1].day


def _recheck(subject: Subject, rng: np.random.Generator) -> None:
    """Some come in between, to have a value looked at again."""
    planned = {visit.number: visit for visit in subject.visits}
    for number in (3.0, 4.0, 5.0):
        here = planned.get(number)
        later = [v.day for v in subject.visits if v.number > number]
        if here is None or not later or rng.random() > 0.12:
            continue
        day = workday(here.day + timedelta(days=int(rng.integers(4, 8))), rng, here.day)
        if day < min(later):
            reason = str(rng.choice(["RECHECK OF BLOOD PRESSURE", "RECHECK OF LABORATORY RESULT"]))
            subject.visits.append(Attended(number + 0.1, f"UNSCHEDULED {number + 0.1:.1f}", None, day, day, reason))
    subject.visits.sort(key=lambda visit: visit.number)

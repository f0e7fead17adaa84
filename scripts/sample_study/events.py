"""Adverse events, and the medicines given for them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np
import pandas as pd

from . import trial
from .people import ADVERSE_EVENT, DEATH, Subject
from .vocabulary import FATAL, REACTIONS, SYSTEMS, Reaction, code_of

CRITERIA = ("AESCONG", "AESDISAB", "AESDTH", "AESHOSP", "AESLIFE", "AESMIE")
RATE_PER_DAY = 2.6 / 100


@dataclass
class Event:
    """One adverse event; `end` is None while it goes on. `cause` is the comment on another cause, if any."""

    subject: Subject
    reaction: Reaction
    start: date
    end: date | None
    severity: str
    related: str
    action: str
    outcome: str
    criteria: list[str] = field(default_factory=list)
    cause: str = ""


def simulate(subjects: list[Subject]) -> list[Event]:
    """Events of all subjects; sets the interruptions of dosing that they caused."""
    rng = trial.STREAMS.get("AE")
    return [event for subject in subjects if subject.arm for event in _of(subject, rng)]


def _of(subject: Subject, rng: np.random.Generator) -> list[Event]:
    first, days = subject.visits[0].last, (subject.ends - subject.visits[0].last).days
    # Gamma-distributed frailty makes the counts over-dispersed, as they are in trials.
    count = rng.poisson(RATE_PER_DAY * days * subject.latent["frailty"] * (0.7 + 0.3 * subject.arm.harm))
    events = []
    for _ in range(count):
        reaction = _term(subject, rng)
        start = _onset(subject, reaction, first, days, rng)
        events.append(_describe(subject, reaction, start, rng))
        if reaction.term == "Nausea" and rng.random() < 0.35:
            vomiting = next(r for r in REACTIONS if r.term == "Vomiting")
            events.append(_describe(subject, vomiting, start, rng))
    if subject.fate == ADVERSE_EVENT:
        events.append(_withdrawing(subject, rng))
    if subject.fate == DEATH:
        events.append(_fatal(subject, rng))
    for event in events:
        if event.action == "DRUG INTERRUPTED":
            subject.interruptions.append((event.start, event.end))
    return events


def _term(subject: Subject, rng: np.random.Generator) -> Reaction:
    step = list(trial.ARMS).index(subject.arm.code)
    weight = np.array([reaction.weight * reaction.dose**step for reaction in REACTIONS])
    return REACTIONS[int(rng.choice(len(REACTIONS), p=weight / weight.sum()))]


def _onset(subject: Subject, reaction: Reaction, first: date, days: int, rng: np.random.Generator) -> date:
    if reaction.early and rng.random() < 0.75:
        start = subject.dosed + timedelta(days=int(rng.exponential(12)))
        if start < subject.ends:
            return start
    return first + timedelta(days=int(rng.integers(0, max(days, 1))))


def _describe(subject: Subject, reaction: Reaction, start: date, rng: np.random.Generator) -> Event:
    length = int(np.ceil(reaction.days * rng.lognormal(0, 0.8)))
    end = start + timedelta(days=length - 1)
    ongoing = end >= subject.ends or rng.random() < 0.04
    severity = str(rng.choice(["MILD", "MODERATE", "SEVERE"], p=[0.66, 0.28, 0.06]))
    on_drug = subject.dosed <= start <= subject.last_dose
    related = str(
        rng.choice(["NOT RELATED", "POSSIBLY RELATED", "RELATED"], p=[0.55, 0.33, 0.12] if on_drug else [1, 0, 0])
    )
    event = Event(subject, reaction, start, None if ongoing else end, severity, related, "NOT APPLICABLE", "")
    event.outcome = _outcome(ongoing, rng)
    if on_drug:
        event.action = "DOSE NOT CHANGED"
        fits = event.end is not None and subject.dosed < start and event.end < subject.last_dose
        if (
            fits
            and severity != "MILD"
            and related != "NOT RELATED"
            and not subject.interruptions
            and rng.random() < 0.5
        ):
            event.action = "DRUG INTERRUPTED"
    if severity == "SEVERE" and rng.random() < 0.6:
        event.criteria = ["AESHOSP"] if rng.random() < 0.7 else ["AESMIE"]
    if related == "NOT RELATED" and rng.random() < 0.15:
        event.cause = str(rng.choice(["DIETARY ERROR", "SEASONAL INFECTION IN THE FAMILY", "PHYSICAL WORK"]))
    return event


def _outcome(ongoing: bool, rng: np.random.Generator) -> str:
    if ongoing:
        return str(rng.choice(["NOT RECOVERED/NOT RESOLVED", "RECOVERING/RESOLVING"], p=[0.65, 0.35]))
    return str(rng.choice(["RECOVERED/RESOLVED", "RECOVERED/RESOLVED WITH SEQUELAE"], p=[0.97, 0.03]))


def _withdrawing(subject: Subject, rng: np.random.Generator) -> Event:
    """The event that ended treatment: it began in the week before the last dose."""
    event = _describe(subject, _term(subject, rng), subject.last_dose - timedelta(days=int(rng.integers(1, 7))), rng)
    event.severity = str(rng.choice(["MODERATE", "SEVERE"]))
    event.action, event.related, event.cause = "DRUG WITHDRAWN", "POSSIBLY RELATED", ""
    return event


def _fatal(subject: Subject, rng: np.random.Generator) -> Event:
    start = max(subject.ends - timedelta(days=int(rng.integers(1, 4))), subject.dosed)
    event = Event(subject, FATAL, start, subject.ends, "SEVERE", "NOT RELATED", "NOT APPLICABLE", "FATAL")
    event.criteria = ["AESDTH", "AESHOSP"]
    return event


def table(events: list[Event]) -> pd.DataFrame:
    """AE, one row an event, in the order of the list; a running `event` number lets others point at the rows."""
    rows = []
    for number, event in enumerate(events):
        reaction, system = event.reaction, SYSTEMS[event.reaction.system]
        said = reaction.said[number % len(reaction.said)]
        row = {
            "event": number,
            "USUBJID": event.subject.usubjid,
            "AETERM": said,
            "AELLT": said.capitalize(),
            "AELLTCD": code_of(said.capitalize()),
            "AEDECOD": reaction.term,
            "AEPTCD": code_of(reaction.term),
            "AEHLT": reaction.group,
            "AEHLTCD": code_of(reaction.group),
            "AEBODSYS": system,
            "AEBDSYCD": code_of(system),
            "AESOC": system,
            "AESOCCD": code_of(system),
            "AESEV": event.severity,
            "AESER": "Y" if event.criteria else "N",
            "AEACN": event.action,
            "AEREL": event.related,
            "AEOUT": event.outcome,
        }
        row |= {name: "Y" if name in event.criteria else "N" for name in CRITERIA}
        row |= {"AESTDTC": event.start.isoformat(), "AEENDTC": event.end.isoformat() if event.end else None}
        if event.end is None:
            row |= {"AEENRTPT": "ONGOING", "AEENTPT": "END OF PARTICIPATION"}
        rows.append(row)
    return pd.DataFrame(rows)


def supplement(ae: pd.DataFrame, events: list[Event]) -> pd.DataFrame:
    """SUPPAE of a finished AE table: treatment emergence and the other cause."""
    rows = []
    for usubjid, sequence, number in zip(ae.USUBJID, ae.AESEQ, ae.event, strict=True):
        event = events[int(number)]
        emergent = "Y" if event.start >= event.subject.dosed else "N"
        pointer = {"USUBJID": usubjid, "IDVAR": "AESEQ", "IDVARVAL": str(int(sequence))}
        rows.append(
            pointer
            | {
                "QNAM": "AETRTEM",
                "QLABEL": "Treatment Emergent Flag",
                "QVAL": emergent,
                "QORIG": "Derived",
                "QEVAL": None,
            }
        )
        if event.cause:
            rows.append(
                pointer
                | {
                    "QNAM": "AECAUSO",
                    "QLABEL": "Other Cause of Event",
                    "QVAL": event.cause,
                    "QORIG": "CRF",
                    "QEVAL": "INVESTIGATOR",
                }
            )
    return pd.DataFrame(rows)

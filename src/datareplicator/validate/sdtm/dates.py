"""Dates and study days (SDTMIG 4.4)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from datareplicator.dates import study_day
from datareplicator.validate.part import Part, later
from datareplicator.validate.rule import Hits, Severity
from datareplicator.validate.sdtm.view import SDTM_RULES, SdtmView

PAIRS = (("DTC", "DY"), ("STDTC", "STDY"), ("ENDTC", "ENDY"))


def _days(view: SdtmView) -> Iterator[tuple[Part, str, str, np.ndarray]]:
    """Every --DTC with its --DY, and the study day that follows from it (NaN where either date is not complete)."""
    for part in view.of_subjects():
        anchor = view.from_dm(part, "RFSTDTC")
        for date, day in PAIRS:
            names = part.var(date), part.var(day)
            if anchor is not None and part.has(*names) and names[0] in part.date_names:
                yield part, *names, study_day(part.moments(names[0]).day, anchor.day)


@SDTM_RULES.rule("DR0201", "The text is no ISO 8601 date, or no such day exists.", p21="SD0003")
def not_iso(view: SdtmView) -> Iterator[Hits]:
    for part in view.domains.values():
        for name in part.date_names:
            present = part.present(name)
            yield Hits(part, present & ~part.moments(name).valid, (name,), int(present.sum()))


@SDTM_RULES.rule(
    "DR0202",
    "The study day does not follow from the date and RFSTDTC.",
    core="000529 000552 000553",
    p21="SD1086 SD1090",
)
def wrong_day(view: SdtmView) -> Iterator[Hits]:
    for part, date, day, expected in _days(view):
        written = part.number(day)
        both = np.isfinite(expected) & np.isfinite(written) & (written != 0)
        yield Hits(part, both & (written != expected), (date, day), int(both.sum()))


@SDTM_RULES.rule("DR0203", "A study day is 0.", core="000529", p21="SD0038")
def day_zero(view: SdtmView) -> Iterator[Hits]:
    for part in view.of_subjects():
        for day in part.vars("DY", "STDY", "ENDY"):
            written = part.number(day)
            yield Hits(part, written == 0, (day,), int(np.isfinite(written).sum()))


@SDTM_RULES.rule(
    "DR0204", "A study day is given for a date that is not complete.", core="000138 000139 000354", p21="SD1089"
)
def day_of_partial(view: SdtmView) -> Iterator[Hits]:
    for part, date, day, expected in _days(view):
        partial = np.isnan(expected)
        yield Hits(part, partial & part.present(day), (date, day), int(partial.sum()))


@SDTM_RULES.rule("DR0205", "The start lies after the end.", core="000718", p21="SD0013")
def start_after_end(view: SdtmView) -> Iterator[Hits]:
    for part in view.of_subjects("STDTC", "ENDTC"):
        names = part.var("STDTC"), part.var("ENDTC")
        both = part.present(names[0]) & part.present(names[1])
        yield Hits(part, later(part.moments(names[0]), part.moments(names[1])), names, int(both.sum()))


@SDTM_RULES.rule("DR0206", "The study day of the start lies after that of the end.", p21="SD0012")
def start_day_after_end(view: SdtmView) -> Iterator[Hits]:
    for part in view.of_subjects("STDY", "ENDY"):
        names = part.var("STDY"), part.var("ENDY")
        start, end = (part.number(name) for name in names)
        yield Hits(part, start > end, names, int((np.isfinite(start) & np.isfinite(end)).sum()))


def _in_order(view: SdtmView, low: str, high: str) -> Iterator[Hits]:
    dm = view.get("DM", low, high)
    if dm is not None:
        both = dm.present(low) & dm.present(high)
        yield Hits(dm, later(dm.moments(low), dm.moments(high)), (low, high), int(both.sum()))


@SDTM_RULES.rule("DR0207", "RFSTDTC lies after RFENDTC.", core="000711", p21="SD1002")
def reference_period(view: SdtmView) -> Iterator[Hits]:
    yield from _in_order(view, "RFSTDTC", "RFENDTC")


@SDTM_RULES.rule("DR0208", "RFXSTDTC lies after RFXENDTC.", core="000714")
def exposure_period(view: SdtmView) -> Iterator[Hits]:
    yield from _in_order(view, "RFXSTDTC", "RFXENDTC")


@SDTM_RULES.rule("DR0209", "Informed consent (RFICDTC) lies after the first treatment (RFXSTDTC).", core="000658")
def consent_first(view: SdtmView) -> Iterator[Hits]:
    yield from _in_order(view, "RFICDTC", "RFXSTDTC")


@SDTM_RULES.rule("DR0210", "The date lies after the end of participation (RFPENDTC).", severity=Severity.WARNING)
def after_participation(view: SdtmView) -> Iterator[Hits]:
    for part in view.of_subjects():
        last = view.from_dm(part, "RFPENDTC")
        for name in part.vars("DTC", "STDTC"):
            if last is not None and part.name != "DM" and name in part.date_names:
                both = part.present(name) & (last.precision > 0)
                yield Hits(part, later(part.moments(name), last), (name,), int(both.sum()))


@SDTM_RULES.rule("DR0211", "Medical history begins after RFSTDTC.", core="000236")
def history_begins_late(view: SdtmView) -> Iterator[Hits]:
    mh = view.get("MH", "MHSTDTC")
    anchor = view.from_dm(mh, "RFSTDTC") if mh is not None else None
    if mh is not None and anchor is not None:
        both = mh.present("MHSTDTC") & (anchor.precision > 0)
        yield Hits(mh, later(mh.moments("MHSTDTC"), anchor), ("MHTERM", "MHSTDTC"), int(both.sum()))

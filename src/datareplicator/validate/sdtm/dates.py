"""Dates and study days (SDTMIG 4.4)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from datareplicator.dates import study_day
from datareplicator.validate.part import Part, later
from datareplicator.validate.rule import Hits, Severity
from datareplicator.validate.sdtm.view import SDTM_RULES, SUBJECT, SdtmView

HABIT = 0.95
"""Share of a domain's rows from which a habit counts as its rule."""

GRACE = 365
"""Days after all but one in a thousand of the study's dates from which a date lies in its future."""

OLDEST = 1900
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


def _dated(view: SdtmView) -> Iterator[tuple[Part, str]]:
    """Every domain with a subject and its own dates."""
    for part in view.of_subjects():
        for name in part.vars("DTC", "STDTC", "ENDTC"):
            if name in part.date_names:
                yield part, name


def _end_of_study(view: SdtmView) -> float:
    """The day after which nothing is dated: TS SENDTC, else a year after nearly all dates; NaN where none is known."""
    ts = view.get("TS", "TSPARMCD", "TSVAL")
    if ts is not None:
        told = ts.moments("TSVAL").day[ts.equals("TSPARMCD", "SENDTC")]
        if np.isfinite(told).any():
            return float(np.nanmax(told))
    days = [part.moments(name).day for part, name in _dated(view)]
    known = np.concatenate([d[np.isfinite(d)] for d in days]) if days else np.zeros(0)
    return float(np.quantile(known, 0.999)) + GRACE if len(known) else np.nan


@SDTM_RULES.rule("DR0212", "The date lies after the end of the study.")
def after_study(view: SdtmView) -> Iterator[Hits]:
    end = _end_of_study(view)
    for part, name in _dated(view):
        day = part.moments(name).day
        yield Hits(part, day > end, (name,), int(np.isfinite(day).sum()) if np.isfinite(end) else 0)
    if view.dm is not None and np.isfinite(end):
        for name in ("RFSTDTC", "RFENDTC", "RFXSTDTC", "RFXENDTC", "RFICDTC", "RFPENDTC", "DTHDTC"):
            if view.dm.has(name):
                day = view.dm.moments(name).day
                yield Hits(view.dm, day > end, (name,), int(np.isfinite(day).sum()))


@SDTM_RULES.rule("DR0213", "The date lies before the subject's birth.")
def before_birth(view: SdtmView) -> Iterator[Hits]:
    for part, name in _dated(view):
        birth = view.from_dm(part, "BRTHDTC")
        if birth is not None:
            both = part.present(name) & (birth.precision > 0)
            yield Hits(part, later(birth, part.moments(name)), (name,), int(both.sum()))


@SDTM_RULES.rule("DR0214", "The date does not lie within the visit's dates in SV.", severity=Severity.WARNING)
def outside_visit(view: SdtmView) -> Iterator[Hits]:
    sv = view.get("SV", SUBJECT, "VISITNUM", "SVSTDTC")
    if sv is None:
        return
    start = sv.moments("SVSTDTC").day
    end = sv.moments("SVENDTC").day if sv.has("SVENDTC") else start
    window = pd.DataFrame({"s": sv.frame[SUBJECT], "v": sv.number("VISITNUM"), "a": start, "z": np.fmax(start, end)})
    window = window.groupby(["s", "v"]).agg(a=("a", "min"), z=("z", "max"))
    for part in view.of_subjects("DTC"):
        name = part.var("DTC")
        if part.name == "SV" or name not in part.date_names or not part.has("VISITNUM"):
            continue
        keys = pd.MultiIndex.from_arrays([part.frame[SUBJECT], part.number("VISITNUM")])
        found = window.reindex(keys)
        day, first, last = part.moments(name).day, found["a"].to_numpy(), found["z"].to_numpy()
        asked = np.isfinite(day) & np.isfinite(first) & np.isfinite(last)
        bad = asked & ((day < first) | (day > last))
        # Where a domain is collected at other times than its visits, it is no mistake.
        if asked.any() and bad.sum() <= (1 - HABIT) * asked.sum():
            yield Hits(part, bad, ("VISITNUM", name), int(asked.sum()))


@SDTM_RULES.rule("DR0215", "Treatment begins before informed consent.", core="000086")
def before_consent(view: SdtmView) -> Iterator[Hits]:
    for domain in ("EX", "EC", "DV"):
        part = view.get(domain, SUBJECT, f"{domain}STDTC")
        consent = view.from_dm(part, "RFICDTC") if part is not None else None
        if part is not None and consent is not None:
            name = part.var("STDTC")
            both = part.present(name) & (consent.precision > 0)
            yield Hits(part, later(consent, part.moments(name)), (name,), int(both.sum()))


@SDTM_RULES.rule("DR0216", "The date is written otherwise than the rest of its column.", severity=Severity.WARNING)
def other_form(view: SdtmView) -> Iterator[Hits]:
    for part in view.domains.values():
        for name in part.date_names:
            text = pd.Series(part.distinct(name), dtype=object).astype(str)
            for form in (r"T.*(?:Z|[+-]\d{2}:?\d{2})$", r"\d \d"):
                odd = part.by_distinct(name, text.str.contains(form))
                if 0 < odd.sum() <= (1 - HABIT) * part.present(name).sum():
                    yield Hits(part, odd, (name,), int(part.present(name).sum()), f"({name})")


@SDTM_RULES.rule("DR0217", "The date is not complete, as all others of its column are.", severity=Severity.WARNING)
def rarely_partial(view: SdtmView) -> Iterator[Hits]:
    for part in view.of_subjects():
        for name in part.date_names:
            moments = part.moments(name)
            known = moments.precision > 0
            partial = known & moments.valid & (moments.precision < 10)
            if known.sum() >= 50 and partial.sum() <= 0.01 * known.sum():
                yield Hits(part, partial, (name,), int(known.sum()), f"({name})")


@SDTM_RULES.rule("DR0218", "The collection (--DTC) of a finding lies after its end (--ENDTC).", core="000866")
def collected_after_end(view: SdtmView) -> Iterator[Hits]:
    for part in view.of_subjects("DTC", "ENDTC"):
        if not part.vars("STDTC"):
            names = part.var("DTC"), part.var("ENDTC")
            both = part.present(names[0]) & part.present(names[1])
            yield Hits(part, later(part.moments(names[0]), part.moments(names[1])), names, int(both.sum()))


@SDTM_RULES.rule("DR0219", "The informed consent of DM is not the earliest in DS.", core="000363 000370")
def consent_disagrees(view: SdtmView) -> Iterator[Hits]:
    ds, dm = view.get("DS", SUBJECT, "DSDECOD", "DSSTDTC"), view.get("DM", "RFICDTC")
    if ds is None or dm is None or not dm.has(SUBJECT):
        return
    rows = ds.equals("DSDECOD", "INFORMED CONSENT OBTAINED", "INFORMED CONSENT")
    first = pd.Series(ds.moments("DSSTDTC").day[rows]).groupby(ds.frame[SUBJECT][rows].to_numpy(dtype=object)).min()
    told, said = dm.frame[SUBJECT].astype(object).map(first).to_numpy(dtype=float), dm.moments("RFICDTC").day
    both = np.isfinite(told) & np.isfinite(said)
    yield Hits(dm, both & (told != said), ("RFICDTC",), int(both.sum()))


@SDTM_RULES.rule("DR0220", "The study day is missing although both dates are complete.")
def missing_day(view: SdtmView) -> Iterator[Hits]:
    for part, date, day, expected in _days(view):
        both = np.isfinite(expected)
        given = both & part.present(day)
        # A domain without any study days has none by decision.
        if given.any():
            yield Hits(part, both & ~part.present(day), (date, day), int(both.sum()))


@SDTM_RULES.rule("DR0221", "The year lies before 1900.")
def too_old(view: SdtmView) -> Iterator[Hits]:
    for part in view.domains.values():
        for name in part.date_names:
            year = part.moments(name).year
            yield Hits(part, year < OLDEST, (name,), int(np.isfinite(year).sum()))


@SDTM_RULES.rule("DR0222", "RFCSTDTC lies after RFCENDTC.", core="000760")
def challenge_period(view: SdtmView) -> Iterator[Hits]:
    yield from _in_order(view, "RFCSTDTC", "RFCENDTC")


@SDTM_RULES.rule("DR0223", "Medical history ends after RFSTDTC.", core="000250", severity=Severity.WARNING)
def history_ends_late(view: SdtmView) -> Iterator[Hits]:
    mh = view.get("MH", "MHENDTC")
    anchor = view.from_dm(mh, "RFSTDTC") if mh is not None else None
    if mh is not None and anchor is not None:
        both = mh.present("MHENDTC") & (anchor.precision > 0)
        yield Hits(mh, later(mh.moments("MHENDTC"), anchor), ("MHTERM", "MHENDTC"), int(both.sum()))

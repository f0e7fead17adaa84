"""Subjects, arms, exposure and disposition."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pandas as pd

from datareplicator.validate.part import Part
from datareplicator.validate.rule import Hits, Severity
from datareplicator.validate.sdtm.view import SDTM_RULES, SPECIAL_ARMS, SUBJECT, SdtmView


def _special(dm: Part, name: str) -> np.ndarray:
    """bool a row of DM: the arm is one of the codes for no treatment, however written."""
    return dm.by_distinct(name, [str(code).upper() in SPECIAL_ARMS for code in dm.distinct(name)])


@SDTM_RULES.rule("DR0501", "The arm is not in TA.", core="000208 000210 000531", p21="SD0066 SD2236")
def unknown_arm(view: SdtmView) -> Iterator[Hits]:
    ta = view.get("TA", "ARMCD")
    if view.dm is None or ta is None:
        return
    known = [str(code) for code in ta.frame["ARMCD"].dropna().unique()]
    for name in ("ARMCD", "ACTARMCD"):
        if view.dm.has(name):
            present = view.dm.present(name)
            unknown = present & ~view.dm.equals(name, *known) & ~_special(view.dm, name)
            yield Hits(view.dm, unknown, (name,), int(present.sum()))


def _treated(view: SdtmView) -> np.ndarray | None:
    """bool a row of DM: the actual arm (or the planned one, where only that is there) is one with treatment."""
    if view.dm is None:
        return None
    name = next((n for n in ("ACTARMCD", "ARMCD") if view.dm.has(n)), None)
    return None if name is None else view.dm.present(name) & ~_special(view.dm, name)


@SDTM_RULES.rule("DR0502", "A subject in an arm has no exposure.", core="000366 000790", p21="SD0070")
def no_exposure(view: SdtmView) -> Iterator[Hits]:
    ex, treated = view.get("EX", SUBJECT), _treated(view)
    if ex is not None and treated is not None and view.dm is not None:
        exposed = view.subjects_where(ex, np.ones(len(ex), dtype=bool))
        yield Hits(view.dm, treated & ~exposed, (SUBJECT, "ARMCD", "ACTARMCD"), int(treated.sum()))


@SDTM_RULES.rule("DR0503", "A subject without treatment has exposure.")
def exposure_of_untreated(view: SdtmView) -> Iterator[Hits]:
    ex, treated = view.get("EX", SUBJECT), _treated(view)
    if ex is not None and treated is not None:
        rows = view.in_dm(ex)
        yield Hits(ex, (rows >= 0) & ~np.append(treated, True)[rows], ("EXTRT", "EXSTDTC"), len(ex))


@SDTM_RULES.rule("DR0504", "The dose is negative.", core="000005 000308", p21="SD0014")
def negative_dose(view: SdtmView) -> Iterator[Hits]:
    for part in view.of_subjects("DOSE"):
        dose = part.number(part.var("DOSE"))
        yield Hits(part, dose < 0, (part.var("DOSE"),), int(np.isfinite(dose).sum()))


@SDTM_RULES.rule("DR0505", "The dose has no unit.", core="000093", p21="SD0035")
def dose_without_unit(view: SdtmView) -> Iterator[Hits]:
    for part in view.of_subjects("DOSE", "DOSU"):
        given = part.present(part.var("DOSE"))
        yield Hits(
            part, given & ~part.present(part.var("DOSU")), (part.var("DOSE"), part.var("DOSU")), int(given.sum())
        )


@SDTM_RULES.rule("DR0506", "The subject has no disposition.", core="000515", p21="SD0069")
def no_disposition(view: SdtmView) -> Iterator[Hits]:
    ds = view.get("DS", SUBJECT)
    if ds is not None and view.dm is not None:
        told = view.subjects_where(ds, np.ones(len(ds), dtype=bool))
        yield Hits(view.dm, ~told, (SUBJECT,), len(view.dm))


@SDTM_RULES.rule("DR0507", "The subject is randomised twice.")
def randomised_twice(view: SdtmView) -> Iterator[Hits]:
    ds = view.get("DS", SUBJECT, "DSDECOD")
    if ds is not None:
        event = ds.equals("DSDECOD", "RANDOMIZED", "RANDOMISED")
        yield Hits(ds, ds.repeated([SUBJECT], event), ("DSDECOD", "DSSTDTC"), int(event.sum()))


@SDTM_RULES.rule("DR0510", "Exposure begins after the subject's last disposition event.")
def exposure_after_disposition(view: SdtmView) -> Iterator[Hits]:
    ex, ds = view.get("EX", SUBJECT, "EXSTDTC"), view.get("DS", SUBJECT, "DSCAT", "DSSTDTC")
    if ex is None or ds is None:
        return
    rows = ds.equals("DSCAT", "DISPOSITION EVENT")
    last = pd.Series(ds.moments("DSSTDTC").day[rows]).groupby(ds.frame[SUBJECT][rows].to_numpy(dtype=object)).max()
    end = ex.frame[SUBJECT].astype(object).map(last).to_numpy(dtype=float)
    start = ex.moments("EXSTDTC").day
    both = np.isfinite(start) & np.isfinite(end)
    yield Hits(ex, both & (start > end), ("EXTRT", "EXSTDTC"), int(both.sum()))


@SDTM_RULES.rule("DR0508", "The age is not above 0.", core="000310", p21="SD0084")
def age_not_positive(view: SdtmView) -> Iterator[Hits]:
    dm = view.get("DM", "AGE")
    if dm is not None:
        age = dm.number("AGE")
        yield Hits(dm, age <= 0, ("AGE",), int(np.isfinite(age).sum()))


@SDTM_RULES.rule("DR0509", "The age in years does not follow from the date of birth.", severity=Severity.WARNING)
def age_against_birth(view: SdtmView) -> Iterator[Hits]:
    dm = view.get("DM", "AGE", "BRTHDTC")
    if dm is None:
        return
    reference = next((n for n in ("RFICDTC", "RFSTDTC", "DMDTC") if dm.has(n) and dm.present(n).any()), None)
    if reference is None:
        return
    years = dm.moments(reference).year - dm.moments("BRTHDTC").year
    age = dm.number("AGE")
    asked = np.isfinite(years) & np.isfinite(age) & (dm.equals("AGEU", "YEARS") | (not dm.has("AGEU")))
    # The age may be counted at consent, first dose or collection: a year either way.
    yield Hits(dm, asked & ((age > years + 1) | (age < years - 2)), ("AGE", "BRTHDTC", reference), int(asked.sum()))


def _exposure(view: SdtmView, latest: bool) -> pd.Series | None:
    """First or last day of exposure by subject, starts and ends together; None without exposure."""
    ex = view.get("EX", SUBJECT, "EXSTDTC")
    if ex is None:
        return None
    days = [ex.moments(name).day for name in ("EXSTDTC", "EXENDTC") if ex.has(name)]
    subject = ex.frame[SUBJECT].to_numpy(dtype=object)
    stacked = pd.Series(np.concatenate(days)).groupby(np.tile(subject, len(days)))
    # A date that is not complete leaves open which is the first or the last.
    unknown = [ex.present(n) & ~np.isfinite(ex.moments(n).day) for n in ("EXSTDTC", "EXENDTC") if ex.has(n)]
    open_ended = set(subject[np.any(unknown, axis=0)])
    found = stacked.max() if latest else stacked.min()
    return found[~found.index.isin(open_ended)]


def _against_exposure(view: SdtmView, name: str, latest: bool) -> Iterator[Hits]:
    held = _exposure(view, latest)
    dm = view.get("DM", SUBJECT, name)
    if held is not None and dm is not None:
        expected, said = dm.frame[SUBJECT].astype(object).map(held).to_numpy(dtype=float), dm.moments(name).day
        asked = np.isfinite(expected) & (np.isfinite(said) | ~dm.present(name))
        yield Hits(dm, asked & (said != expected), (SUBJECT, name), int(asked.sum()))


@SDTM_RULES.rule("DR0511", "RFXSTDTC is not the first day of exposure.", core="000239")
def other_first_exposure(view: SdtmView) -> Iterator[Hits]:
    yield from _against_exposure(view, "RFXSTDTC", latest=False)


@SDTM_RULES.rule("DR0512", "RFXENDTC is not the last day of exposure.", core="000238")
def other_last_exposure(view: SdtmView) -> Iterator[Hits]:
    yield from _against_exposure(view, "RFXENDTC", latest=True)


@SDTM_RULES.rule("DR0513", "The treatment given is hardly ever given in the subject's arm.", severity=Severity.WARNING)
def treatment_of_other_arm(view: SdtmView) -> Iterator[Hits]:
    ex = view.get("EX", SUBJECT, "EXTRT")
    arm = next((n for n in ("ACTARMCD", "ARMCD") if view.dm is not None and view.dm.has(n)), None)
    if ex is None or arm is None or view.dm is None:
        return
    rows = view.in_dm(ex)
    code = np.append(view.dm.codes(arm), -1)[rows]
    trt = ex.codes("EXTRT")
    asked = (code >= 0) & (trt >= 0)
    pairs = pd.DataFrame({"arm": code, "trt": trt, "subject": ex.codes(SUBJECT)})[asked].drop_duplicates()
    people = pairs.groupby("arm")["subject"].nunique()
    given = pairs.groupby(["arm", "trt"]).size()
    share = given / people.reindex(given.index.get_level_values("arm")).to_numpy()
    rare = share[(share < 0.1) & (people.reindex(share.index.get_level_values("arm")).to_numpy() >= 10)]
    bad = asked & pd.MultiIndex.from_arrays([code, trt]).isin(rare.index)
    yield Hits(ex, bad, (SUBJECT, "EXTRT", "EXSTDTC"), int(asked.sum()))


@SDTM_RULES.rule("DR0514", "A subject who failed a criterion was treated.", severity=Severity.WARNING)
def treated_against_criteria(view: SdtmView) -> Iterator[Hits]:
    ie, ex = view.get("IE", SUBJECT, "IEORRES"), view.get("EX", SUBJECT)
    if ie is not None and ex is not None:
        failed = (ie.equals("IECAT", "INCLUSION") & ie.equals("IEORRES", "N")) | (
            ie.equals("IECAT", "EXCLUSION") & ie.equals("IEORRES", "Y")
        )
        treated = ie.frame[SUBJECT].isin(ex.frame[SUBJECT]).to_numpy(dtype=bool)
        yield Hits(ie, failed & treated, ("IETESTCD", "IECAT", "IEORRES"), int(failed.sum()))


YEARS = re.compile(r"P?(\d+)\s*Y", re.IGNORECASE)


@SDTM_RULES.rule("DR0515", "The age of a treated subject lies outside of the trial's limits (TS AGEMIN, AGEMAX).")
def outside_age_limits(view: SdtmView) -> Iterator[Hits]:
    ts, dm, treated = view.get("TS", "TSPARMCD", "TSVAL"), view.get("DM", "AGE"), _treated(view)
    if ts is None or dm is None or treated is None:
        return
    age = dm.number("AGE")
    for name, sign in (("AGEMIN", 1), ("AGEMAX", -1)):
        told = [YEARS.match(str(v)) for v in ts.frame["TSVAL"][ts.equals("TSPARMCD", name)].dropna()]
        years = [float(found[1]) for found in told if found]
        asked = treated & np.isfinite(age) & (dm.equals("AGEU", "YEARS") | (not dm.has("AGEU")))
        if years:
            yield Hits(dm, asked & (sign * age < sign * years[0]), ("AGE",), int(asked.sum()), f"({name} {years[0]:g})")


@SDTM_RULES.rule(
    "DR0516", "The subject has two disposition events in one epoch.", core="000213 000374", severity=Severity.WARNING
)
def two_dispositions(view: SdtmView) -> Iterator[Hits]:
    ds = view.get("DS", SUBJECT, "DSCAT")
    if ds is not None and ds.has("EPOCH"):
        event = ds.equals("DSCAT", "DISPOSITION EVENT")
        key = [SUBJECT, "EPOCH", *[n for n in ("DSSCAT", "DSGRPID") if ds.has(n)]]
        yield Hits(ds, ds.repeated(key, event), ("DSDECOD", "EPOCH", "DSSTDTC"), int(event.sum()))


@SDTM_RULES.rule("DR0517", "The subject both completed and discontinued in one epoch.")
def completed_and_not(view: SdtmView) -> Iterator[Hits]:
    ds = view.get("DS", SUBJECT, "DSDECOD", "DSCAT")
    if ds is None:
        return
    event = ds.equals("DSCAT", "DISPOSITION EVENT")
    key = ds.groups([SUBJECT, *[n for n in ("EPOCH", "DSSCAT") if ds.has(n)]])
    completed = event & ds.equals("DSDECOD", "COMPLETED")
    size = int(key.max(initial=-1)) + 1
    both = (np.bincount(key[completed], minlength=size) > 0) & (
        np.bincount(key[event & ~completed], minlength=size) > 0
    )
    yield Hits(ds, event & ~completed & both[key], ("DSDECOD", "DSSTDTC"), int(event.sum()))


@SDTM_RULES.rule(
    "DR0518", "The subject left for an adverse event, but no event led to withdrawal.", severity=Severity.WARNING
)
def left_without_event(view: SdtmView) -> Iterator[Hits]:
    ds, ae = view.get("DS", SUBJECT, "DSDECOD"), view.get("AE", SUBJECT, "AEACN")
    if ds is not None and ae is not None and ae.present("AEACN").any():
        left = ds.equals("DSDECOD", "ADVERSE EVENT")
        cause = ae.equals("AEACN", "DRUG WITHDRAWN") | ae.equals("AEOUT", "FATAL")
        told = ds.frame[SUBJECT].isin(ae.frame[SUBJECT][cause]).to_numpy(dtype=bool)
        yield Hits(ds, left & ~told, ("DSDECOD", "DSSTDTC"), int(left.sum()))


@SDTM_RULES.rule(
    "DR0519",
    "Arm, its code and the reason for none (ARMNRS) do not go together.",
    core="000045 000046 000119 000120 000121 000223 000224",
)
def arms_incomplete(view: SdtmView) -> Iterator[Hits]:
    dm = view.get("DM", "ARMCD", "ARM")
    if dm is None:
        return
    pairs = [("ARMCD", "ARM"), *([("ACTARMCD", "ACTARM")] if dm.has("ACTARMCD", "ACTARM") else [])]
    for code, text in pairs:
        bad = dm.present(code) != dm.present(text)
        if dm.has("ARMNRS"):
            bad |= ~dm.present(code) & ~dm.present("ARMNRS")
        yield Hits(dm, bad, (code, text, "ARMNRS"), len(dm), f"({code})")
    if dm.has("ARMNRS", "ACTARMCD"):
        bad = dm.present("ARMCD") & dm.present("ACTARMCD") & dm.present("ARMNRS")
        yield Hits(dm, bad, ("ARMCD", "ACTARMCD", "ARMNRS"), len(dm), "(ARMNRS)")


@SDTM_RULES.rule("DR0520", "The arm's name is not in TA.", core="000047 000156 000209")
def unknown_arm_name(view: SdtmView) -> Iterator[Hits]:
    ta = view.get("TA", "ARM")
    if ta is None:
        return
    known = [str(name) for name in ta.frame["ARM"].dropna().unique()]
    for domain, names in (("DM", ("ARM", "ACTARM")), ("TV", ("ARM",))):
        part = view.get(domain)
        for name in names if part is not None else ():
            if part is not None and part.has(name):
                code = f"{name}CD"
                special = _special(part, code) if part.has(code) else ~part.present(name)
                asked = part.present(name) & ~special
                yield Hits(part, asked & ~part.equals(name, *known), (name,), int(asked.sum()))


@SDTM_RULES.rule("DR0521", "Exposure ends after the subject's last disposition event.", severity=Severity.WARNING)
def exposure_ends_late(view: SdtmView) -> Iterator[Hits]:
    ex, ds = view.get("EX", SUBJECT, "EXENDTC"), view.get("DS", SUBJECT, "DSCAT", "DSSTDTC")
    if ex is None or ds is None:
        return
    rows = ds.equals("DSCAT", "DISPOSITION EVENT")
    last = pd.Series(ds.moments("DSSTDTC").day[rows]).groupby(ds.frame[SUBJECT][rows].to_numpy(dtype=object)).max()
    limit = ex.frame[SUBJECT].astype(object).map(last).to_numpy(dtype=float)
    end = ex.moments("EXENDTC").day
    both = np.isfinite(end) & np.isfinite(limit)
    yield Hits(ex, both & (end > limit), ("EXTRT", "EXENDTC"), int(both.sum()))


@SDTM_RULES.rule("DR0522", "Two records of exposure to one treatment overlap.", severity=Severity.WARNING)
def overlapping_exposure(view: SdtmView) -> Iterator[Hits]:
    ex = view.get("EX", SUBJECT, "EXTRT", "EXSTDTC", "EXENDTC")
    if ex is None:
        return
    start, end = ex.moments("EXSTDTC").day, ex.moments("EXENDTC").day
    key = ex.groups([SUBJECT, "EXTRT", *ex.vars("LOC", "LAT", "ROUTE", "CAT")])
    rows = np.flatnonzero(np.isfinite(start) & np.isfinite(end))
    rows = rows[np.lexsort((start[rows], key[rows]))]
    furthest = pd.Series(end[rows]).groupby(key[rows]).transform(lambda held: held.cummax().shift()).to_numpy()
    bad = np.zeros(len(ex), dtype=bool)
    bad[rows] = start[rows] < furthest
    yield Hits(ex, bad, ("EXTRT", "EXSTDTC", "EXENDTC"), len(rows))


@SDTM_RULES.rule("DR0523", "DSTERM says completed, DSDECOD does not.", core="000033")
def completed_otherwise(view: SdtmView) -> Iterator[Hits]:
    ds = view.get("DS", "DSTERM", "DSDECOD")
    if ds is not None:
        said = ds.equals("DSTERM", "COMPLETED")
        yield Hits(ds, said & ~ds.equals("DSDECOD", "COMPLETED"), ("DSTERM", "DSDECOD"), int(said.sum()))


@SDTM_RULES.rule("DR0524", "The subject has an arm, but no disposition.", core="000296")
def arm_without_disposition(view: SdtmView) -> Iterator[Hits]:
    dm = view.get("DM", SUBJECT, "ACTARMCD")
    if dm is not None:
        ds = view.get("DS", SUBJECT)
        told = np.zeros(len(dm), dtype=bool) if ds is None else view.subjects_where(ds, ds.present(SUBJECT))
        armed = dm.present("ACTARMCD") & ~_special(dm, "ACTARMCD")
        yield Hits(dm, armed & ~told, (SUBJECT, "ACTARMCD"), int(armed.sum()))


@SDTM_RULES.rule("DR0525", "A criterion's answer does not fit its kind.", core="000001 000011 000025 000227 000228")
def odd_criterion(view: SdtmView) -> Iterator[Hits]:
    ie = view.get("IE", "IECAT", "IEORRES")
    if ie is None:
        return
    # Only criteria that were not met are recorded.
    wrong = (ie.equals("IECAT", "INCLUSION") & ~ie.equals("IEORRES", "N")) | (
        ie.equals("IECAT", "EXCLUSION") & ~ie.equals("IEORRES", "Y")
    )
    if ie.has("IESTRESC"):
        wrong |= ie.frame["IEORRES"].fillna("").ne(ie.frame["IESTRESC"].fillna("")).to_numpy(dtype=bool)
    ti = view.get("TI")
    for name in ("IETEST", "IETESTCD"):
        if ti is not None and ti.has(name) and ie.has(name):
            wrong |= ie.present(name) & ~ie.frame[name].isin(ti.frame[name]).to_numpy(dtype=bool)
    yield Hits(ie, wrong, ("IETESTCD", "IECAT", "IEORRES"), len(ie))

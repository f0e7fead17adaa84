"""Subjects, arms, exposure and disposition."""

from __future__ import annotations

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

"""Baseline flags."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from datareplicator.validate.part import later, share_of
from datareplicator.validate.rule import Hits, Severity
from datareplicator.validate.sdtm.view import SDTM_RULES, SUBJECT, SdtmView

FLAGS = ("BLFL", "LOBXFL")
KEY = ("TESTCD", "CAT", "SCAT", "SPEC", "METHOD", "TPT", "TPTNUM", "POS", "LOC", "LAT", "DIR", "EVAL", "OBJ", "LNKID")


@SDTM_RULES.rule("DR0320", "The subject has two baselines of one test.", core="000914 000915")
def two_baselines(view: SdtmView) -> Iterator[Hits]:
    for part in view.of_subjects("TESTCD"):
        for flag in part.vars(*FLAGS):
            flagged = part.equals(flag, "Y")
            key = part.vars(*KEY)
            yield Hits(part, part.repeated([SUBJECT, *key], flagged), (*key, flag), int(flagged.sum()))


@SDTM_RULES.rule("DR0321", "A baseline flag is neither Y nor empty.", core="000170")
def odd_flag(view: SdtmView) -> Iterator[Hits]:
    for part in view.of_subjects():
        for flag in part.vars(*FLAGS):
            present = part.present(flag)
            yield Hits(part, present & ~part.equals(flag, "Y"), (flag,), int(present.sum()))


@SDTM_RULES.rule("DR0322", "A baseline has no standard result.", core="000105 000643")
def empty_baseline(view: SdtmView) -> Iterator[Hits]:
    for part in view.of_subjects("STRESC"):
        for flag in part.vars(*FLAGS):
            flagged = part.equals(flag, "Y")
            yield Hits(
                part, flagged & ~part.present(part.var("STRESC")), (flag, part.var("STRESC")), int(flagged.sum())
            )


@SDTM_RULES.rule("DR0328", "The baseline lies after the first treatment.", severity=Severity.WARNING)
def late_baseline(view: SdtmView) -> Iterator[Hits]:
    for part in view.of_subjects("DTC"):
        date = part.var("DTC")
        anchor = next((m for n in ("RFXSTDTC", "RFSTDTC") if (m := view.from_dm(part, n)) is not None), None)
        if anchor is None or date not in part.date_names:
            continue
        for flag in part.vars(*FLAGS):
            asked = part.equals(flag, "Y") & (anchor.precision > 0) & part.present(date)
            bad = asked & later(part.moments(date), anchor)
            # Some studies take the first day of treatment, or the days after it, as their baseline.
            if asked.any() and bad.sum() <= 0.05 * asked.sum():
                yield Hits(part, bad, (flag, date), int(asked.sum()))


@SDTM_RULES.rule("DR0329", "The subject has results before treatment, but no baseline.", severity=Severity.WARNING)
def no_baseline(view: SdtmView) -> Iterator[Hits]:
    for part in view.of_subjects("TESTCD", "DTC", "STRESC"):
        date, anchor = part.var("DTC"), view.from_dm(part, "RFSTDTC")
        if anchor is None or date not in part.date_names:
            continue
        group = part.groups([SUBJECT, *part.vars("TESTCD", "CAT", "SPEC", "TPT", "POS")])
        early = part.present(part.var("STRESC")) & (part.moments(date).day < anchor.day)
        first = ~pd.Series(group).where(pd.Series(early)).duplicated().to_numpy() & early
        test = part.groups(part.vars("TESTCD", "CAT"))
        for flag in part.vars(*FLAGS):
            has = (
                np.bincount(group, weights=part.equals(flag, "Y"), minlength=int(group.max(initial=-1)) + 1)[group] > 0
            )
            share = share_of(test, has, first)
            asked = first & (share >= 0.9)
            yield Hits(part, asked & ~has, (part.var("TESTCD"), date), int(asked.sum()), f"({flag})")


@SDTM_RULES.rule("DR0330", "The last result before treatment (--LOBXFL) has no original result.", core="000083")
def empty_last(view: SdtmView) -> Iterator[Hits]:
    for part in view.of_subjects("LOBXFL", "ORRES"):
        flagged = part.equals(part.var("LOBXFL"), "Y") & ~part.present(part.var("DRVFL"))
        names = part.var("LOBXFL"), part.var("ORRES")
        yield Hits(part, flagged & ~part.present(names[1]), names, int(flagged.sum()))

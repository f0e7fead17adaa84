"""Baseline flags."""

from __future__ import annotations

from collections.abc import Iterator

from datareplicator.validate.rule import Hits
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

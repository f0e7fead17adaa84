"""Identifiers: subjects, sequence numbers, required values, repeated records."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from datareplicator.validate.rule import Hits, Severity
from datareplicator.validate.sdtm.view import SDTM_RULES, SUBJECT, SdtmView

TOPICS = ("TERM", "TRT", "TESTCD")
WHAT = (
    "TERM",
    "TRT",
    "TESTCD",
    "DECOD",
    "CAT",
    "SCAT",
    "OBJ",
    "DOSE",
    "ORRES",
    "STRESC",
    "SPEC",
    "METHOD",
    "LOC",
    "LAT",
)
WHEN = ("DTC", "STDTC", "ENDTC", "TPT", "TPTNUM", "POS", "EVAL", "INDC", "SEV", "LNKID", "GRPID", "REPNUM")


@SDTM_RULES.rule("DR0101", "The subject is not in DM.", core="000201", p21="SD0064")
def unknown_subject(view: SdtmView) -> Iterator[Hits]:
    if view.dm is None:
        return
    for part in (*view.of_subjects(), *view.supplements, *view.relations):
        if part.name != "DM" and part.subject:
            asked = part.present(SUBJECT)
            yield Hits(part, asked & (view.in_dm(part) < 0), (SUBJECT,), int(asked.sum()))


@SDTM_RULES.rule("DR0102", "The subject has more than one row in DM.", core="000351", p21="SD0083")
def repeated_subject(view: SdtmView) -> Iterator[Hits]:
    if view.dm is not None:
        yield Hits(view.dm, view.dm.repeated([SUBJECT]), (SUBJECT,), len(view.dm))


@SDTM_RULES.rule("DR0103", "SUBJID is used for two subjects.", core="000186")
def repeated_subjid(view: SdtmView) -> Iterator[Hits]:
    dm = view.get("DM", "SUBJID", SUBJECT)
    if dm is not None:
        named = dm.present("SUBJID") & ~dm.repeated([SUBJECT])
        yield Hits(dm, dm.repeated(["SUBJID"], named), ("SUBJID", SUBJECT), int(named.sum()))


@SDTM_RULES.rule("DR0104", "--SEQ is repeated within the subject.", core="000544", p21="SD0005")
def repeated_sequence(view: SdtmView) -> Iterator[Hits]:
    for part in view.of_subjects("SEQ"):
        name = part.var("SEQ")
        known = part.present(name)
        yield Hits(part, part.repeated([SUBJECT, name], known), (name,), int(known.sum()))


@SDTM_RULES.rule("DR0105", "A required value is missing.", core="000356", p21="SD0002")
def missing_required(view: SdtmView) -> Iterator[Hits]:
    for part in view.domains.values():
        names = ["STUDYID", "DOMAIN", *([SUBJECT] if part.subject else []), *part.vars("SEQ", *TOPICS)]
        for name in names:
            if part.has(name):
                yield Hits(part, ~part.present(name), (name,), len(part), f"({name})")


@SDTM_RULES.rule("DR0106", "DOMAIN is not the table's domain.", p21="SD0004")
def wrong_domain(view: SdtmView) -> Iterator[Hits]:
    for part in view.domains.values():
        if part.has("DOMAIN"):
            present = part.present("DOMAIN")
            yield Hits(part, present & ~part.equals("DOMAIN", part.name), ("DOMAIN",), int(present.sum()))


@SDTM_RULES.rule(
    "DR0107", "The record repeats another one in all but its number.", p21="SD1117 SD1201", severity=Severity.WARNING
)
def repeated_record(view: SdtmView) -> Iterator[Hits]:
    for part in view.of_subjects("SEQ"):
        names = [SUBJECT, *part.vars(*WHAT, *WHEN), *(["VISITNUM"] if part.has("VISITNUM") else [])]
        if np.any([part.has(part.var(topic)) for topic in TOPICS]):
            yield Hits(part, part.repeated(names), tuple(names[1:]), len(part))

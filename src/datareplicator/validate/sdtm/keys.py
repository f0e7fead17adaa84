"""Identifiers: subjects, sequence numbers, required values, repeated records."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from datareplicator.validate.part import Part, share_of
from datareplicator.validate.rule import Hits, Severity
from datareplicator.validate.sdtm.view import SDTM_RULES, SUBJECT, SdtmView

HABIT = 0.95
"""Share of a study's rows from which a form counts as the study's own."""

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
    required = view.required()
    for part in (*view.domains.values(), *view.supplements):
        for name in required[part.tables[0]]:
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


@SDTM_RULES.rule("DR0109", "STUDYID is not that of DM.", core="000172")
def other_study(view: SdtmView) -> Iterator[Hits]:
    dm = view.get("DM", "STUDYID")
    if dm is None or not dm.present("STUDYID").any():
        return
    known = str(dm.frame["STUDYID"].mode().iloc[0])
    for part in (*view.domains.values(), *view.supplements, *view.relations):
        present = part.present("STUDYID")
        yield Hits(part, present & ~part.equals("STUDYID", known), ("STUDYID",), int(present.sum()))


@SDTM_RULES.rule("DR0110", "USUBJID does not hold SUBJID or SITEID, as it does elsewhere.", severity=Severity.WARNING)
def odd_identifier(view: SdtmView) -> Iterator[Hits]:
    dm = view.dm
    for name in ("SUBJID", "SITEID"):
        if dm is None or not dm.has(name):
            continue
        asked = dm.present(name) & dm.present(SUBJECT)
        pairs = zip(dm.frame[name].astype(object).map(str), dm.frame[SUBJECT].astype(object).map(str), strict=True)
        held = np.fromiter((part in whole for part, whole in pairs), dtype=bool, count=len(dm))
        if asked.any() and held[asked].mean() >= HABIT:
            yield Hits(dm, asked & ~held, (SUBJECT, name), int(asked.sum()))


@SDTM_RULES.rule("DR0111", "--SEQ is no positive whole number.")
def odd_sequence(view: SdtmView) -> Iterator[Hits]:
    for part in view.of_subjects("SEQ"):
        name = part.var("SEQ")
        number, present = part.number(name), part.present(name)
        good = np.isfinite(number) & (number > 0) & (number % 1 == 0)
        yield Hits(part, present & ~good, (name,), int(present.sum()))


@SDTM_RULES.rule("DR0112", "The rows of a subject do not lie together.", severity=Severity.WARNING)
def scattered_rows(view: SdtmView) -> Iterator[Hits]:
    for part in view.of_subjects():
        code, row = part.codes(SUBJECT), np.arange(len(part))
        begins = (np.diff(code, prepend=-2) != 0) | (np.diff(part.table, prepend=-1) != 0)
        key = part.table * (code.max(initial=0) + 2) + code
        earlier = pd.Series(row).groupby(key).transform("min").to_numpy() < row
        yield Hits(part, begins & earlier & (code >= 0), (SUBJECT,), len(part))


@SDTM_RULES.rule("DR0113", "The row repeats the names of the columns.")
def header_within(view: SdtmView) -> Iterator[Hits]:
    for part in (*view.domains.values(), *view.supplements, *view.relations):
        names = [name for name in ("STUDYID", "DOMAIN", "RDOMAIN", SUBJECT) if part.has(name)]
        same = np.sum([part.equals(name, name) for name in names], axis=0) if names else np.zeros(len(part))
        yield Hits(part, same >= 1, tuple(names), len(part))


SAME_RESULT = ("TESTCD", "CAT", "SCAT", "OBJ", "SPEC", "METHOD", "LOC", "LAT", "DIR", "POS", "TPT", "TPTNUM", "TPTREF")
ALSO = ("EVAL", "EVALID", "REPNUM", "LNKID", "GRPID", "SPID", "REFID", "NAM", "DTC", "STDTC", "RUNID", "FAST")


@SDTM_RULES.rule("DR0114", "A test has two results at one time.", core="001034", severity=Severity.WARNING)
def two_results(view: SdtmView) -> Iterator[Hits]:
    for part in view.of_subjects("TESTCD", "STRESC"):
        visit = [name for name in ("VISITNUM", "VISIT") if part.has(name)]
        key = [SUBJECT, *part.vars(*SAME_RESULT, *ALSO), *visit]
        if not visit and not part.vars("DTC"):
            continue
        given = part.present(part.var("STRESC"))
        yield Hits(part, part.repeated(key, given), (*key[1:], part.var("STRESC")), int(given.sum()))


NEAR = 1
"""Columns, apart from numbers and study days, in which two records of one start may differ and be near copies."""


@SDTM_RULES.rule(
    "DR0115", "The record nearly repeats one of the same term and start.", p21="SD1201", severity=Severity.WARNING
)
def near_copies(view: SdtmView) -> Iterator[Hits]:
    for part in view.of_subjects("STDTC"):
        topic = next(iter(part.vars("TERM", "TRT")), None)
        if topic is None:
            continue
        known = np.flatnonzero(part.present(topic) & (part.moments(part.var("STDTC")).precision >= 10))
        group = part.groups([SUBJECT, topic, part.var("STDTC")])[known]
        order = np.argsort(group, kind="stable")
        rows = known[order]
        again = np.diff(group[order], prepend=-1) == 0
        free = {part.var(s) for s in ("SEQ", "SPID", "DY", "STDY", "ENDY")}
        differ = np.zeros(len(rows), dtype=np.int64)
        for name in part.frame:
            if name not in free:
                differ += np.diff(part.codes(name)[rows], prepend=-2) != 0
        bad = np.zeros(len(part), dtype=bool)
        bad[rows[again & (differ > 0) & (differ <= NEAR)]] = True
        yield Hits(part, bad, (topic, *part.vars("STDTC", "ENDTC", "SEV", "OUT")), len(known))


@SDTM_RULES.rule("DR0116", "A value is missing that the column has nearly always.", severity=Severity.WARNING)
def rarely_missing(view: SdtmView) -> Iterator[Hits]:
    required = view.required()
    for part in view.of_subjects():
        group = _kind_of_row(part)
        for name in part.frame:
            missing = ~part.present(name)
            if not missing.any() or name in required[part.tables[0]]:
                continue
            share = share_of(group, ~missing, np.ones(len(part), dtype=bool))
            enough = np.bincount(group)[group] >= 50
            asked = enough & (share >= 0.99) & (share < 1)
            yield Hits(part, asked & missing, (name,), int(asked.sum()), f"({name})")


def _kind_of_row(part: Part) -> np.ndarray:
    """int64 a row: tests differ in what they fill, and rows not done fill less."""
    status = part.vars("TESTCD", "STAT", "DRVFL", "CAT")
    return part.groups(status)

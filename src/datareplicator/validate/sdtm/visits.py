"""Visits, elements and epochs."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from datareplicator.validate.part import Part, share_of, usual
from datareplicator.validate.rule import Hits, Severity
from datareplicator.validate.sdtm.view import SDTM_RULES, SUBJECT, SdtmView

NUMBER = "VISITNUM"


@SDTM_RULES.rule("DR0401", "The subject has no such visit in SV.", core="000168", p21="SD0065")
def visit_not_attended(view: SdtmView) -> Iterator[Hits]:
    sv = view.get("SV", SUBJECT, NUMBER)
    if sv is None:
        return
    attended = pd.MultiIndex.from_arrays([sv.frame[SUBJECT], sv.number(NUMBER)])
    for part in view.of_subjects():
        if part.name != "SV" and part.has(NUMBER):
            asked = part.present(NUMBER)
            known = pd.MultiIndex.from_arrays([part.frame[SUBJECT], part.number(NUMBER)]).isin(attended)
            yield Hits(part, asked & ~known, (NUMBER,), int(asked.sum()))


@SDTM_RULES.rule("DR0402", "A visit with a whole number is not planned in TV.", p21="SD1017", severity=Severity.WARNING)
def visit_not_planned(view: SdtmView) -> Iterator[Hits]:
    tv = view.get("TV", NUMBER)
    if tv is None:
        return
    planned = np.unique(tv.number(NUMBER))
    for part in view.of_subjects():
        if part.has(NUMBER):
            number = part.number(NUMBER)
            asked = np.isfinite(number) & (number % 1 == 0) & ~part.present("SVUPDES")
            yield Hits(part, asked & ~np.isin(number, planned), (NUMBER, "VISIT"), int(asked.sum()))


@SDTM_RULES.rule("DR0403", "A planned day is given for a visit that is not in TV.", core="000140")
def day_of_unplanned(view: SdtmView) -> Iterator[Hits]:
    tv = view.get("TV", NUMBER)
    if tv is None:
        return
    planned = np.unique(tv.number(NUMBER))
    for part in view.of_subjects():
        if part.has(NUMBER, "VISITDY"):
            unplanned = part.present(NUMBER) & ~np.isin(part.number(NUMBER), planned)
            yield Hits(part, unplanned & part.present("VISITDY"), (NUMBER, "VISITDY"), int(unplanned.sum()))


@SDTM_RULES.rule("DR0404", "A planned visit begins before an earlier one.", severity=Severity.WARNING)
def visits_out_of_order(view: SdtmView) -> Iterator[Hits]:
    sv, tv = view.get("SV", SUBJECT, NUMBER, "SVSTDTC"), view.get("TV", NUMBER)
    if sv is None or tv is None:
        return
    number, day = sv.number(NUMBER), sv.moments("SVSTDTC").day
    rows = np.flatnonzero(np.isin(number, tv.number(NUMBER)) & np.isfinite(day))
    rows = rows[np.lexsort((number[rows], sv.codes(SUBJECT)[rows]))]
    highest = pd.Series(day[rows]).groupby(sv.codes(SUBJECT)[rows]).cummax().to_numpy()
    bad = np.zeros(len(sv), dtype=bool)
    bad[rows[day[rows] < highest]] = True
    yield Hits(sv, bad, (NUMBER, "VISIT", "SVSTDTC"), len(rows))


@SDTM_RULES.rule("DR0405", "EPOCH is not an epoch of TA.", core="000271", p21="SD1015")
def unknown_epoch(view: SdtmView) -> Iterator[Hits]:
    ta = view.get("TA", "EPOCH")
    if ta is None:
        return
    known = [str(epoch) for epoch in ta.frame["EPOCH"].dropna().unique()]
    for part in view.of_subjects():
        present = part.present("EPOCH")
        if present.any():
            yield Hits(part, present & ~part.equals("EPOCH", *known), ("EPOCH",), int(present.sum()))


@SDTM_RULES.rule(
    "DR0406", "EPOCH is not that of the element in which the date lies.", core="000097", severity=Severity.WARNING
)
def other_epoch(view: SdtmView) -> Iterator[Hits]:
    se = view.get("SE", SUBJECT, "EPOCH", "SESTDTC")
    if se is None:
        return
    for part in view.of_subjects():
        date = next(iter(part.vars("STDTC", "DTC")), None)
        if part.name == "SE" or date not in part.date_names or not part.has("EPOCH"):
            continue
        inclusive, exclusive = _epochs(se, part, date)
        said = part.frame["EPOCH"].to_numpy(dtype=object)
        asked = part.present("EPOCH") & np.array([e is not None for e in inclusive], dtype=bool)
        # A day on which one element ends and the next begins may count for either.
        yield Hits(part, asked & (said != inclusive) & (said != exclusive), ("EPOCH", date), int(asked.sum()))


def _epochs(se: Part, part: Part, date: str) -> tuple[np.ndarray, np.ndarray]:
    """Epoch of the last element that began on or before the date, and of the last that began before it; None else."""
    subjects = pd.Index(pd.unique(se.frame[SUBJECT].dropna()))
    start = se.moments("SESTDTC").day
    owner = subjects.get_indexer(se.frame[SUBJECT])
    rows = np.flatnonzero(np.isfinite(start) & (owner >= 0))
    rows = rows[np.lexsort((start[rows], owner[rows]))]
    scale = 1e6  # more days than any date has since 1970: subject and day in one sortable number
    begins = owner[rows] * scale + start[rows]
    whose, day = subjects.get_indexer(part.frame[SUBJECT]), part.moments(date).day
    epochs = np.append(se.frame["EPOCH"].astype(object).where(se.frame["EPOCH"].notna(), None).to_numpy()[rows], None)
    result = []
    for side in ("right", "left"):
        at = np.searchsorted(begins, whose * scale + np.nan_to_num(day, nan=-scale / 2), side=side) - 1
        mine = (at >= 0) & (np.append(owner[rows], -2)[at] == whose) & np.isfinite(day)
        result.append(epochs[np.where(mine, at, -1)])
    return result[0], result[1]


LEAST_WINDOW = 10.0
"""Days either side of a visit's usual day that are always within its window."""

SPREADS = 6.0
"""Robust standard deviations of a visit's day that are within its window."""


@SDTM_RULES.rule("DR0407", "The visit lies far outside the window that its visits keep.", severity=Severity.WARNING)
def outside_window(view: SdtmView) -> Iterator[Hits]:
    sv = view.get("SV", SUBJECT, NUMBER, "SVSTDTC")
    anchor = view.from_dm(sv, "RFSTDTC") if sv is not None else None
    if sv is None or anchor is None:
        return
    number, day = sv.number(NUMBER), sv.moments("SVSTDTC").day - anchor.day
    planned = sv.present("VISITDY") if sv.has("VISITDY") else number % 1 == 0
    asked = np.isfinite(day) & np.isfinite(number) & planned & ~sv.present("SVUPDES")
    by_visit = pd.Series(np.where(asked, day, np.nan)).groupby(number)
    middle, many = by_visit.transform("median").to_numpy(), by_visit.transform("count").to_numpy() >= 10
    apart = np.abs(day - middle)
    spread = 1.4826 * pd.Series(np.where(asked, apart, np.nan)).groupby(number).transform("median").to_numpy()
    far = asked & many & (apart > np.maximum(LEAST_WINDOW, SPREADS * np.maximum(spread, 1.0)))
    early = far & (day < middle)
    bad = far & ~_last_of_subject(sv, number, asked, early)
    yield Hits(sv, bad, (NUMBER, "VISIT", "SVSTDTC"), int((asked & many).sum()))


def _last_of_subject(sv: Part, number: np.ndarray, asked: np.ndarray, early: np.ndarray) -> np.ndarray:
    """bool a row: an early visit with none but early ones after it, as of those who leave the trial."""
    rows = np.flatnonzero(asked)
    rows = rows[np.lexsort((-number[rows], sv.codes(SUBJECT)[rows]))]
    result = np.zeros(len(sv), dtype=bool)
    result[rows] = pd.Series(early[rows].astype(int)).groupby(sv.codes(SUBJECT)[rows]).cummin().to_numpy() > 0
    return result


@SDTM_RULES.rule("DR0408", "Nothing was recorded at the visit.", severity=Severity.WARNING)
def empty_visit(view: SdtmView) -> Iterator[Hits]:
    sv = view.get("SV", SUBJECT, NUMBER)
    others = [p for p in view.of_subjects() if p.name != "SV" and p.has(NUMBER)]
    if sv is None or not others:
        return
    seen = pd.concat([pd.DataFrame({"s": p.frame[SUBJECT], "v": p.number(NUMBER)}).drop_duplicates() for p in others])
    known = pd.MultiIndex.from_arrays([sv.frame[SUBJECT], sv.number(NUMBER)]).isin(pd.MultiIndex.from_frame(seen))
    asked = sv.present(NUMBER) & ~sv.equals("SVOCCUR", "N")
    # Where visits without data are usual, as by telephone, they are no mistake.
    usually = share_of(sv.codes(NUMBER) + 1, known, asked) >= 0.75
    asked &= usually | (share_of(np.zeros(len(sv), dtype=np.int64), known, asked) >= 0.95)
    yield Hits(sv, asked & ~known, (NUMBER, "VISIT"), int(asked.sum()))


@SDTM_RULES.rule("DR0409", "VISITDY is not the planned day of the visit.")
def other_planned_day(view: SdtmView) -> Iterator[Hits]:
    for part in view.of_subjects():
        if part.has(NUMBER, "VISITDY"):
            both = part.present(NUMBER) & part.present("VISITDY")
            codes = part.codes("VISITDY")
            group = part.codes(NUMBER) + 1
            same = usual(group, codes, both) == codes
            asked = both & (share_of(group, same, both) >= 0.9)
            yield Hits(part, asked & ~same, (NUMBER, "VISITDY"), int(asked.sum()))


@SDTM_RULES.rule("DR0410", "A planned visit is twice in SV.", core="000204")
def repeated_visit(view: SdtmView) -> Iterator[Hits]:
    sv, tv = view.get("SV", SUBJECT, NUMBER), view.get("TV", NUMBER)
    if sv is not None and tv is not None:
        planned = np.isin(sv.number(NUMBER), tv.number(NUMBER))
        yield Hits(sv, sv.repeated([SUBJECT, NUMBER], planned), (NUMBER, "VISIT"), int(planned.sum()))


def _elements(view: SdtmView) -> tuple[Part, np.ndarray, np.ndarray] | None:
    """SE, its rows by subject and start, and whether each has a next row of its subject."""
    se = view.get("SE", SUBJECT, "SESTDTC", "SEENDTC")
    if se is None:
        return None
    moment = se.moments("SESTDTC")
    start = moment.day + moment.second / 86400
    number = se.number("SESEQ") if se.has("SESEQ") else np.arange(len(se), dtype=float)
    rows = np.flatnonzero(np.isfinite(start) & se.present(SUBJECT))
    rows = rows[np.lexsort((number[rows], start[rows], se.codes(SUBJECT)[rows]))]
    return se, rows, se.codes(SUBJECT)[rows][:-1] == se.codes(SUBJECT)[rows][1:]


@SDTM_RULES.rule("DR0411", "The element does not end where the next one begins.", core="000352")
def broken_elements(view: SdtmView) -> Iterator[Hits]:
    found = _elements(view)
    if found is None or not len(found[1]):
        return
    se, rows, follows = found
    end, start = se.moments("SEENDTC"), se.moments("SESTDTC")
    bad = np.zeros(len(se), dtype=bool)
    gap = end.day[rows[:-1]] != start.day[rows[1:]]
    bad[rows[:-1]] = follows & gap & np.isfinite(end.day[rows[:-1]])
    yield Hits(se, bad, ("ETCD", "SESTDTC", "SEENDTC"), int(follows.sum()))


@SDTM_RULES.rule("DR0412", "--SEQ of elements is not in the order of their starts.", core="000535")
def elements_out_of_order(view: SdtmView) -> Iterator[Hits]:
    found = _elements(view)
    if found is None or not found[0].has("SESEQ"):
        return
    se, rows, follows = found
    number, day = se.number("SESEQ"), se.moments("SESTDTC").day
    bad = np.zeros(len(se), dtype=bool)
    bad[rows[1:]] = follows & (number[rows[1:]] < number[rows[:-1]]) & (day[rows[1:]] > day[rows[:-1]])
    yield Hits(se, bad, ("SESEQ", "SESTDTC"), int(follows.sum()))


@SDTM_RULES.rule("DR0413", "An element that is not the subject's last has no end.", core="000527")
def endless_element(view: SdtmView) -> Iterator[Hits]:
    found = _elements(view)
    if found is not None:
        se, rows, follows = found
        bad = np.zeros(len(se), dtype=bool)
        bad[rows[:-1]] = follows & ~se.present("SEENDTC")[rows[:-1]]
        yield Hits(se, bad, ("ETCD", "SESTDTC", "SEENDTC"), int(follows.sum()))


@SDTM_RULES.rule("DR0414", "The planned visit's date lies before that of an earlier visit.", severity=Severity.WARNING)
def dates_out_of_order(view: SdtmView) -> Iterator[Hits]:
    for part in view.of_subjects("TESTCD", "DTC"):
        date = part.var("DTC")
        if date not in part.date_names or not part.has(NUMBER):
            continue
        number, day = part.number(NUMBER), part.moments(date).day
        rows = np.flatnonzero(np.isfinite(number) & np.isfinite(day) & (number % 1 == 0) & part.present(SUBJECT))
        subject = part.codes(SUBJECT)
        order = rows[np.lexsort((day[rows], number[rows], subject[rows]))]
        # The latest date of all earlier visits, none of the visit's own.
        key = part.groups([SUBJECT, NUMBER])
        last = pd.Series(day[order]).groupby([subject[order], number[order]], sort=False).median()
        before = last.groupby(level=0, sort=False).transform(lambda held: held.cummax().shift())
        first = pd.Series(key[order]).drop_duplicates().to_numpy()
        held = np.full(int(key.max(initial=-1)) + 1, np.nan)
        held[first] = before.to_numpy()
        asked = np.isin(np.arange(len(part)), rows)
        bad = asked & (day < held[key])
        if asked.any() and bad.sum() <= 0.05 * asked.sum():
            yield Hits(part, bad, (NUMBER, date), int(asked.sum()))


@SDTM_RULES.rule("DR0415", "The element is not in TE.", core="000173")
def unknown_element(view: SdtmView) -> Iterator[Hits]:
    te = view.get("TE", "ETCD")
    for domain in ("SE", "TA") if te is not None else ():
        part = view.get(domain, "ETCD")
        if part is not None and te is not None:
            known = [str(code) for code in te.frame["ETCD"].dropna().unique()]
            present = part.present("ETCD") & ~part.equals("ETCD", "UNPLAN")
            yield Hits(part, present & ~part.equals("ETCD", *known), ("ETCD",), int(present.sum()))


@SDTM_RULES.rule("DR0416", "VISIT is not planned in TV.", core="000036 000269", severity=Severity.WARNING)
def name_not_planned(view: SdtmView) -> Iterator[Hits]:
    tv = view.get("TV", "VISIT", NUMBER)
    if tv is None:
        return
    known = [str(name) for name in tv.frame["VISIT"].dropna().unique()]
    planned = np.unique(tv.number(NUMBER))
    for part in view.of_subjects():
        if part.has("VISIT", NUMBER):
            asked = part.present("VISIT") & np.isin(part.number(NUMBER), planned)
            yield Hits(part, asked & ~part.equals("VISIT", *known), (NUMBER, "VISIT"), int(asked.sum()))


@SDTM_RULES.rule("DR0417", "SVPRESP does not agree with TV or SVOCCUR.", core="000035 000037 000038 000039 000040")
def planned_otherwise(view: SdtmView) -> Iterator[Hits]:
    sv, tv = view.get("SV", NUMBER, "SVPRESP"), view.get("TV", NUMBER)
    if sv is None:
        return
    said, given = sv.equals("SVPRESP", "Y"), sv.present("SVPRESP")
    bad = (given & ~said) | (~said & sv.present("SVOCCUR")) | (~given & sv.present("VISITDY"))
    if tv is not None:
        bad |= (said != np.isin(sv.number(NUMBER), tv.number(NUMBER))) & sv.present(NUMBER)
    yield Hits(sv, bad, (NUMBER, "SVPRESP", "SVOCCUR", "VISITDY"), len(sv))

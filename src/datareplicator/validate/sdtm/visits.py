"""Visits, elements and epochs."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from datareplicator.validate.part import Part
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

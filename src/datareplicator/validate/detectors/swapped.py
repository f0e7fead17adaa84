"""Slips of the hand: two digits of a result exchanged, day and month of a date exchanged."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from datareplicator.validate.detectors.factors import explained, unlikely
from datareplicator.validate.detectors.view import DETECTORS, DetectorView
from datareplicator.validate.part import Part
from datareplicator.validate.rule import Hits, Severity

FAR, FITS = 20.0, 8.0
"""Days from the visit's other dates: a date to be explained, and one that fits."""


def exchanged(texts: np.ndarray) -> list[list[float]]:
    """For each distinct text of a number, the numbers that exchanging two neighbouring digits gives."""
    found = []
    for text in texts:
        held: list[float] = []
        for i in range(len(text) - 1):
            j = i + 2 if text[i + 1] == "." and i + 2 < len(text) else i + 1
            if text[i].isdigit() and text[j].isdigit() and text[i] != text[j]:
                letters = list(text)
                letters[i], letters[j] = letters[j], letters[i]
                held.append(float("".join(letters)))
        found.append(held)
    return found


@DETECTORS.rule(
    "DR2011",
    "With two digits exchanged the value fits the subject's own course (at most 2 false alarms in 10,000 values).",
    severity=Severity.WARNING,
)
def digits_exchanged(view: DetectorView) -> Iterator[Hits]:
    for course in view.courses:
        asked = course.measured[course.test] & np.isfinite(course.apart)
        # Only values far from their course need a look: the few of them are written out.
        far = np.flatnonzero(asked & (np.abs(course.apart) > unlikely(course)))
        others = exchanged(np.array([f"{value:.10g}" for value in course.value[far]], dtype=object))
        bad = np.zeros(len(course), dtype=bool)
        for k in range(max((len(held) for held in others), default=0)):
            moved = np.full(len(course), np.nan)
            moved[far] = [held[k] if k < len(held) else np.nan for held in others]
            with np.errstate(divide="ignore", invalid="ignore"):
                scaled = np.where(course.log[course.test], np.log(np.where(moved > 0, moved, np.nan)), moved)
            bad |= explained(course, scaled)
        yield course.hits(bad, int(asked.sum()))


def _exchanged_day(part: Part, name: str) -> np.ndarray:
    """The day with month and day of the month exchanged; NaN where that is no other date."""
    day = part.moments(name).day
    stamp = pd.to_datetime(pd.Series(np.where(np.isfinite(day), day, 0.0)).astype("int64"), unit="D")
    usable = np.isfinite(day) & (stamp.dt.day <= 12).to_numpy() & (stamp.dt.day != stamp.dt.month).to_numpy()
    month = np.where(usable, stamp.dt.day, 1)
    other = pd.to_datetime(
        pd.DataFrame({"year": stamp.dt.year, "month": month, "day": np.where(usable, stamp.dt.month, 1)})
    )
    days = (other - pd.Timestamp(0)).dt.days.to_numpy(dtype=float)
    return np.where(usable, days, np.nan)


@DETECTORS.rule(
    "DR2018",
    "With day and month exchanged the date fits the others of its visit (at most 1 false alarm in 10,000 dates).",
    severity=Severity.WARNING,
)
def date_exchanged(view: DetectorView) -> Iterator[Hits]:
    for part in view.tables() if view.is_sdtm else ():
        if not part.has("VISITNUM"):
            continue
        # Events and medications recorded at a visit began at another time.
        for name in part.vars("STDTC" if part.name == "SV" else "DTC"):
            if name not in part.date_names:
                continue
            day, other = part.moments(name).day, _exchanged_day(part, name)
            expected = _visit_day(view, part)
            asked = np.isfinite(day) & np.isfinite(expected)
            bad = asked & (np.abs(day - expected) > FAR) & (np.abs(other - expected) <= FITS)
            yield Hits(part, bad, ("VISITNUM", name), int(asked.sum()), f"({name})")


def _visit_day(view: DetectorView, part: Part) -> np.ndarray:
    """The day on which the subject's visit was: the median of what all tables say of it."""
    table = view.__dict__.get("_visit_days")
    if table is None:
        held = []
        for other in view.tables():
            date = next(iter(other.vars("DTC", "STDTC")), None)
            if other.has("VISITNUM") and date in other.date_names and not other.vars("TERM", "TRT"):
                held.append(
                    pd.DataFrame(
                        {"s": other.frame[other.subject], "v": other.number("VISITNUM"), "d": other.moments(date).day}
                    ).dropna().drop_duplicates().assign(t=other.name)
                )  # fmt: skip
        whole = pd.concat(held) if held else pd.DataFrame({"s": [], "v": [], "d": [], "t": []})
        table = whole.groupby(["s", "v"])["d"].median()
        view.__dict__["_visit_days"] = table
    keys = pd.MultiIndex.from_arrays([part.frame[part.subject], part.number("VISITNUM")])
    return table.reindex(keys).to_numpy(dtype=float)

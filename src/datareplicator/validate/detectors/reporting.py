"""Sites that report fewer events than their subjects and their time let expect."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from datareplicator.structure.spec import Layout
from datareplicator.validate.detectors import rates
from datareplicator.validate.detectors.view import ALARM, DETECTORS, DetectorView, of_sites
from datareplicator.validate.part import Part
from datareplicator.validate.rule import Hits, Severity

LEAST_SUBJECTS = 5
FEW = 0.5
"""Share of the expected events under which a site reports remarkably few."""
MOST_FOUND = 10
"""Sites that can be found at once; never more than a third of all."""


def _events(view: DetectorView) -> Iterator[Part]:
    """Tables of events: adverse events in SDTM, else tables of varying numbers of dated rows."""
    if view.is_sdtm:
        ae = view.sdtm.get("AE", "USUBJID")
        if ae is not None:
            yield ae
    elif view.structural is not None:
        for spec, part in view.structural.tables():
            if spec.layout == Layout.EVENTS and part.subject:
                yield part


def _time(view: DetectorView, people: pd.Index) -> np.ndarray:
    """How long each subject was seen, in days; 1 where that is not known."""
    dm = view.sdtm.dm if view.is_sdtm else None
    last = next((n for n in ("RFPENDTC", "RFENDTC") if dm is not None and dm.has(n, "RFSTDTC")), None)
    if dm is None or last is None:
        return np.ones(len(people))
    days = pd.Series(dm.moments(last).day - dm.moments("RFSTDTC").day + 1, index=dm.frame["USUBJID"].astype(object))
    days = days[~days.index.duplicated()].reindex(people).to_numpy(dtype=float)
    return np.where(np.isfinite(days) & (days > 0), days, np.nan)


def compare(count: np.ndarray, time: np.ndarray, site: np.ndarray) -> pd.DataFrame:
    """Each site that is large enough against sound ones: site (code), events, expected, p, found.

    `count`, `time`: events and days of each subject; `site`: its code. The site with the lowest rate is judged by all
    others and put aside, then the next, and all are found down to the last that was too low (Rosner 1983): so one
    silent site does not hide another. The sites that are not found are judged by each other.
    """
    weight = time ** rates.exponent(count, time, site)
    people, seen, size, square = (np.bincount(site, weights=w) for w in (np.ones(len(site)), count, weight, weight**2))
    due = size * seen.sum() / size.sum()
    shape = size**2 / np.maximum(square, 1e-12) / rates.dispersion(count, weight * seen.sum() / size.sum(), site)
    large = np.flatnonzero(people >= LEAST_SUBJECTS)
    if len(large) < 2:
        return pd.DataFrame()
    y, variance = np.log((seen + 0.5) / (due + 0.5)), 1 / (due + 0.5) + 1 / np.maximum(shape, 1e-12)

    def judged(these: np.ndarray, by: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        middle, extra = rates.between(y[by], variance[by])
        expected = due[these] * np.exp(middle)
        freedom = rates.PRIOR_WEIGHT + len(by) - 1
        return expected, rates.few(seen[these], expected, shape[these], float(np.sqrt(extra)), freedom)

    left, aside, found = large, [], 0
    expected, p = np.full(len(seen), np.nan), np.ones(len(seen))
    for _ in range(max(1, min(len(large) // 3, MOST_FOUND))):
        middle, extra = rates.between(y[left], variance[left])
        lowest = int(left[np.argmin((y[left] - middle) / np.sqrt(variance[left] + extra))])
        many, left = len(left), left[left != lowest]
        aside.append(lowest)
        expected[[lowest]], p[[lowest]] = judged(np.array([lowest]), left)
        # Half of the chance: what is put aside makes those that stay look more alike than they are.
        if p[lowest] < ALARM / 2 / many and seen[lowest] < FEW * expected[lowest]:
            found = len(aside)
    sound = np.setdiff1d(large, aside[:found])
    expected[sound], p[sound] = judged(sound, sound)
    return pd.DataFrame(
        {
            "site": large,
            "events": seen[large],
            "expected": expected[large].round(1),
            "p": p[large],
            "found": np.isin(large, aside[:found]),
        }
    )


@DETECTORS.rule(
    "DR2013",
    "The site reports too few events (1 false alarm in 100 studies).",
    severity=Severity.WARNING,
)
def under_reporting(view: DetectorView) -> Iterator[Hits]:
    names, sites = view.sites
    for part in _events(view) if len(names) > 1 else ():
        time = _time(view, sites.index)
        count = (
            part.frame[part.subject].astype(object).value_counts().reindex(sites.index).fillna(0).to_numpy(dtype=float)
        )
        known = np.isfinite(time)
        if known.sum() < 2 * LEAST_SUBJECTS or not count[known].any():
            continue
        frame = compare(count[known], time[known], sites.to_numpy(dtype=np.int64)[known])
        if len(frame):
            bad = frame.pop("found").to_numpy(dtype=bool)
            frame["site"] = names[frame["site"].to_numpy(dtype=np.int64)]
            yield Hits(of_sites(part.name, frame), bad, ("site", "events", "expected", "p"), len(frame))

"""Sites that enter what happened long after it happened."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy.stats import norm

from datareplicator.validate.detectors.view import ALARM, DETECTORS, DetectorView, of_sites
from datareplicator.validate.part import Part
from datareplicator.validate.rule import Hits, Severity

LEAST_SUBJECTS, LEAST_ROWS = 4, 15


@DETECTORS.rule(
    "DR2012",
    "The site records events or findings later than the other sites (1 false alarm in 100 studies).",
    severity=Severity.WARNING,
)
def late_entry(view: DetectorView) -> Iterator[Hits]:
    names, _ = view.sites
    for part, delay in _delays(view) if len(names) > 1 else ():
        site = view.site_of(part.frame["USUBJID"])
        rows = np.isfinite(delay) & (delay >= 0) & (site >= 0)
        held = pd.DataFrame({"site": site, "subject": part.codes("USUBJID"), "late": np.log1p(np.maximum(delay, 0))})[
            rows
        ]
        frame = _compare(held, delay[rows])
        if len(frame):
            frame["site"] = names[frame["site"].to_numpy(dtype=np.int64)]
            bad = (frame["p"] < ALARM / len(frame)).to_numpy()
            yield Hits(of_sites(part.name, frame), bad, ("site", "median_days", "p"), len(frame))


def _delays(view: DetectorView) -> Iterator[tuple[Part, np.ndarray]]:
    """Days from the start of an event, or from the visit of a finding, to the date of its collection."""
    sv = view.sdtm.get("SV", "USUBJID", "VISITNUM", "SVSTDTC") if view.is_sdtm else None
    first = None
    if sv is not None:
        visit = pd.MultiIndex.from_arrays([sv.frame["USUBJID"], sv.number("VISITNUM")])
        first = pd.Series(sv.moments("SVSTDTC").day, index=visit).groupby(level=[0, 1]).min()
    for part in view.sdtm.of_subjects("DTC") if view.is_sdtm else ():
        collected = part.moments(part.var("DTC")).day
        if part.has(part.var("STDTC")):
            if part.name not in ("MH", "CM"):  # what happened before the study is late by its nature
                yield part, collected - part.moments(part.var("STDTC")).day
        elif first is not None and part.has(part.var("TESTCD"), "VISITNUM"):
            visit = pd.MultiIndex.from_arrays([part.frame["USUBJID"], part.number("VISITNUM")])
            yield part, collected - first.reindex(visit).to_numpy(dtype=float)


def _compare(held: pd.DataFrame, delay: np.ndarray) -> pd.DataFrame:
    """Each site's subjects (means of log delays) against all: site, median_days, p (one-sided)."""
    held = held.assign(days=delay)
    people = held.groupby(["site", "subject"])["late"].mean().reset_index()
    site = people.groupby("site")["late"].agg(["mean", "count"])
    site["rows"], site["median_days"] = held.groupby("site").size(), held.groupby("site")["days"].median()
    site = site[(site["count"] >= LEAST_SUBJECTS) & (site["rows"] >= LEAST_ROWS)]
    if len(site) < 2:
        return pd.DataFrame()
    # Where nearly nothing is late, half a day of spread is the least that counts.
    z = (site["mean"] - people["late"].median()) * np.sqrt(site["count"]) / max(float(people["late"].std()), 0.4)
    centred = z - z.median()
    spread = max(1.0, 1.4826 * float(centred.abs().median()))
    return site.assign(p=norm.sf(centred / spread)).reset_index()[["site", "median_days", "p"]]

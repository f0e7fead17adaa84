"""Sites that report fewer events than their subjects and their time let expect."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy.stats import nbinom, norm

from datareplicator.structure.spec import Layout
from datareplicator.validate.detectors.view import ALARM, DETECTORS, DetectorView, of_sites
from datareplicator.validate.part import Part
from datareplicator.validate.rule import Hits, Severity

LEAST_SUBJECTS = 5
FEW = 0.5
"""Share of the expected events under which a site reports remarkably few."""


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
        site, count, time = sites.to_numpy(dtype=np.int64)[known], count[known], time[known]
        expected = count.sum() * time / time.sum()
        # Counts of subjects vary more than by chance: negative binomial, its shape by the method of moments.
        excess = max(float(np.var(count - expected)) - float(expected.mean()), 1e-6)
        shape = float(expected.mean()) ** 2 / excess
        size = np.bincount(site, minlength=len(names))
        observed, due = (np.bincount(site, weights=held, minlength=len(names)) for held in (count, expected))
        p = np.clip(
            nbinom.cdf(observed, np.maximum(size, 1) * shape, shape / (shape + due / np.maximum(size, 1))), 1e-300, 1
        )
        z = norm.ppf(p)
        large = np.flatnonzero(size >= LEAST_SUBJECTS)
        if len(large) < 2:
            continue
        spread = max(1.0, 1.4826 * float(np.median(np.abs(z[large] - np.median(z[large])))))
        frame = pd.DataFrame(
            {
                "site": names[large],
                "events": observed[large],
                "expected": due[large].round(1),
                "p": norm.cdf(z[large] / spread),
            }
        )
        bad = (frame["p"] < ALARM / len(frame)) & (frame["events"] < FEW * frame["expected"])
        yield Hits(of_sites(part.name, frame), bad.to_numpy(), ("site", "events", "expected", "p"), len(frame))

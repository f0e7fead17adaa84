"""A site whose results lie elsewhere than those of the other sites, or wander in the course of the study."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy.stats import t as student

from datareplicator.validate.detectors.view import DETECTORS, Courses, DetectorView, at_sites
from datareplicator.validate.rule import Hits, Severity

LEAST_SUBJECTS = 4
SHIFT = 0.75
"""Standard deviations between subjects by which a site must lie apart."""


def levels(course: Courses, names: np.ndarray) -> pd.DataFrame:
    """Site, test, shift (in standard deviations between subjects), p."""
    rows = (course.site >= 0) & course.measured[course.test]
    held = pd.DataFrame({"test": course.test, "site": course.site, "subject": course.subject, "y": course.scaled})[rows]
    people = held.groupby(["test", "site", "subject"])["y"].median().reset_index()
    if not len(people):
        return pd.DataFrame()
    middle = people.groupby("test")["y"].transform("median")
    spread = 1.4826 * (people["y"] - middle).abs().groupby(people["test"]).transform("median")
    people["z"] = ((people["y"] - middle) / spread.where(spread > 0)).clip(-6, 6)
    site = people.groupby(["test", "site"])["z"].agg(["mean", "count"]).reset_index()
    site = site[(site["count"] >= LEAST_SUBJECTS) & site["mean"].notna()]
    # How far sound sites lie apart anyway (devices, regions): the robust spread between sites of the test.
    centred = site["mean"] - site.groupby("test")["mean"].transform("median")
    scaled = centred * np.sqrt(site["count"])
    inflate = (1.4826 * scaled.abs().groupby(site["test"]).transform("median")).clip(lower=1.2)
    few = site.groupby("test")["mean"].transform("count")
    p = 2 * student.sf(np.abs(scaled / inflate), np.maximum(few - 1, 1))
    # Below five sites the spread between them is not known; three standard deviations of one subject are.
    p = np.where(few >= 5, p, np.where(centred.abs() > 3, 0.0, 1.0))
    return pd.DataFrame(
        {
            "site": names[site["site"].to_numpy(dtype=np.int64)],
            "test": course.names[site["test"].to_numpy(dtype=np.int64)],
            "shift": centred.to_numpy(),
            "p": np.asarray(p, dtype=float),
        }
    )


def trends(course: Courses, names: np.ndarray) -> pd.DataFrame:
    """Site, test, change in a year (in standard deviations within subjects), p; by calendar day within subjects."""
    rows = (course.site >= 0) & course.measured[course.test] & (course.day > 3650)
    held = pd.DataFrame(
        {"test": course.test, "site": course.site, "series": course.series, "visit": course.visit, "y": course.scaled,
         "x": course.day / 365.25}
    )[rows]  # fmt: skip
    if not len(held):
        return pd.DataFrame()
    # What all subjects go through from visit to visit is no drift of a site.
    held["y"] = held["y"] - held.groupby(["test", "visit"])["y"].transform("median")
    for name in ("x", "y"):
        held[name] = held[name] - held.groupby("series")[name].transform("mean")
    scale = 1.4826 * held["y"].abs().groupby(held["test"]).transform("median")
    held["y"] = (held["y"] / scale.where(scale > 0)).clip(-5, 5)
    held["xy"], held["xx"] = held["x"] * held["y"], held["x"] ** 2
    by_series = held.groupby(["test", "site", "series"])[["xy", "xx"]].sum().reset_index()
    site = by_series.groupby(["test", "site"]).agg(
        xy=("xy", "sum"), xx=("xx", "sum"), v=("xy", lambda v: float((v**2).sum())), n=("xy", "size")
    ).reset_index()  # fmt: skip
    site = site[(site["n"] >= 2 * LEAST_SUBJECTS) & (site["xx"] > 0) & (site["v"] > 0)]
    # Subjects, not values, are independent: the sandwich with one term a subject, as spread around their mean.
    n = site["n"]
    z = site["xy"] / np.sqrt((site["v"] - site["xy"] ** 2 / n).clip(lower=1e-9 * site["v"]) * n / (n - 1))
    centred = z - z.groupby(site["test"]).transform("median")
    p = 2 * student.sf(np.abs(centred) / max(1.0, 1.4826 * float(centred.abs().median())), site["n"] - 1)
    return pd.DataFrame(
        {
            "site": names[site["site"].to_numpy(dtype=np.int64)],
            "test": course.names[site["test"].to_numpy(dtype=np.int64)],
            "per_year": (site["xy"] / site["xx"]).to_numpy(),
            "p": np.asarray(p, dtype=float),
        }
    )


@DETECTORS.rule(
    "DR2005",
    "The results at the site lie apart from those at the other sites (1 false alarm in 100 studies).",
    severity=Severity.WARNING,
)
def site_apart(view: DetectorView) -> Iterator[Hits]:
    names, _ = view.sites
    found = [(course.part.name, levels(course, names)) for course in view.courses] if len(names) > 1 else []
    yield from at_sites(found, ("site", "test", "shift", "p"), lambda held: held["shift"].abs() > SHIFT)


@DETECTORS.rule(
    "DR2017",
    "The results at the site wander in the course of the study (1 false alarm in 100 studies).",
    severity=Severity.WARNING,
)
def site_drifts(view: DetectorView) -> Iterator[Hits]:
    names, _ = view.sites
    found = [(course.part.name, trends(course, names)) for course in view.courses] if len(names) > 1 else []
    yield from at_sites(found, ("site", "test", "per_year", "p"), lambda held: held["p"] < 1)

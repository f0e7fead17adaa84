"""Too little variation within the subjects of a site."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy.stats import norm

from datareplicator.validate.detectors.view import DETECTORS, Courses, DetectorView, at_sites
from datareplicator.validate.rule import Hits, Severity

LEAST_VALUES, LEAST_SUBJECTS = 30, 4
CLEAR = 0.5
"""Share of the others' standard deviation under which a site's is remarkable, however sure it is that it is less."""


def noise_of_sites(course: Courses, names: np.ndarray) -> pd.DataFrame:
    """Spread around the subjects' own means: test, site, standard deviation, the others', and z of the difference."""
    resid = course.scaled - pd.Series(course.scaled).groupby(course.series).transform("mean").to_numpy()
    several = pd.Series(course.scaled).groupby(course.series).transform("count").to_numpy() > 1
    rows = several & (course.site >= 0) & course.measured[course.test]
    held = pd.DataFrame(
        {"test": course.test, "site": course.site, "r2": resid**2, "subject": course.subject, "series": course.series}
    )[rows]
    if not len(held):
        return pd.DataFrame()
    # One value far out would hide that all others lie close: squares are cut at the test's 98 % quantile.
    held["r2"] = held["r2"].clip(upper=held.groupby("test")["r2"].transform(lambda v: v.quantile(0.98)))
    held["r4"] = held["r2"] ** 2
    by_site = held.groupby(["test", "site"]).agg(
        n=("r2", "size"), s=("r2", "sum"), people=("subject", "nunique"), q=("r4", "sum"), series=("series", "nunique")
    )
    whole = by_site.groupby(level="test").transform("sum")
    by_site["df"] = by_site["n"] - by_site["series"]
    rest_df = whole["n"] - whole["series"] - by_site["df"]
    rest = (whole["s"] - by_site["s"]) / rest_df.where(rest_df > 0)
    own = by_site["s"] / by_site["df"].where(by_site["df"] > 0)
    kurtosis = ((whole["q"] / whole["n"]) / (whole["s"] / whole["n"]) ** 2).clip(lower=2.0)
    # Squares of one subject belong together; their number counts as half of the values at least.
    effective = np.minimum(by_site["df"], 5.0 * by_site["people"])
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = own / rest
        z = np.log(ratio) / np.sqrt((kurtosis - 1) / effective + (kurtosis - 1) / rest_df)
    found = by_site.assign(ratio=np.sqrt(ratio), z=z).reset_index()
    found = found[(found["n"] >= LEAST_VALUES) & (found["people"] >= LEAST_SUBJECTS) & found["z"].notna()]
    return pd.DataFrame(
        {
            "site": names[found["site"].to_numpy(dtype=np.int64)],
            "test": course.names[found["test"].to_numpy(dtype=np.int64)],
            "ratio": found["ratio"].to_numpy(),
            "z": found["z"].to_numpy(),
        }
    )


@DETECTORS.rule(
    "DR2003",
    "The subjects of the site vary too little (1 false alarm in 100 studies).",
    severity=Severity.WARNING,
)
def too_little_variance(view: DetectorView) -> Iterator[Hits]:
    names, _ = view.sites
    found = []
    for course in view.courses if len(names) > 1 else ():
        frame = noise_of_sites(course, names)
        if len(frame):
            # Sites differ in their devices too: the spread of ordinary sites counts as noise.
            typical = frame["z"] - frame.groupby("test")["z"].transform("median")
            spread = max(1.0, 1.4826 * float(typical.abs().median()))
            found.append((course.part.name, frame.assign(p=norm.cdf(frame["z"].to_numpy() / spread))))
    yield from at_sites(found, ("site", "test", "ratio", "p"), lambda held: held["ratio"] < CLEAR)

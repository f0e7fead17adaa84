"""Days of the week on which a site's visits are, against those of the other sites."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from datareplicator.validate.detectors.digits import _chi2
from datareplicator.validate.detectors.view import ALARM, DETECTORS, DetectorView, against_others, of_sites
from datareplicator.validate.rule import Hits, Severity

LEAST = 40
NAMES = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def visit_days(view: DetectorView) -> pd.DataFrame:
    """Distinct days on which subjects were seen: subject, site, day."""
    held = [
        pd.DataFrame(
            {
                "subject": course.part.frame[course.part.subject].to_numpy(dtype=object)[course.rows],
                "site": course.site,
                "day": course.day,
            }
        ).drop_duplicates()
        for course in view.courses
        if course.part.subject and np.nanmax(course.day, initial=0) > 3650  # visit numbers are no days
    ]
    frame = pd.concat(held).drop_duplicates() if held else pd.DataFrame({"subject": [], "site": [], "day": []})
    return frame[np.isfinite(frame["day"].to_numpy(dtype=float)) & (frame["site"] >= 0)]


@DETECTORS.rule(
    "DR2006",
    "The site's visits are on other days of the week than those of the other sites (1 false alarm in 100 studies).",
    severity=Severity.WARNING,
)
def weekday_pattern(view: DetectorView) -> Iterator[Hits]:
    names, _ = view.sites
    days = visit_days(view)
    if len(names) < 2 or not len(days):
        return
    table = np.zeros((len(names), 7))
    np.add.at(table, (days["site"].to_numpy(dtype=np.int64), (days["day"].to_numpy(dtype=np.int64) + 3) % 7), 1.0)
    large = np.flatnonzero(table.sum(axis=1) >= LEAST)
    if len(large) < 2:
        return
    statistic = np.array([_chi2(table[s], table.sum(axis=0) - table[s]) for s in large])
    # A site keeps its clinic days, and a subject comes on the same day of the week: the median site shows how much.
    p = against_others(statistic, table[large].sum(axis=1), 6)
    words = [", ".join(f"{n} {c / row.sum():.0%}" for n, c in zip(NAMES, row, strict=True)) for row in table[large]]
    frame = pd.DataFrame({"site": names[large], "weekdays": words, "p": p})
    bad = (p < ALARM / len(frame)) | ((table[large, 5:].sum(axis=1) / table[large].sum(axis=1) > 0.5) & (p < ALARM))
    yield Hits(of_sites("visits", frame), bad, ("site", "weekdays", "p"), len(frame))

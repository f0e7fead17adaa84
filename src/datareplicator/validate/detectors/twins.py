"""Subjects who share so many exact results that they must be one person, or one is a copy."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix

from datareplicator.validate.detectors.view import DETECTORS, DetectorView, of_sites
from datareplicator.validate.rule import Hits, Severity

RARE = 0.05
"""Share of the subjects above which a result says nothing of who has it."""

LEAST = 8
SHARED = 0.5
"""Share of the smaller subject's rare results that the two must have in common."""


def _marks(view: DetectorView) -> pd.DataFrame:
    """What marks a subject: exact results by test and visit. subject (the key), mark (int)."""
    held = []
    for course in view.courses:
        rows = course.measured[course.test]
        order = pd.Series(course.visit).to_numpy()
        mark = pd.MultiIndex.from_arrays([course.test[rows], order[rows], course.value[rows]]).factorize()[0]
        who = course.part.frame[course.part.subject].to_numpy(dtype=object)[course.rows[rows]]
        held.append(pd.DataFrame({"subject": who, "mark": mark}).assign(table=course.part.name))
    if not held:
        return pd.DataFrame({"subject": [], "mark": []})
    whole = pd.concat(held).drop_duplicates()
    return whole.assign(mark=whole.groupby(["table", "mark"]).ngroup())


@DETECTORS.rule(
    "DR2004",
    "Two subjects share most of their exact results (1 false alarm in 1,000 studies).",
    severity=Severity.WARNING,
)
def same_person(view: DetectorView) -> Iterator[Hits]:
    marks = _marks(view)
    who, people = pd.factorize(marks["subject"])
    if len(people) < 3:
        return
    code = marks["mark"].to_numpy(dtype=np.int64)
    often = np.bincount(code)[code]
    rare = (often >= 2) & (often <= max(2, RARE * len(people)))
    total = np.bincount(who[often <= max(2, RARE * len(people))], minlength=len(people))
    table = csr_matrix((np.ones(int(rare.sum())), (who[rare], code[rare])), shape=(len(people), int(code.max()) + 1))
    common = (table @ table.T).tocoo()
    upper = (common.row < common.col) & (common.data >= LEAST)
    a, b, shared = common.row[upper], common.col[upper], common.data[upper]
    twins = shared >= SHARED * np.minimum(total[a], total[b])
    names, sites = view.sites
    frame = pd.DataFrame({"subject": people[a[twins]], "other": people[b[twins]], "shared": shared[twins].astype(int)})
    if len(names):
        for column, site in (("subject", "site"), ("other", "other_site")):
            frame[site] = frame[column].map(sites).map(dict(enumerate(names)))
    # One row for each subject, so that the number checked is that of the subjects.
    rest = pd.DataFrame({"subject": people[~np.isin(np.arange(len(people)), a[twins])]})
    whole = pd.concat([frame, rest], ignore_index=True)
    bad = np.arange(len(whole)) < len(frame)
    yield Hits(of_sites("subjects", whole), bad, ("subject", "other", "shared", "site", "other_site"), len(people))

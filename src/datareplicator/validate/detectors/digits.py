"""Last digits at a site against those at the others (rounding, favourite digits, digits that people invent)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from datareplicator.validate.detectors.view import DETECTORS, Courses, DetectorView, against_others, at_sites
from datareplicator.validate.rule import Hits, Severity

MOVES = 2.5
"""Steps of the last digit that a subject's values must spread."""

LEAST = 40
"""Values of a test at a site from which its digits are compared."""


def last_digits(course: Courses) -> np.ndarray:
    """The last digit that was written, as int; -1 where the text is no plain number."""
    codes, distinct = pd.factorize(course.original)
    texts = [f"{v:.10g}" if isinstance(v, float) else str(v).strip() for v in distinct]
    digit = [int(t[-1]) if t[-1:].isdigit() and t.isascii() and "e" not in t else -1 for t in texts]
    return np.append(np.array(digit, dtype=np.int64), -1)[codes]


@DETECTORS.rule(
    "DR2001",
    "The last digits at the site are not those of the other sites (1 false alarm in 100 studies).",
    severity=Severity.WARNING,
)
def digit_preference(view: DetectorView) -> Iterator[Hits]:
    names, _ = view.sites
    found = []
    for course in view.courses if len(names) > 1 else ():
        digit = last_digits(course)
        # Where a subject's values hardly move, their last digit is their level and no habit.
        moves = course.spread(course.apart) > MOVES * course.step
        rows = (course.site >= 0) & (digit >= 0) & course.measured[course.test] & moves
        for test in np.unique(course.test[rows]).tolist():
            here = rows & (course.test == test)
            table = np.zeros((len(names), 10))
            np.add.at(table, (course.site[here], digit[here]), 1.0)
            compared = _compare(table)
            if len(compared):
                site = names[compared.pop("site").to_numpy(dtype=np.int64)]
                found.append((course.part.name, compared.assign(site=site, test=course.names[test])))
    yield from at_sites(found, ("site", "test", "digits", "p"), lambda held: held["p"] < 1)


def _compare(table: np.ndarray) -> pd.DataFrame:
    """Each site with enough values against the sum of the others: site (code), digits in words, p."""
    large = np.flatnonzero(table.sum(axis=1) >= LEAST)
    used = table.sum(axis=0) > 0
    if len(large) < 2 or used.sum() < 2:
        return pd.DataFrame()
    counts = table[np.ix_(large, used)]
    rest = table[:, used].sum(axis=0)
    statistic = np.array([_chi2(one, rest - one) for one in counts])
    p = against_others(statistic, counts.sum(axis=1), int(used.sum()) - 1)
    return pd.DataFrame({"site": large, "digits": [_words(table[s]) for s in large], "p": p})


def _chi2(one: np.ndarray, rest: np.ndarray) -> float:
    """Pearson's statistic of two rows of counts; cells that neither expects much of are put together."""
    both = one + rest
    expected = np.outer([one.sum(), rest.sum()], both) / both.sum()
    rare = expected.min(axis=0) < 1
    cells, fit = np.vstack([one, rest]), expected
    if rare.any():
        cells = np.column_stack([cells[:, ~rare], cells[:, rare].sum(axis=1)])
        fit = np.column_stack([fit[:, ~rare], fit[:, rare].sum(axis=1)])
    return float(((cells - fit) ** 2 / np.maximum(fit, 1e-9)).sum())


def _words(counts: np.ndarray) -> str:
    top = np.argsort(-counts)[:3]
    return ", ".join(f"{int(d)}: {counts[d] / counts.sum():.0%}" for d in top)

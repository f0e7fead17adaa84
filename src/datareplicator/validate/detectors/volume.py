"""Subjects with far more rows in a table than any other."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from datareplicator.validate.detectors.view import DETECTORS, DetectorView, of_sites
from datareplicator.validate.rule import Hits, Severity

TIMES = 5.0
"""How many times the rows of the 95 % quantile of the subjects."""

LEAST_SUBJECTS = 10


@DETECTORS.rule(
    "DR2014",
    "The subject has far more rows than the others (1 false alarm in 10 studies).",
    severity=Severity.WARNING,
)
def too_many_rows(view: DetectorView) -> Iterator[Hits]:
    for part in view.tables():
        codes = part.codes(part.subject)
        count = np.bincount(codes[codes >= 0])
        if len(count) >= LEAST_SUBJECTS:
            usual = max(float(np.quantile(count, 0.95)), 4.0)
            frame = pd.DataFrame({"subject": part.distinct(part.subject), "rows": count})
            yield Hits(of_sites(part.name, frame), count > TIMES * usual, ("rows",), len(frame))

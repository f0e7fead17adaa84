"""The subjects as the parts of the model see them, in training and in a block to be generated."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd


@dataclass
class Subjects:
    """`n` subjects as arrays; index i is the subject everywhere.

    `group`: int, the arm's index (0 .. groups-1). `stratum`: int, the class of subjects that share their tables
    (treated subjects, screen failures): parameters are never shared over strata where support differs. `site`: int,
    -1 where unknown. `covariates`: the root's sampled and needed columns, one row a subject, categories as
    categoricals, dates as float days relative to the anchor. `last_day`: float, the last day in the study relative
    to the anchor (day 0 = anchor; NaN unknown). `last_visit`: int, index of the last regular visit in the catalogue
    (-1 none). `score`: named standard normal scores, one a subject (how many events for a subject like this one).
    """

    n: int
    group: np.ndarray
    stratum: np.ndarray
    site: np.ndarray
    covariates: pd.DataFrame
    last_day: np.ndarray = field(default_factory=lambda: np.empty(0))
    last_visit: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    score: dict[str, np.ndarray] = field(default_factory=dict)

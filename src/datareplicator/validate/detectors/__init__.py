"""Statistical detectors: what is unlikely in a study although every single rule is kept. A module each."""

from datareplicator.validate.detectors import (
    carried,
    change,
    digits,
    drift,
    entry,
    factors,
    multivariate,
    outliers,
    reporting,
    swapped,
    twins,
    variance,
    volume,
    weekdays,
)
from datareplicator.validate.detectors.view import DETECTORS, DetectorView

__all__ = [
    "DETECTORS",
    "DetectorView",
    "carried",
    "change",
    "digits",
    "drift",
    "entry",
    "factors",
    "multivariate",
    "outliers",
    "reporting",
    "swapped",
    "twins",
    "variance",
    "volume",
    "weekdays",
]

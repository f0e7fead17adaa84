"""Rules that a study keeps by itself: keys, references, derivations and links that discovery found in the data."""

from datareplicator.validate.structural import derived, keys, links, ranges
from datareplicator.validate.structural.view import STRUCTURAL_RULES, StructuralView

__all__ = ["STRUCTURAL_RULES", "StructuralView", "derived", "keys", "links", "ranges"]

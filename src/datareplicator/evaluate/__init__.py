"""Source against synthetic: measures and the report."""

from datareplicator.evaluate.comparing import Comparison, compare

__all__ = ["Comparison", "compare"]

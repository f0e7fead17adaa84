"""The report: one HTML file without any need of a network."""

from datareplicator.evaluate.report.page import render

__all__ = ["render"]

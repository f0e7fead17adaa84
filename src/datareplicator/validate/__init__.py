"""Checks of a study: the rules of its standard and of its own structure, and the findings."""

from datareplicator.validate.findings import Findings, Tally
from datareplicator.validate.rule import Rule, Scope, Severity
from datareplicator.validate.running import rules, validate

__all__ = ["Findings", "Rule", "Scope", "Severity", "Tally", "rules", "validate"]

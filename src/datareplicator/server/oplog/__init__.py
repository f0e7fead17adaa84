"""Structured logs, and a searchable record of what the service did."""

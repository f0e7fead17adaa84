"""Analyses: what is in a dataset, stored and compared."""

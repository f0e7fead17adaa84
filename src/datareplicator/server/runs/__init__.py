"""Runs: new subjects from a model, or a dataset with faults."""

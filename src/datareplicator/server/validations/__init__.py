"""Validations of datasets and runs."""

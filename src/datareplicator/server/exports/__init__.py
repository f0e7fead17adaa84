"""Runs in another format, made by a job."""

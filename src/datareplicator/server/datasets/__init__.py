"""Datasets: uploads, versions, what was recognised in the files."""

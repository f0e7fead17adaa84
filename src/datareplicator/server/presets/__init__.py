"""Requests kept under a name, to start from."""

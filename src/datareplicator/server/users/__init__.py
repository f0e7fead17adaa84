"""Accounts as an administrator sees them."""

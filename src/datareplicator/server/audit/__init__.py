"""The audit trail: who did what to what, when, before and after. Nothing in it is ever changed."""

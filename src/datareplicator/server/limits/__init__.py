"""Rate limits, and quotas of what may be made in a day."""

"""What an administrator sets while the service runs: who may register, limits, quotas, defaults, the cache."""

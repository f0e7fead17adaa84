"""Jobs: a durable queue, workers, children, progress."""

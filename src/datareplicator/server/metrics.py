"""Figures for Prometheus."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

REQUESTS = Counter("datareplicator_requests_total", "Requests answered.", ["method", "route", "status"])
REQUEST_SECONDS = Histogram("datareplicator_request_seconds", "Time to answer.", ["method", "route"])
IN_FLIGHT = Gauge("datareplicator_requests_in_flight", "Requests being answered.", multiprocess_mode="livesum")
RATE_LIMITED = Counter("datareplicator_rate_limited_total", "Requests refused by a limit.", ["limit"])
OPERATIONS = Counter("datareplicator_operations_total", "Operations done.", ["kind", "outcome"])
OPERATION_SECONDS = Histogram(
    "datareplicator_operation_seconds",
    "Time of operations.",
    ["kind"],
    buckets=(0.1, 0.5, 1, 5, 15, 60, 300, 1800, 7200),
)
ROWS = Counter("datareplicator_rows_total", "Rows made or read.", ["kind"])
CACHE = Counter("datareplicator_cache_total", "Looks into the cache.", ["kind", "result"])
LOGINS = Counter("datareplicator_logins_total", "Logins.", ["means", "outcome"])


def count_operation(kind: str, outcome: str, cache: str | None, seconds: float | None, rows: int | None) -> None:
    """Count one operation."""
    OPERATIONS.labels(kind, outcome).inc()
    if cache is not None:
        CACHE.labels(kind, cache).inc()
    if seconds is not None:
        OPERATION_SECONDS.labels(kind).observe(seconds)
    if rows is not None:
        ROWS.labels(kind).inc(rows)

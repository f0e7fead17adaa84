"""Structured logs on standard error: one JSON object a line, without personal data and secrets.

What is logged are words we chose and ids; these filters catch what slips in all the same: values under telling names,
email addresses, keys and tokens in any text. The message of an unexpected error may quote data, so in production only
its kind and place are logged.
"""

from __future__ import annotations

import logging
import re
import sys
import traceback
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog

from datareplicator.server.settings import Settings

HIDDEN = "[hidden]"
_NAMES = re.compile(r"passw|secret|token|authorization|cookie|api_?key|e_?mail|dsn|database_url", re.IGNORECASE)
_TEXTS = (
    (re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"), "[email]"),
    (re.compile(r"\bdr_[A-Za-z0-9_-]{20,}"), "[api key]"),
    (re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]+"), "[token]"),
    (re.compile(r"(?i)\bbearer\s+[\w.~+/-]{8,}=*"), "Bearer [token]"),
    (re.compile(r"://[^/\s:@]+:[^/\s@]+@"), "://[credentials]@"),
    (re.compile(r"([?&#](?:token|code|state|key|password)=)[^&\s\"']+"), r"\1[hidden]"),
)


def scrubbed(value: Any) -> Any:
    """The value without what must not be logged.

    >>> scrubbed({"who": "mail from ann@example.org", "password": "x", "rows": 3})
    {'who': 'mail from [email]', 'password': '[hidden]', 'rows': 3}
    """
    if isinstance(value, str):
        for pattern, instead in _TEXTS:
            value = pattern.sub(instead, value)
        return value
    if isinstance(value, Mapping):
        return {name: HIDDEN if _NAMES.search(str(name)) else scrubbed(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [scrubbed(inner) for inner in value]
    return value


def _scrub(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return scrubbed(event)


class _Errors:
    """Turn an exception into its kind and place; with its message in development."""

    def __init__(self, *, messages: bool) -> None:
        self._messages = messages

    def __call__(self, logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        given = event.pop("exc_info", None)
        error = given if isinstance(given, BaseException) else (given[1] if isinstance(given, tuple) else None)
        if given is True:
            error = sys.exc_info()[1]
        if error is not None:
            event["error"] = type(error).__name__
            event["at"] = [f"{f.filename}:{f.lineno} {f.name}" for f in traceback.extract_tb(error.__traceback__)[-12:]]
            if self._messages:
                event["message"] = str(error)
        return event


def configure(settings: Settings) -> None:
    """Send our logs and those of the libraries through the same filters."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _Errors(messages=settings.environment == "development"),
        _scrub,
    ]
    last = structlog.processors.JSONRenderer() if settings.log_format == "json" else structlog.dev.ConsoleRenderer()
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(settings.log_level.upper())
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True
    logging.getLogger("uvicorn.access").disabled = True  # our own line says more, and no query strings
    for name in ("httpx", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)

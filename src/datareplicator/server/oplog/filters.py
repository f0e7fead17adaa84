"""What never gets into a log, and a form of logs that holds from the first line, before any settings are read.

What is logged are words we chose and ids; these filters catch what slips in all the same: values under telling names,
email addresses, keys and tokens in any text. The message of an unexpected error may quote data, so in production only
its kind and place are logged.
"""

from __future__ import annotations

import re
import sys
import traceback
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog

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


def scrub(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """structlog's form of `scrubbed`."""
    return scrubbed(event)


class Errors:
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


def guard() -> None:
    """Filter from the import on. structlog's own default prints the local variables of every frame of an error."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            Errors(messages=False),
            scrub,
            structlog.processors.JSONRenderer(),
        ]
    )

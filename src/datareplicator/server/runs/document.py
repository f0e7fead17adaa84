"""The run document as the service takes it: the command line's, less what names files of a machine."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from datareplicator.errors import RequestError
from datareplicator.faults.plan import Plan, as_plan, profile_names
from datareplicator.generate.conditions.units import unit_names
from datareplicator.run import Run

OURS = {
    "source": "name a dataset by `dataset_id`.",
    "model": "name a model by `model_id`.",
    "output": "the service keeps the output.",
    "overwrite": "each run has an output of its own.",
    "workers": "the service decides on processes.",
}


def parse_document(content: dict[str, Any]) -> Run:
    """The run document in a request. Raises RequestError for what is unknown, is not for clients to say, or would
    name a file of the server."""
    for key, reason in OURS.items():
        if key in content:
            raise RequestError(f"`{key}` has no place in a request to the service.", hint=f"Leave it out: {reason}")
    _check_names("include", _texts((content.get("faults") or {}), "include"), profile_names())
    scenarios = content.get("scenarios") or []
    named = [str(one.get("name", "")) for one in scenarios if isinstance(one, dict)]
    _check_names("scenarios", named, unit_names())
    run = Run().updated(**content)
    if run.faults is not None:
        as_plan(run.faults)
    return run


def parse_plan(content: dict[str, Any]) -> Plan:
    """A plan of faults in a request."""
    _check_names("include", _texts(content, "include"), profile_names())
    return as_plan(content)


def _texts(content: Any, key: str) -> list[str]:
    found = content.get(key) if isinstance(content, dict) else None
    return [found] if isinstance(found, str) else [str(one) for one in found or ()]


def _check_names(key: str, names: Iterable[str], known: Iterable[str]) -> None:
    """Only what is bundled may be named: a path would be one of the server's files."""
    bundled = list(known)
    for name in names:
        if name not in bundled:
            raise RequestError(f"{key}: {name!r} is not bundled.", hint=f"Bundled are {', '.join(bundled)}.")

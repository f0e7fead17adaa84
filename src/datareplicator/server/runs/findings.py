"""The findings of a validation, page by page."""

from __future__ import annotations

import json
from typing import Any

from datareplicator.server.runs.schemas import Finding, FindingPage


def page(content: bytes, *, rule: str | None, table: str | None, severity: str | None, offset: int, limit: int) -> Any:
    """A page of the findings in a document of `Findings.to_json`."""
    document = json.loads(content)
    wanted = {"rule": rule, "table": table, "severity": severity}
    found = [
        each
        for each in document["findings"]
        if all(value is None or each.get(name) == value for name, value in wanted.items())
    ]
    return FindingPage(
        headline=document["headline"],
        notes=document["notes"],
        rules=document["rules"],
        items=[Finding(**each) for each in found[offset : offset + limit]],
        matching=len(found),
        kept=len(document["findings"]),
    )

"""In the child: the checks of a study, alone and against another."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from datareplicator import pipeline
from datareplicator.pipeline import Step
from datareplicator.server.runs.work import summary_of

FORMS = ("findings.json", "findings.csv", "findings.xlsx", "findings.html")


def validate(spec: dict[str, Any], folder: Path, progress: Callable[[Step], None]) -> dict[str, Any]:
    """Check the folder `spec["study"]` of ``in``, against `spec["baseline"]` where there is one; four documents."""
    out = folder / "out"
    out.mkdir()
    baseline = spec.get("baseline")
    findings = pipeline.validate(
        str(folder / "in" / spec["study"]),
        str(folder / "in" / baseline) if baseline else None,
        detectors=spec.get("detectors", True),
        outputs=[out / name for name in FORMS],
        progress=progress,
    )
    return {**summary_of(findings), "rows": 0}

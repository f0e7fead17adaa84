"""Checks of a study, alone and against its source."""

from __future__ import annotations

from datareplicator.pipeline.learning import read
from datareplicator.pipeline.progress import Progress, stage
from datareplicator.validate import Findings
from datareplicator.validate import validate as validate_study


def validate(study: str, baseline: str | None = None, *, progress: Progress = None) -> Findings:
    """Check the study at a path against its own rules, or against those of the baseline at another path."""
    checked = read(study, progress)
    source = read(baseline, progress) if baseline is not None else None
    with stage(progress, "check"):
        return validate_study(checked, baseline=source)

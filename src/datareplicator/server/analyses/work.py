"""In the child: profile and structure of a dataset."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from datareplicator.evaluate.patterns import patterns
from datareplicator.pipeline import Step
from datareplicator.pipeline.learning import discover_structure, read
from datareplicator.profile import explain
from datareplicator.profile import profile as profile_study

PROFILE = "profile.json"
EXPLANATION = "explanation.json"
PATTERNS = "patterns.json"


def analyse(spec: dict[str, Any], folder: Path, progress: Callable[[Step], None]) -> dict[str, Any]:
    """Read, discover, describe; three documents and a summary."""
    study = read(folder / "in", progress)
    structure = discover_structure(study, progress)
    progress(Step("profile"))
    found = profile_study(study, structure)
    said = explain(structure, name=study.name, subjects=found.subjects, notes=found.notes)
    out = folder / "out"
    out.mkdir()
    (out / PROFILE).write_text(found.to_json(), encoding="utf-8")
    (out / EXPLANATION).write_text(said.to_json(), encoding="utf-8")
    progress(Step("patterns"))
    (out / PATTERNS).write_text(patterns(study, structure).model_dump_json(), encoding="utf-8")
    return {
        "study": found.name,
        "standard": found.standard,
        "subjects": found.subjects,
        "rows": found.rows,
        "tables": [{"table": t.name, "rows": t.rows, "layout": t.layout, "key": t.key} for t in found.tables],
        "derivations": len(said.derivations),
        "dependencies": len(said.dependencies),
        "references": len(said.references),
        "links": len(said.links),
        "arms": [arm.model_dump() for arm in found.arms],
        "pii": list(said.pii),
        "notes": list(found.notes),
    }

"""In the child: learning a dataset."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from datareplicator import pipeline
from datareplicator.errors import ModelError
from datareplicator.model.store import load_model, parse_model, save_model
from datareplicator.model.study_model import StudyModel
from datareplicator.pipeline import Step
from datareplicator.pipeline.learning import model_digest, read
from datareplicator.run import Privacy, parse_corrections

MODEL = "model.json"
VOCABULARY = "vocabulary.json"
EARLIER = "earlier"
"""The folder of an earlier model of the same study."""
EXPLANATION = "explanation.json"


def fit(spec: dict[str, Any], folder: Path, progress: Callable[[Step], None]) -> dict[str, Any]:
    """Learn the study in ``in``; the model document, its explanation, a summary. `spec`: corrections, privacy. Of a
    model in ``earlier``, called `spec["earlier"]`, all is taken over that has not changed."""
    corrections = parse_corrections(spec.get("corrections", []))
    study = read(folder / "in", progress)
    privacy = Privacy(**spec.get("privacy", {}))
    earlier = _earlier(folder) if "earlier" in spec else None
    model = pipeline.fit(
        study,
        min_subjects=privacy.min_subjects,
        text_subjects=privacy.text_subjects,
        corrections=corrections,
        earlier=earlier,
        progress=progress,
    )
    stored = _stored(model, folder, rows=study.rows)
    if earlier is not None:
        again, kept = pipeline.learned_again(model, earlier)
        stored["since"] = {"earlier": spec["earlier"], "again": again, "kept": kept}
    return stored


def _earlier(folder: Path) -> StudyModel | None:
    try:
        return load_model(folder / EARLIER / MODEL)
    except ModelError:  # of another release: then all is learned
        return None


def check(spec: dict[str, Any], folder: Path, progress: Callable[[Step], None]) -> dict[str, Any]:
    """Read an imported document ``in/model.json`` as strictly as any; the same results as of `fit`."""
    progress(Step("read"))
    model = parse_model((folder / "in" / MODEL).read_text(encoding="utf-8"))
    return _stored(model, folder, rows=0)


def _stored(model: StudyModel, folder: Path, rows: int) -> dict[str, Any]:
    out = folder / "out"
    out.mkdir()
    save_model(model, out / MODEL)
    explanation = pipeline.explain(model)
    (out / EXPLANATION).write_text(explanation.to_json(), encoding="utf-8")
    (out / VOCABULARY).write_text(pipeline.vocabulary(model).model_dump_json(), encoding="utf-8")
    return {
        "study": model.name,
        "subjects": model.subjects_learned,
        "rows": rows,
        "digest": model_digest(model),
        "tables": [{"table": t.name, "label": t.label, "columns": [c.name for c in t.columns]} for t in model.sources],
        "min_subjects": model.min_subjects,
        "suppressed": sum(model.suppressed.values()),
        "corrections": json.loads(explanation.to_json())["corrections"],
        "notes": list(pipeline.notes(model)),
    }

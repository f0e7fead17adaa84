"""In the child: new subjects from a model, or a dataset with faults."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from datareplicator import __version__, pipeline
from datareplicator.errors import RequestError
from datareplicator.expressions import ExpressionError
from datareplicator.formats import TableLayout, read_study
from datareplicator.manifest import NAME as MANIFEST
from datareplicator.manifest import Manifest, digest
from datareplicator.model.store import load_model
from datareplicator.pipeline import Step
from datareplicator.pipeline.checkpoints import Checkpoints
from datareplicator.pipeline.generation import layouts
from datareplicator.run import Run
from datareplicator.server.jobs.tablesout import BesideTables, brief
from datareplicator.validate import Findings

FILES = "files"
Progress = Callable[[Step], None]


class Pace:
    """Holds a speed of at most so many rows a second, looked at after each batch of subjects; 0 is none.

    >>> pace = Pace(0, batch=1024)
    >>> [pace.made(subjects=128, rows=640) for _ in range(2)]
    [0.0, 0.0]
    """

    def __init__(self, rows_per_second: float, batch: int) -> None:
        self._limit, self._batch = rows_per_second, batch
        self._started = time.monotonic()
        self._rows = self._subjects = 0

    def made(self, subjects: int, rows: int) -> float:
        """Take note of what was made; seconds to wait where a batch is full and came too fast."""
        self._rows += rows
        self._subjects += subjects
        if self._limit <= 0 or self._subjects < self._batch:
            return 0.0
        self._subjects = 0
        return max(self._rows / self._limit - (time.monotonic() - self._started), 0.0)


def generate(spec: dict[str, Any], folder: Path, progress: Progress) -> dict[str, Any]:
    """Generate from ``in/model.json``; with `spec["source"]`, a folder in ``in``, as baseline and for the report."""
    run = Run().updated(
        **spec["document"], output=str(folder / "out" / FILES), source=spec["named"], workers=spec.get("workers", 1)
    )
    model = load_model(folder / "in" / "model.json")
    source = read_study(folder / "in" / spec["source"]) if spec.get("source") else None
    (folder / "out").mkdir()
    tables = BesideTables(layouts(model), folder / "out")
    pace = Pace(spec["rows_per_second"], spec["batch_subjects"])

    def observe(block: Any, frames: Any) -> None:
        for name, frame in frames.items():
            tables.append(name, frame)
        time.sleep(pace.made(block.keep, sum(map(len, frames.values()))))

    outcome = pipeline.produce(
        run,
        model,
        source,
        observe=observe,
        progress=progress,
        check=spec["check"],
        checkpoints=_checkpoints(spec, folder / "in" / "model.json"),
    )
    entries = tables.close()
    lost = tuple(f"{name}: the faults in it do not fit its columns, so there is no preview." for name in tables.lost)
    return {
        "subjects": run.request().subjects,
        "tables": brief(entries),
        **_written(folder, outcome.manifest),
        "validation": summary_of(outcome.findings) if spec["check"] else None,
        "report": outcome.report is not None,
        "scores": {name: json.loads(score.model_dump_json()) for name, score in outcome.scores.items()},
        "answers": outcome.key is not None,
        "notes": [*outcome.notes, *lost],
    }


def _checkpoints(spec: dict[str, Any], model: Path) -> Checkpoints:
    """Blocks of an earlier attempt at the same request of the same model, on this machine."""
    asked = json.dumps([__version__, digest(model), spec["document"]], sort_keys=True)
    return Checkpoints(Path(spec["checkpoints"]) / hashlib.sha256(asked.encode()).hexdigest()[:16])


def settle(spec: dict[str, Any], folder: Path, progress: Progress) -> dict[str, Any]:
    """What the model at `spec["model"]` has against a request, as a run would say when it begins; nothing is made."""
    try:
        pipeline.settled(load_model(Path(spec["model"])), Run().updated(**spec["document"]).request())
    except RequestError as error:
        said, position = error.message, None
        if isinstance(error, ExpressionError):
            said, position = f"{error.problem}.", error.position
        return {"problem": {"about": error.about, "message": said, "hint": error.hint, "position": position}}
    return {"problem": None}


def corrupt(spec: dict[str, Any], folder: Path, progress: Progress) -> dict[str, Any]:
    """Put faults into the dataset as it is, with the answer key."""
    out = folder / "out"
    out.mkdir()
    done = pipeline.corrupt(
        str(folder / "in" / spec["source"]),
        spec["plan"],
        out / FILES,
        seed=spec["seed"],
        format=spec["format"],
        progress=progress,
    )
    entries = _tables_as_read(out)
    manifest = Manifest.model_validate_json((out / FILES / MANIFEST).read_bytes())
    return {
        "subjects": None,
        "tables": brief(entries),
        **_written(folder, manifest),
        "validation": None,
        "report": False,
        "answers": True,
        "notes": list(done.answers.notes),
    }


def _tables_as_read(out: Path) -> list[dict[str, Any]]:
    """Tables for previews of what was written, where it can still be read: faults may have broken files."""
    from datareplicator.errors import SourceError

    try:
        study = read_study(out / FILES)
    except SourceError:
        return []
    tables = BesideTables([TableLayout.of(table) for table in study.tables.values()], out)
    for table in study.tables.values():
        tables.append(table.name, table.frame)
    return tables.close()


def _written(folder: Path, manifest: Manifest) -> dict[str, Any]:
    rows = manifest.rows
    return {"rows": rows, "format": manifest.request.format, "model": manifest.model, "files": len(manifest.files)}


def summary_of(findings: Findings) -> dict[str, Any]:
    """What validation found, without single findings."""
    content = json.loads(findings.first(0).to_json())
    broken = [rule for rule in content["rules"] if rule["count"]]
    return {
        "ok": bool(findings.ok),
        "headline": content["headline"],
        "checked": len(content["rules"]),
        "findings": len(findings),
        "broken": broken,
        "notes": content["notes"],
    }

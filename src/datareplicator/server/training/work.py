"""In the child: the Training Replicator."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from datareplicator.errors import Place, RequestError
from datareplicator.formats.reading import read_file
from datareplicator.pipeline import Step
from datareplicator.training_replicator import DataProfiler, SyntheticGenerator, combine_models

ANSWER = "answer.json"


def train(spec: dict[str, Any], folder: Path, progress: Callable[[Step], None]) -> dict[str, Any]:
    """Profile the tables in ``in``: one, or several with foreign keys. The model definition is the answer."""
    frames: dict[str, pd.DataFrame] = {}
    for path in sorted((folder / "in").iterdir()):
        for table in read_file(path, path.name):
            if table.name in frames:
                raise RequestError("the table occurs twice.", place=Place(table=table.name))
            frames[table.name] = table.frame
    keys = spec.get("foreign_keys")
    several = len(frames) > 1 or keys
    options = {name: spec[name] for name in ("sequence_key", "time_column") if spec.get(name)}
    data: Any = frames if several else next(iter(frames.values()))
    model = DataProfiler(data, **({"foreign_keys": keys} if keys else {}), **options).profile()
    _answer(folder, model)
    return {"rows": sum(map(len, frames.values())), "tables": list(frames)}


def generate(spec: dict[str, Any], folder: Path, progress: Callable[[Step], None]) -> dict[str, Any]:
    """Rows of several tables that refer to each other, or of one, as records."""
    model = spec.get("model")
    if model is None:
        model = combine_models(spec["models"], spec.get("foreign_keys") or {})
    made = SyntheticGenerator(model, seed=spec["seed"]).generate(spec["rows"], method=spec["method"], frame="pandas")
    frames = made if isinstance(made, dict) else {spec.get("name") or "table": made}
    tables = {name: json.loads(_records(frame)) for name, frame in frames.items()}
    _answer(folder, {"tables": tables, "rows": {name: len(frame) for name, frame in frames.items()}})
    return {"rows": sum(map(len, frames.values()))}


def _records(frame: pd.DataFrame) -> str:
    return frame.to_json(orient="records", date_format="iso", force_ascii=False) or "[]"


def _answer(folder: Path, content: Any) -> None:
    (folder / "out").mkdir(exist_ok=True)
    (folder / "out" / ANSWER).write_text(json.dumps(content, ensure_ascii=False, allow_nan=False), encoding="utf-8")

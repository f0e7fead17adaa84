"""The whole way in one call."""

from __future__ import annotations

import os
from typing import Any

from datareplicator.training_replicator.generator import SyntheticGenerator
from datareplicator.training_replicator.profiler import DataProfiler
from datareplicator.training_replicator.serializer import ModelSerializer


def create_and_save_model(df: Any, name: str, output_dir: str | os.PathLike[str] = "./models") -> str:
    """Profile a table and store the model; the path of the model."""
    return ModelSerializer(output_dir).serialize(DataProfiler(df).profile(), name)


def generate_from_model(path: str | os.PathLike[str], num_rows: int = 1000, seed: int = 42) -> Any:
    """New rows from a stored model; a pattern names the newest."""
    return SyntheticGenerator(ModelSerializer.load(path), seed=seed).generate(num_rows)

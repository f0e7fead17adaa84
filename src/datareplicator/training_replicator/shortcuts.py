"""The whole way in one call."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from datareplicator.model.single.reading import migrate, read_document
from datareplicator.training_replicator.generator import SyntheticGenerator
from datareplicator.training_replicator.profiler import DataProfiler
from datareplicator.training_replicator.serializer import ModelSerializer


def create_and_save_model(df: Any, name: str, output_dir: str | os.PathLike[str] = "./models") -> str:
    """Profile a table and store the model; the path of the model."""
    return ModelSerializer(output_dir).serialize(DataProfiler(df).profile(), name)


def combine_models(
    models: Mapping[str, Mapping[str, Any]], foreign_keys: Mapping[str, Mapping[str, str]]
) -> dict[str, Any]:
    """One model of several tables from a model of each, so that their rows are made together.

    How many children a row has is not in models of single tables: children are spread evenly over the rows. Profile
    the tables together to learn it. Raises ModelError where the result is not valid.
    """
    tables = {
        name: {"rows": model["metadata"].get("rows", 0), **{k: v for k, v in migrate(model).items() if k != "metadata"}}
        for name, model in models.items()
    }
    first = next(iter(models.values()))["metadata"] if models else {}
    rows = sum(table["rows"] for table in tables.values())
    combined = {"metadata": {**first, "rows": rows, "foreign_keys": foreign_keys}, "columns": [], "tables": tables}
    read_document(combined)
    return combined


def generate_from_model(path: str | os.PathLike[str], num_rows: int = 1000, seed: int = 42) -> Any:
    """New rows from a stored model; a pattern names the newest."""
    return SyntheticGenerator(ModelSerializer.load(path), seed=seed).generate(num_rows)

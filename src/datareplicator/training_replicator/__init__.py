"""Training Replicator: profile a table, keep the model as JSON, generate any number of new rows.

>>> import pandas as pd
>>> from datareplicator.training_replicator import DataProfiler, SyntheticGenerator
>>> profile = DataProfiler(pd.DataFrame({"age": [40, 32, 51, 18], "city": ["NYC", "LA", "NYC", "LA"]})).profile()
>>> [column["type"] for column in profile["columns"]]
['numerical', 'categorical']
>>> SyntheticGenerator(profile, seed=42).generate(3).dtypes.astype(str).tolist()
['int64', 'str']
"""

from __future__ import annotations

from datareplicator.training_replicator.generator import SyntheticGenerator
from datareplicator.training_replicator.profiler import DataProfiler
from datareplicator.training_replicator.serializer import ModelSerializer
from datareplicator.training_replicator.shortcuts import combine_models, create_and_save_model, generate_from_model
from datareplicator.training_replicator.versions import Change, Version

__all__ = [
    "Change",
    "DataProfiler",
    "ModelSerializer",
    "SyntheticGenerator",
    "Version",
    "combine_models",
    "create_and_save_model",
    "generate_from_model",
]

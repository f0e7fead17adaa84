"""DataReplicator learns a clinical study from its files and makes any number of new subjects.

>>> import datareplicator as dr
>>> study = dr.read_study(dr.sample_study_path())
>>> model = dr.fit(study)
>>> synthetic = model.generate(subjects=30, seed=7)
>>> len(synthetic["dm"])
30
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

from datareplicator.errors import (
    DataReplicatorError,
    EngineError,
    ModelError,
    RequestError,
    SourceError,
    StructureError,
    WriteError,
)

if TYPE_CHECKING:
    from datareplicator.api import Model, Study, corrupt, fit, load_model, read_study, repair
    from datareplicator.client import Client
    from datareplicator.data import sample_study_path
    from datareplicator.evaluate import Comparison, compare
    from datareplicator.faults import Answers, Plan
    from datareplicator.profile import Explanation, Profile
    from datareplicator.validate import Findings, validate

__version__ = "0.1.0"

__all__ = [
    "Answers",
    "Client",
    "Comparison",
    "DataReplicatorError",
    "EngineError",
    "Explanation",
    "Findings",
    "Model",
    "ModelError",
    "Plan",
    "Profile",
    "RequestError",
    "SourceError",
    "StructureError",
    "Study",
    "WriteError",
    "__version__",
    "compare",
    "corrupt",
    "fit",
    "load_model",
    "read_study",
    "repair",
    "sample_study_path",
    "validate",
]

_HOMES = {
    **dict.fromkeys(("Model", "Study", "corrupt", "fit", "load_model", "read_study", "repair"), "api"),
    **dict.fromkeys(("Comparison", "compare"), "evaluate"),
    "Client": "client",
    "Findings": "validate",
    "Answers": "faults",
    "Plan": "faults",
    "Explanation": "profile",
    "Profile": "profile",
    "sample_study_path": "data",
}


def __getattr__(name: str) -> Any:
    """Load what is asked for, so that `import datareplicator` and the command line's help come at once (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module 'datareplicator' has no attribute {name!r}")
    value = getattr(import_module(f"datareplicator.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


class _Face(ModuleType):
    """The room `validate` and the function `validate` share a name: who asks the package for it means the function."""

    @property
    def validate(self) -> Any:
        return import_module("datareplicator.validate.running").validate

    @validate.setter
    def validate(self, room: ModuleType) -> None:
        """The import system hands the room to its package; it is found in `sys.modules` without that."""


sys.modules[__name__].__class__ = _Face

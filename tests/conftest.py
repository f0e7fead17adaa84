"""What tests of several rooms share: the sample study and its model, learned once a process."""

from __future__ import annotations

from pathlib import Path

import pytest

from datareplicator.data import sample_study_path
from datareplicator.formats import read_study
from datareplicator.model.store import save_model
from datareplicator.pipeline import fit


@pytest.fixture(scope="session")
def sample() -> Path:
    """The folder of the sample study."""
    return sample_study_path()


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory, sample: Path) -> Path:
    """The model document of the sample study."""
    path = tmp_path_factory.mktemp("model") / "model.json"
    save_model(fit(read_study(sample)), path)
    return path

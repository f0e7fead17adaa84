"""What tests of several rooms share: the sample study and its model, learned once a process."""

from __future__ import annotations

from pathlib import Path

import pytest

from datareplicator.data import sample_study_path
from datareplicator.formats import read_study
from datareplicator.model.store import load_model, save_model
from datareplicator.pipeline import fit, learning
from datareplicator.study import Study


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


@pytest.fixture
def learned(model: Path, sample: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sample study is known already: for tests of what comes before and after learning it."""
    known = {name: len(table) for name, table in read_study(sample).tables.items()}
    discover, fit_model = learning._discover, learning.fit_model

    def is_known(study: Study) -> bool:
        return {name: len(table) for name, table in study.tables.items()} == known

    def quick_discover(study: Study, progress: object, *corrections: object, earlier: object = None) -> object:
        if is_known(study) and not corrections and earlier is None:
            return load_model(model).structure
        return discover(study, progress, *corrections, earlier=earlier)

    def quick_fit(study: Study, *, min_subjects: int, **options: object) -> object:
        if is_known(study) and min_subjects == 1:
            return load_model(model)
        return fit_model(study, min_subjects=min_subjects, **options)

    monkeypatch.setattr(learning, "_discover", quick_discover)
    monkeypatch.setattr(learning, "fit_model", quick_fit)

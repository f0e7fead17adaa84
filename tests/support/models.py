"""Models that tests of several rooms generate from, learned once a process."""

from __future__ import annotations

from functools import cache

from datareplicator import pipeline
from datareplicator.data import sample_study_path
from datareplicator.formats import read_study
from datareplicator.model.study_model import StudyModel


@cache
def sample_model() -> StudyModel:
    """The model of the sample study."""
    return pipeline.fit(read_study(sample_study_path()))

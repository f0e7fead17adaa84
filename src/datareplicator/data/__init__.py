"""What ships with the package: the sample study of 20 invented subjects."""

from __future__ import annotations

from pathlib import Path


def sample_study_path() -> Path:
    """Folder of the sample study: SDTM tables of the invented trial DR-201 as SAS transport files.

    >>> sample_study_path().name
    'sample_study'
    """
    return Path(__file__).parent / "sample_study"

"""Numbers that are another one times the factor of a category."""

from __future__ import annotations

import numpy as np
from support.related import analysis
from support.studies import study_of

from datareplicator.structure.discover import discover


def factors(frames: dict) -> dict[str, set[str]]:
    found = [d for d in discover(study_of(frames)).derivations if d.template == "linear"]
    return {d.target: {s.column for s in d.sources} for d in found}


def test_a_total_dose_is_the_dose_of_the_arm_by_the_days_treated() -> None:
    assert factors(analysis().frames()) == {"CUMDOSE": {"TRTDURD", "TRT01P"}}


def test_numbers_near_a_multiple_are_left_alone() -> None:
    frames = analysis().frames()
    rng = np.random.default_rng(1)
    adsl = frames["adsl"]
    frames["adsl"] = adsl.assign(
        CUMDOSE=(adsl["CUMDOSE"] * rng.normal(1, 0.02, len(adsl))).round(), WEIGHT=rng.normal(70, 9, len(adsl)).round(1)
    )
    assert factors(frames) == {}

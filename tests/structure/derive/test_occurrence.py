"""Flags against a date of the subject, and flags of first rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from support.contexts import finds, reproduced
from support.related import analysis

from datareplicator.structure.discover import discover

FLAGS = {"AOCCFL": {"USUBJID"}, "AOCCSFL": {"USUBJID", "AEBODSYS"}, "AOCCPFL": {"USUBJID", "AEDECOD"}}


def test_treatment_emergence_is_a_date_from_the_reference_on() -> None:
    frames = analysis().frames()
    (found,) = finds(frames, "TRTEMFL", "compare")
    assert found.params["side"] == "from"
    assert [(s.table, s.column) for s in found.sources] == [("adae", "ASTDT"), ("adsl", "TRTSDT")]
    assert reproduced(found, frames) == 1.0


@pytest.mark.parametrize("flag", FLAGS)
def test_first_occurrences_are_found_with_their_group(flag: str) -> None:
    frames = analysis().frames()
    (found,) = finds(frames, flag, "occurrence")
    assert set(found.params["by"]) == FLAGS[flag]
    assert found.params["among"] == [{"column": "TRTEMFL", "values": ["Y"]}]
    assert reproduced(found, frames) == 1.0


def test_flags_by_chance_are_neither() -> None:
    frames = analysis().frames()
    rng = np.random.default_rng(5)
    chance = pd.Series(np.where(rng.random(len(frames["adae"])) < 0.4, "Y", None), dtype="str")
    frames["adae"] = frames["adae"].assign(CHANCEFL=chance)
    assert not finds(frames, "CHANCEFL", "compare")
    assert not finds(frames, "CHANCEFL", "occurrence")


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_draws_of_twenty_subjects_find_no_other_flags(seed: int) -> None:
    found = discover(analysis(20, seed=seed)).derivations
    flags = {d.target for d in found if d.template in ("compare", "occurrence")}
    assert flags <= {"TRTEMFL", *FLAGS}
    assert "AOCCPFL" in flags

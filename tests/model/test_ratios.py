"""Amounts that follow from a steadier ratio."""

from __future__ import annotations

import numpy as np
import pandas as pd
from support.studies import day, study_of

from datareplicator import pipeline
from datareplicator.generate.request import GenerateRequest
from datareplicator.study import Study


def doses(subjects: int = 80, seed: int = 3) -> Study:
    """Subjects of two arms with a cumulative dose, the days treated and the dose a day; rows of visits."""
    rng = np.random.default_rng(seed)
    arm = rng.choice(["Active", "Placebo"], subjects)
    days = rng.integers(1, 200, subjects)
    daily = np.where(arm == "Active", np.where(rng.random(subjects) < 0.5, 54.0, rng.uniform(60, 80, subjects)), 0.0)
    total = np.round(daily * days)
    start = rng.integers(0, 300, subjects)
    adsl = pd.DataFrame(
        {
            "USUBJID": [f"S-{k:03d}" for k in range(subjects)],
            "TRT01P": arm,
            "AGE": rng.integers(40, 80, subjects).astype(float),
            "TRTSDT": day("2020-01-01", start),
            "TRTEDT": day("2020-01-01", start + days - 1),
            "TRTDURD": days.astype(float),
            "CUMDOSE": total,
            "AVGDD": np.floor(total / days * 10 + 0.5) / 10,
        }
    )
    return study_of({"adsl": adsl})


def test_nobody_has_a_daily_dose_that_no_one_had() -> None:
    source = doses()
    model = pipeline.fit(source)
    adsl = pipeline.generate_study(model, GenerateRequest(400, seed=1), workers=1)["adsl"].frame
    assert list(adsl) == list(source["adsl"].frame)
    active = adsl[adsl["TRT01P"] == "Active"]
    long = active[active["TRTDURD"] > 20]
    assert long["AVGDD"].between(53, 81).all() and (long["AVGDD"] == 54).mean() > 0.3
    assert (adsl["CUMDOSE"][adsl["TRT01P"] == "Placebo"] == 0).all()
    assert np.allclose(np.floor(adsl["CUMDOSE"] / adsl["TRTDURD"] * 10 + 0.5) / 10, adsl["AVGDD"])
    assert active["CUMDOSE"].corr(active["TRTDURD"]) > 0.9


def test_an_amount_as_steady_as_its_ratio_is_drawn_for_itself() -> None:
    source = doses()
    frame = source["adsl"].frame
    rng = np.random.default_rng(5)
    frame["CUMDOSE"] = np.round(rng.uniform(1000, 1100, len(frame)))
    frame["AVGDD"] = np.floor(frame["CUMDOSE"] / frame["TRTDURD"] * 10 + 0.5) / 10
    structure = pipeline.fit(source).structure
    assert all(d.target != "CUMDOSE" for d in structure.derivations)

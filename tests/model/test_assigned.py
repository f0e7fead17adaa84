"""Columns that go with the arm."""

from __future__ import annotations

import numpy as np
import pandas as pd

from datareplicator.model.assigned import Assigned, fit_assigned, sample_assigned


def test_names_and_codes_of_the_actual_arm_stay_together() -> None:
    rng = np.random.default_rng(1)
    group = rng.integers(-1, 2, 400)
    actual = np.where((group == 1) & (rng.random(400) < 0.2), 0, group)
    frame = pd.DataFrame(
        {
            "ACTARMCD": pd.Series(actual).map({0: "A", 1: "B", -1: None}).astype("str"),
            "TRT01AN": np.where(actual < 0, np.nan, actual * 10.0),
            "ARMNRS": pd.Series(np.where(group < 0, "SCREEN FAILURE", None)).astype("str"),
        }
    )
    model = fit_assigned(frame, group, 2)
    assert model is not None
    model = Assigned.model_validate_json(model.model_dump_json())
    asked = np.repeat([-1, 0, 1], 3000)
    made = pd.DataFrame(sample_assigned(model, asked, np.random.default_rng(2).random(9000)))
    text = made["ACTARMCD"].astype(object)
    assert set(zip(text.dropna(), made["TRT01AN"].dropna(), strict=True)) == {("A", 0.0), ("B", 10.0)}
    assert (made["ARMNRS"].notna() == (asked < 0)).all() and made["TRT01AN"].isna().eq(asked < 0).all()
    assert (text[asked == 0] == "A").all()
    share = (text[asked == 1] == "A").mean()
    assert abs(share - (actual[group == 1] == 0).mean()) < 0.03  # 4 standard errors of 3,000 draws


def test_no_columns_no_model() -> None:
    assert fit_assigned(pd.DataFrame(index=range(3)), np.zeros(3, dtype=int), 1) is None

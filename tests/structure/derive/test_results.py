"""Unit conversion, last bits, arithmetic, categories by limits and by cut points, totals."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.contexts import context, finds, ids, normal, reproduced

from datareplicator.structure.derive import View, apply, compute, mine_formulas
from datareplicator.structure.derive.bits import transport
from datareplicator.structure.derive.outcome import rounded

RNG = np.random.default_rng(7)
DM = pd.DataFrame({"USUBJID": ids(20)})
SCALES = {("WEIGHT", "LB"): 0.4536, ("WEIGHT", "kg"): 1.0, ("HEIGHT", "IN"): 2.54, ("HEIGHT", "cm"): 1.0}


def vital_signs(rows: int = 400) -> pd.DataFrame:
    keys = list(SCALES)
    which = RNG.integers(0, len(keys) + 1, rows)
    test = np.array([*(k[0] for k in keys), "TEMP"], dtype=object)[which]
    unit = np.array([*(k[1] for k in keys), "F"], dtype=object)[which]
    original = np.where(test == "TEMP", RNG.normal(97, 1.5, rows), RNG.normal(150, 20, rows)).round(1)
    slope = np.array([*SCALES.values(), 5 / 9])[which]
    shift = np.where(test == "TEMP", -160 / 9, 0.0)
    standard = np.where(slope == 1, original, rounded(original * slope + shift, 2))
    text = np.array([f"{x:.12g}" for x in original], dtype=object)
    return pd.DataFrame(
        {"USUBJID": np.resize(ids(20), rows), "VSTESTCD": test, "VSORRES": text, "VSORRESU": unit, "VSSTRESN": standard}
    )


def test_conversion_is_by_test_and_original_unit() -> None:
    frames = {"DM": DM, "VS": vital_signs()}
    (d,) = finds(frames, "VSSTRESN", "linear")
    assert [s.column for s in d.sources] == ["VSORRES", "VSTESTCD", "VSORRESU"]
    assert reproduced(d, frames) == 1.0
    fresh = pd.DataFrame(
        {"VSORRES": ["200", "98.6", "5"], "VSTESTCD": ["WEIGHT", "TEMP", "OTHER"], "VSORRESU": ["LB", "F", "x"]}
    )
    assert np.allclose(compute(d, {"VS": fresh}), [90.72, 37.0, np.nan], equal_nan=True)


def test_last_bits_follow_the_transport_format() -> None:
    original = RNG.integers(5, 400, 300) / 10
    frame = pd.DataFrame(
        {
            "USUBJID": np.resize(ids(20), 300),
            "LBTESTCD": "BILI",
            "LBORRES": [f"{x:.12g}" for x in original],
            "LBSTRESN": transport(original * 17.1),
        }
    )
    (d,) = finds({"DM": DM, "LB": frame}, "LBSTRESN", "linear")
    assert d.params["bits"] == "transport"
    assert compute(d, {"LB": normal(frame)}).tolist() == frame["LBSTRESN"].tolist()


@given(st.decimals(min_value="0.001", max_value="99999", places=3))
@settings(max_examples=60, deadline=None)
def test_transport_bits_are_the_number_or_the_double_below(value: object) -> None:
    x = float(str(value))
    made = transport(np.array([x]))[0]
    assert made in (x, np.nextafter(x, 0.0))


def test_limits_are_converted_by_the_results_lines() -> None:
    rows = 300
    test = RNG.choice(["CREAT", "ALB"], rows)
    slope = np.where(test == "CREAT", 88.4, 10.0)
    original = RNG.normal(5, 1, rows).round(1)
    high = np.where(test == "CREAT", 1.4, 4.9)
    frame = pd.DataFrame(
        {
            "USUBJID": np.resize(ids(20), rows),
            "LBTESTCD": test,
            "LBORRES": [f"{x:.12g}" for x in original],
            "LBORNRHI": [f"{x:.12g}" for x in high],
            "LBSTRESN": original * slope,
            "LBSTNRHI": np.where(test == "CREAT", 124.0, 49.0),
        }
    )
    frame.loc[:40, "LBORNRHI"] = np.where(test[:41] == "CREAT", "1.3", "5")
    frame.loc[:40, "LBSTNRHI"] = np.where(test[:41] == "CREAT", 115.0, 50.0)
    (d, *_) = finds({"DM": DM, "LB": frame}, "LBSTNRHI", "linear")
    assert reproduced(d, {"DM": DM, "LB": frame}) == 1.0


def test_change_ratio_and_percent_change() -> None:
    rows = 200
    base, value = RNG.normal(50, 9, rows).round(1), RNG.normal(52, 9, rows).round(1)
    frame = pd.DataFrame(
        {
            "USUBJID": np.resize(ids(20), rows),
            "BASE": base,
            "AVAL": value,
            "CHG": value - base,
            "PCHG": rounded(100 * (value - base) / base, 2),
            "OTHER": RNG.normal(size=rows).round(2),
        }
    )
    frame.loc[:20, "CHG"] = np.nan
    frames = {"DM": DM, "ADXX": frame.assign(ABLFL=np.where(np.arange(rows) <= 20, "Y", None))}
    found = [d for d in mine_formulas(context(frames)) if d.template == "arithmetic"]
    assert {d.target for d in found} >= {"CHG", "PCHG"}
    assert not {d.target for d in found} & {"AVAL", "OTHER"}
    for d in found:
        assert reproduced(d, frames) >= 0.98


def test_rounding_is_half_away_from_zero_as_in_sas() -> None:
    assert rounded(np.array([0.285, 1.005, -0.285, 2.5]), 2).tolist() == [0.29, 1.01, -0.29, 2.5]


def laboratory(rows: int = 600) -> pd.DataFrame:
    test = RNG.choice(["ALT", "AST"], rows)
    low, high = np.where(test == "ALT", 6.0, 9.0), np.where(test == "ALT", 34.0, 38.0)
    value = RNG.normal(25, 12, rows).round(0)
    flag = np.where(value < low, "LOW", np.where(value > high, "HIGH", "NORMAL")).astype(object)
    return pd.DataFrame(
        {
            "USUBJID": np.resize(ids(20), rows),
            "LBTESTCD": test,
            "LBSTRESN": value,
            "LBSTNRLO": low,
            "LBSTNRHI": high,
            "LBNRIND": flag,
            "RANDOM": RNG.choice(["LOW", "NORMAL", "HIGH"], rows),
        }
    )


def test_category_by_limits() -> None:
    frames = {"DM": DM, "LB": laboratory()}
    (d,) = finds(frames, "LBNRIND", "limits")
    assert reproduced(d, frames) == 1.0
    fresh = pd.DataFrame({"LBSTRESN": [6.0, 5.9, 34.1], "LBSTNRLO": 6.0, "LBSTNRHI": 34.0, "LBTESTCD": "ALT"})
    assert compute(d, {"LB": fresh}).tolist() == ["NORMAL", "LOW", "HIGH"]
    assert not finds(frames, "RANDOM", "limits")


def test_groups_by_cut_points_take_the_numbers_of_their_labels() -> None:
    age = np.concatenate([RNG.integers(50, 64, 30), RNG.integers(67, 80, 40), RNG.integers(83, 90, 20)]).astype(float)
    group = np.where(age < 65, "<65", np.where(age <= 80, "65-80", ">80")).astype(object)
    frame = pd.DataFrame({"USUBJID": ids(90), "AGE": age, "AGEGR1": group, "SEX": RNG.choice(["F", "M"], 90)})
    (d,) = finds({"ADSL": frame}, "AGEGR1", "cuts")
    assert d.params["cuts"][0] == 65.0
    assert compute(d, {"ADSL": pd.DataFrame({"AGE": [64.0, 65.0, 99.0, np.nan]})}).tolist()[:3] == [
        "<65",
        "65-80",
        ">80",
    ]
    assert not finds({"ADSL": frame}, "SEX", "cuts")


@pytest.fixture(scope="module")
def questionnaire() -> pd.DataFrame:
    rng = np.random.default_rng(11)
    rows = []
    for subject in ids(20):
        for visit in (1.0, 2.0, 3.0):
            items = rng.integers(0, 5, 6)
            frequency, severity = rng.integers(1, 5), rng.integers(1, 4)
            scores = {f"ITM{k}": float(x) for k, x in enumerate(items)}
            scores |= {"NPI1F": float(frequency), "NPI1V": float(severity), "NPI1S": float(frequency * severity)}
            scores["TOTAL"] = float(items.sum())
            rows += [(subject, visit, code, x) for code, x in scores.items()]
    return pd.DataFrame(rows, columns=["USUBJID", "VISITNUM", "QSTESTCD", "QSSTRESN"])


def test_totals_and_products_of_items(questionnaire: pd.DataFrame) -> None:
    frames = {"DM": DM, "QS": questionnaire}
    (d,) = finds(frames, "QSSTRESN", "items")
    entries = {e["test"]: e for e in d.params["entries"]}
    assert set(entries) == {"NPI1S", "TOTAL"}
    assert sorted(entries["TOTAL"]["items"]) == [f"ITM{k}" for k in range(6)]
    changed = normal(questionnaire)
    changed.loc[changed["QSTESTCD"] == "TOTAL", "QSSTRESN"] = -1.0
    view = View({"QS": changed})
    apply(d, view)
    assert view.frames["QS"]["QSSTRESN"].tolist() == questionnaire["QSSTRESN"].tolist()

"""Constants, copies of the root, identical columns, rows reached by a key."""

from __future__ import annotations

import numpy as np
import pandas as pd
from support.contexts import finds, ids, iso, reproduced

from datareplicator.structure.derive.copies import planned_and_actual

RNG = np.random.default_rng(3)
N = 25
ANCHOR = 16000.0 + RNG.integers(0, 300, N)
ROOT = pd.DataFrame({"USUBJID": ids(N), "AGE": RNG.integers(18, 90, N).astype(float), "RFSTDTC": iso(ANCHOR)})


def visits() -> pd.DataFrame:
    who = np.repeat(np.arange(N), 4)
    number = np.tile([1.0, 2.0, 3.0, 4.0], N)
    day = ANCHOR[who] + number * 14 + RNG.integers(0, 5, 4 * N)
    return pd.DataFrame({"USUBJID": ids(N)[who], "VISITNUM": number, "SVSTDTC": iso(day)})


def results(sv: pd.DataFrame) -> pd.DataFrame:
    both = sv.loc[sv.index.repeat(2)].reset_index(drop=True)
    who = np.repeat(np.arange(N), 8)
    return pd.DataFrame(
        {
            "DOMAIN": "VS",
            "USUBJID": both["USUBJID"],
            "AGE": ROOT["AGE"].to_numpy()[who],
            "VISITNUM": both["VISITNUM"],
            "VSTESTCD": np.tile(["PULSE", "TEMP"], 4 * N),
            "VSDTC": both["SVSTDTC"],
            "VALUE": RNG.normal(60, 8, len(both)).round(1),
        }
    )


def test_constants_copies_of_the_root_and_of_the_visit_table() -> None:
    sv = visits()
    frames = {"DM": ROOT, "SV": sv, "VS": results(sv)}
    for target, template in (("DOMAIN", "constant"), ("AGE", "copy_subject"), ("VSDTC", "copy_by_key")):
        (d, *_) = finds(frames, target, template)
        assert d.agreement == 1.0
        assert reproduced(d, frames) == 1.0
    assert not finds(frames, "VALUE", "copy_by_key")


def test_copied_days_differ_in_precision_only() -> None:
    sv = visits()
    vs = results(sv).drop(columns="AGE")
    vs["VSDTC"] = vs["VSDTC"] + "T08:30"
    frames = {"DM": ROOT, "SV": sv, "VS": vs.assign(VSDAY=vs["VSDTC"].str[:10])}
    (d,) = finds(frames, "VSDAY", "same_day")
    assert reproduced(d, frames) == 1.0
    assert not finds(frames, "VSDTC", "copy_by_key")


def test_identical_columns_have_one_source() -> None:
    frame = ROOT.assign(RFXSTDTC=ROOT["RFSTDTC"], WEIGHT=RNG.normal(70, 9, N).round(1))
    frames = {"DM": frame, "SV": visits()}
    (d,) = finds(frames, "RFXSTDTC", "same")
    assert d.sources[0].column == "RFSTDTC"
    assert not finds(frames, "WEIGHT", "same")


def test_a_copy_keeps_long_integers() -> None:
    code = 10**17 + np.arange(N)
    root = pd.DataFrame({"person_id": code, "birth": RNG.integers(1930, 2000, N)})
    who = np.repeat(np.arange(N), 3)
    child = pd.DataFrame({"person_id": code[who], "birth": root["birth"].to_numpy()[who], "x": RNG.normal(size=3 * N)})
    (d,) = finds({"person": root, "visit": child}, "birth", "copy_subject")
    assert reproduced(d, {"person": root, "visit": child}) == 1.0


def test_planned_and_actual_arm_are_two_things() -> None:
    assert planned_and_actual("ACTARM", "ARM")
    assert not planned_and_actual("ARM", "ARMCD")

"""Functional dependencies: evidence over subjects, names, two determinants."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from datareplicator.structure.derive import View
from datareplicator.structure.derive.lookup import build
from datareplicator.structure.encode import Context, encode_table
from datareplicator.structure.lookups import LookupJob, evidence, fixed, mine_lookups
from datareplicator.structure.spec import Derivation


def mined(frame: pd.DataFrame, first: list[str], **job: object) -> dict[str, Derivation]:
    table = encode_table("t", frame)
    subjects = pd.factorize(frame["s"])[0].astype(np.int32)
    ctx = Context({"t": table}, subject="s", subject_columns={"t": "s"}, subjects=pd.Index(frame["s"].unique()))
    ctx.subject_codes["t"] = subjects
    view = View({"t": frame})
    found = mine_lookups(ctx, LookupJob("t", first, **job), lambda t, by, target: build(view, t, by, target))
    return {d.target: d for d in reversed(found)}


def rows(subjects: int, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    s = np.repeat([f"S{i}" for i in range(subjects)], 6)
    code = rng.choice(["A", "B", "C", "D"], len(s))
    return pd.DataFrame({"s": s, "code": code, "label": pd.Series(code).map({"A": "x", "B": "x", "C": "y", "D": "z"})})


def test_evidence_counts_subjects_not_rows() -> None:
    x, y = np.array([0, 0, 1, 1]), np.array([0, 0, 1, 1])
    assert evidence(np.zeros(4, dtype=int), x, y) == 0.0
    assert evidence(np.arange(4), x, y) == pytest.approx(2 * -np.log(0.5))
    many = np.tile([0, 1], 50)
    assert evidence(np.arange(100), many, many) > 50


def test_a_target_of_one_value_is_no_evidence() -> None:
    assert evidence(np.arange(50), np.arange(50) % 5, np.zeros(50, dtype=int)) == pytest.approx(0.0)


def test_fixed_allows_a_share_of_slips() -> None:
    x, y = np.zeros(1000, dtype=int), np.zeros(1000, dtype=int)
    y[-1] = 1
    assert not fixed(x, y)
    assert fixed(x, y, 0.002)


def test_a_dependency_over_many_subjects_is_kept() -> None:
    found = mined(rows(30), ["code"])
    assert [s.column for s in found["label"].sources] == ["code"]
    assert found["label"].agreement == 1.0


def test_few_subjects_need_a_name() -> None:
    assert "label" not in mined(rows(4), ["code"])
    renamed = rows(4).rename(columns={"code": "LBTESTCD", "label": "LBCAT"})
    assert "LBCAT" in mined(renamed, ["LBTESTCD"])


def test_a_code_pair_is_kept_by_its_name_alone() -> None:
    frame = pd.DataFrame({"s": ["a", "b", "c"], "ARMCD": ["P", "X", "P"], "ARM": ["Placebo", "Drug", "Placebo"]})
    assert "ARM" in mined(frame, ["ARMCD"])
    assert "ACTARM" not in mined(frame.rename(columns={"ARM": "ACTARM"}), ["ARMCD"])


def test_what_is_sampled_is_never_a_target() -> None:
    frame = rows(30)
    frame["code2"] = frame["code"] + "2"
    found = mined(frame, ["code", "code2"])
    assert "code2" not in found and "code" not in found


def test_two_determinants_where_neither_suffices() -> None:
    rng = np.random.default_rng(1)
    frame = rows(60).drop(columns="label")
    frame["unit"] = rng.choice(["u", "v"], len(frame))
    frame["label"] = np.where(frame["code"].isin(["A", "B"]) == (frame["unit"] == "u"), "p", "q")
    found = mined(frame, ["code"], axes={"code"})
    assert {s.column for s in found["label"].sources} == {"code", "unit"}


def test_gaps_of_the_target_are_told_by_a_status() -> None:
    frame = rows(40)
    frame["LBSTAT"] = pd.Series(np.where(np.arange(len(frame)) % 9 == 0, "NOT DONE", None), dtype="str")
    frame["label"] = frame["label"].where(frame["LBSTAT"].isna())
    found = mined(frame, ["code"])
    assert [s.column for s in found["label"].sources] == ["code", "LBSTAT"]
    assert found["label"].agreement == 1.0

"""Lookup tables, joins of encoded frames, and the choice among several finds."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st
from support.contexts import categorical, context, normal

from datareplicator.structure.derive import View, choose, compute, mine_formulas
from datareplicator.structure.derive.lookup import build
from datareplicator.structure.spec import Derivation, Ref


def test_a_lookup_gives_missing_for_what_it_does_not_know() -> None:
    frame = normal(pd.DataFrame({"T": ["A", "A", "B", "B"], "U": ["x", "y", "x", None], "V": [1.0, 2.0, 3.0, 4.0]}))
    d = build(View({"F": frame}), "F", ["T", "U"], "V")
    d = Derivation.model_validate_json(d.model_dump_json())
    asked = categorical(normal(pd.DataFrame({"T": ["B", "A", "C", "B"], "U": [None, "y", "x", "y"]})))
    assert np.array_equal(compute(d, {"F": asked}), [4.0, 2.0, np.nan, np.nan], equal_nan=True)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 3)), min_size=1, max_size=40))
@settings(max_examples=40, deadline=None)
def test_match_finds_the_first_row_with_the_key(rows: list[tuple[str, int]]) -> None:
    frame = pd.DataFrame(rows, columns=["k", "n"]).astype({"k": "str", "n": "float64"})
    at = View({"A": categorical(frame), "B": frame}).match("A", ["k", "n"], "B", ["k", "n"])
    assert at.tolist() == [rows.index(row) for row in rows]


def test_put_forgets_what_was_encoded() -> None:
    view = View({"A": pd.DataFrame({"k": ["x", "y"], "v": [1.0, 2.0]})})
    assert view.group("A", ["k"])[1] == 2
    view.put("A", "k", pd.Series(["x", "x"]))
    assert view.group("A", ["k"])[1] == 1
    assert view.match("A", ["k"], "A", ["k"]).tolist() == [0, 0]


def find(template: str, agreement: float, target: str = "X", **params: object) -> Derivation:
    return Derivation(
        table="T",
        target=target,
        template=template,
        sources=(Ref(table="T", column="A"),),
        agreement=agreement,
        rows=10,
        params=params,
    )


def test_one_find_a_target_by_agreement_then_template() -> None:
    made = choose(
        [find("aggregate", 1.0), find("linear", 0.9991), find("copy_by_key", 0.97), find("present", 0.5, "Y")]
    )
    assert [(d.target, d.template) for d in made] == [("X", "linear"), ("Y", "present")]


def test_a_partial_find_stands_beside_the_general_one() -> None:
    made = choose([find("parse", 1.0), find("items", 1.0, partial=True)])
    assert [d.template for d in made] == ["parse", "items"]


def test_params_are_plain_json_and_hold_no_subject() -> None:
    rng = np.random.default_rng(2)
    who = np.repeat(np.arange(15), 6)
    subjects = np.array([f"SUBJECT-{i}" for i in range(15)], dtype=object)
    frame = pd.DataFrame(
        {
            "USUBJID": subjects[who],
            "LBSEQ": np.tile(np.arange(1.0, 7.0), 15),
            "LBTESTCD": np.tile(["ALT", "AST"], 45),
            "LBSTRESN": rng.normal(30, 5, 90).round(1),
            "VISITNUM": np.tile([1.0, 1.0, 2.0, 2.0, 3.0, 3.0], 15),
        }
    )
    frame["LBBLFL"] = np.where(frame["VISITNUM"] == 2.0, "Y", None)
    found = mine_formulas(context({"DM": pd.DataFrame({"USUBJID": subjects}), "LB": frame}))
    assert {d.template for d in found} >= {"row_number", "baseline_flag"}
    for d in found:
        assert "SUBJECT-" not in json.dumps(d.params, allow_nan=False)

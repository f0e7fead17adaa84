"""Joined texts, row numbers, results parsed from and written as text, offsets of ids."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.contexts import context, finds, ids, normal, reproduced

from datareplicator.structure.derive import compute, mine_formulas
from datareplicator.structure.spec import Derivation, Ref

RNG = np.random.default_rng(5)
N = 40
SITE = RNG.choice(["701", "702", "710"], N)
NUMBER = np.array([f"{i:04d}" for i in range(1, N + 1)], dtype=object)


def root() -> pd.DataFrame:
    usubjid = np.array([f"01-{s}-{n}" for s, n in zip(SITE, NUMBER, strict=True)], dtype=object)
    return pd.DataFrame({"USUBJID": usubjid, "SUBJID": NUMBER, "SITEID": SITE, "SEX": RNG.choice(["F", "M"], N)})


def test_subject_id_is_put_together_from_site_and_number() -> None:
    frames = {"DM": root(), "AE": pd.DataFrame({"USUBJID": root()["USUBJID"].repeat(2), "X": RNG.normal(size=2 * N)})}
    (d,) = finds(frames, "USUBJID", "concat")
    assert {s.column for s in d.sources} == {"SITEID", "SUBJID"}
    fresh = pd.DataFrame({"SITEID": ["999"], "SUBJID": ["0042"]})
    assert compute(d, {"DM": fresh}).tolist() == ["01-999-0042"]
    assert not finds(frames, "SEX", "concat")


def test_numbers_are_padded_and_shifts_are_concatenated() -> None:
    frame = pd.DataFrame(
        {
            "id": ids(N),
            "number": np.arange(1, N + 1),
            "label": [f"Visit {i:03d}" for i in range(1, N + 1)],
            "base": RNG.choice(["Low", "Normal", "High"], N),
            "post": RNG.choice(["Low", "Normal", "High"], N),
        }
    )
    frame["shift"] = frame["base"] + " to " + frame["post"]
    (label,) = finds({"T": frame}, "label", "concat")
    assert label.params["parts"] == ["Visit ", {"source": 0, "width": 3, "style": "plain"}]
    (shift,) = finds({"T": frame}, "shift", "concat")
    assert reproduced(shift, {"T": frame}) == 1.0


def test_row_numbers_follow_the_learned_order() -> None:
    rows = [(s, t, v) for s in root()["USUBJID"][:12] for t in ("SYSBP", "DIABP", "PULSE") for v in (1.0, 2.0, 3.0)]
    frame = pd.DataFrame(rows, columns=["USUBJID", "VSTESTCD", "VISITNUM"])
    frame["VSSEQ"] = frame.groupby("USUBJID").cumcount() + 1.0
    frame["VSSTRESN"] = RNG.normal(size=len(frame))
    frames = {"DM": root(), "VS": frame}
    (d,) = finds(frames, "VSSEQ", "row_number")
    assert [part["column"] for part in d.params["order"]] == ["VSTESTCD", "VISITNUM"]
    assert d.params["order"][0]["values"] == ["SYSBP", "DIABP", "PULSE"]
    mixed = normal(frame).sample(frac=1, random_state=1).reset_index(drop=True)
    assert compute(d, {"VS": mixed}).tolist() == mixed["VSSEQ"].tolist()


@given(st.lists(st.integers(0, 5), min_size=1, max_size=60))
@settings(max_examples=30, deadline=None)
def test_row_numbers_count_every_subject_from_the_start(subjects: list[int]) -> None:
    frame = pd.DataFrame({"USUBJID": [f"S{i}" for i in subjects]})
    d = Derivation(
        table="AE",
        target="AESEQ",
        template="row_number",
        sources=(Ref(table="AE", column="USUBJID"),),
        params={"by": ["USUBJID"], "order": [], "start": 1},
    )
    made = compute(d, {"AE": frame})
    for _, part in made.groupby(frame["USUBJID"]):
        assert part.tolist() == list(range(1, len(part) + 1))


def result_frame(rows: int = 300) -> pd.DataFrame:
    test = RNG.choice(["ALT", "CRP", "PROT"], rows)
    number = RNG.gamma(4, 5, rows).round(1)
    text = np.array([f"{x:.12g}" for x in number], dtype=object)
    text[(test == "CRP") & (number < 10)] = "<10"
    text[(test == "PROT") & (number < 20)] = "NEGATIVE"
    parsed = pd.to_numeric(pd.Series(text), errors="coerce").to_numpy(dtype=float)
    return pd.DataFrame(
        {
            "USUBJID": np.resize(ids(20), rows),
            "LBTESTCD": test,
            "LBSTRESC": text,
            "LBSTRESN": parsed,
            "NOISE": RNG.normal(size=rows),
        }
    )


def test_numbers_are_parsed_from_texts_and_texts_written_from_numbers() -> None:
    frames = {"DM": pd.DataFrame({"USUBJID": ids(20)}), "LB": result_frame()}
    (d,) = finds(frames, "LBSTRESN", "parse")
    assert d.params["bounds"] == "drop"
    assert reproduced(d, frames) == 1.0
    assert not finds(frames, "NOISE", "parse")


def test_limits_of_quantification_may_stand_for_the_number() -> None:
    frame = result_frame()
    below = frame["LBSTRESC"] == "<10"
    frame.loc[below, "LBSTRESN"] = 10.0
    (d,) = finds({"DM": pd.DataFrame({"USUBJID": ids(20)}), "LB": frame}, "LBSTRESN", "parse")
    assert d.params["bounds"] == "keep"


@pytest.mark.parametrize(("decimals", "texts"), [(None, ["5.5", "6"]), (2, ["5.50", "6.00"])])
def test_text_of_a_number_has_the_decimals_of_the_source(decimals: int | None, texts: list[str]) -> None:
    number = RNG.normal(50, 9, 200).round(1)
    text = [f"{x:.12g}" if decimals is None else f"{x:.2f}" for x in number]
    frame = pd.DataFrame({"USUBJID": np.resize(ids(20), 200), "QSSTRESN": number, "QSSTRESC": text})
    (d,) = finds({"DM": pd.DataFrame({"USUBJID": ids(20)}), "QS": frame}, "QSSTRESC", "text_of_number")
    assert compute(d, {"QS": pd.DataFrame({"QSSTRESN": [5.5, 6.0]})}).tolist() == texts


def test_an_id_at_a_fixed_distance_is_exact_at_17_digits() -> None:
    first = 10**17 + RNG.permutation(50)
    frame = pd.DataFrame(
        {"person_id": np.arange(50), "case_id": first, "record_id": first + 12345, "x": RNG.normal(size=50)}
    )
    (d,) = finds({"person": frame}, "record_id", "offset")
    assert d.sources[0].column == "case_id"
    assert compute(d, {"person": frame}).tolist() == frame["record_id"].tolist()


def test_noise_yields_nothing() -> None:
    rows = 400
    frame = pd.DataFrame(
        {
            "USUBJID": np.resize(ids(30), rows),
            "A": RNG.normal(size=rows).round(2),
            "B": RNG.normal(size=rows).round(2),
            "C": RNG.integers(0, 50, rows).astype(float),
            "T": RNG.choice(["x", "y", "z"], rows),
            "F": RNG.choice(["Y", "N"], rows),
            "D": np.datetime_as_string((16000 + RNG.integers(0, 400, rows)).astype("datetime64[D]")).astype(object),
        }
    )
    dm = pd.DataFrame(
        {"USUBJID": ids(30), "SEX": RNG.choice(["F", "M"], 30), "AGE": RNG.integers(20, 80, 30).astype(float)}
    )
    assert mine_formulas(context({"DM": dm, "XX": frame})) == []

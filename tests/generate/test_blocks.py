"""A block is a function of model, request and index alone, in the source's types."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from support.studies import sdtm, shop, study_of
from support.tables import omop

from datareplicator import pipeline
from datareplicator.generate.blocks import generate_block
from datareplicator.generate.finish import typed
from datareplicator.generate.request import BLOCK, Block, GenerateRequest
from datareplicator.model.study_model import SourceColumn, SourceTable, StudyModel


@pytest.fixture(scope="module")
def model() -> StudyModel:
    return pipeline.fit(shop(40))


def test_blocks_are_repeatable_and_differ(model: StudyModel) -> None:
    request = GenerateRequest(3 * BLOCK, seed=1)
    first, again, second = (generate_block(model, request, Block(k, BLOCK)) for k in (0, 0, 1))
    for name, frame in first.items():
        pd.testing.assert_frame_equal(frame, again[name])
    assert not set(first["customers"]["id"]) & set(second["customers"]["id"])
    assert not set(first["orders"]["id"]) & set(second["orders"]["id"])
    assert not first["customers"]["signup_date"].astype(str).equals(second["customers"]["signup_date"].astype(str))


def test_tables_without_subjects_come_once(model: StudyModel) -> None:
    request = GenerateRequest(2 * BLOCK)
    assert len(generate_block(model, request, Block(0, BLOCK))["products"]) == 12
    assert len(generate_block(model, request, Block(1, BLOCK))["products"]) == 0


def test_a_cut_block_holds_the_first_subjects_and_their_rows(model: StudyModel) -> None:
    request = GenerateRequest(BLOCK)
    whole, cut = generate_block(model, request, Block(0, BLOCK)), generate_block(model, request, Block(0, 7))
    assert len(cut["customers"]) == 7
    for name in ("customers", "orders", "order_lines"):
        frame = cut[name].astype(object)
        pd.testing.assert_frame_equal(frame, whole[name].iloc[: len(frame)].astype(object))
    assert set(cut["orders"]["customer_id"]) <= set(cut["customers"]["id"])


def test_another_seed_gives_other_subjects_with_the_same_names(model: StudyModel) -> None:
    one, two = (generate_block(model, GenerateRequest(20, seed=s), Block(0, 20)) for s in (1, 2))
    assert one["customers"]["id"].equals(two["customers"]["id"])
    assert not one["customers"]["email"].astype(str).equals(two["customers"]["email"].astype(str))


def test_findings_at_encounters_lie_on_their_day() -> None:
    made = generate_block(pipeline.fit(omop(60)), GenerateRequest(BLOCK), Block(0, BLOCK))
    rows = made["measurement"].merge(made["visit_occurrence"], on="visit_occurrence_id", suffixes=("", "_above"))
    assert len(rows) == len(made["measurement"])
    assert (rows["measurement_date"] == rows["visit_start_date"]).all()
    assert (rows["person_id"] == rows["person_id_above"]).all()


def test_derived_columns_and_supplements_follow() -> None:
    made = generate_block(pipeline.fit(sdtm(40)), GenerateRequest(BLOCK), Block(0, BLOCK))
    assert (made["lbch"]["DOMAIN"] == "LB").all()
    events = made["ae"].assign(number=made["ae"]["AESEQ"].map("{:.0f}".format))
    named = made["suppae"][["USUBJID", "IDVARVAL"]].astype(str).itertuples(index=False, name=None)
    assert set(named) <= set(events[["USUBJID", "number"]].astype(str).itertuples(index=False, name=None))
    first = made["ae"].groupby("USUBJID", observed=True)["AESEQ"].agg(["min", "max", "size", "nunique"])
    assert (first["min"] == 1).all()
    assert (first["max"] == first["size"]).all()
    assert (first["nunique"] == first["size"]).all()


@pytest.mark.parametrize(
    ("values", "dtype", "expected"),
    [
        ([1.0, None], "int64", [1, None]),
        (["1", "2"], "int64", [1, 2]),
        ([1.0, 0.0, None], "boolean", [True, False, None]),
        (["True", "False"], "boolean", [True, False]),
        ([1.0, 2.5, None], "str", ["1", "2.5", None]),
        (["2020-01-01", None], "datetime64[us]", [pd.Timestamp("2020-01-01"), None]),
    ],
)
def test_values_take_the_source_s_type(values: list, dtype: str, expected: list) -> None:
    source = SourceTable(name="t", label="", columns=(SourceColumn(name="x", type="text"),), dtypes=(dtype,))
    made = typed(pd.DataFrame({"x": values, "beside": 1}), source)["x"].astype(object)
    assert made.where(made.notna(), None).tolist() == expected


def test_a_table_that_nothing_makes_is_empty_with_its_columns() -> None:
    columns = (SourceColumn(name="x", type="text"), SourceColumn(name="y", type="float"))
    source = SourceTable(name="t", label="", columns=columns, dtypes=("str", "float64"))
    made = typed(None, source)
    assert (len(made), list(made.columns), str(made["y"].dtype)) == (0, ["x", "y"], "float64")


def test_identifiers_follow_their_copies_and_computed_parts() -> None:
    """A copy of an identifier is computed after it; an identifier that holds a computed column is made after that."""
    rng = np.random.default_rng(1)
    kit = [f"K{v}" for v in rng.permutation(np.arange(1000, 1060))]
    code = rng.integers(1, 4, 60)
    city = np.array(["Bonn", "Kiel", "Ulm"])[code - 1]
    people = {"patient": [f"PT-{i:03d}" for i in range(60)], "kit": kit, "kit_given": kit, "city": city}
    people["site"] = [f"S{c}" for c in code]
    people["sample"] = [f"{c}-{i:05d}" for i, c in enumerate(city)]
    learned = pipeline.fit(study_of({"people": pd.DataFrame(people)}))
    computed = {d.target: d.template for d in learned.structure.derivations}
    assert computed == {"kit_given": "same", "city": "lookup"}
    made = generate_block(learned, GenerateRequest(BLOCK), Block(0, BLOCK))["people"].astype("str")
    assert (made["kit"] == made["kit_given"]).all()
    assert made["kit"].is_unique
    assert not set(made["kit"]) & set(kit)
    assert (made["sample"].str.split("-").str[0] == made["city"]).all()

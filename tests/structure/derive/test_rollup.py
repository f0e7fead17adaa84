"""Totals over the rows below, and amounts of three columns."""

from __future__ import annotations

import numpy as np
import pytest
from support.contexts import finds, reproduced
from support.related import totals
from support.studies import study_of

from datareplicator.structure.discover import discover

EXPECTED = {"item_count": ("count", "order_id"), "order_total": ("sum", "line_total"), "dearest": ("max", "unit_price")}


def rollups(frames: dict) -> dict[str, tuple[str, str]]:
    found = [d for d in discover(study_of(frames)).derivations if d.template == "rollup"]
    return {d.target: (d.params["how"], d.sources[0].column) for d in found}


@pytest.mark.parametrize("seed", [11, 12, 13])
def test_totals_over_child_rows_are_found_and_no_others(seed: int) -> None:
    assert rollups(totals(seed=seed).frames()) == EXPECTED


def test_totals_are_found_from_twenty_customers() -> None:
    assert rollups(totals(20).frames()) == EXPECTED


def test_totals_of_the_subject_are_found() -> None:
    frames = totals().frames()
    spent = frames["orders"].groupby("client_id")["order_total"].agg(["sum", "mean"])
    frames["clients"]["spent"] = spent["sum"].reindex(frames["clients"]["client_id"]).round(2).to_numpy()
    found = rollups(frames)
    assert found["spent"] == ("sum", "order_total")


def test_numbers_that_only_resemble_totals_are_left_alone() -> None:
    frames = totals().frames()
    rng = np.random.default_rng(1)
    orders = frames["orders"]
    frames["orders"] = orders.assign(
        estimate=(orders["order_total"] * rng.normal(1, 0.01, len(orders))).round(2),
        rating=rng.integers(1, 6, len(orders)),
    )
    assert rollups(frames) == EXPECTED


def test_an_amount_of_number_price_and_discount_is_found() -> None:
    frames = totals().frames()
    (found,) = (d for d in discover(study_of(frames)).derivations if d.target == "line_total")
    assert found.params["op"] == "product_less_share"
    assert {s.column for s in found.sources} == {"quantity", "unit_price", "discount"}
    assert reproduced(found, frames) == 1.0


def test_a_bill_is_the_sum_of_three() -> None:
    frames = totals().frames()
    rng = np.random.default_rng(2)
    n = len(frames["orders"])
    parts = {name: np.round(rng.lognormal(3, 1, n), 2) for name in ("net", "tax", "freight")}
    frames["orders"] = frames["orders"].assign(**parts, gross=np.round(sum(parts.values()), 2))
    (found,) = finds(frames, "gross", "arithmetic")
    assert found.params["op"] == "sum_of_three"

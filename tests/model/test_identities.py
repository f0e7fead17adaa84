"""Laws between results of a visit: found where they hold, kept in what is made, and not found where they do not."""

from __future__ import annotations

import numpy as np
import pytest

from datareplicator.generate.identities import keep_identities, keep_orders, on_grid
from datareplicator.model.findings.grid import Grid
from datareplicator.model.findings.identity_fit import fit_identities, fit_orders
from datareplicator.model.findings.identity_model import Identity, Order
from datareplicator.model.findings.model import Cell
from datareplicator.model.marginals import Marginal
from datareplicator.seeds import Streams

TESTS = ("HCT", "RBC", "MCV", "HGB", "MCH", "MCHC", "PLAT")


def panel(rows: int, seed: int) -> np.ndarray:
    """A blood count: volumes and haemoglobin follow from the counts up to rounding."""
    rng = np.random.default_rng(seed)
    red, volume = np.exp(rng.normal(1.5, 0.09, rows)), np.exp(rng.normal(4.5, 0.05, rows))
    haematocrit = red * volume / 1000
    haemoglobin = haematocrit * np.exp(rng.normal(3.5, 0.035, rows))
    columns = [haematocrit, red, volume, haemoglobin, haemoglobin / red, haemoglobin / haematocrit]
    columns.append(np.exp(rng.normal(5.5, 0.3, rows)))
    return np.column_stack([np.round(c, d) for c, d in zip(columns, (2, 1, 0, 1, 2, 1, 0), strict=True)])


def grid(values: np.ndarray, each: int = 6) -> Grid:
    rows = len(values)
    subject = np.arange(rows) // each
    present = np.isfinite(values)
    day = np.arange(rows) % each * 14.0
    return Grid(subject, np.arange(rows) % each, day, values, present, int(subject.max()) + 1, each)


def cells(names: tuple[str, ...] = TESTS) -> list[Cell]:
    return [Cell(table="lb", test=name) for name in names]


@pytest.mark.parametrize(("rows", "seed"), [(120, 0), (120, 1), (1800, 2)])
def test_three_laws_of_a_blood_count_are_found_each_result_once(rows: int, seed: int) -> None:
    laws = fit_identities(grid(panel(rows, seed)), cells())
    groups = [frozenset(TESTS[c] for c in (law.target, law.first, law.second)) for law in laws]
    # Three relations tie six results; which three of the equivalent ones are written down may differ.
    assert len({law.target for law in laws}) == len(laws) == 3
    assert set().union(*groups) == set(TESTS) - {"PLAT"}


def test_laws_are_computed_after_what_they_rest_on_and_hold_in_what_is_made() -> None:
    source = panel(600, 3)
    laws = fit_identities(grid(source), cells())
    done: set[int] = set()
    targets = {law.target for law in laws}
    for law in laws:
        assert not {law.first, law.second} & (targets - done)
        done.add(law.target)
    rng = np.random.default_rng(4)
    made = np.column_stack([rng.permutation(column) for column in source.T])  # every relation between tests is gone
    marginals = [Marginal(values=np.unique(c), scores=np.empty(0), lattice=True, decimals=0) for c in source.T]
    broken = np.log(made[:, 0] / made[:, 1] / made[:, 2]).std()
    keep_identities(made, laws, marginals, Streams(0))
    for law in laws:
        away = np.log(made[:, law.target]) - np.log(made[:, law.first]) - law.power * np.log(made[:, law.second])
        inside = (made[:, law.target] > source[:, law.target].min()) & (
            made[:, law.target] < source[:, law.target].max()
        )
        assert away[inside].std() < 0.04 < broken


def test_related_results_without_a_law_get_none() -> None:
    rng = np.random.default_rng(5)
    common = rng.normal(0, 1, (400, 1))
    values = np.exp(0.2 * (0.9 * common + np.sqrt(1 - 0.81) * rng.normal(size=(400, 8))))
    assert fit_identities(grid(values), cells(tuple("abcdefgh"))) == ()


def test_missing_results_stay_missing() -> None:
    values = panel(60, 6)
    values[::3, 0] = np.nan
    laws = fit_identities(grid(panel(600, 3)), cells())
    marginals = [Marginal(values=np.unique(c), scores=np.empty(0), lattice=True, decimals=0) for c in panel(600, 3).T]
    missing = np.isnan(values)
    keep_identities(values, laws, marginals, Streams(1))
    assert (np.isnan(values) == missing).all()


def test_an_order_is_found_and_kept() -> None:
    rng = np.random.default_rng(7)
    low = np.round(rng.normal(80, 10, 900))
    high = low + np.round(np.exp(rng.normal(3.6, 0.5, 900)))
    orders = fit_orders(grid(np.column_stack([high, low])), cells(("SYSBP", "DIABP")))
    assert [(o.above, o.below, o.gap) for o in orders] == [(0, 1, 1.0)]
    made = np.array([[120.0, 80.0], [90.0, 95.0], [90.0, 90.0], [np.nan, 80.0]])
    marginals = [Marginal(values=np.arange(40.0, 200.0), scores=np.empty(0), lattice=True, decimals=0)] * 2
    keep_orders(made, orders, marginals)
    assert made[:3].tolist() == [[120, 80], [90, 89], [90, 89]]


def test_results_far_apart_need_no_order_and_crossing_ones_have_none() -> None:
    rng = np.random.default_rng(8)
    far = np.column_stack([rng.normal(100, 1, 300), rng.normal(10, 1, 300)])
    near = rng.normal(100, 1, (300, 2))
    assert fit_orders(grid(far), cells(("a", "b"))) == () == fit_orders(grid(near), cells(("a", "b")))


def test_damaged_laws_are_refused() -> None:
    with pytest.raises(ValueError, match="three different"):
        Identity(target=0, first=0, second=1, power=1.0, log_factor=0.0, spread=0.1)
    with pytest.raises(ValueError, match="range"):
        Identity(target=0, first=1, second=2, power=3.0, log_factor=0.0, spread=0.1)
    assert Order(above=0, below=1, gap=1.0).gap == 1.0


def test_values_go_to_the_nearest_of_the_source() -> None:
    marginal = Marginal(values=np.array([1.0, 2.0, 4.0]), scores=np.empty(0), lattice=True, decimals=0)
    assert on_grid(marginal, np.array([0.2, 1.4, 2.9, 3.2, 9.0])).tolist() == [1, 1, 2, 4, 4]

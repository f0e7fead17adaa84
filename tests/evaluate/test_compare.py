"""Comparisons of studies whose relation is known: equal, drawn alike, shuffled, copied, incomplete."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from support.studies import sdtm, shop, study_of

from datareplicator.evaluate import Comparison, compare
from datareplicator.structure.discover import discover
from datareplicator.structure.spec import Structure
from datareplicator.study import Study


@pytest.fixture(scope="module")
def source() -> Study:
    return sdtm(60, seed=1)


@pytest.fixture(scope="module")
def structure(source: Study) -> Structure:
    return discover(source)


@pytest.fixture(scope="module")
def same(source: Study, structure: Structure) -> Comparison:
    return compare(source, source, structure=structure)


@pytest.fixture(scope="module")
def drawn(source: Study, structure: Structure) -> Comparison:
    """Another study of the same kind: what a perfect generator makes."""
    return compare(source, renamed(sdtm(60, seed=2)), structure=structure)


def renamed(study: Study) -> Study:
    """The same study under other subject keys."""
    frames = study.frames()
    return study_of({
        name: frame.assign(USUBJID="NEW-" + frame["USUBJID"]) if "USUBJID" in frame else frame
        for name, frame in frames.items()
    })  # fmt: skip


def changed(study: Study, change: Callable[[str, pd.DataFrame], pd.DataFrame]) -> Study:
    return study_of({name: change(name, frame.copy()) for name, frame in study.frames().items()})


def test_a_study_equals_itself(same: Comparison) -> None:
    assert same.variables and same.tests
    assert max(v.distance for v in same.variables) == pytest.approx(0, abs=1e-12)
    assert max(t.distance for t in same.tests) == pytest.approx(0, abs=1e-12)
    assert all(t.level == 0 and t.spread == pytest.approx(1) and t.icc[0] == t.icc[1] for t in same.tests)
    assert all(part.mean == pytest.approx(0, abs=1e-12) for part in same.correlations)
    assert all(t.mean is None or t.mean[0] == t.mean[1] for t in same.tables)
    assert same.timeline.distance == pytest.approx(0, abs=1e-12)


def test_a_study_is_a_copy_of_itself(same: Comparison) -> None:
    assert same.privacy.copied_sequences == same.privacy.sequences > 0
    assert all(copied == of for _, copied, of, _, _ in same.privacy.copied_sets)
    assert same.privacy.nearness == 0
    assert dict(same.privacy.identifiers)["dm.USUBJID"] == 1
    assert same.scores["copies"].verdict == "poor"
    assert same.scores["identifiers"].verdict == "poor"
    assert same.scores["nearness"].verdict == "poor"


def test_another_draw_lies_within_chance(drawn: Comparison) -> None:
    assert np.mean([v.within_chance for v in drawn.variables]) > 0.8
    assert np.mean([t.within_chance for t in drawn.tests]) > 0.7
    assert drawn.scores["copies"].verdict == "good"
    assert drawn.scores["identifiers"].verdict == "good"
    assert drawn.privacy.nearness is not None and drawn.privacy.band is not None
    assert drawn.privacy.nearness > 0.8
    assert drawn.indistinct.auc is not None and drawn.indistinct.auc < 0.75


def test_a_few_copied_subjects_are_found(source: Study, structure: Structure) -> None:
    """Three real people under new names among new ones: days kept, calendar dates too."""
    fresh, real = renamed(sdtm(60, seed=2)).frames(), source.frames()
    ids = real["dm"]["USUBJID"].head(3)
    mixed = {}
    for name, frame in fresh.items():
        copied = real[name][real[name]["USUBJID"].isin(ids)] if "USUBJID" in frame else frame.iloc[:0]
        if "USUBJID" in frame:
            copied = copied.assign(USUBJID="COPY-" + copied["USUBJID"])
        mixed[name] = pd.concat([frame, copied], ignore_index=True)
    found = compare(source, study_of(mixed), structure=structure)
    assert found.privacy.copied_sequences >= 3
    assert {entry[0] for entry in found.privacy.copied_sets if entry[1] >= 3} >= {"dm", "lb"}
    assert found.scores["copies"].verdict == "poor"


def test_shuffling_results_over_rows_is_seen(source: Study, structure: Structure) -> None:
    rng = np.random.default_rng(3)

    def shuffle(name: str, frame: pd.DataFrame) -> pd.DataFrame:
        columns = [c for c in ("LBORRES", "LBSTRESC", "LBSTRESN") if c in frame]
        order = rng.permutation(len(frame))
        return frame.assign(**{c: frame[c].to_numpy()[order] for c in columns})

    found = compare(source, renamed(changed(source, shuffle)), structure=structure)
    # A value stays with its own test by luck about half the time.
    assert max(t.distance for t in found.tests) > 0.4
    assert found.scores["tests"].verdict == "poor"
    assert found.indistinct.auc is not None and found.indistinct.auc > 0.9


def test_what_the_synthetic_study_lacks_is_said(source: Study, structure: Structure) -> None:
    frames = source.frames()
    frames["dm"] = frames["dm"].drop(columns="SEX")
    del frames["ae"]
    found = compare(source, study_of(frames), structure=structure)
    assert "ae: the synthetic study lacks this table" in found.notes
    assert "dm: the synthetic study lacks the column SEX" in found.notes
    sex = next(v for v in found.variables if v.column == "SEX")
    assert sex.distance == 1
    assert sex.missing == (0.0, 1.0)


def test_membership_is_guessed_from_copies_only(source: Study, structure: Structure) -> None:
    holdout = renamed(sdtm(60, seed=4))
    copied = compare(source, renamed(source), structure=structure, holdout=holdout)
    honest = compare(source, renamed(sdtm(60, seed=2)), structure=structure, holdout=holdout)
    assert copied.privacy.membership == 1
    assert honest.privacy.membership is not None
    assert 0.35 < honest.privacy.membership < 0.65


def test_json_has_every_part(drawn: Comparison) -> None:
    content = json.loads(drawn.to_json())
    assert content["subjects"] == [60, 60]
    assert {"variables", "tests", "correlations", "events", "timeline", "rules", "privacy", "scores"} <= set(content)
    assert all(score["sentence"].endswith(".") for score in content["scores"].values())


def test_customers_and_orders_compare() -> None:
    found = compare(shop(60, seed=3), shop(80, seed=4))
    assert found.subjects == (60, 80)
    assert {"orders", "order_lines"} <= {e.table for e in found.events}
    status = next(v for v in found.variables if v.column == "status")
    assert status.within_chance
    assert any(column == "customers.email" for column, _ in found.privacy.identifiers)


def _single(n: int, seed: int) -> Study:
    rng = np.random.default_rng(seed)
    x = rng.normal(50, 10, n).round(1)
    return study_of(
        {"t": pd.DataFrame({"x": x, "y": (x + rng.normal(0, 5, n)).round(1), "c": rng.choice(list("ab"), n)})}
    )


def test_a_single_table_compares() -> None:
    found = compare(_single(120, 1), _single(200, 2))
    assert {v.column for v in found.variables} == {"x", "y", "c"}
    assert all(v.within_chance for v in found.variables)
    assert found.timeline.visits == ()
    between = found.correlations[0]
    assert between.source[0, 1] > 0.8 and between.synthetic[0, 1] > 0.8


@pytest.mark.parametrize("n", [1, 2, 5])
def test_a_handful_of_subjects_compares(n: int) -> None:
    few = sdtm(max(n, 1), seed=1)
    found = compare(few, renamed(sdtm(8, seed=2)))
    assert found.subjects == (n, 8)
    assert found.indistinct.auc is None
    assert found.scores["copies"].sentence

"""What a reviewer reads across the domains of one subject, on the bundled sample study."""

from __future__ import annotations

import pandas as pd
import pytest

from datareplicator import pipeline
from datareplicator.data import sample_study_path
from datareplicator.formats import read_study
from datareplicator.generate.blocks import generate_block
from datareplicator.generate.request import BLOCK, Block, GenerateRequest


@pytest.fixture(scope="module")
def made() -> dict[str, pd.DataFrame]:
    model = pipeline.fit(read_study(sample_study_path()))
    request = GenerateRequest(2 * BLOCK, seed=5)
    blocks = [generate_block(model, request, Block(k, BLOCK)) for k in range(2)]
    return {name: pd.concat([b[name].astype(object) for b in blocks], ignore_index=True) for name in blocks[0]}


def test_the_actual_arm_goes_with_the_planned_one(made: dict[str, pd.DataFrame]) -> None:
    dm = made["dm"]
    assigned = dm["ARMCD"].notna()
    assert (dm["ARMCD"][assigned] == dm["ACTARMCD"][assigned]).all()
    assert (dm["ARMNRS"].notna() == ~assigned).all() and not assigned.all()


def test_a_withdrawal_for_an_adverse_event_has_one_that_led_to_it(made: dict[str, pd.DataFrame]) -> None:
    ds, ae = made["ds"], made["ae"]
    left = set(ds["USUBJID"][ds["DSDECOD"] == "ADVERSE EVENT"])
    assert left and left <= set(ae["USUBJID"][ae["AEACN"] == "DRUG WITHDRAWN"])


def test_periods_of_exposure_never_overlap(made: dict[str, pd.DataFrame]) -> None:
    ex = made["ex"].sort_values(["USUBJID", "EXSTDTC"])
    follows = ex["USUBJID"].eq(ex["USUBJID"].shift())
    assert follows.any() and (ex["EXSTDTC"] > ex["EXENDTC"].shift())[follows & ex["EXENDTC"].shift().notna()].all()


def test_a_term_that_begins_twice_on_a_day_differs_in_severity_as_in_the_source(made: dict[str, pd.DataFrame]) -> None:
    ae = made["ae"]
    assert not ae.duplicated(["USUBJID", "AELLT", "AESTDTC", "AESEV"]).any()
    assert ae.duplicated(["USUBJID", "AELLT", "AESTDTC"]).mean() < 0.05  # 1 of 66 rows of the source


def test_no_sequence_of_results_of_the_source_comes_again(made: dict[str, pd.DataFrame]) -> None:
    """Unplanned visits and computed results count as any other: sequences are those of the tables."""

    def sequences(frame: pd.DataFrame) -> dict[tuple[str, str], tuple[float, ...]]:
        rows = frame[frame["LBSTRESN"].notna()].sort_values(["LBDTC", "VISITNUM"], kind="stable")
        return rows["LBSTRESN"].astype(float).groupby([rows["USUBJID"], rows["LBTESTCD"]]).agg(tuple).to_dict()

    source = sequences(read_study(sample_study_path())["lb"].frame)
    known = {(test, values) for (_, test), values in source.items()}
    varied = [(t, v) for (_, t), v in sequences(made["lb"]).items() if len(v) >= 4 and len(set(v)) > 2]
    assert len(varied) > 500
    assert not known & set(varied)


def test_dispositions_of_treatment_and_of_the_study_keep_their_days_apart(made: dict[str, pd.DataFrame]) -> None:
    ds = made["ds"]
    assert not ds.duplicated(["USUBJID", "DSSTDTC"]).any()


def test_nobody_ends_early_who_came_to_the_last_planned_visit(made: dict[str, pd.DataFrame]) -> None:
    visits = made["sv"].groupby("USUBJID")["VISIT"].agg(set)
    early = visits.map(lambda v: "EARLY TERMINATION" in v)
    assert early.any() and not visits[early].map(lambda v: "WEEK 12" in v).any()

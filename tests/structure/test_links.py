"""Orders within rows, and facts that the root and other tables tell alike."""

from __future__ import annotations

import numpy as np
import pandas as pd
from support.contexts import context, ids, iso

from datareplicator.structure.links import mine_links
from datareplicator.structure.orders import mine_orders

N = 120
DEAD = np.isin(np.arange(N), (3, 40, 77, 100))


def study(dead: np.ndarray = DEAD, told: np.ndarray = DEAD) -> dict[str, pd.DataFrame]:
    rng = np.random.default_rng(4)
    anchor = 16000.0 + rng.integers(0, 300, N)
    failed = np.arange(N) % 6 == 5
    death = anchor + 100 + rng.integers(0, 50, N)
    dm = pd.DataFrame(
        {
            "USUBJID": ids(N),
            "RFSTDTC": iso(anchor),
            "DTHDTC": iso(np.where(dead, death, np.nan)),
            "DTHFL": np.where(dead, "Y", None),
            "ARMCD": np.where(failed, "SCRNFAIL", np.where(np.arange(N) % 2, "A", "B")).astype(object),
            "SEX": rng.choice(["F", "M"], N),
        }
    )
    who = np.repeat(np.arange(N), 2)
    last = np.tile([False, True], N)
    start = anchor[who] + rng.integers(0, 30, 2 * N)
    ae = pd.DataFrame(
        {
            "USUBJID": ids(N)[who],
            "AESTDTC": iso(start),
            "AEENDTC": iso(np.where(last & told[who], death[who], start + rng.integers(0, 9, 2 * N))),
            "AEOUT": np.where(last & told[who], "FATAL", rng.choice(["RECOVERED", "ONGOING"], 2 * N)).astype(object),
            "AESEV": rng.choice(["MILD", "MODERATE"], 2 * N),
            "X": rng.normal(size=2 * N),
            "Y": rng.normal(9, 1, 2 * N),
        }
    )
    treated = np.flatnonzero(~failed)
    ex = pd.DataFrame({"USUBJID": ids(N)[treated], "EXTRT": "DRUG", "EXSTDTC": iso(anchor[treated])})
    return {"DM": dm, "AE": ae, "EX": pd.concat([ex, ex.iloc[:9]], ignore_index=True)}


def test_death_flag_and_date_follow_the_fatal_event() -> None:
    links = mine_links(context(study()))
    told = {(k.kind, k.root, k.table, k.column, k.code, k.date) for k in links if k.kind != "presence"}
    assert told == {
        ("flag", "DTHFL", "AE", "AEOUT", "FATAL", None),
        ("date", "DTHDTC", "AE", "AEOUT", "FATAL", "AEENDTC"),
    }
    assert not any(k.prior for k in links)


def test_subjects_of_an_arm_without_exposure() -> None:
    absent = [k for k in mine_links(context(study())) if k.kind == "presence"]
    assert [(k.root, k.value, k.table, k.subjects) for k in absent] == [("ARMCD", "SCRNFAIL", "EX", 20)]


def test_the_standard_tells_of_deaths_that_were_not_seen() -> None:
    nobody = np.zeros(N, dtype=bool)
    frames = study(nobody, nobody)
    frames["DM"]["DTHFL"] = np.full(N, None, dtype=object)
    priors = [k for k in mine_links(context(frames)) if k.prior]
    assert {(k.kind, k.column, k.code, k.subjects) for k in priors} == {
        ("flag", "AEOUT", "FATAL", 0),
        ("date", "AEOUT", "FATAL", 0),
    }


def test_one_contradiction_drops_the_bundle() -> None:
    told = DEAD.copy()
    told[3] = False
    assert [k for k in mine_links(context(study(DEAD, told))) if k.kind != "presence"] == []


def test_dates_of_a_row_have_an_order_and_measurements_have_none() -> None:
    orders = {(o.table, o.low, o.high) for o in mine_orders(context(study()))}
    assert ("AE", "AESTDTC", "AEENDTC") in orders
    assert not any({"X", "Y"} & {low, high} for _, low, high in orders)


def test_limits_have_an_order_that_other_rows_would_break() -> None:
    test = np.tile(["A", "B", "C"], 40)
    low = np.select([test == "A", test == "B"], [1.0, 20.0], 300.0)
    frame = pd.DataFrame({"USUBJID": np.repeat(ids(30), 4), "LBTESTCD": test, "LO": low, "HI": low * 1.5 + 0.5})
    assert [(o.low, o.high) for o in mine_orders(context({"DM": pd.DataFrame({"USUBJID": ids(30)}), "LB": frame}))] == [
        ("LO", "HI")
    ]

"""What tells the events of a subject apart."""

from __future__ import annotations

import numpy as np
import pandas as pd

from datareplicator.generate.eventkeys import alike, draw_apart, own_labels
from datareplicator.model.eventkeys import fit_apart, fit_labels, row_records
from datareplicator.model.eventrows import EventRows


def events(severity: list[str], label: list[str], start: list[float]) -> EventRows:
    n = len(severity)
    return EventRows(
        subject=np.arange(n) // 4,
        start=np.array(start, dtype=float),
        end=np.full(n, np.nan),
        code=pd.Series(["COUGH"] * n, dtype="str"),
        attributes=pd.DataFrame({"SEV": pd.Series(severity, dtype="str"), "SPID": pd.Series(label, dtype="str")}),
    )


SOURCE = events(["MILD", "SEVERE", "MILD", "MILD"] * 5, ["E1", "E1", "E2", "E3"] * 5, [1.0, 1.0, 5.0, 9.0] * 5)


def test_rows_of_one_record_differ_in_severity_and_share_their_number() -> None:
    apart = fit_apart(SOURCE)
    assert apart.columns == {"SEV": ("MILD", "SEVERE")} and not apart.alone and not apart.alike
    assert fit_labels(SOURCE) == ("SPID",)


def test_records_of_one_row_stand_alone() -> None:
    single = SOURCE.take(np.arange(20) % 4 > 0)
    assert fit_apart(single).alone


def test_repeated_rows_are_drawn_again_then_told_apart() -> None:
    apart, record = fit_apart(SOURCE), row_records(SOURCE)
    drawn = pd.DataFrame({"SEV": pd.Categorical(["MILD"] * 20, categories=["MILD", "SEVERE"])})
    assert alike(apart, record, drawn).sum() == 5
    nobody = np.zeros(20, dtype=bool)
    made, left = draw_apart(apart, record, drawn, nobody, lambda rows: drawn.iloc[rows].reset_index(drop=True))
    assert not left.any() and (made["SEV"].astype(str) == "SEVERE").sum() == 5
    kept, left = draw_apart(apart, record, drawn, ~nobody, lambda rows: drawn.iloc[rows])
    assert not left.any() and (kept["SEV"].astype(str) == "MILD").all()


def test_each_record_of_a_subject_gets_a_label_of_its_own() -> None:
    values = pd.Series(pd.Categorical(["E1"] * 20, categories=["E1", "E2", "E3"]))
    made = own_labels(values, SOURCE).astype(str).to_numpy().reshape(5, 4)
    assert (made == ["E1", "E1", "E2", "E3"]).all()

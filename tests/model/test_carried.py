"""Records that stand at visit after visit."""

from __future__ import annotations

import numpy as np
import pandas as pd

from datareplicator.generate.carried import carry
from datareplicator.model.carried import OPEN, OVER, PASSED, Carried, courses, fit_carried
from datareplicator.model.context import VisitDays
from datareplicator.model.timeline import VisitRows

VISITS = 6


def visits(n: int) -> VisitDays:
    subject, visit = np.divmod(np.arange(n * VISITS), VISITS)
    return VisitDays(VisitRows(subject, visit, visit * 10.0), n, VISITS)


def listed(n: int) -> tuple[pd.DataFrame, np.ndarray, np.ndarray, np.ndarray]:
    """One medicine a subject from visit 1 on; that of odd subjects ended on day 25 and is listed once more."""
    rows = [(s, v) for s in range(n) for v in range(1, VISITS) if s % 2 == 0 or v <= 3]
    subject, visit = np.array(rows).T
    end = np.where(subject % 2 == 1, 25.0, np.nan)
    frame = pd.DataFrame({"dose": subject.astype(float), "route": "ORAL", "note": visit.astype(str)})
    return frame, subject, visit, end


def test_a_chain_over_visits_is_learned_and_made_again() -> None:
    frame, subject, visit, end = listed(40)
    found = fit_carried(frame, subject, subject, visit, end, visits(40), ["dose", "route"])
    assert found is not None
    model, first, record = found
    assert model.columns == ("dose", "route") and len(first) == 40 and (record == subject).all()
    model = Carried.model_validate_json(model.model_dump_json())
    assert model.going[OPEN, 1] == 1.0 and model.going[PASSED, 1] > 0.95 and model.going[OVER, 1] < 0.05
    who = np.arange(40)
    ends = np.where(who % 2 == 1, 25.0, np.nan)
    made, at = carry(model, who, np.ones(40, dtype=int), ends, visits(40), np.arange(VISITS), np.random.default_rng(3))
    assert not pd.DataFrame({"r": made, "v": at}).duplicated().any() and (at >= 1).all()
    assert (np.bincount(made)[0::2] == VISITS - 1).all()
    assert 2.9 <= np.bincount(made)[1::2].mean() <= 3.2


def test_columns_that_change_within_a_record_are_no_carried_ones() -> None:
    frame, subject, visit, end = listed(40)
    assert fit_carried(frame, subject, subject, visit, end, visits(40), ["note"]) is None


def test_a_record_without_a_first_visit_keeps_its_row() -> None:
    model = Carried(going=np.array([[0.0, 1.0], [0.0, 0.0], [0.0, 0.0]]), columns=())
    made, at = carry(
        model, np.array([0]), np.array([-1]), np.array([np.nan]), visits(1), np.arange(VISITS), np.random.default_rng(1)
    )
    assert made.tolist() == [0] and at.tolist() == [-1]


def test_what_is_known_of_an_end_at_each_visit() -> None:
    _, state = courses(np.array([0]), np.array([1]), np.array([25.0]), visits(1), np.arange(VISITS))
    assert state.tolist() == [[-1, -1, OPEN, PASSED, OVER, OVER]]

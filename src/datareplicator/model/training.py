"""What all learners of a study share while it is being learned."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from datareplicator.model.anchors import AT_NEXT, AT_VISIT
from datareplicator.model.context import MARK, VisitDays, row_context, subject_context
from datareplicator.model.prepare import Prepared
from datareplicator.model.roots import RootColumns
from datareplicator.model.schedule import Catalogue
from datareplicator.model.subject_model import Feature
from datareplicator.model.subjects import Subjects
from datareplicator.model.timeline import TimelineModel, VisitRows, stay_context
from datareplicator.structure.spec import TableSpec


@dataclass
class Training:
    """`visit[table]`: int per row, index into the catalogue (-1 unknown). `visits`: the days of attended visits.

    `features`: what the subject model is to learn. `marks[name]`: (table, bool per row) facts of rows that a subject's
    flag asks for; `flagged[name]`: bool per subject. `ends`: float per subject, the days that end a study, by name;
    `landmarks`: other days of subjects in tables that are learned already; `rows`: bool per subject, whether it has a
    row of a code in a set that is learned already, by name (`code_name`). `outcomes` and `stay`: the root's outcomes
    and what the visits tell of each subject's stay, one row a subject. `min_subjects`: nothing seen in fewer subjects
    is learned.
    """

    prepared: Prepared
    subjects: Subjects
    roles: RootColumns
    catalogue: Catalogue | None = None
    visit: dict[str, np.ndarray] = field(default_factory=dict)
    visits: VisitDays | None = None
    features: list[Feature] = field(default_factory=list)
    marks: dict[str, tuple[str, np.ndarray]] = field(default_factory=dict)
    flagged: dict[str, np.ndarray] = field(default_factory=dict)
    ends: dict[str, np.ndarray] = field(default_factory=dict)
    landmarks: dict[str, np.ndarray] = field(default_factory=dict)
    rows: dict[str, np.ndarray] = field(default_factory=dict)
    outcomes: pd.DataFrame = field(default_factory=pd.DataFrame)
    stay: pd.DataFrame = field(default_factory=pd.DataFrame)
    min_subjects: int = 1
    notes: list[str] = field(default_factory=list)

    def context(self) -> pd.DataFrame:
        """One row a subject: what its rows may depend on, the root's outcomes included once they are known."""
        parts = [subject_context(self.subjects), self.stay, self.outcomes]
        return pd.concat([part for part in parts if len(part.columns)], axis=1)

    def row_context(self, spec: TableSpec, known: dict[str, pd.Series | np.ndarray]) -> pd.DataFrame:
        """The context of each row of a table; rows without a subject take subject 0's and must not be used."""
        return row_context(self.context(), np.maximum(self.prepared.subject[spec.name], 0), known)


def stay_columns(model: TimelineModel, rows: VisitRows, subjects: Subjects) -> pd.DataFrame:
    """What a stay tells of a subject (see `stay_context`), as columns of the subjects' context."""
    table = stay_context(model, rows, subjects).drop(columns=["last_visit"])
    return table.astype(str).astype("category").rename(columns=lambda name: MARK + name)


def subject_days(visits: VisitDays | None, subjects: Subjects) -> dict[str, np.ndarray]:
    """Days of subjects that periods may end at, float per subject."""
    out: dict[str, np.ndarray] = {"anchor": np.zeros(subjects.n)}
    if len(subjects.last_day):
        out["last day"] = subjects.last_day
    if visits is not None and len(subjects.last_visit):
        every = np.arange(subjects.n)
        out["last regular visit"] = visits.at(every, subjects.last_visit)
        out["first visit"] = visits.first
    return out


def day_anchors(
    subject: np.ndarray,
    visit: np.ndarray | None,
    visits: VisitDays | None,
    subjects: Subjects,
    others: dict[str, np.ndarray],
) -> dict[str, np.ndarray]:
    """Candidate days for the dates of rows, in the order of preference: the row's visit, the row's other dates, the
    visit after, the last visits and the first, the anchor itself. `subject` and `visit` int per row (visit None: no
    such column); `others` float per row."""
    safe = np.maximum(subject, 0)
    last_day, last_visit = subjects.last_day, subjects.last_visit
    out: dict[str, np.ndarray] = {}
    if visits is not None and visit is not None:
        out[AT_VISIT] = visits.at(safe, visit)
    out.update(others)
    if visits is not None and visit is not None:
        out[AT_NEXT] = visits.next(safe, visit)
    if len(last_day):
        out["last day"] = last_day[safe]
    if visits is not None and len(last_visit):
        out["last regular visit"] = visits.at(safe, last_visit[safe])
        out["first visit"] = visits.first[safe]
    out["anchor"] = np.zeros(len(subject))
    return out

"""A block while it is made: the subjects, their visits, and the logical tables as far as they are filled."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from datareplicator import dates
from datareplicator.generate.persons import Persons, draw_persons
from datareplicator.generate.request import Block, GenerateRequest
from datareplicator.model.context import VisitDays
from datareplicator.model.people import People, PersonColumn
from datareplicator.model.rows import ReferenceColumn
from datareplicator.model.subjects import Subjects
from datareplicator.seeds import Streams
from datareplicator.standards.sexes import sex_of_code


@dataclass
class State:
    """What there is of a block.

    `anchor`: float per subject, days since 1970-01-01. `frames`: logical tables; dates stand in `days` as floats
    relative to the anchor too, their times of day in `seconds` where they have any; `subject[table]`: int per row.
    `blank`: rows whose column stays missing whatever is computed (a derived total has no result as collected).
    `last`: float per subject, the last day that anything may happen (death), inf where nothing bounds it; `ends`: float
    per subject, the days that end a study, as far as they are known (see `model/ends.py`); `landmarks`: other days of
    subjects in the tables made so far; `pending`: references to tables that are made later; `fixed`: values that were
    set in computed columns, one a row (missing: as computed); `stopgap`: values for where nothing can be computed.
    """

    request: GenerateRequest
    block: Block
    streams: Streams
    subjects: Subjects
    anchor: np.ndarray
    context: pd.DataFrame
    visits: VisitDays | None = None
    people: People = field(default_factory=People)
    frames: dict[str, pd.DataFrame] = field(default_factory=dict)
    subject: dict[str, np.ndarray] = field(default_factory=dict)
    days: dict[tuple[str, str], np.ndarray] = field(default_factory=dict)
    blank: dict[tuple[str, str], np.ndarray] = field(default_factory=dict)
    seconds: dict[tuple[str, str], np.ndarray] = field(default_factory=dict)
    marks: dict[str, np.ndarray] = field(default_factory=dict)
    above: dict[str, np.ndarray] = field(default_factory=dict)
    ends: dict[str, np.ndarray] = field(default_factory=dict)
    landmarks: dict[str, np.ndarray] = field(default_factory=dict)
    pending: list[tuple[str, ReferenceColumn]] = field(default_factory=list)
    fixed: dict[tuple[str, str], pd.Series] = field(default_factory=dict)
    stopgap: dict[tuple[str, str], pd.Series] = field(default_factory=dict)
    last: np.ndarray = field(default_factory=lambda: np.empty(0))

    @property
    def numbers(self) -> np.ndarray:
        """Number of each subject in the whole request, from 0."""
        return self.block.first + np.arange(self.subjects.n)

    def persons(self, table: str, column: str) -> tuple[Persons, PersonColumn] | None:
        """The subjects' persons that a column of personal data tells of; None where it tells of none."""
        found = next((c for c in self.people.columns if (c.table, c.column) == (table, column)), None)
        if found is None:
            return None
        sex = None
        if self.people.sex is not None:
            codes = self.frames[self.people.root][self.people.sex].astype(object)
            sex = codes.map(lambda code: sex_of_code(str(code))).to_numpy()
        return draw_persons(self.subjects.n, self.streams.get("person", found.person), sex, self.people.taken), found

    def write_date(
        self, table: str, column: str, day: np.ndarray, precision: np.ndarray, second: np.ndarray | None, text: bool
    ) -> None:
        """Put a date into its table: `day` relative to the anchor, `precision` of `dates.Precision` (0 missing)."""
        self.days[table, column] = np.where(precision >= dates.Precision.DAY, day, np.nan)
        if second is not None:
            self.seconds[table, column] = np.where(precision > dates.Precision.DAY, second, 0.0)
        absolute = day + self.anchor[self.subject[table]]
        if text:
            self.frames[table][column] = pd.Series(dates.to_text(absolute, precision, second))
            return
        clock = np.zeros(len(day)) if second is None else second
        micro = np.where(np.isfinite(absolute) & (precision > 0), absolute * 86_400 + clock, np.nan)
        stamp = pd.Series(np.nan_to_num(micro).astype("int64").astype("datetime64[s]")).astype("datetime64[us]")
        self.frames[table][column] = stamp.where(np.isfinite(micro))

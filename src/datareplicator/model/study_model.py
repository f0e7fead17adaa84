"""The model document: everything that generating needs, and no row, identifier or date of a source subject."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field, model_validator

from datareplicator.document import Document, Floats, Ints
from datareplicator.model.assigned import Assigned
from datareplicator.model.below import Above
from datareplicator.model.brief import Brief
from datareplicator.model.carried import Carried
from datareplicator.model.chains import OwnReference
from datareplicator.model.children import ChildrenModel
from datareplicator.model.enrolment import EnrolmentModel
from datareplicator.model.events import EventModel
from datareplicator.model.findings.model import FindingsModel
from datareplicator.model.identity import IdentifierModel
from datareplicator.model.landmarks import Landmark
from datareplicator.model.people import People
from datareplicator.model.periods import PeriodModel
from datareplicator.model.possible import Possible
from datareplicator.model.reference import ReferenceTable
from datareplicator.model.relations import RelationModel
from datareplicator.model.results import ResultModel
from datareplicator.model.rows import RowsModel
from datareplicator.model.schedule import Catalogue
from datareplicator.model.sets import SetModel
from datareplicator.model.stretch import Stretch
from datareplicator.model.subject_model import SubjectModel
from datareplicator.model.summary import Told
from datareplicator.model.timeline import TimelineModel
from datareplicator.structure.spec import Structure

FORMAT = "datareplicator-model"
VERSION = 1


class SourceColumn(Document):
    """What a source declares of a column; see `study.Column`."""

    name: str
    type: Literal["text", "integer", "float", "boolean", "date", "datetime", "time"]
    label: str = ""
    length: int | None = None
    format: str = ""
    informat: str = ""
    blank: bool = False
    written: str = ""


class SourceTable(Document):
    """A source table's face: name, label, columns in order, and how its file was written."""

    name: str
    label: str
    columns: tuple[SourceColumn, ...]
    dtypes: tuple[str, ...]
    format: str | None = None
    file: str | None = None
    options: dict[str, Any] = Field(default_factory=dict)


class Birth(Document):
    """A date decades before the study, kept as the subject's age in days at the anchor; `precision` as written. `age`:
    the covariate with the age in years that it agrees with, which then decides it."""

    column: str
    age: str | None = None
    precision: int
    text: bool


class DatedFact(Document):
    """The root's date `root` is the date `date` of the rows of `table` with `column = code`. `flag`: the fact of the
    subject that goes with it, if any; `terminal`: nothing of the subject happens after that day."""

    root: str
    table: str
    column: str
    code: str
    date: str
    flag: str | None
    terminal: bool


class Flag(Document):
    """A fact of a subject that links tie to other tables: the root's `column` is `value`. `drawn`: the column follows
    from other tables, so that the fact itself is drawn, as an attribute Y or N by its name."""

    name: str
    column: str
    value: str
    drawn: bool


class RootModel(Document):
    """The table of subjects. `groups` and `sites`: values of the allocation columns by index; `assigned`: what goes
    with the arm; `covariates`: what the subject model draws; `flags` and `facts`: what links tie to other tables."""

    table: str
    group: str | None
    groups: tuple[str, ...]
    site: str | None
    sites: tuple[str, ...]
    assigned: Assigned | None
    covariates: tuple[str, ...]
    births: tuple[Birth, ...]
    identifiers: tuple[IdentifierModel, ...]
    flags: tuple[Flag, ...]
    facts: tuple[DatedFact, ...]
    outcomes: RowsModel


class VisitColumn(Document):
    """How a row of a table that is not on the schedule names a visit: as drawn from `MARK + visit` in its attributes;
    `last` is the code that says the subject's last visit, as an index after the catalogue's; `seen`: the visits that
    the table names at all."""

    column: str
    last: int
    seen: Ints


class Findings(Document):
    """A findings table. `cells[k]` is the result cell of the k-th cell of the findings model that belongs to this
    table, from `first` on; several (replicates) may share one. `visits`: the range of its visits in the joint list,
    `seen`: those of them at which it has rows. `single`: flags that at most one row of a subject's cell carries.
    `unnamed`: the result cells whose rows name no visit."""

    kind: Literal["findings"] = "findings"
    table: str
    results: ResultModel
    first: int
    cells: Ints
    replicate: Ints
    visits: tuple[int, int]
    seen: Ints
    single: tuple[str, ...]
    unnamed: Ints = Field(default_factory=lambda: np.empty(0, dtype=np.int64))
    rows: RowsModel


class Visits(Document):
    """A table with one row for each attended visit of those that it holds (`seen`), or for a `share` of the subjects
    who attended it (float a visit of `seen`)."""

    kind: Literal["visits"] = "visits"
    table: str
    seen: Ints
    share: Floats
    rows: RowsModel

    @model_validator(mode="after")
    def _one_length(self) -> Visits:
        if self.seen.shape != self.share.shape:
            raise ValueError("seen and share differ in length")
        return self


class Events(Document):
    """Dated rows in varying number.

    `term`, `start`, `end`: the columns that the model itself fills (None: computed or absent); `text`: dates are ISO
    8601 text; `marks`: facts of the subject that ask for rows of their own; `over`: the most days by which a start
    follows each end of the subject's study; `visit_follows`: a row's visit is not before its start; `carried`: how
    a record stands at visit after visit; `unique`: sets of columns in which no two rows of a subject are alike;
    `told`: the attributes that `rows` may depend on; `brief`: the rows that end on the day on which they start.
    """

    kind: Literal["events"] = "events"
    table: str
    model: EventModel
    term: str | None
    start: str | None
    end: str | None
    text: bool
    marks: tuple[str, ...]
    visit: VisitColumn | None
    over: dict[str, float]
    visit_follows: bool
    carried: Carried | None
    unique: tuple[tuple[str, ...], ...]
    told: tuple[str, ...] = ()
    brief: Brief | None = None
    rows: RowsModel


class Sets(Document):
    """A few rows a subject in learned patterns. `codes`: the values of `columns` for each row code; `periods`: the
    dates `start` and `end` of rows that follow each other, where there are both; `over`: the most days by which a
    start and an end follow the subject's last visit; `final`: the date whose last row may bound the dates of
    later tables; `covers`: that date, where a subject's visits are over by it; `landmarks`: days of it that later
    tables may count from.
    """

    kind: Literal["sets"] = "sets"
    table: str
    model: SetModel
    columns: tuple[str, ...]
    codes: tuple[tuple[str | float | None, ...], ...]
    visit: VisitColumn | None
    periods: PeriodModel | None
    start: str | None
    end: str | None
    over: tuple[dict[str, float], dict[str, float]]
    covers: str | None
    final: str | None
    text: bool
    rows: RowsModel
    landmarks: tuple[Landmark, ...]


class Children(Document):
    """Rows below the rows of another table; `told`: the attributes that `rows` may depend on."""

    kind: Literal["children"] = "children"
    table: str
    model: ChildrenModel
    told: tuple[str, ...] = ()
    rows: RowsModel


TableModel = Annotated[Findings | Visits | Events | Sets | Children, Field(discriminator="kind")]


class Timeline(Document):
    """A timeline and where its visits begin in the joint list; `table` None for the study's own, else the findings
    table without visits whose occasions it draws; `score` names the subject's score that drives it; `above`: the table
    whose rows are the occasions, where there is one."""

    table: str | None
    above: Above | None = None
    base: int
    score: str
    model: TimelineModel


class StudyModel(Document):
    """A learned study: the Synthetic Model Definition of several tables.

    `tables` are in the order in which they are made. `strata`: for each class of subjects the tables that it never
    has rows in. `visits`: length of the joint list of visits (catalogue, then occasions); `stretch`: how it stands to
    the learned one where the schedule was made longer; `told`: facts of the study in tables without subjects.
    `suppressed`: by column, how many values were not learned since fewer than `min_subjects` subjects show them;
    `replaced`: how many texts gave way to coded terms or stand-ins; `parts`: digests of what parts were learned from.
    """

    format: Literal["datareplicator-model"] = FORMAT
    version: int = VERSION
    software: str
    name: str
    subjects_learned: int
    structure: Structure
    sources: tuple[SourceTable, ...]
    reference: dict[str, ReferenceTable]
    enrolment: EnrolmentModel | None
    strata: tuple[tuple[str, ...], ...]
    subjects: SubjectModel
    catalogue: Catalogue | None
    timelines: tuple[Timeline, ...]
    visits: int
    stretch: Stretch | None = None
    findings: FindingsModel | None
    root: RootModel
    people: People = People()
    possible: Possible = Possible()
    tables: tuple[TableModel, ...]
    relations: tuple[RelationModel, ...]
    told: tuple[Told, ...] = ()
    own_references: tuple[OwnReference, ...] = ()
    notes: tuple[str, ...] = ()
    min_subjects: int = 1
    suppressed: dict[str, int] = Field(default_factory=dict)
    replaced: dict[str, int] = Field(default_factory=dict)
    parts: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _known_tables(self) -> StudyModel:
        names = set(self.structure.tables)
        for made in (*self.tables, *self.relations):
            if made.table not in names:
                raise ValueError(f"a part of the model belongs to table {made.table!r}, which the structure lacks")
        return self

"""What discovery finds in a study, as data: it goes into the model document and tells everybody else what to do.

Tables are *logical* here (see `logical.py`): the parts of a split domain (LB in lbch, lbhe, lbur) are one table with
the virtual column `MEMBER` saying which part a row belongs to, and supplemental qualifiers stand as columns
``SUPP.QNAM`` of their parent.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Literal

from pydantic import Field

from datareplicator.document import Document
from datareplicator.structure.correction import Correction

MEMBER = "__member__"
"""Virtual column of a logical table joined from several source tables: the source table's name."""

SUPPLEMENT = "SUPP."
"""Prefix of a supplemental qualifier that stands as a column of its parent."""


class Kind(StrEnum):
    """What the values of a column are."""

    EMPTY = "empty"
    IDENTIFIER = "identifier"
    CATEGORY = "category"
    FLAG = "flag"  # Y/null, Y/N, 0/1, true/false
    INTEGER = "integer"
    DECIMAL = "decimal"
    TEXT = "text"  # free text: mostly distinct, of varying length
    DATE = "date"  # any precision down to the second, in text or true dates
    TIME = "time"
    DURATION = "duration"
    PII = "pii"


class Layout(StrEnum):
    """How the rows of a table lie."""

    SUBJECT = "subject"  # one row a subject: the root, or a companion
    ONCE = "once"  # at most one row a subject
    FINDINGS = "findings"  # subject x visit x test [x axes]
    VISITS = "visits"  # subject x visit: the visit table, or one row a visit
    EVENTS = "events"  # a varying number of dated rows a subject
    INTERVALS = "intervals"  # contiguous periods of a subject
    SETS = "sets"  # a few rows a subject whose codes form a pattern (disposition, exposure by phase)
    CHILDREN = "children"  # rows below the rows of another table (order lines below orders)
    SUPPLEMENT = "supplement"
    RELATION = "relation"  # RELREC
    COMMENT = "comment"
    REFERENCE = "reference"  # no subject: copied unchanged


class ColumnSpec(Document):
    """One column. `encoding` is the type in the source; `decimals` the most digits after the point (numbers and
    numbers written as text); `missing` a share of rows; `pii` the kind of personal data where `kind` is PII."""

    name: str
    kind: Kind
    encoding: Literal["text", "integer", "float", "boolean", "date", "datetime", "time"]
    decimals: int = 0
    numeric_text: bool = False
    distinct: int
    missing: float
    pii: str | None = None


class Ref(Document):
    """A column of a logical table."""

    table: str
    column: str

    def __hash__(self) -> int:
        return hash((self.table, self.column))


class Derivation(Document):
    """A column that is computed, never sampled. `params` holds all that computing needs, as plain JSON values.

    `agreement` is the share of the source's rows that the template reproduces, over `rows` rows of evidence.
    Templates live in `structure/derive/`; "lookup" (a functional dependency kept as a table), "copy_subject" (a
    column that repeats the root's) and "constant" are templates like the others.
    """

    table: str
    target: str
    template: str
    sources: tuple[Ref, ...] = ()
    params: dict[str, Any] = Field(default_factory=dict)
    agreement: float = 1.0
    rows: int = 0


class ForeignKey(Document):
    """`columns` of `table` name a row of `parent` by `parent_columns`. Where both carry the subject key it leads both
    lists."""

    table: str
    columns: tuple[str, ...]
    parent: str
    parent_columns: tuple[str, ...]


class Supplement(Document):
    """A supplemental table (logical: all its members), pivoted onto `parent`. `pointer` is the parent's column that
    IDVAR names (None: by subject). `columns` maps roles (domain, subject, pointer, value_of_pointer, name, value) to
    column names. `attributes` gives, per qualifier, the values of the remaining columns (RDOMAIN, QLABEL, QORIG,
    QEVAL). `match` restricts the table's rows to this entry's (the domain, where one table supplements several
    parents). `member_of` names the supplemental table of each member of a split parent."""

    table: str
    members: tuple[str, ...]
    parent: str
    pointer: str | None
    columns: dict[str, str]  # role -> column name: domain, pointer, value_of_pointer, name, value
    qualifiers: tuple[str, ...]
    attributes: dict[str, dict[str, str | None]]
    match: dict[str, str] = Field(default_factory=dict)
    member_of: dict[str, str] = Field(default_factory=dict)


class Link(Document):
    """A fact that ties a root column to rows of another table.

    flag: `root = value` exactly when the subject has a row of `table` with `column = code` (death flag and FATAL).
    date: the root's date column `root` equals `date` of the row of `table` where `column = code`.
    presence: subjects whose `root` is `value` have no rows in `table` (a screen failure has no exposure).
    call: a row of the table `by` with `root = value`, here a column of that table, asks for a row of `table` with
    `column = code` of the subject (a withdrawal for an adverse event, and an event that led to withdrawal).
    """

    kind: Literal["flag", "date", "presence", "call"]
    root: str
    by: str | None = None
    value: str | None = None
    table: str
    column: str | None = None
    code: str | None = None
    date: str | None = None
    subjects: int
    prior: bool = False  # known from the standard, not seen in the data


class Order(Document):
    """`low` <= `high` in each row of `table` where both are present (dates at common precision)."""

    table: str
    low: str
    high: str
    exceptions: float = 0.0


class TableSpec(Document):
    """One logical table and the part its columns play. Names are None where the table has no such column.

    `subject` is the subject key in this table; None with `parent_key` set means that the subject is reached through
    that foreign key; None without means a reference table. `members` are the source tables joined here.
    `code` is the finest coded term of an event; `axes` tell apart the rows of one test at one visit (time point,
    position). `value` is the numeric result, `text` the standard result text, `original` and `unit` the result as
    collected and its unit, `status` the not-done column.
    """

    name: str
    members: tuple[str, ...]
    layout: Layout
    rows: int
    subjects: int
    columns: tuple[ColumnSpec, ...]
    subject: str | None = None
    parent_key: ForeignKey | None = None
    key: tuple[str, ...] = ()
    sequence: str | None = None
    test: str | None = None
    axes: tuple[str, ...] = ()
    visit: str | None = None
    value: str | None = None
    text: str | None = None
    original: str | None = None
    unit: str | None = None
    status: str | None = None
    code: str | None = None
    date: str | None = None  # the date of a finding or visit
    start: str | None = None
    end: str | None = None

    def column(self, name: str) -> ColumnSpec:
        """The spec of one column; KeyError when the table has none of that name."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)


class Structure(Document):
    """All that was found. `derivations` are in an order in which they can be computed.

    `anchor` is the root column with the subject's reference start date (study day 1); `group` the planned arm;
    `site` the site; `visit` the column that numbers visits in all tables; `visit_table` the table of visits (SV).
    `displaced`: days by which all dates of a source table follow those of the others (see `clocks.py`); the dates of
    logical tables are all on one clock.
    """

    subject: str | None  # the subject key's column name; None for tables without subjects at all
    root: str | None  # the table with one row a subject
    tables: dict[str, TableSpec]
    derivations: tuple[Derivation, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    supplements: tuple[Supplement, ...] = ()
    links: tuple[Link, ...] = ()
    orders: tuple[Order, ...] = ()
    anchor: str | None = None
    group: str | None = None
    site: str | None = None
    visit: str | None = None
    visit_table: str | None = None
    displaced: dict[str, int] = Field(default_factory=dict)
    notes: tuple[str, ...] = ()  # plain words to the user: what was copied, ignored, could not be learned
    corrections: tuple[Correction, ...] = ()  # what the user set right
    mined: tuple[tuple[Derivation, ...], ...] = ()  # all formulas that hold, by steps
    contents: dict[str, str] = Field(default_factory=dict)  # digests of the tables that they were found in

    def derived(self, table: str) -> set[str]:
        """The computed columns of a table. A partial derivation (params ``partial``) corrects some rows of a column
        that is sampled nevertheless."""
        return {d.target for d in self.derivations if d.table == table and not d.params.get("partial")}

    def own_references(self, table: str) -> dict[str, str]:
        """The columns of a table that name other rows of it, and the column that they name them by."""
        own = [k for k in self.foreign_keys if k.table == k.parent == table]
        return {k.columns[-1]: k.parent_columns[-1] for k in own}

    def free(self, table: str) -> list[str]:
        """The columns of a table that must be sampled: all but the subject key, the sequence, computed ones, and those
        that name other rows of the table."""
        spec, derived = self.tables[table], self.derived(table)
        skip = derived | {spec.subject, spec.sequence} | self.own_references(table).keys()
        return [c.name for c in spec.columns if c.name not in skip and c.kind != Kind.EMPTY]

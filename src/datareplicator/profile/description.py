"""What a profile holds, as data."""

from __future__ import annotations

from pydantic import Field

from datareplicator.document import Document

RARE = 3
"""Categories of fewer subjects are not named: one subject's word may tell who it is."""


class Category(Document):
    """A value of a column: rows and subjects that have it."""

    value: str
    rows: int
    subjects: int


class ColumnProfile(Document):
    """One column. `missing` is a share of rows; `quantiles` are at 5, 25, 50, 75 and 95 % (dates as ISO 8601 text);
    `categories` are the most frequent ones first; `lengths` (shortest, mean, longest) describe free text."""

    name: str
    label: str = ""
    kind: str
    type: str
    missing: float
    distinct: int
    computed: str | None = None
    pii: str | None = None
    quantiles: tuple[float | str, ...] | None = None
    categories: tuple[Category, ...] | None = None
    lengths: tuple[float, float, float] | None = None


class TableProfile(Document):
    """One logical table; `members` are the source's tables that were joined to it."""

    name: str
    label: str = ""
    layout: str
    rows: int
    subjects: int
    key: tuple[str, ...]
    members: tuple[str, ...]
    tests: int | None = None
    columns: tuple[ColumnProfile, ...]


class VisitProfile(Document):
    """One visit: subjects seen and the quantiles (5, 50, 95 %) of its day from the reference start."""

    visit: str
    label: str
    subjects: int
    days: tuple[float, float, float] | None = None


class Share(Document):
    """How many subjects are in an arm or at a site."""

    value: str
    subjects: int


class Profile(Document):
    """What was found in a study. Relations are said in words; `notes` say what could not be learned."""

    name: str
    standard: str | None
    subjects: int
    subject_key: str | None
    root: str | None
    reference_start: str | None
    rows: int
    tables: tuple[TableProfile, ...]
    visits: tuple[VisitProfile, ...] = ()
    arm: str | None = None
    arms: tuple[Share, ...] = ()
    site: str | None = None
    sites: tuple[Share, ...] = ()
    computed: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    lookups: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    references: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    orders: tuple[str, ...] = ()
    supplements: tuple[str, ...] = ()
    pii: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def to_json(self, *, rare: bool = False) -> str:
        """The profile as a JSON object. Categories of fewer than three subjects are named only with `rare`."""
        shown = self if rare else self.without_rare()
        return shown.model_dump_json(indent=1)

    def to_text(self, *, columns: bool | None = None, width: int = 110) -> str:
        """The profile for people, a page or two. `columns`: list every column too (None: where there are few)."""
        from datareplicator.profile.text import to_text

        return to_text(self.without_rare(), columns, width)

    def without_rare(self) -> Profile:
        """The same without the names of categories that fewer than three subjects have."""
        tables = tuple(
            t.model_copy(update={"columns": tuple(_without_rare(c) for c in t.columns)}) if t.subjects else t
            for t in self.tables
        )
        return self.model_copy(update={"tables": tables})


def _without_rare(column: ColumnProfile) -> ColumnProfile:
    if column.categories is None:
        return column
    return column.model_copy(update={"categories": tuple(c for c in column.categories if c.subjects >= RARE)})

"""Which columns of a table say when something was, and what."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping

from datareplicator.document import Document
from datareplicator.structure.spec import Kind, Layout, Ref, Structure, TableSpec


class Roles(Document):
    """Which columns of a source table say when something was and what it was: what a timeline of a subject needs.
    `date` is the day of a result or visit, `start` and `end` those of anything that lasts."""

    table: str
    label: str
    layout: str
    subject: str
    date: str | None = None
    start: str | None = None
    end: str | None = None
    what: str | None = None
    value: str | None = None
    visit: str | None = None


def roles_of(structure: Structure, tables: Mapping[str, tuple[str, Container[str]]]) -> Iterator[Roles]:
    """The roles of the columns of source tables with subjects. `tables`: label and columns of each by its name."""
    for spec in structure.tables.values():
        for member in spec.members:
            if spec.subject is None or member not in tables or spec.layout in (Layout.REFERENCE, Layout.RELATION):
                continue
            named = {
                "date": spec.date,
                "start": spec.start,
                "end": spec.end,
                "value": spec.value,
                "visit": spec.visit,
                "what": spec.test or spec.code or _visit_name(structure, spec) or spec.visit,
            }
            label, columns = tables[member]
            held = {role: column for role, column in named.items() if column in columns}
            yield Roles(table=member, label=label, layout=spec.layout.value, subject=spec.subject, **held)


def _visit_name(structure: Structure, spec: TableSpec) -> str | None:
    """The column of words that follows from the visit, where there is one."""
    visit = spec.visit
    if visit is None:
        return None
    by = (Ref(table=spec.name, column=visit),)
    found = [d.target for d in structure.derivations if (d.table, d.template, d.sources) == (spec.name, "lookup", by)]
    words = [name for name in found if spec.column(name).kind == Kind.CATEGORY and not spec.column(name).numeric_text]
    return min(words, key=lambda name: not visit.startswith(name), default=None)

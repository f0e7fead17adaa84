"""What was learned of a study's structure, laid open so that it can be set right."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping

from pydantic import Field

from datareplicator.document import Document
from datareplicator.profile import words
from datareplicator.structure.spec import MEMBER, Derivation, Layout, Structure, TableSpec

WIDTH = 110
_ASIDE = (Layout.SUPPLEMENT, Layout.REFERENCE, Layout.RELATION, Layout.COMMENT)


class ExplainedTable(Document):
    """One logical table. `columns` gives the kind of each column, `drawn` those that are drawn rather than
    computed."""

    name: str
    members: tuple[str, ...]
    layout: str
    rows: int
    subjects: int
    key: tuple[str, ...]
    columns: dict[str, str]
    drawn: tuple[str, ...]


class Computed(Document):
    """A computed column and how, in words. `exceptions` of the `rows` with a value contradict it."""

    table: str
    variable: str
    template: str
    by: tuple[str, ...]
    said: str
    rows: int
    exceptions: int


class Explanation(Document):
    """What was found in a study: keys, dependencies, derivations with their exceptions, layouts, links, personal data,
    what is suppressed, and what could not be learned."""

    name: str
    subjects: int
    subject_key: str | None
    root: str | None
    reference_start: str | None
    arm: str | None
    site: str | None
    visit: str | None
    tables: tuple[ExplainedTable, ...]
    derivations: tuple[Computed, ...]
    dependencies: tuple[Computed, ...]
    references: tuple[str, ...]
    links: tuple[str, ...]
    orders: tuple[str, ...]
    supplements: tuple[str, ...]
    pii: dict[str, str]
    min_subjects: int
    suppressed: dict[str, int] = Field(default_factory=dict)
    replaced: dict[str, int] = Field(default_factory=dict)
    not_learned: tuple[str, ...] = ()
    corrections: tuple[str, ...] = ()

    def to_json(self) -> str:
        """As a JSON object."""
        return self.model_dump_json(indent=1)

    def to_text(self) -> str:
        """For people: a section for each sort of fact, a line for each fact."""
        head = [f"{self.name or 'A study'}: {self.subjects:,} subjects in {len(self.tables)} tables"]
        for what, value in (
            ("subject key", self.subject_key and f"{self.subject_key} (one row each in {self.root})"),
            ("reference start", self.reference_start),
            ("arm", self.arm),
            ("site", self.site),
            ("visit", self.visit),
        ):
            head.append(f"  {what:<16} {value or 'none found'}")
        limit = f"values that fewer than {self.min_subjects} subjects show"
        parts = [
            ("Tables: layout and key", [line for t in self.tables for line in _table(t)]),
            ("Computed from other columns", self._by_table(self.derivations)),
            ("Decided by a code (dependencies)", self._by_table(self.dependencies)),
            ("References", self.references),
            ("Links between subjects and rows", self.links),
            ("Orders within a row", self.orders),
            ("Supplements", self.supplements),
            ("Personal data, replaced", [f"{name}: {kind}" for name, kind in self.pii.items()]),
            ("Texts replaced", [f"{name}: {count:,}" for name, count in self.replaced.items()]),
            (f"Suppressed ({limit})", [f"{name}: {count:,}" for name, count in self.suppressed.items()]),
            ("Not learned, or worth knowing", self.not_learned),
            ("Corrections in force", self.corrections),
        ]
        return "\n".join([*head, *(line for title, lines in parts for line in _section(title, lines))])

    def _by_table(self, found: Iterable[Computed]) -> list[str]:
        """A line a column, table by table; columns of one value share one."""
        lines = []
        for table in self.tables:
            own = [d for d in found if d.table == table.name]
            fixed = [d.variable for d in own if d.template == "constant"]
            lines += [_computed(d) for d in own if d.template != "constant"]
            lines += [f"{table.name}: always the same: {', '.join(fixed)}"] if fixed else []
        return lines


def explain(
    structure: Structure,
    *,
    name: str = "",
    subjects: int,
    notes: Iterable[str] = (),
    min_subjects: int = 1,
    suppressed: Mapping[str, int] | None = None,
    replaced: Mapping[str, int] | None = None,
) -> Explanation:
    """Lay open what was found. `notes` say what could not be learned; `suppressed` counts, by column, the values that
    fewer than `min_subjects` subjects show, `replaced` the texts that gave way to coded terms or stand-ins."""
    computed = [d for d in structure.derivations if d.target != MEMBER]
    tables = structure.tables.values()
    return Explanation(
        name=name,
        subjects=subjects,
        subject_key=structure.subject,
        root=structure.root,
        reference_start=structure.anchor,
        arm=structure.group,
        site=structure.site,
        visit=structure.visit,
        tables=tuple(_explained(structure, t) for t in tables),
        derivations=tuple(_one(d) for d in computed if d.template != "lookup"),
        dependencies=tuple(_one(d) for d in computed if d.template == "lookup"),
        references=tuple(words.reference(k) for k in structure.foreign_keys),
        links=tuple(words.link(found, structure.root or "") for found in structure.links),
        orders=tuple(words.order(found) for found in structure.orders),
        supplements=tuple(words.supplement(found) for found in structure.supplements),
        pii={f"{t.name}.{c.name}": c.pii for t in tables for c in t.columns if c.pii is not None},
        min_subjects=min_subjects,
        suppressed=dict(suppressed or {}),
        replaced=dict(replaced or {}),
        not_learned=tuple(notes),
        corrections=tuple(c.said for c in structure.corrections),
    )


def _explained(structure: Structure, spec: TableSpec) -> ExplainedTable:
    return ExplainedTable(
        name=spec.name,
        members=spec.members,
        layout=spec.layout.value,
        rows=spec.rows,
        subjects=spec.subjects,
        key=spec.key,
        columns={c.name: c.kind.value for c in spec.columns if c.name != MEMBER},
        drawn=() if spec.layout in _ASIDE else tuple(c for c in structure.free(spec.name) if c != MEMBER),
    )


def _one(d: Derivation) -> Computed:
    return Computed(
        table=d.table,
        variable=d.target,
        template=d.template,
        by=tuple(dict.fromkeys(s.column if s.table == d.table else f"{s.table}.{s.column}" for s in d.sources)),
        said=words.derivation(d),
        rows=d.rows,
        exceptions=round((1 - d.agreement) * d.rows),
    )


def _table(table: ExplainedTable) -> list[str]:
    parts = f" from {', '.join(table.members)}" if table.members not in ((), (table.name,)) else ""
    key = f"key {', '.join(table.key)}" if table.key else "no key found"
    lines = [f"{table.name}: {table.layout}, {table.rows:,} rows{parts}; {key}"]
    kinds: dict[str, list[str]] = {}
    for name in table.drawn:
        kinds.setdefault(table.columns[name], []).append(name)
    return lines + [f"  drawn, {kind}: {', '.join(names)}" for kind, names in kinds.items()]


def _computed(d: Computed) -> str:
    return f"{d.table}.{d.said}" + (f": {d.exceptions:,} of {d.rows:,} rows differ" if d.exceptions else "")


def _section(title: str, lines: Iterable[str]) -> list[str]:
    body = list(lines)
    if not body:
        return ["", title, "  none"]
    fill = (textwrap.wrap(line, WIDTH, initial_indent="  ", subsequent_indent="      ") for line in body)
    # wrapping drops the blanks in front of a line, which say that it belongs to the one before
    indent = ("  " if line.startswith(" ") else "" for line in body)
    return ["", title, *(deeper + part for deeper, parts in zip(indent, fill, strict=True) for part in parts)]
